"""Tests for benchmarks.flops."""

import jax
import jax.numpy as jnp

from benchmarks import flops


def test_counts_operations_before_xla_optimizes():
    """A product of [3, 4] and [4, 5] has 3 x 4 x 5 multiplications and additions."""
    shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((3, 4), (4, 5))]
    assert flops.count(jax.jit(jnp.matmul).lower(*shapes)) == 2 * 3 * 4 * 5
