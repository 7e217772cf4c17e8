"""Tests for jaxtrack.online.conjugate_gradient."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.online.conjugate_gradient import (
    DIRECTIONS,
    conjugate_gradient,
    gauss_newton,
)

RNG = np.random.default_rng(0)
J = RNG.normal(size=(30, 10))
Y = RNG.normal(size=30)


def least_squares(j, y, **options):
    """Solves J^T J x = J^T y by ten iterations."""
    return conjugate_gradient(lambda p: j.T @ (j @ p), j.T @ y, num_iters=10, **options)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_ten_iterations_solve_ten_unknowns(direction, variant):
    expected = np.linalg.lstsq(J, Y, rcond=None)[0]
    solve = variant(partial(least_squares, direction=direction))
    x = solve(jnp.asarray(J, jnp.float32), jnp.asarray(Y, jnp.float32))
    np.testing.assert_allclose(x, expected, atol=1e-4)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_float64_is_exact(direction):
    with jax.enable_x64(True):
        x = least_squares(jnp.asarray(J), jnp.asarray(Y), direction=direction)
        assert x.dtype == jnp.float64
        np.testing.assert_allclose(x, np.linalg.lstsq(J, Y, rcond=None)[0], atol=1e-9)


def numpy_cg(a, b, num_iters, direction, diagonal):
    """The iterations one by one, in float64, over one vector; and the betas."""
    betas = []
    x, r, p, rho, r_prev = np.zeros_like(b), b.copy(), None, 1.0, None
    for _ in range(num_iters):
        z = r / diagonal
        rho_old, rho = rho, r @ z
        if p is None:
            p = z
        else:
            beta = rho / rho_old
            if direction == "polak_ribiere":
                beta = (rho - r_prev @ z) / rho_old
            betas.append(beta)
            p = z + max(beta, 0) * p
        q = a(p)
        alpha = rho / (p @ q)
        r_prev = r.copy()
        x = x + alpha * p
        r = r - alpha * q
    return x, betas


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("num_iters", [0, 1, 2, 4])
def test_every_iteration_is_numpys_over_all_leaves(direction, num_iters):
    a, b = J.T @ J, J.T @ Y
    diagonal = np.linspace(1, 3, 10)

    def split(v):
        return {"a": v[:4].reshape(2, 2), "b": (v[4:],)}

    def join(tree):
        return jnp.append(tree["a"].reshape(-1), tree["b"][0])

    with jax.enable_x64(True):
        x = conjugate_gradient(
            lambda p: split(jnp.asarray(a) @ join(p)),
            split(jnp.asarray(b)),
            num_iters=num_iters,
            direction=direction,
            preconditioner=lambda r: split(join(r) / jnp.asarray(diagonal)),
        )
        expected, _ = numpy_cg(lambda p: a @ p, b, num_iters, direction, diagonal)
        np.testing.assert_allclose(join(x), expected, atol=1e-12)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_preconditioner_changes_the_way_not_the_end(direction):
    scale = np.logspace(0, 2, 10)
    a = scale[:, None] * (J.T @ J) * scale
    b = scale * (J.T @ Y)
    with jax.enable_x64(True):
        solve = partial(
            conjugate_gradient,
            lambda p: jnp.asarray(a) @ p,
            jnp.asarray(b),
            direction=direction,
        )
        inverse = jnp.asarray(1 / np.diag(a))
        x = solve(num_iters=10, preconditioner=lambda r: inverse * r)
        np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-6)
        early = solve(num_iters=5, preconditioner=lambda r: inverse * r)
        plain = solve(num_iters=5)
        error = [np.linalg.norm(a @ v - b) for v in (early, plain)]
        assert error[0] < error[1] / 2


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("bend", [0.2, 0.7])
def test_directions_where_the_operator_is_not_linear(direction, bend):
    # With an exact A the two betas are equal and positive; a bent one tells apart the
    # formulas, and the cut at 0.
    diagonal = np.arange(1.0, 5.0)

    def bent(p, xp=np):
        return p * diagonal + bend * xp.sin(5 * p)

    b = np.array([1.0, -2.0, 3.0, 0.5])
    with jax.enable_x64(True):
        x = conjugate_gradient(
            partial(bent, xp=jnp), jnp.asarray(b), num_iters=4, direction=direction
        )
    expected, betas = numpy_cg(bent, b, 4, direction, 1.0)
    np.testing.assert_allclose(x, expected, rtol=1e-9)
    if direction == "polak_ribiere" and bend == 0.7:
        assert min(betas) < 0


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_early_ends_stay_ended(direction):
    # The identity is solved at once; forty more iterations must not spoil it.
    b = jnp.array([1.0, -2.0, 3.0])
    solve = partial(conjugate_gradient, num_iters=40, direction=direction)
    np.testing.assert_array_equal(solve(lambda p: p, b), b)
    np.testing.assert_array_equal(solve(lambda p: p, jnp.zeros(3)), 0)
    np.testing.assert_array_equal(solve(lambda p: 0 * p, b), 0)
    x = solve(lambda p: p * jnp.array([1.0, 1e3, 1e-3]), b)
    np.testing.assert_allclose(x, [1, -2e-3, 3e3], rtol=1e-3)


def test_a_semidefinite_system_is_solved_where_it_can_be():
    x = conjugate_gradient(
        lambda p: p * jnp.array([2.0, 0.0, 4.0]),
        jnp.array([2.0, 0.0, 2.0]),
        num_iters=9,
    )
    np.testing.assert_allclose(x, [1, 0, 0.5], atol=1e-6)


def test_vmap_is_a_loop():
    js = jnp.asarray(RNG.normal(size=(3, 30, 10)), jnp.float32)
    ys = jnp.asarray(RNG.normal(size=(3, 30)), jnp.float32).at[1].set(0)
    looped = jnp.stack([least_squares(j, y) for j, y in zip(js, ys, strict=True)])
    batched = jax.vmap(least_squares)(js, ys)
    np.testing.assert_allclose(batched, looped, atol=1e-5)
    np.testing.assert_array_equal(batched[1], 0)


# A curve through points: y = a exp(b t) + c.
T = np.linspace(0, 1, 20)
TRUE = {"a": np.array([2.0]), "bc": np.array([-1.5, 0.5])}


def curve(x, xp):
    return x["a"] * xp.exp(x["bc"][0] * T) + x["bc"][1]


def residual(x):
    points = jnp.asarray(curve(TRUE, np), jnp.result_type(float))
    return {"data": curve(x, jnp) - points, "norm": 0.01 * x["bc"]}


GUESS = {"a": np.array([1.0]), "bc": np.array([-0.5, 0.0])}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_one_step_is_the_dense_gauss_newton_step(direction):
    with jax.enable_x64(True):
        x, losses = gauss_newton(
            residual,
            jax.tree.map(jnp.asarray, GUESS),
            num_linearizations=1,
            num_iters=3,
            direction=direction,
        )
        # d / da = e^bt, d / db = a t e^bt, d / dc = 1, and the norm's rows.
        a, (b, c) = GUESS["a"][0], GUESS["bc"]
        e = np.exp(b * T)
        jacobian = np.stack([e, a * T * e, np.ones_like(T)], axis=1)
        jacobian = np.concatenate([jacobian, [[0, 0.01, 0], [0, 0, 0.01]]])
        r = np.append(curve(GUESS, np) - curve(TRUE, np), [0.01 * b, 0.01 * c])
        dx = np.linalg.lstsq(jacobian, -r, rcond=None)[0]
        np.testing.assert_allclose(x["a"], a + dx[:1], atol=1e-8)
        np.testing.assert_allclose(x["bc"], GUESS["bc"] + dx[1:], atol=1e-8)
        np.testing.assert_allclose(losses[0], r @ r, rtol=1e-12)


def single(tree):
    return {key: jnp.asarray(a, jnp.float32) for key, a in tree.items()}


def curve_residual(x):
    """The same residual in the type of `x`, without the norm: 0 at `TRUE`."""
    e = jnp.exp(x["bc"][0] * jnp.asarray(T, x["bc"].dtype))
    points = jnp.asarray(curve(TRUE, np), x["bc"].dtype)
    return x["a"][0] * e + x["bc"][1] - points


def test_steps_go_down_to_the_truth(variant):
    fit = variant(
        partial(gauss_newton, curve_residual, num_linearizations=6, num_iters=3)
    )
    # From half-way: full steps from `GUESS` go astray or not as they are rounded.
    start = jax.tree.map(lambda a, b: (a + b) / 2, GUESS, TRUE)
    x, losses = fit(single(start))
    assert losses.shape == (7,)
    assert (np.diff(losses[:4]) < 0).all()
    assert losses[-1] < 1e-6 * losses[0]
    np.testing.assert_allclose(x["a"], TRUE["a"], rtol=1e-2)
    np.testing.assert_allclose(x["bc"], TRUE["bc"], rtol=1e-2)
    r = curve_residual(x)
    np.testing.assert_allclose(losses[-1], np.sum(np.square(r)), atol=1e-7)


def test_no_steps_and_no_iterations_change_nothing():
    for rounds, iters in ((0, 3), (2, 0)):
        x, losses = gauss_newton(
            curve_residual, single(GUESS), num_linearizations=rounds, num_iters=iters
        )
        jax.tree.map(np.testing.assert_array_equal, x, single(GUESS))
        assert losses.shape == (rounds + 1,) and (losses == losses[0]).all()


def test_a_zero_residual_stays():
    x, losses = gauss_newton(
        lambda x: x - 1, jnp.ones(3), num_linearizations=3, num_iters=3
    )
    np.testing.assert_array_equal(x, 1)
    np.testing.assert_array_equal(losses, 0)


def test_slopes_that_are_not_finite_or_vanish_change_nothing():
    # A slope of 1e-30 squares to 0 in float32; sqrt at 0 has no finite slope at all.
    for f, x0 in ((lambda x: 1e-30 * x - 1, 1.0), (lambda x: jnp.sqrt(x) - 1, 0.0)):
        x, losses = gauss_newton(f, jnp.array([x0]), num_linearizations=2, num_iters=2)
        np.testing.assert_array_equal(x, [x0])
        assert np.isfinite(losses).all()


def test_a_step_that_raises_the_loss_is_halved(variant):
    # atan at 2: the step -atan(2) (1 + 4) = -5.536 leads to -3.536 and atan^2 = 1.677 >
    # 1.226; its half to -0.768 and 0.429.
    def fit(x, halvings):
        return gauss_newton(
            jnp.arctan, x, num_linearizations=1, num_iters=1, num_halvings=halvings
        )

    for halvings, end, loss in (
        (None, -3.536, 1.677),
        (0, 2, 1.226),
        (1, -0.768, 0.429),
    ):
        x, losses = variant(partial(fit, halvings=halvings))(jnp.array([2.0]))
        np.testing.assert_allclose(x, [end], atol=2e-3)
        np.testing.assert_allclose(losses, [1.226, loss], atol=2e-3)


def test_halvings_are_of_one_video_each():
    fit = partial(
        gauss_newton, jnp.arctan, num_linearizations=1, num_iters=1, num_halvings=5
    )
    starts = jnp.array([[0.5], [2.0], [20.0]])
    batched, _ = jax.vmap(fit)(starts)
    looped = jnp.stack([fit(x)[0] for x in starts])
    np.testing.assert_allclose(batched, looped, rtol=1e-5)
    # x - atan(x)(1 + x^2) s with s = 1, 1/2, and at 20 the step -609.9 / 16.
    np.testing.assert_allclose(batched[:, 0], [-0.0796, -0.768, -18.12], atol=0.02)


def test_videos_in_a_batch_do_not_meet():
    # In float64: three iterations make much of how single products are rounded.
    starts = {"a": [[1.0], [0.0], [1.5]], "bc": [[-0.5, 0], [-1, 0], [-2, 1]]}
    fit = partial(gauss_newton, curve_residual, num_linearizations=2, num_iters=3)
    with jax.enable_x64(True):
        starts = {name: jnp.array(rows, jnp.float64) for name, rows in starts.items()}
        batched, losses = jax.vmap(fit)(starts)
        for i in range(3):
            x, loss = fit(jax.tree.map(lambda a, i=i: a[i], starts))
            jax.tree.map(
                lambda a, b, i=i: np.testing.assert_allclose(a[i], b, atol=1e-7),
                batched,
                x,
            )
            np.testing.assert_allclose(losses[i], loss, atol=1e-7)


def test_a_wrong_direction_is_named():
    with pytest.raises(ValueError, match="'steepest', not one of"):
        conjugate_gradient(lambda p: p, jnp.ones(1), num_iters=1, direction="steepest")
