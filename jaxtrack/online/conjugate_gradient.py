"""The conjugate gradient method, and Gauss-Newton steps solved by it.

Unknowns are pytrees of floating point arrays, and an inner product is one number over
all their leaves. The number of iterations is fixed, so everything runs under jit, vmap
and scan; an iteration that has nothing left to improve changes nothing.

Danelljan et al., ATOM (arXiv:1811.07628), section 3.2.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

DIRECTIONS = ("fletcher_reeves", "polak_ribiere")


def conjugate_gradient(
    matvec: Callable[[Any], Any],
    b: Any,
    *,
    num_iters: int,
    direction: str = "fletcher_reeves",
    preconditioner: Callable[[Any], Any] | None = None,
) -> Any:
    """Solves A x = b for a symmetric, positive semidefinite A, starting at x = 0.

        z = M^-1 r;  p = z + max(beta, 0) p;  alpha = <r, z> / <p, A p>
        x = x + alpha p;  r' = r - alpha A p
        Fletcher-Reeves  beta = <r', z'> / <r, z>
        Polak-Ribiere    beta = <r' - r, z'> / <r, z>

    With exact arithmetic both directions are the same and n iterations solve n
    unknowns; Polak-Ribiere restarts where rounding (or an A that is not linear) has
    spoilt the direction. ATOM uses the first in the first frame and the second in
    updates (C11).

    Args:
      matvec: x -> A x, of the structure of `b`.
      b: the right-hand side, a pytree of arrays.
      num_iters: number of iterations; 0 gives zeros.
      direction: one of `DIRECTIONS`.
      preconditioner: r -> M^-1 r, symmetric and positive; None is the identity.

    Returns:
      x, of the structure of `b`. Where <r, z> or <p, A p> is not positive (the residual
      is 0, or b is not finite) x does not change any more.

    Raises:
      ValueError: `direction` is not one of `DIRECTIONS`.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction is {direction!r}, not one of {DIRECTIONS}")
    zeros = jax.tree.map(jnp.zeros_like, b)

    def iterate(carry, _):
        x, r, p, memory, rho_old = carry
        z = r if preconditioner is None else preconditioner(r)
        rho = _inner(r, z)
        if direction == "fletcher_reeves":
            beta = rho / rho_old
        else:
            beta = (rho - _inner(memory, z)) / rho_old
        p_new = _add_scaled(z, jnp.maximum(beta, 0), p)
        q = matvec(p_new)
        curvature = _inner(p_new, q)
        is_alive = (rho > 0) & (curvature > 0)
        alpha = rho / jnp.where(is_alive, curvature, 1)
        new = (
            _add_scaled(x, alpha, p_new),
            _add_scaled(r, -alpha, q),
            p_new,
            memory if direction == "fletcher_reeves" else r,
            rho,
        )
        return jax.tree.map(lambda a, b: jnp.where(is_alive, a, b), new, carry), None

    # At first p = 0, so that the value of beta does not matter.
    memory = () if direction == "fletcher_reeves" else zeros
    start = (zeros, b, zeros, memory, jnp.ones_like(_inner(b, b)))
    (x, *_), _ = lax.scan(iterate, start, length=num_iters)
    return x


def gauss_newton(
    residual: Callable[[Any], Any],
    x0: Any,
    *,
    num_linearizations: int,
    num_iters: int,
    direction: str = "fletcher_reeves",
    preconditioner: Callable[[Any], Any] | None = None,
    num_halvings: int | None = None,
) -> tuple[Any, jax.Array]:
    """Minimizes a sum of squares by repeatedly linearising its residuals.

        loss(x) = ||residual(x)||^2
        J = d residual / d x at x;  J^T J dx = -J^T residual(x);  x = x + dx

    Each step is solved by `num_iters` iterations of `conjugate_gradient`, in which J is
    applied but never formed; the residual is linearised once a step. ATOM
    (arXiv:1811.07628), Algorithm 1.

    Args:
      residual: x -> pytree of arrays.
      x0: starting point, a pytree of arrays.
      num_linearizations: number of steps; 0 returns `x0`.
      num_iters: conjugate gradient iterations of a step.
      direction: see `conjugate_gradient`.
      preconditioner: see `conjugate_gradient`; A is J^T J, without a factor 2.
      num_halvings: None takes every full step, as ATOM does. Otherwise a step that
        raises the loss is halved at most so often, and dropped if that does not help.

    Returns:
      x, of the structure of `x0`; and `[num_linearizations + 1]` the loss at `x0` and
      after every step. A step that is not finite is not taken.

    Raises:
      ValueError: `direction` is not one of `DIRECTIONS`.
    """

    def step(x, _):
        r, forward = jax.linearize(residual, x)
        transpose = jax.linear_transpose(forward, x)

        def backward(cotangent):
            return transpose(cotangent)[0]

        dx = conjugate_gradient(
            lambda p: backward(forward(p)),
            jax.tree.map(jnp.negative, backward(r)),
            num_iters=num_iters,
            direction=direction,
            preconditioner=preconditioner,
        )
        loss = _inner(r, r)
        size = jnp.ones_like(loss)
        if num_halvings is not None:
            size = _step_size(residual, x, dx, loss, num_halvings)
        finite = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(dx)]
        is_taken = jnp.all(jnp.stack(finite)) & (size > 0)
        new = _add_scaled(x, size, dx)
        return jax.tree.map(lambda a, b: jnp.where(is_taken, a, b), new, x), loss

    x, losses = lax.scan(step, x0, length=num_linearizations)
    last = residual(x)
    return x, jnp.append(losses, _inner(last, last))


def _step_size(residual, x, dx, loss, num_halvings):
    """Finds the first of 1, 1/2, 1/4 ... that does not raise the loss, or 0."""

    def is_worse(size):
        r = residual(_add_scaled(x, size, dx))
        return ~(_inner(r, r) <= loss)  # True where it is not a number.

    def go_on(carry):
        tries, _, worse = carry
        return worse & (tries < num_halvings)

    def halve(carry):
        tries, size, _ = carry
        return tries + 1, size / 2, is_worse(size / 2)

    one = jnp.ones_like(loss)
    _, size, worse = lax.while_loop(go_on, halve, (0, one, is_worse(one)))
    return jnp.where(worse, 0, size)


def _inner(a, b):
    """The inner product of two pytrees of the same structure."""
    products = jax.tree.map(lambda a, b: jnp.vdot(a, b, precision="highest"), a, b)
    return sum(jax.tree.leaves(products))


def _add_scaled(a, scale, b):
    """Computes a + scale b."""
    return jax.tree.map(lambda a, b: a + scale * b, a, b)
