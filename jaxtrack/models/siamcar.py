"""SiamCAR networks: one Siamese frame around four interchangeable parts."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.errors import InputError
from jaxtrack.models.backbones import efficientnet, resnet
from jaxtrack.models.correlations import LevelCorrelation, SearchCorrelation
from jaxtrack.models.heads.car import CarHead
from jaxtrack.models.necks import AdjustNeck, PyramidNeck
from jaxtrack.ops.grid import Geometry


class SiamCar(nn.Module):
    """A Siamese tracker's network: images in, raw maps out.

    Guo et al., SiamCAR (arXiv:1911.07241), Fig. 2.

    In every method `train` lets neck and head normalise by the batch, and
    `train_backbone` lets the backbone do so and receive gradients; otherwise its
    features are constants.

    Attributes:
      backbone: image to levels, `(image, *, train)`.
      neck: levels to features (a pytree), `(levels, *, crop, train)`.
      correlation: template and search features to a response (a pytree), `(z, x)`.
      head: response to raw maps.
      template_cells: side of the central part of the template's features.
      geometry: crop sizes, and where the response's cells look.
    """

    backbone: nn.Module
    neck: nn.Module
    correlation: nn.Module
    head: nn.Module
    template_cells: int
    geometry: Geometry

    def encode_template(
        self, z_image: jax.Array, *, train: bool = False, train_backbone: bool = False
    ) -> Any:
        """Encodes the target's crop once for a whole video.

        Args:
          z_image: `[B, template_size, template_size, 3]` float32, preprocessed.
          train: trains the neck.
          train_backbone: trains the backbone.

        Returns:
          A pytree of maps `[B, template_cells, template_cells, C]`.
        """
        levels = self.backbone(z_image, train=train_backbone)
        return self.neck(levels, crop=self.template_cells, train=train)

    def encode_search(
        self, x_image: jax.Array, *, train: bool = False, train_backbone: bool = False
    ) -> Any:
        """Encodes the crop in which the target is sought.

        Args:
          x_image: `[B, search_size, search_size, 3]` float32, preprocessed.
          train: trains the neck.
          train_backbone: trains the backbone.

        Returns:
          A pytree of maps `[B, H, W, C]`.
        """
        return self.neck(self.backbone(x_image, train=train_backbone), train=train)

    def predict(self, z: Any, x: Any) -> dict[str, jax.Array]:
        """Compares features of template and search crop.

        Args:
          z: what `encode_template` returns.
          x: what `encode_search` returns.

        Returns:
          What the head returns, float32; SiamCAR's: `cls` `[B, H, W, 2]` logits (1 is
          the target), `ltrb` `[B, H, W, 4]` pixels of the search crop and `centerness`
          `[B, H, W, 1]` logits.
        """
        return self.head(self.correlation(z, x))

    def __call__(
        self,
        z_image: jax.Array,
        x_image: jax.Array,
        *,
        train: bool = False,
        train_backbone: bool = False,
    ) -> dict[str, jax.Array]:
        """Predicts from two crops; arguments and result as in the other methods."""
        modes = {"train": train, "train_backbone": train_backbone}
        z = self.encode_template(z_image, **modes)
        x = self.encode_search(x_image, **modes)
        return self.predict(z, x)


# Response cell i of the released networks is trained on pixel index 32 + 8 i.
RELEASED = Geometry(127, 255, 25, 8, 32.5)
LITE = Geometry(128, 256, 32, 8, 4.0)


def siamcar_r50(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> SiamCar:
    """Returns SiamCAR as published, with ResNet-50; see `jaxtrack.models.build`."""
    backbone = resnet.resnet50(axis_name=axis_name, dtype=dtype)
    choose("siamcar_r50", "localization", localization, ("centerness",))
    return _released("siamcar_r50", backbone, correlation, dtype, axis_name)


def siamcar_r18(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> SiamCar:
    """Returns SiamCAR with ResNet-18; see `jaxtrack.models.build`."""
    backbone = resnet.resnet18(axis_name=axis_name, dtype=dtype)
    choose("siamcar_r18", "localization", localization, ("centerness",))
    return _released("siamcar_r18", backbone, correlation, dtype, axis_name)


def _released(name, backbone, correlation, dtype, axis_name):
    """SiamCAR's own neck, correlation and head on a ResNet."""
    choose(name, "correlation", correlation, ("depthwise",))
    return SiamCar(
        backbone=backbone,
        neck=AdjustNeck(axis_name=axis_name, dtype=dtype),
        correlation=LevelCorrelation(dtype=dtype),
        head=CarHead(dtype=dtype),
        template_cells=7,
        geometry=RELEASED,
    )


def siamcar_lite0(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> SiamCar:
    """Returns the small tracker on EfficientNet-Lite0; see `jaxtrack.models.build`.

    Pixel-wise correlation by default; light towers; ltrb starts at 32 px and the
    probability of the target at sigmoid(-4) = 0.018.
    """
    names = ("pixelwise", "depthwise", "both")
    correlation = choose("siamcar_lite0", "correlation", correlation, names)
    choose("siamcar_lite0", "localization", localization, ("centerness",))
    return SiamCar(
        backbone=efficientnet.EfficientNetLite0(axis_name=axis_name, dtype=dtype),
        neck=PyramidNeck(dtype=dtype),
        correlation=SearchCorrelation(
            depthwise=correlation in ("depthwise", "both"),
            pixelwise=correlation in ("pixelwise", "both"),
            dtype=dtype,
        ),
        head=CarHead(
            depth=3,
            groups=8,
            separable=True,
            quality="box",
            box_unit=8.0,
            cls_bias=(0.0, -4.0),
            box_bias=1.386294,  # ln 4.
            dtype=dtype,
        ),
        template_cells=8,
        geometry=LITE,
    )


def choose(model: str, what: str, chosen: str | None, names: Sequence[str]) -> str:
    """Checks a choice of a network's part.

    Args:
      model: the network's name.
      what: the part's.
      chosen: one of `names`; None or "" takes the first.
      names: what the network has.

    Returns:
      The choice.

    Raises:
      InputError: if it is none of them.
    """
    if (chosen or names[0]) not in names:
        raise InputError(f"{what}: {model} has {', '.join(names)}, not {chosen!r}")
    return chosen or names[0]
