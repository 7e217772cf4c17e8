"""Activations that a training step stores for its backward pass, per pair.

Run: python -m benchmarks.activations
Nothing is compiled or computed: JAX traces the backward pass of a network in training
mode, backbone included, with `run.remat` and without. A compiler may store less.
"""

import jax
import jax.numpy as jnp
from absl import app

from jaxtrack import trackers
from jaxtrack.configs import siamcar_lite0, siamcar_r50
from jaxtrack.models.remat import recompute

_PAIRS = 4
_CONFIGS = {"siamcar_r50": siamcar_r50, "siamcar_lite0": siamcar_lite0}


def main(argv: list[str]) -> None:
    """Prints the megabytes of each network and dtype."""
    del argv
    print(f"{'network':16}{'dtype':10}{'stored':>12}{'run.remat':>12}  MB per pair")
    for name, module in _CONFIGS.items():
        for dtype in ("float32", "bfloat16"):
            config = module.get_config()
            config.model.dtype = dtype
            sizes = [_stored(config, is_on) / 1e6 for is_on in (False, True)]
            print(f"{name:16}{dtype:10}{sizes[0]:12.0f}{sizes[1]:12.0f}", flush=True)


def _stored(config, is_on):
    """Counts the bytes per pair of what the backward pass reads."""
    network = trackers.network_of(config, training=True)
    sides = network.geometry.template_size, network.geometry.search_size
    images = [jax.ShapeDtypeStruct((_PAIRS, n, n, 3), jnp.float32) for n in sides]
    variables = jax.eval_shape(network.init, jax.random.key(0), *images)

    def backward(variables, *images):
        def forward(params):
            modes = {"train": True, "train_backbone": True, "mutable": ["batch_stats"]}
            with recompute(is_on):
                return network.apply({**variables, "params": params}, *images, **modes)

        return jax.vjp(forward, variables["params"], has_aux=True)[1]

    kept = jax.tree.leaves(jax.eval_shape(backward, variables, *images))
    # The rest is parameters, which are stored anyway.
    own = [leaf for leaf in kept if leaf.ndim and leaf.shape[0] == _PAIRS]
    return sum(leaf.size * leaf.dtype.itemsize for leaf in own) / _PAIRS


if __name__ == "__main__":
    app.run(main)
