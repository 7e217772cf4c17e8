"""Tests for jaxtrack.online.discriminator."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxtrack.online import discriminator

# One program a call, not one for each operation.
embed, classify = map(jax.jit, (discriminator.embed, discriminator.classify))
SIZES = ("in_channels", "size", "channels", "hidden", "kernel_size")
init = jax.jit(discriminator.init, static_argnames=SIZES)
SMALL = {"in_channels": 5, "size": 3, "channels": 4, "hidden": 7, "kernel_size": 3}


def clouds(seed, num_pos=30, num_neg=50, size=3, channels=5):
    """Two Gaussian clouds of features, an equal total weight for each label."""
    rng = np.random.default_rng(seed)
    center = np.random.default_rng(99).normal(size=(2, size, size, channels))
    labels = np.repeat([1.0, 0.0], [num_pos, num_neg])
    base = center[0] + 0.7 * labels[:, None, None, None] * center[1]
    features = np.maximum(base + rng.normal(size=base.shape), 0)
    weights = np.repeat([0.5 / num_pos, 0.5 / num_neg], [num_pos, num_neg])
    return [jnp.asarray(a, jnp.float32) for a in (features, labels, weights)]


@pytest.fixture(scope="module")
def params():
    return init(jax.random.key(0), **SMALL)


def numpy_score(params, features):
    """D, with loops over the map's cells, in float64."""
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
    x = np.asarray(features, np.float64)
    num, height, width, _ = x.shape
    x = x / np.sqrt(np.mean(x**2, axis=(1, 2, 3), keepdims=True))
    k = len(p["conv"]["kernel"])
    border = (k // 2, k // 2)
    x = np.pad(x, ((0, 0), border, border, (0, 0)))
    out = np.zeros((num, height, width, p["conv"]["bias"].size))
    for i in range(height):
        for j in range(width):
            patch = x[:, i : i + k, j : j + k]
            out[:, i, j] = np.einsum("nyxc,yxco->no", patch, p["conv"]["kernel"])
    out = np.maximum(out + p["conv"]["bias"], 0).reshape(num, -1)
    out = out @ p["fc1"]["kernel"] + p["fc1"]["bias"]
    out = np.where(out > 0, out, 0.1 * out)
    return (out @ p["fc2"]["kernel"] + p["fc2"]["bias"])[:, 0]


def with_biases(params):
    """The same with biases that are not 0."""
    return {
        name: {**layer, "bias": layer["bias"] + 0.1 * (1 + i)}
        for i, (name, layer) in enumerate(params.items())
    }


def test_shapes_and_scales_of_the_start():
    params = init(jax.random.key(1), in_channels=16, kernel_size=3)
    shapes = jax.tree.map(jnp.shape, params)
    assert shapes == {
        "conv": {"kernel": (3, 3, 16, 64), "bias": (64,)},
        "fc1": {"kernel": (2304, 128), "bias": (128,)},
        "fc2": {"kernel": (128, 1), "bias": (1,)},
    }
    # 1 / sqrt(9 * 16), 1 / sqrt(2304 * 128), 1 / sqrt(128), with 9216, 294912 and 128
    # draws.
    for name, std, rtol in (
        ("conv", 1 / 12, 0.03),
        ("fc1", 1.8414e-3, 0.01),
        ("fc2", 0.0884, 0.25),
    ):
        np.testing.assert_allclose(np.std(params[name]["kernel"]), std, rtol=rtol)
        assert not params[name]["bias"].any()


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_scores_are_numpys(kernel_size, variant):
    options = {**SMALL, "kernel_size": kernel_size}
    params = with_biases(init(jax.random.key(0), **options))
    features = clouds(0)[0]

    def score(params, features):
        embedded = discriminator.embed(params, features)
        return discriminator.classify(params, embedded)

    scores = variant(score)(params, features)
    np.testing.assert_allclose(scores, numpy_score(params, features), atol=1e-5)


def test_the_convolution_is_a_projection_as_a_rule():
    params = init(jax.random.key(1), in_channels=16, size=2)
    assert params["conv"]["kernel"].shape == (1, 1, 16, 64)
    # 1 / sqrt(16) with 1024 draws.
    np.testing.assert_allclose(np.std(params["conv"]["kernel"]), 0.25, rtol=0.08)


def test_embedding_is_the_librarys_convolution(params):
    params = with_biases(params)
    x = clouds(0)[0]
    embedded = embed(params, x)
    x = x / jnp.sqrt(jnp.mean(x**2, axis=(1, 2, 3), keepdims=True))
    out = lax.conv_general_dilated(
        x,
        params["conv"]["kernel"],
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    out = jnp.maximum(out + jnp.full(out.shape, 0.1), 0)
    assert embedded.shape == (80, 36)
    np.testing.assert_allclose(embedded, out.reshape(80, 36), atol=1e-5)


def test_features_scale_does_not_matter_and_zeros_stay(params):
    features = clouds(0)[0]
    embedded = embed(params, features)
    for scale in (1e-3, 1e3):
        other = embed(params, scale * features)
        np.testing.assert_allclose(other, embedded, rtol=1e-4, atol=1e-5)
    zeros = embed(params, jnp.zeros_like(features))
    np.testing.assert_array_equal(zeros, 0)


def dense_step(score, params, labels, weights, strength):
    """One exact Gauss-Newton step with a dense Jacobian, in numpy."""
    leaves, tree = jax.tree.flatten(params)
    score, slopes = jax.jit(score), jax.jit(jax.jacobian(score))
    jacobian = jax.tree.leaves(slopes(params))
    rows = np.concatenate([np.reshape(j, (labels.size, -1)) for j in jacobian], axis=1)
    root = np.sqrt(np.asarray(weights))[:, None]
    lam = np.concatenate(
        [
            np.full(leaf.size, strength[path[0].key])
            for path, leaf in jax.tree_util.tree_leaves_with_path(params)
        ]
    )
    flat = np.concatenate([np.ravel(leaf) for leaf in leaves])
    j = np.concatenate([root * rows, np.diag(np.sqrt(lam))])
    r = np.append(root[:, 0] * (score(params) - labels), np.sqrt(lam) * flat)
    flat = flat + np.linalg.lstsq(j, -r, rcond=None)[0]
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]
    parts = np.split(flat, ends)
    return jax.tree.unflatten(
        tree, [p.reshape(a.shape) for p, a in zip(parts, leaves, strict=True)]
    )


def test_many_iterations_of_an_update_are_the_dense_step(params):
    features, labels, weights = clouds(0)
    with jax.enable_x64(True):
        double = jax.tree.map(np.float64, params)
        embedded = embed(double, np.float64(features))
        labels, weights = np.float64(labels), np.float64(weights)
        options = {"regularization": 0.03, "num_iters": 300}
        update = jax.jit(partial(discriminator.update, **options))
        new = update(double, embedded, labels, weights)
        layers = {name: double[name] for name in ("fc1", "fc2")}
        expected = dense_step(
            lambda p: discriminator.classify(p, embedded),
            layers,
            labels,
            weights,
            {"fc1": 0.03, "fc2": 0.03},
        )
        for name in layers:
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, atol=1e-7),
                new[name],
                expected[name],
            )
        jax.tree.map(np.testing.assert_array_equal, new["conv"], double["conv"])


def test_many_iterations_of_a_fit_are_the_dense_step(params):
    features, labels, weights = clouds(0)
    with jax.enable_x64(True):
        double = jax.tree.map(np.float64, params)
        features = np.float64(features)
        labels, weights = np.float64(labels), np.float64(weights)
        options = {"regularization": (0.02, 0.05), "num_linearizations": 1}
        fit = jax.jit(partial(discriminator.fit, num_iters=400, **options))
        new, losses = fit(double, features, labels, weights)

        def score(p):
            return discriminator.classify(p, discriminator.embed(p, features))

        strength = {"conv": 0.02, "fc1": 0.05, "fc2": 0.05}
        expected = dense_step(score, double, labels, weights, strength)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), new, expected
        )
        # Eq. 8, term by term.
        norm = sum(
            strength[name] * sum(np.sum(np.square(leaf)) for leaf in layer.values())
            for name, layer in double.items()
        )
        data = np.sum(weights * (numpy_score(double, features) - labels) ** 2)
        np.testing.assert_allclose(losses[0], norm + data, rtol=1e-9)


def eq8(params, score, labels, weights, strength):
    norm = sum(
        strength[name] * sum(jnp.sum(leaf**2) for leaf in params[name].values())
        for name in strength
    )
    return norm + jnp.sum(weights * (score(params) - labels) ** 2)


def test_one_iteration_goes_down_the_slope_and_fit_divides_it_by_lambda(params):
    features, labels, weights = clouds(0)
    embedded = embed(params, features)

    def check(new, score, strength, divisor):
        loss = partial(
            eq8, score=score, labels=labels, weights=weights, strength=strength
        )
        slope = jax.jit(jax.grad(loss))(params)
        moves = [
            np.ravel((new[name][leaf] - params[name][leaf]) * divisor[name])
            for name in strength
            for leaf in ("kernel", "bias")
        ]
        slopes = [
            np.ravel(slope[name][leaf])
            for name in strength
            for leaf in ("kernel", "bias")
        ]
        moves, slopes = np.concatenate(moves), np.concatenate(slopes)
        size = -(moves @ slopes) / (slopes @ slopes)
        assert size > 0
        np.testing.assert_allclose(moves, -size * slopes, atol=1e-2 * abs(moves).max())

    def score_embedded(p):
        return discriminator.classify(p, embedded)

    strength = {"fc1": 0.01, "fc2": 0.01}
    options = {"regularization": 0.01, "num_iters": 1}
    update = jax.jit(partial(discriminator.update, **options))
    new = update(params, embedded, labels, weights)
    check(new, score_embedded, strength, dict.fromkeys(strength, 1))

    strength = {"conv": 0.02, "fc1": 0.05, "fc2": 0.05}
    options = {"regularization": (0.02, 0.05), "num_linearizations": 1}
    fit = jax.jit(partial(discriminator.fit, num_iters=1, **options))
    new, _ = fit(params, features, labels, weights)
    check(
        new,
        lambda p: discriminator.classify(p, discriminator.embed(p, features)),
        strength,
        strength,
    )


@pytest.fixture(scope="module")
def fitted():
    start = init(jax.random.key(0), in_channels=8, channels=16, hidden=32)
    train = clouds(0, 60, 120, size=6, channels=8)
    params, losses = jax.jit(discriminator.fit)(start, *train)
    return start, params, losses


def test_the_first_frame_separates_two_clouds(fitted):
    start, params, losses = fitted
    features, labels, _ = clouds(7, 60, 120, size=6, channels=8)
    scores = classify(params, embed(params, features))
    before = classify(start, embed(start, features))
    scores, before, is_target = map(np.asarray, (scores, before, labels > 0.5))
    assert np.mean((scores > 0.5) == is_target) > 0.97
    assert scores[is_target].mean() - scores[~is_target].mean() > 0.7
    assert abs(before[is_target].mean() - before[~is_target].mean()) < 0.2
    assert losses.shape == (7,)
    assert (np.diff(losses) <= 1e-6).all(), losses
    assert losses[-1] < 0.05 * losses[0]


def test_rows_of_weight_zero_do_not_count(params):
    features, labels, weights = clouds(0)
    fit = jax.jit(partial(discriminator.fit, num_linearizations=1, num_iters=3))
    update = jax.jit(discriminator.update)
    weights = weights.at[::3].set(0)
    wild = features.at[::3].multiply(-7), labels.at[::3].set(50)
    one, loss = fit(params, features, labels, weights)
    two, other = fit(params, *wild, weights)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one, two)
    np.testing.assert_allclose(loss, other, rtol=1e-5)
    embedded = embed(params, features), labels
    wild = embed(params, wild[0]), wild[1]
    one, two = update(params, *embedded, weights), update(params, *wild, weights)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one, two)


def test_an_update_learns_a_new_distractor(fitted):
    _, params, _ = fitted
    features, labels, _ = clouds(3, 30, 30, size=6, channels=8)
    # Negatives that look like half a target.
    half = 0.5 * (features[:30] + features[30:])
    features = jnp.concatenate([features, half])
    labels = jnp.concatenate([labels, jnp.zeros(30)])
    weights = jnp.repeat(jnp.array([0.5, 0.25, 0.25]) / 30, 30)
    embedded = embed(params, features)

    def gap(params):
        scores = classify(params, embedded)
        return scores[:30].mean() - scores[60:].mean()

    def error(params):
        scores = classify(params, embedded)
        return jnp.sum(weights * (scores - labels) ** 2)

    update = jax.jit(discriminator.update)
    errors, new = [error(params)], params
    for _ in range(4):
        new = update(new, embedded, labels, weights)
        errors.append(error(new))
    assert (np.diff(errors) < 1e-2).all(), errors
    assert errors[-1] < 0.5 * errors[0], errors
    assert gap(new) > gap(params) + 0.2


def test_videos_in_a_batch_do_not_meet(params):
    batch = [clouds(seed) for seed in range(3)]
    starts = [init(jax.random.key(i), **SMALL) for i in range(3)]
    fit = partial(discriminator.fit, num_linearizations=2, num_iters=2)
    stack = partial(jax.tree.map, lambda *rows: jnp.stack(rows))
    many, losses = jax.jit(jax.vmap(fit))(stack(*starts), *stack(*batch))
    one = jax.jit(fit)
    for i in range(3):
        alone, loss = one(starts[i], *batch[i])
        np.testing.assert_allclose(losses[i], loss, rtol=1e-3)
        jax.tree.map(
            lambda a, b, i=i: np.testing.assert_allclose(a[i], b, atol=1e-4),
            many,
            alone,
        )


def test_update_runs_on_every_device(params, variant):
    features, labels, weights = clouds(0)
    embedded = embed(params, features)
    update = partial(discriminator.update, num_iters=2)
    new = variant(update)(params, embedded, labels, weights)
    expected = jax.jit(update)(params, embedded, labels, weights)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), new, expected
    )
