"""GoogLeNet of stride 8: Inception-v3 up to Mixed_6e, with one pooling fewer."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import kaiming
from jaxtrack.models.norms import BatchNorm

EPSILON = 1e-3  # Of every batch normalization.
# (name, features, side of the kernel, stride, keeps the size), in order.
STEM = (
    ("Conv2d_1a_3x3", 32, 3, 2, False),
    ("Conv2d_2a_3x3", 32, 3, 1, False),
    ("Conv2d_2b_3x3", 64, 3, 1, True),
    ("Conv2d_3b_1x1", 80, 1, 1, True),
    ("Conv2d_4a_3x3", 192, 3, 1, False),
)
POOLED = "Conv2d_2b_3x3"  # Max pooling follows; after 4a the stride-8 variant has none.


class BasicConv(nn.Module):
    """A convolution, a batch normalization and a ReLU.

    Attributes:
      features: number of output channels.
      kernel_size: height and width of the kernel, cells.
      stride: cells between two outputs.
      keeps_size: pads half the kernel's size with zeros on each side, else nothing.
      axis_name: mapped axis of the batch normalization.
      dtype: dtype of the computation.
    """

    features: int
    kernel_size: tuple[int, int]
    stride: int = 1
    keeps_size: bool = True
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Maps `[B, H, W, Cin]` to `[B, H', W', features]`."""
        pads = [(size // 2 if self.keeps_size else 0,) * 2 for size in self.kernel_size]
        conv = nn.Conv(
            self.features,
            self.kernel_size,
            self.stride,
            padding=pads,
            use_bias=False,
            kernel_init=kaiming,
            dtype=self.dtype,
            name="conv",
        )
        bn = BatchNorm(self.features, EPSILON, axis_name=self.axis_name, name="bn")
        x = conv(x)
        if train:
            return nn.relu(bn(x))
        a, b = (c.astype(self.dtype)[None, None, None] for c in bn.affine())
        return nn.relu(x * a + b)


class Inception(nn.Module):
    """An Inception block: branches of convolutions and a pooling branch.

    Szegedy et al., Rethinking the Inception Architecture (arXiv:1512.00567), Figs. 5
    (with a 5x5 kernel, as released), 6 and 10.

    Attributes:
      branches: layers of each branch, `(name, features, (height, width))`.
      pool_features: channels of the last branch, an average pooling and a 1x1
        convolution. 0: the block halves the map, by a stride of 2 in each branch's last
        layer and a max pooling, all without padding.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    branches: tuple
    pool_features: int
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Maps `[B, H, W, Cin]` to `[B, H', W', Cout]`, branches in their order."""
        halves = not self.pool_features
        outputs = []
        for layers in self.branches:
            y = x
            for name, features, kernel_size in layers:
                last = halves and name == layers[-1][0]
                y = BasicConv(
                    features,
                    kernel_size,
                    stride=2 if last else 1,
                    keeps_size=not last,
                    axis_name=self.axis_name,
                    dtype=self.dtype,
                    name=name,
                )(y, train=train)
            outputs.append(y)
        if halves:
            outputs.append(nn.max_pool(x, window_shape=(3, 3), strides=(2, 2)))
        else:
            # Padding zeros count in the average, as in PyTorch.
            y = nn.pool(x, 0.0, lax.add, (3, 3), (1, 1), "SAME") / 9
            shared = {"axis_name": self.axis_name, "dtype": self.dtype}
            pool = BasicConv(self.pool_features, (1, 1), name="branch_pool", **shared)
            outputs.append(pool(y, train=train))
        return jnp.concatenate(outputs, axis=-1)


def _mixed_5():
    """Branches of the blocks on the finer grid."""
    return (
        (("branch1x1", 64, (1, 1)),),
        (("branch5x5_1", 48, (1, 1)), ("branch5x5_2", 64, (5, 5))),
        (
            ("branch3x3dbl_1", 64, (1, 1)),
            ("branch3x3dbl_2", 96, (3, 3)),
            ("branch3x3dbl_3", 96, (3, 3)),
        ),
    )


def _mixed_6a():
    """Branches of the block between the grids."""
    return (
        (("branch3x3", 384, (3, 3)),),
        (
            ("branch3x3dbl_1", 64, (1, 1)),
            ("branch3x3dbl_2", 96, (3, 3)),
            ("branch3x3dbl_3", 96, (3, 3)),
        ),
    )


def _mixed_6(width):
    """Branches of the blocks on the coarser grid; 7x7 kernels are factorised."""
    return (
        (("branch1x1", 192, (1, 1)),),
        (
            ("branch7x7_1", width, (1, 1)),
            ("branch7x7_2", width, (1, 7)),
            ("branch7x7_3", 192, (7, 1)),
        ),
        (
            ("branch7x7dbl_1", width, (1, 1)),
            ("branch7x7dbl_2", width, (7, 1)),
            ("branch7x7dbl_3", width, (1, 7)),
            ("branch7x7dbl_4", width, (7, 1)),
            ("branch7x7dbl_5", 192, (1, 7)),
        ),
    )


# (name, branches, features of the pooling branch), in order.
MIXED = (
    ("Mixed_5b", _mixed_5(), 32),
    ("Mixed_5c", _mixed_5(), 64),
    ("Mixed_5d", _mixed_5(), 64),
    ("Mixed_6a", _mixed_6a(), 0),
    ("Mixed_6b", _mixed_6(128), 192),
    ("Mixed_6c", _mixed_6(160), 192),
    ("Mixed_6d", _mixed_6(160), 192),
    ("Mixed_6e", _mixed_6(192), 192),
)


class GoogLeNet(nn.Module):
    """SiamFC++'s GoogLeNet; one map of stride 8.

    Inception-v3 (Szegedy et al., arXiv:1512.00567, Table 1) up to Mixed_6e. SiamFC++
    (Xu et al., arXiv:1911.06188), as released, leaves out the pooling after Conv2d_4a.
    No strided layer pads, so 127 px give 13 cells, 289 px 33 and 303 px 35; cell m is
    centered on pixel index 8 m + 13.

    The convolutions before Mixed_5b never train; their statistics stay and no gradient
    enters.

    Attributes:
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; parameters stay float32.
    """

    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool = False) -> tuple:
        """Encodes images.

        Args:
          image: `[B, H, W, 3]`, preprocessed as the weights expect.
          train: trains the Mixed blocks; otherwise no gradient enters the network.

        Returns:
          The output of Mixed_6e, `[B, H/8, W/8, 768]`, as the only level.
        """
        shared = {"axis_name": self.axis_name, "dtype": self.dtype}
        x = image
        for name, features, size, stride, keeps_size in STEM:
            conv = BasicConv(
                features, (size, size), stride, keeps_size, name=name, **shared
            )
            x = conv(x, train=False)
            if name == POOLED:
                x = nn.max_pool(x, window_shape=(3, 3), strides=(2, 2))
        x = lax.stop_gradient(x)
        for name, branches, pool_features in MIXED:
            x = Inception(branches, pool_features, name=name, **shared)(x, train=train)
        return (x if train else lax.stop_gradient(x),)
