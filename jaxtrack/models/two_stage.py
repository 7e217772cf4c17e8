"""The common structure of two-stage networks: a Siamese RPN and a refinement."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.refine import Refiner
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid, proposals
from jaxtrack.ops.grid import Geometry

Outputs = dict[str, jax.Array]


class TwoStage(nn.Module):
    """A Siamese RPN whose best proposals are refined: images in, raw maps out.

    Fan and Ling, CRACT (arXiv:2011.12483), Figs. 2 and 3. It has the
    interface of `jaxtrack.models.siamese.Siamese`, so functions for that network accept
    it too, and adds `refine`. The RPN uses phi_4 (section 3.1, C3), the refinement
    phi_34.

    Attributes:
      backbone: image to levels, `(image, *, train)`.
      neck: levels to the RPN's features (a pytree), `(levels, *, crop, train)`.
      correlation: template and search features to a response (a pytree).
      head: response to raw maps, `(response, *, train)`.
      fuse: levels to phi_34, `(levels, *, train)`.
      refiner: the module that refines proposals.
      template_cells: side of the central part of the template's features.
      geometry: crop sizes, and positions of the response's cells.
      anchors: width and height of the anchors on every cell, pixels of the search crop.
    """

    backbone: nn.Module
    neck: nn.Module
    correlation: nn.Module
    head: nn.Module
    fuse: nn.Module
    refiner: Refiner
    template_cells: int
    geometry: Geometry
    anchors: tuple[tuple[float, float], ...]

    def encode_template(
        self,
        z_image: jax.Array,
        z_xyxy: jax.Array | None = None,
        *,
        train: bool = False,
        train_backbone: bool = False,
    ) -> Any:
        """Encodes the template crop, once per video.

        Args:
          z_image: `[B, template_size, template_size, 3]` float32, preprocessed.
          z_xyxy: the target in it, `[B, 4]` xyxy, pixels of the crop; None uses the
            central square of half the crop's side, the position of a square target.
          train: trains the necks.
          train_backbone: trains the backbone.

        Returns:
          "rpn", as `Siamese` returns it, and "target": f_init (Eq. 2), `[B, P, P, C]`.
        """
        if z_xyxy is None:
            square = jnp.array([0.25, 0.25, 0.75, 0.75]) * self.geometry.template_size
            z_xyxy = jnp.broadcast_to(square, (len(z_image), 4))
        levels = self.backbone(z_image, train=train_backbone)
        fused = self.fuse(levels, train=train)
        return {
            "rpn": self.neck(levels, crop=self.template_cells, train=train),
            "target": self.refiner.pool(fused, z_xyxy[:, None])[:, 0],
        }

    def encode_search(
        self, x_image: jax.Array, *, train: bool = False, train_backbone: bool = False
    ) -> Any:
        """Encodes the search crop.

        Args:
          x_image: `[B, search_size, search_size, 3]` float32, preprocessed.
          train: trains the necks.
          train_backbone: trains the backbone.

        Returns:
          "rpn", as `Siamese` returns it, and "fused": phi_34, `[B, H, W, C]`.
        """
        levels = self.backbone(x_image, train=train_backbone)
        return {
            "rpn": self.neck(levels, train=train),
            "fused": self.fuse(levels, train=train),
        }

    def predict(self, z: Any, x: Any, *, train: bool = False) -> Outputs:
        """Classifies and regresses all anchors, as `Siamese.predict`.

        Args:
          z: features returned by `encode_template`.
          x: features returned by `encode_search`.
          train: trains correlation and head.

        Returns:
          "cls" `[B, H, W, A, 2]` logits and "deltas" `[B, H, W, A, 4]`.
        """
        return self.head(self.correlation(z["rpn"], x["rpn"], train=train), train=train)

    def refine(self, z: Any, x: Any, proposals: jax.Array) -> Outputs:
        """Refines proposals; see `jaxtrack.models.refine.Refiner`.

        Args:
          z: features returned by `encode_template`.
          x: features returned by `encode_search`.
          proposals: `[B, N, 4]` xyxy, pixels of the search crop.

        Returns:
          "offsets", "aligned", "identity" and "pooled".
        """
        return self.refiner(x["fused"], z["target"], proposals)

    def __call__(
        self,
        z_image: jax.Array,
        x_image: jax.Array,
        *,
        train: bool = False,
        train_backbone: bool = False,
    ) -> Outputs:
        """Predicts from two crops, and refines the ten best proposals.

        Args:
          z_image: see `encode_template`.
          x_image: see `encode_search`.
          train: trains all but the backbone.
          train_backbone: trains the backbone.

        Returns:
          The outputs of `predict` and `refine`, without "pooled", and "proposals"
          `[B, N, 4]`.
        """
        modes = {"train": train, "train_backbone": train_backbone}
        z = self.encode_template(z_image, **modes)
        x = self.encode_search(x_image, **modes)
        outputs = self.predict(z, x, train=train)
        found = self._best(jax.tree.map(jax.lax.stop_gradient, outputs))
        refined = self.refine(z, x, found)
        del refined["pooled"]
        return {**outputs, "proposals": found, **refined}

    def _best(self, outputs):
        """Returns the ten best proposals of each example."""
        anchors = anchor_boxes.tile(grid.points(self.geometry), self.anchors)

        def of_one(cls, deltas):
            xyxy = proposals.decode_maps(deltas, anchors)
            ranked = proposals.target_probability(cls).reshape(-1)
            return xyxy[proposals.best(xyxy, ranked)]

        return jax.vmap(of_one)(outputs["cls"], outputs["deltas"])
