"""SiamFC++ networks: the released architecture, and a small one."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.backbones.googlenet import EPSILON, GoogLeNet
from jaxtrack.models.heads.densebox import DenseboxHead
from jaxtrack.models.layers import BatchNorm, Conv, conv_bn
from jaxtrack.models.necks import central_crop
from jaxtrack.models.siamcar import siamcar_lite0
from jaxtrack.models.siamese import Siamese, choose
from jaxtrack.ops.grid import Geometry
from jaxtrack.ops.xcorr import depthwise_xcorr

# Response cell i of the released network is tested on pixel index 79 + 8 i.
RELEASED = Geometry(127, 303, 19, 8, 79.5)
TASKS = ("cls", "box")


class TaskNeck(nn.Module):
    """Narrows a map, then has one 3x3 convolution a task and an image.

    Xu et al., SiamFC++ (arXiv:1911.06188): the common features are adjusted to the
    classification and to the regression before either correlates them. Layers as
    released: cells near the border, which saw the padding, are cut off before all else;
    every convolution has a bias and a batch normalisation, none a ReLU.

    Attributes:
      features: channels of the outputs.
      border: cells cut off each side of a map that is kept whole.
      axis_name: mapped axis of the batch normalisations.
      dtype: type of the computation.
    """

    features: int = 256
    border: int = 4
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, levels: tuple, *, crop: int | None = None, train: bool = False
    ) -> dict[str, jax.Array]:
        """Adjusts the only level to both tasks.

        Args:
          levels: one map `[B, H, W, C]`.
          crop: side of the template's central part; None is for the search crop.
          train: normalise by the batch.

        Returns:
          Of "cls" and of "box" a map, `[B, crop - 2, crop - 2, features]` or
          `[B, H - 2 border - 2, W - 2 border - 2, features]`.
        """

        def layer(name, size, x, epsilon=1e-5):
            conv = Conv(
                self.features,
                size,
                use_bias=True,
                dtype=self.dtype,
                name=f"{name}_conv",
            )
            bn = BatchNorm(
                self.features, epsilon, axis_name=self.axis_name, name=f"{name}_bn"
            )
            return conv_bn(conv, bn, x, train=train)

        (x,) = levels
        size = x.shape[1] - 2 * self.border if crop is None else crop
        x = layer("reduce", 1, central_crop(x, size), EPSILON)
        image = "x" if crop is None else "z"
        return {task: layer(f"{task}_{image}", 3, x) for task in TASKS}


class TaskCorrelation(nn.Module):
    """Depthwise correlation of each task's features; nothing is learnt.

    Xu et al., SiamFC++ (arXiv:1911.06188).
    """

    def __call__(
        self, z: dict[str, jax.Array], x: dict[str, jax.Array], *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Correlates `z`, `[B, Hz, Wz, C]` each, with `x`, `[B, Hx, Wx, C]`.

        Args:
          z: the template's maps by task.
          x: the search crop's.
          train: taken as every correlation takes it; nothing here depends on it.

        Returns:
          Of each task `[B, Hx - Hz + 1, Wx - Wz + 1, C]`.
        """
        del train
        return {task: depthwise_xcorr(z[task], x[task]) for task in z}


def siamfcpp_googlenet(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns SiamFC++ as published, with GoogLeNet; see `jaxtrack.models.build`."""
    choose("siamfcpp_googlenet", "correlation", correlation, ("depthwise",))
    choose("siamfcpp_googlenet", "localization", localization, ("centerness",))
    shared = {"axis_name": axis_name, "dtype": dtype}
    return Siamese(
        backbone=GoogLeNet(**shared),
        neck=TaskNeck(**shared),
        correlation=TaskCorrelation(),
        head=DenseboxHead(**shared),
        template_cells=5,
        geometry=RELEASED,
    )


def siamfcpp_lite0(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns the small tracker with SiamFC++'s outputs; see `jaxtrack.models.build`.

    `siamcar_lite0` with a single logit of the class, and the centre-ness from the
    tower of the class.
    """
    choose("siamfcpp_lite0", "localization", localization, ("centerness",))
    names = ("pixelwise", "depthwise", "both")
    correlation = choose("siamfcpp_lite0", "correlation", correlation, names)
    base = siamcar_lite0(correlation=correlation, dtype=dtype, axis_name=axis_name)
    return base.clone(head=base.head.clone(cls_bias=(-4.0,), quality="cls"))
