"""The common structure of Siamese networks: four interchangeable parts."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.ops.grid import Geometry, with_search_size


class Siamese(nn.Module):
    """A Siamese tracker's network: images in, raw maps out.

    Li et al., SiamRPN++ (arXiv:1812.11703), Fig. 3; Guo et al., SiamCAR
    (arXiv:1911.07241), Fig. 2.

    In every method `train` makes neck, correlation and head use batch statistics, and
    `train_backbone` makes the backbone use them and receive gradients; otherwise its
    features are constants.

    Attributes:
      backbone: image to levels, `(image, *, train)`.
      neck: levels to features (a pytree), `(levels, *, crop, train)`.
      correlation: template and search features to a response (a pytree),
        `(z, x, *, train)`.
      head: response to raw maps, `(response, *, train)`.
      template_cells: side of the central part of the template's features.
      geometry: crop sizes, and positions of the response's cells.
      anchors: width and height of the anchors on every cell, pixels of the search crop;
        empty where boxes are predicted from the cell's point.
    """

    backbone: nn.Module
    neck: nn.Module
    correlation: nn.Module
    head: nn.Module
    template_cells: int
    geometry: Geometry
    anchors: tuple[tuple[float, float], ...] = ()

    def encode_template(
        self, z_image: jax.Array, *, train: bool = False, train_backbone: bool = False
    ) -> Any:
        """Encodes the template crop, once per video.

        Args:
          z_image: `[B, template_size, template_size, 3]` float32, preprocessed.
          train: trains the neck.
          train_backbone: trains the backbone.

        Returns:
          A pytree of maps `[B, Hz, Wz, C]`: of `template_cells` cells a side, or fewer
          where the neck convolves them.
        """
        levels = self.backbone(z_image, train=train_backbone)
        return self.neck(levels, crop=self.template_cells, train=train)

    def encode_search(
        self, x_image: jax.Array, *, train: bool = False, train_backbone: bool = False
    ) -> Any:
        """Encodes the search crop.

        Args:
          x_image: `[B, search_size, search_size, 3]` float32, preprocessed.
          train: trains the neck.
          train_backbone: trains the backbone.

        Returns:
          A pytree of maps `[B, H, W, C]`.
        """
        return self.neck(self.backbone(x_image, train=train_backbone), train=train)

    def predict(self, z: Any, x: Any, *, train: bool = False) -> dict[str, jax.Array]:
        """Compares features of template and search crop.

        Args:
          z: features returned by `encode_template`.
          x: features returned by `encode_search`.
          train: trains correlation and head.

        Returns:
          The head's outputs, float32: `cls` logits (of two, 1 is the target's),
          boxes as `ltrb` `[B, H, W, 4]`, pixels of the search crop, or `deltas`
          `[B, H, W, A, 4]` of A anchors, and optionally quality logits `[B, H, W, 1]`.
        """
        return self.head(self.correlation(z, x, train=train), train=train)

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
        return self.predict(z, x, train=train)


class Forward(Protocol):
    """Applies a network to a training batch."""

    def __call__(
        self,
        network: nn.Module,
        batch: Mapping[str, jax.Array],
        *,
        train: bool,
        train_backbone: bool,
    ) -> Mapping[str, jax.Array]:
        """Returns the network's outputs.

        Args:
          network: bound to its variables.
          batch: see `jaxtrack.data.batch`, its images preprocessed, and "key", a random
            key a pair.
          train: use batch statistics everywhere but in the backbone.
          train_backbone: use them in the backbone too, and train it.
        """


def make_forward(config: ConfigDict, network: nn.Module) -> Forward:
    """Returns the forward function of a network that needs only the two images.

    Args:
      config: the config; unused.
      network: unused; it is passed again, bound.
    """
    del config, network

    def forward(network, batch, *, train, train_backbone):
        images = batch["z_image"], batch["x_image"]
        return network(*images, train=train, train_backbone=train_backbone)

    return forward


def resized(model: Siamese, search_size: int) -> Siamese:
    """Changes the size of a network's search crops; its parameters stay the same.

    Args:
      model: the network.
      search_size: side of the new search crop, pixels.

    Returns:
      The network with another geometry (see `jaxtrack.ops.grid.with_search_size`),
      whose response size is its outputs'.

    Raises:
      InputError: if the network does not support crops of that size.
    """
    z, x = (
        jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
        for size in (model.geometry.template_size, search_size)
    )

    def maps(model, z, x):
        # Later parts, such as CRACT's proposals, assume that the maps fit.
        return model.predict(model.encode_template(z), model.encode_search(x))

    init = partial(model.init_with_output, method=maps)
    try:
        outputs, _ = jax.eval_shape(init, jax.random.key(0), z, x)
        cells = outputs["cls"].shape[1]
        if not cells:
            raise ValueError("no cell is left of the response")
    except (ValueError, TypeError) as fault:  # Of the layer that fails.
        raise InputError(
            f"search_size: the network, made for {model.geometry.search_size} px, "
            f"takes no crops of {search_size} px: {fault}"
        ) from fault
    return model.clone(geometry=with_search_size(model.geometry, search_size, cells))
