"""Tests for the count of operations in benchmarks.train_step."""

import jax
import jax.numpy as jnp

from benchmarks import train_step


def test_counts_operations_before_xla_optimizes():
    """A product of [3, 4] and [4, 5] has 3 x 4 x 5 multiplications and additions."""
    shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((3, 4), (4, 5))]
    assert train_step.flops_of(jax.jit(jnp.matmul).lower(*shapes)) == 2 * 3 * 4 * 5
