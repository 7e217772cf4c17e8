"""A loss on four devices."""

import jax
import jax.numpy as jnp
import numpy as np

ORDER = np.array([0, 3, 1, 2, 4, 5, 6, 7])


def check_four_devices(share, whole, batch, *, learnt=None, idle=(), rtol=1e-6):
    """Checks that the shares of four devices sum to the loss and slopes of one.

    The second device holds examples 1 and 2: where they lack a target, or labels that
    the others have, local counts would not do.

    Args:
      share: `(outputs, *rest) -> (loss, metrics)` of a device, its axis "batch".
      whole: the same without an axis, with its gradient by the outputs, compiled.
      batch: `(outputs, *rest)` of eight examples.
      learnt: names of the outputs that have slopes; all of them, unless given.
      idle: names of those whose slopes are 0.
      rtol: tolerance of the metrics.
    """
    batch = jax.tree.map(lambda a: a[ORDER], batch)
    (loss, metrics), gradients = whole(*batch)

    # One scale for the maps stands for the parameters that all devices share.
    def scaled(scale, outputs, *rest):
        outputs = outputs | {name: scale[name] * outputs[name] for name in scale}
        return share(outputs, *rest)

    def step(scale, *batch):
        return jax.lax.psum(
            jax.value_and_grad(scaled, has_aux=True)(scale, *batch), "batch"
        )

    ones = {name: jnp.ones(()) for name in learnt or batch[0]}
    parts = jax.tree.map(lambda a: a.reshape(4, 2, *a.shape[1:]), batch)
    axes = {"in_axes": (None, *[0] * len(parts)), "out_axes": None}
    mapped = jax.pmap(step, "batch", **axes, devices=jax.local_devices()[:4])
    (summed, summed_metrics), slopes = mapped(ones, *parts)
    np.testing.assert_allclose(summed, loss, rtol=rtol)
    for name, value in metrics.items():
        np.testing.assert_allclose(summed_metrics[name], value, rtol=rtol, err_msg=name)
    for name, slope in slopes.items():
        expected = np.sum(batch[0][name] * gradients[name])
        np.testing.assert_allclose(slope, expected, rtol=1e-4, err_msg=name)
        assert (np.abs(expected) > 1e-4) == (name not in idle), name
