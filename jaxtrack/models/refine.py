"""The refinement of proposals: regression, alignment, classification (CRAC)."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import Conv
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import roi_align

# SPM-Tracker's weights of box offsets, and its bound of their logarithms (C8).
OFFSET_WEIGHTS = (5.0, 5.0, 10.0, 10.0)
MOST_LOG_SCALE = math.log(255 / 32)
REFINEMENTS = ("cascade", "parallel")


class RelationHead(nn.Module):
    """Compares pooled features of proposals with the target's: a vector per proposal.

        out = fc(relu(fc(relu(fc(relu(conv3x3([f, f_init])))))))

    Fan and Ling, CRACT (arXiv:2011.12483), Eqs. 3 and 6, with SPM-Tracker's sizes (C7).
    The convolution of the concatenation is the sum of two, of which that of f_init is
    done once for all proposals.

    Attributes:
      outputs: length of the vector.
      features: output channels of the convolution.
      hidden: width of the two hidden layers.
      dtype: dtype of the computation; outputs are float32.
    """

    outputs: int
    features: int = 256
    hidden: int = 256
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, f: jax.Array, f_init: jax.Array) -> jax.Array:
        """Compares `f`, `[B, N, P, P, C]`, with `f_init`, `[B, P, P, C]`.

        Args:
          f: features of N proposals.
          f_init: features of the target.

        Returns:
          `[B, N, outputs]` float32.
        """
        size, count = f.shape[:2]
        # He's scale for the concatenation, which has twice as many channels as each.
        half = nn.initializers.variance_scaling(1.0, "fan_in", "normal")
        options = {"padding": 1, "kernel_init": half, "dtype": self.dtype}
        of_proposal = Conv(self.features, 3, name="conv_proposal", **options)
        of_target = Conv(self.features, 3, use_bias=True, name="conv_target", **options)
        y = of_proposal(f.reshape(-1, *f.shape[2:]))
        y = y.reshape(size, count, *y.shape[1:]) + of_target(f_init)[:, None]
        y = nn.relu(y).reshape(size, count, -1)
        for i in range(2):
            he = nn.initializers.he_normal()
            dense = nn.Dense(
                self.hidden, kernel_init=he, dtype=self.dtype, name=f"fc{i}"
            )
            y = nn.relu(dense(y))
        small = nn.initializers.normal(0.01)
        last = nn.Dense(
            self.outputs, kernel_init=small, dtype=self.dtype, name="fc_out"
        )
        return last(y).astype(jnp.float32)


class Refiner(nn.Module):
    """Regresses proposals and classifies them as target or background.

        r_i = R(f_i, f_init),  p~_i = decode(p_i, r_i),  v_i = I(f~_i, f_init)

    Fan and Ling, CRACT (arXiv:2011.12483), Eqs. 1 to 6; f~_i are the features of p~_i,
    or, in parallel, of p_i (Table 7, C20). No gradient flows through box coordinates.

    Attributes:
      refinement: "cascade" or "parallel".
      output_sizes: bins of the pyramid RoIAlign's levels; (6,) is RoIAlign.
      stride: distance of the feature map's cells, pixels of a crop.
      offset: center of its first cell, pixels of a crop.
      features: output channels of the convolutions.
      hidden: width of the hidden layers.
      dtype: dtype of the computation; outputs are float32.
    """

    refinement: str
    output_sizes: tuple[int, ...]
    stride: float
    offset: float
    features: int = 256
    hidden: int = 256
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, feature_map: jax.Array, f_init: jax.Array, proposals: jax.Array
    ) -> dict[str, jax.Array]:
        """Refines proposals.

        Args:
          feature_map: phi_34 of the search crop, `[B, H, W, C]`.
          f_init: pooled features of the target, `[B, P, P, L C]`.
          proposals: `[B, N, 4]` xyxy, pixels of the search crop.

        Returns:
          "offsets" `[B, N, 4]`, r_i times `OFFSET_WEIGHTS`; "aligned" `[B, N, 4]` xyxy,
          pixels of the search crop; "identity" `[B, N, 2]` logits, the second the
          target's; "pooled" `[B, N, P, P, L C]`, the features that were classified.
        """
        sizes = {"features": self.features, "hidden": self.hidden, "dtype": self.dtype}
        proposals = lax.stop_gradient(proposals)
        pooled = self.pool(feature_map, proposals)
        offsets = RelationHead(4, name="regression", **sizes)(pooled, f_init)
        aligned = anchor_boxes.decode(
            proposals,
            lax.stop_gradient(offsets),
            weights=OFFSET_WEIGHTS,
            max_log_scale=MOST_LOG_SCALE,
        )
        if self.refinement == "cascade":
            pooled = self.pool(feature_map, aligned)
        identity = RelationHead(2, name="identifier", **sizes)(pooled, f_init)
        return {
            "offsets": offsets,
            "aligned": aligned,
            "identity": identity,
            "pooled": pooled,
        }

    def pool(self, feature_map: jax.Array, xyxy: jax.Array) -> jax.Array:
        """Pools the features of boxes of a batch; it has no parameters.

        Args:
          feature_map: `[B, H, W, C]`.
          xyxy: `[B, N, 4]` xyxy, pixels of the crop.

        Returns:
          `[B, N, P, P, L C]` of L levels.
        """
        of_one = partial(
            pool, output_sizes=self.output_sizes, stride=self.stride, offset=self.offset
        )
        return jax.vmap(of_one)(feature_map, xyxy)


def pool(
    feature_map: jax.Array,
    xyxy: jax.Array,
    *,
    output_sizes: tuple[int, ...],
    stride: float,
    offset: float,
    method: str = "matmul",
) -> jax.Array:
    """Pools the features of boxes of one crop.

    Args:
      feature_map: `[H, W, C]`.
      xyxy: `[N, 4]` xyxy, pixels of the crop.
      output_sizes: bins of the pyramid RoIAlign's levels.
      stride: distance of the map's cells, pixels.
      offset: center of its first cell, pixels.
      method: see `jaxtrack.ops.roi_align.roi_align`.

    Returns:
      `[N, P, P, L C]` of L levels, P bins an axis.
    """
    cells = roi_align.to_cells(xyxy, stride=stride, offset=offset)
    return roi_align.pyramid_roi_align(
        feature_map, cells, output_sizes=output_sizes, method=method
    )
