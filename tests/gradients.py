"""Derivatives against finite differences, compiled once."""

import functools

import jax
import numpy as np
from jax import lax


def check_gradients(fn, args, *, rtol, atol=2e-3, eps=1e-4):
    """Checks the reverse derivative of `fn` at `args` along one random direction.

    <J^T c, t> = <c, (fn(a + eps t) - fn(a - eps t)) / (2 eps)> for random t and c, as
    `jax.test_util.check_grads` of order 1 has it, in one program instead of one for
    each operation.
    """
    rng = np.random.RandomState(0)

    def draw(leaf):
        return np.asarray(rng.randn(*np.shape(leaf)), np.float32)

    args = jax.tree.map(lambda a: np.asarray(a, np.float32), tuple(args))
    tangents = jax.tree.map(draw, args)
    cotangents = jax.tree.map(draw, jax.eval_shape(fn, *args))
    places = jax.tree.map(
        lambda a, t: np.stack([a, a + np.float32(eps) * t, a - np.float32(eps) * t]),
        args,
        tangents,
    )

    value, gradients, values = _derive(fn, args, places, cotangents)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b[0], rtol=rtol, atol=atol),
        value,
        values,
    )
    slopes = jax.tree.map(lambda b: (b[1] - b[2]) * np.float32(0.5 / eps), values)
    np.testing.assert_allclose(
        _inner(tangents, gradients), _inner(slopes, cotangents), rtol=rtol, atol=atol
    )


@functools.partial(jax.jit, static_argnums=0)
def _derive(fn, args, places, cotangents):
    value, pull = jax.vjp(fn, *args)
    return value, pull(cotangents), lax.map(lambda at: fn(*at), places)


def _inner(a, b):
    """The inner product of two trees."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return sum(np.vdot(x, y) for x, y in pairs)
