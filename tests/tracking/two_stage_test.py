"""Tests for jaxtrack.tracking.two_stage with a small network."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxtrack.online import update
from jaxtrack.ops import boxes
from jaxtrack.tracking import (
    Crop,
    TrackerState,
    cropping,
    many,
    run,
    siamese,
    two_stage,
    video,
)
from jaxtrack.tracking.two_stage import TwoStageState, _pool

ATOL = 1e-3
HANN = np.hanning(9)


@pytest.fixture(scope="module")
def traces():
    """Grows when the step is traced."""
    return []


@pytest.fixture(scope="module")
def drivers(cract, traces):
    """The small CRACT's tracker, compiled once for all tests here."""

    def update(*arguments):
        traces.append(1)
        return cract[0].update(*arguments)

    return run.compile_tracker(cract[0]._replace(update=update))


@pytest.fixture(scope="module")
def begun(cract, drivers, draw, pad_all):
    """Frames, true boxes, and the state after the first frame."""
    images, truth = draw(12)
    frames = pad_all(images)
    return frames, truth, drivers.init(cract[1], frames[0], truth[0])


def test_trackers_go_by_the_network(cract, tiny, draw, pad_all):
    images, truth = draw(1)
    frame = pad_all(images)[0]
    for (tracker_, variables), kind in ((cract, TwoStageState), (tiny, TrackerState)):
        state = jax.eval_shape(tracker_.init, variables, frame, truth[0])
        assert type(state) is kind


def test_many_targets_share_a_frame(cract, draw, pad_all):
    images, truth = draw(1)
    frame, tracker = pad_all(images)[0], run.over_targets(cract[0])
    state = jax.eval_shape(tracker.init, cract[1], frame, truth[[0, 0, 0]])
    again, output = jax.eval_shape(tracker.step, cract[1], state, frame)
    assert again == state  # Shapes and types, a compilation's whole identity.
    assert (output.box.shape, output.score.shape) == ((3, 4), (3,))


def softmax(logits):
    e = np.exp(np.asarray(logits, np.float64))
    return e[..., 1] / e.sum(-1)


def numpy_iou(a, b):
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)


def numpy_best(found, ranked, count):
    """Greedy suppression of overlaps above a half."""
    kept = []
    for i in np.argsort(-ranked, kind="stable"):
        if all(numpy_iou(found[i], found[k]) <= 0.5 for k in kept):
            kept.append(i)
    return np.array(kept[:count])


def numpy_coarse(outputs, wh, config):
    """All anchors' boxes, and c of Eq. 10 with penalty and window."""
    ij = np.stack(np.meshgrid(range(9), range(9), indexing="ij"), -1)
    points = (16 + 4 * ij[..., ::-1])[:, :, None]
    size = np.array([(16.0, 16.0), (12.0, 20.0)])[None, None]
    deltas = np.asarray(outputs["deltas"][0], np.float64)
    center, size = points + deltas[..., :2] * size, size * np.exp(deltas[..., 2:])
    xyxy = np.concatenate([center - size / 2, center + size / 2], -1)

    def side(wh):
        return np.sqrt(np.prod(wh + wh.sum(-1, keepdims=True) / 2, axis=-1))

    r, s = size[..., 0] / size[..., 1] * wh[1] / wh[0], side(size) / side(wh)
    change = np.maximum(r, 1 / r) * np.maximum(s, 1 / s)
    cost = np.exp(-(change - 1) * config.tracking.penalty)
    window = np.outer(HANN, HANN)[..., None]
    ranked = (1 - config.tracking.window) * cost * softmax(outputs["cls"][0])
    return xyxy.reshape(-1, 4), (ranked + config.tracking.window * window).reshape(-1)


def numpy_tau(params, pooled):
    """The discriminator with a kernel of one cell."""
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
    x = np.asarray(pooled, np.float64)
    x = x / np.sqrt(np.mean(x**2, axis=(1, 2, 3), keepdims=True))
    x = np.maximum(x @ p["conv"]["kernel"][0, 0] + p["conv"]["bias"], 0)
    x = x.reshape(len(x), -1) @ p["fc1"]["kernel"] + p["fc1"]["bias"]
    x = np.where(x > 0, x, 0.1 * x)
    return np.clip(x @ p["fc2"]["kernel"] + p["fc2"]["bias"], 0, 1)[:, 0]


def with_opinions(variables):
    """The same network with a refinement that moves boxes and has preferences."""

    def amplify(path, leaf):
        if "fc_out" not in jax.tree_util.keystr(path) or leaf.ndim < 2:
            return leaf
        return leaf * 60

    variables = jax.tree_util.tree_map_with_path(amplify, variables)
    deltas = 0.2 * jax.random.normal(jax.random.key(5), (2, 4))
    head = {**variables["params"]["head"], "deltas": deltas}
    return {**variables, "params": {**variables["params"], "head": head}}


@pytest.mark.parametrize(
    ("alpha", "beta", "window"), [(0.4, 0.8, 0.0), (0.0, 0.5, 0.3), (0.8, 1.0, 0.0)]
)
def test_selects_by_equations_9_and_10(
    cract_variables, cract_config, begun, monkeypatch, alpha, beta, window
):
    # What is learned behind the selection does not matter here.
    monkeypatch.setattr(update, "learn", lambda state, *_: state)
    model, variables = cract_variables
    variables = with_opinions(variables)
    frames, _, state = begun
    config = cract_config
    config.tracking.identifier_weight, config.tracking.refined_weight = alpha, beta
    config.tracking.refined_window = window
    step = jax.jit(two_stage.make(config, model).step)
    _, output = step(variables, state, frames[2])

    looks = siamese.view_of(config, model.geometry)
    aim = looks.search(state.box, frames[2].hw)
    crop = Crop(aim, cropping.cut(frames[2], aim))
    x_image, scale, middle = looks.search_image(crop, state.fill), aim.scale, aim.center
    x = model.apply(variables, x_image, method="encode_search")
    outputs = model.apply(variables, state.template, x, method="predict")
    wh = np.asarray(state.box[2:], np.float64)
    found, ranked = numpy_coarse(outputs, wh * float(scale), config)
    best = numpy_best(found, ranked, 10)
    proposed = jnp.asarray(found[best], jnp.float32)[None]
    refined = model.apply(variables, state.template, x, proposed, method="refine")
    nu = softmax(refined["identity"][0])
    assert np.ptp(nu) > 0.05
    tau = numpy_tau(state.online.params, refined["pooled"][0])
    assert np.ptp(tau) > 0.3
    final = beta * (alpha * nu + (1 - alpha) * tau) + (1 - beta) * ranked[best]
    aligned = np.asarray(refined["aligned"][0], np.float64)
    center = (aligned[:, :2] + aligned[:, 2:]) / 2
    near = np.prod(0.5 - 0.5 * np.cos(2 * np.pi * center / 64), axis=1)
    final = (1 - window) * final + window * near
    k = np.argmax(final)
    shift = (center[k] - 32) / float(scale)
    size = 0.5 * wh + 0.5 * (aligned[k, 2:] - aligned[k, :2]) / float(scale)
    expected = np.concatenate([np.asarray(middle) + shift, size])
    np.testing.assert_allclose(output.score, final[k], atol=1e-4)
    np.testing.assert_allclose(output.box, expected, atol=0.01)


def test_probe_shows_the_rpns_maps(cract_variables, cract_config, begun, drivers):
    frames, truth, state = begun
    model, variables = cract_variables
    found = drivers.probe(variables, state, frames[3])
    plain = run.compile_tracker(siamese.make(cract_config, model))
    seen = plain.init(variables, frames[0], truth[0])
    expected = plain.probe(variables, seen, frames[3])
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), found, expected
    )
    best = jnp.argmax(found.confidence)
    box = boxes.xyxy_to_cxcywh(found.xyxy.reshape(-1, 4)[best])
    np.testing.assert_allclose(box[:2], truth[3][:2], atol=4)


def test_follows_a_square_and_compiles_once(cract, drivers, begun, traces):
    frames, truth, state = begun
    counts = []
    for frame, true in zip(frames[1:], truth[1:], strict=True):
        state, output = drivers.step(cract[1], state, frame)
        counts.append(len(traces))
        np.testing.assert_allclose(output.box[:2], true[:2], atol=4)
        assert 0 < output.score <= 1
    assert counts == counts[:1] * 11
    # All of it runs on the device.
    text = str(jax.make_jaxpr(cract[0].step)(cract[1], state, frames[0]))
    assert "callback" not in text
    assert "custom_vmap_call" in text  # The text is that of the whole step.


def test_a_frame_that_overflows_keeps_the_box(cract, drivers, begun):
    frames, truth, state = begun
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, cract[1])
    state, output = drivers.step(broken, state, frames[1])
    np.testing.assert_array_equal(output.box, truth[0])
    assert output.score == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.online))
    # And the target is found again.
    _, output = drivers.step(cract[1], state, frames[1])
    np.testing.assert_allclose(output.box[:2], truth[1][:2], atol=4)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 20, 20),
        (118, 90, 40, 30),
        (60, 95, 20, 300),
        (60, 40, 1, 1),
        (60, 40, 4, 90),
        (60, 48, 500, 500),
    ],
)
def test_boxes_at_the_edges(cract, drivers, begun, box):
    frames = begun[0]
    state = drivers.init(cract[1], frames[0], np.array(box, np.float32))
    for frame in frames[1:4]:
        state, output = drivers.step(cract[1], state, frame)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))
        x, y, width, height = output.box
        assert 0 <= x <= 120 and 0 <= y <= 96
        assert 4 <= width <= 120 and 4 <= height <= 96
        assert 0 <= output.score <= 1


def test_many_videos_equal_one(cract, drivers, draw, pad_all):
    lengths = [7, 1, 4, 6, 2, 5, 8, 3]
    drawn = [draw(n, velocity=(2, -1 + k % 3)) for k, n in enumerate(lengths)]
    videos = [pad_all(images) for images, _ in drawn]
    starts = [truth[0] for _, truth in drawn]
    sources = list(map(many.InMemory, videos))
    results = many.track_videos(drivers, cract[1], sources, starts)
    for result, frames, box, n in zip(results, videos, starts, lengths, strict=True):
        alone = list(run.track_video(drivers, cract[1], frames, box))
        assert len(alone) == len(result.box) == n
        expected = np.stack([output.box for output in alone])
        np.testing.assert_allclose(result.box, expected, atol=ATOL)


@pytest.mark.slow
def test_pmap_equals_one(cract, drivers, begun):
    frames, _, state = begun
    # The second one is in its third frame, in which it collects.
    states = [state, state]
    for frame in frames[1:3]:
        states[1], _ = drivers.step(cract[1], states[1], frame)

    def stack(*rows):
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)

    step = jax.pmap(cract[0].step, in_axes=(None, 0, 0))
    seen = [frames[1], frames[3]]
    many, outputs = step(cract[1], stack(*states), stack(*seen))
    for k in range(2):
        alone, output = drivers.step(cract[1], states[k], seen[k])
        np.testing.assert_allclose(outputs.box[k], output.box, atol=ATOL)
        jax.tree.map(
            lambda a, b, k=k: np.testing.assert_allclose(a[k], b, atol=1e-3),
            many.online,
            alone.online,
        )


def test_recorded_and_scanned_equal_live(cract, drivers, begun):
    frames, truth, state = begun
    given = drivers, cract[1], frames, truth[0]
    live = [output.box for output in run.track_video(*given, ahead=0)]
    np.testing.assert_array_equal([out.box for out in run.track_video(*given)], live)
    stack = jax.tree.map(lambda *leaves: np.stack(leaves), *frames[1:])
    scan = jax.jit(lambda v, s, fs: lax.scan(partial(cract[0].step, v), s, fs))
    _, scanned = scan(cract[1], state, stack)
    np.testing.assert_allclose(scanned.box, live[1:], atol=ATOL)


def two_squares(count):
    """A target and a square of another color that passes it at 22 pixels."""
    rng = np.random.default_rng(0)
    background = rng.integers(0, 60, (96, 128, 3), dtype=np.uint8)
    frames, pairs = [], []
    for t in range(count):
        image, pair = background.copy(), [(40 + t, 44), (80 - t, 66)]
        for (x, y), color in zip(pair, [(250, 200, 90), (90, 200, 250)], strict=True):
            image[y - 10 : y + 10, x - 10 : x + 10] = color
        frames.append(video.pad(image, (128, 128)))
        pairs.append([(x, y, 20, 20) for x, y in pair])
    return frames, np.array(pairs, np.float32)


def test_tells_a_look_alike_for_forty_frames(
    cract, drivers, cract_variables, cract_config
):
    model, variables = cract_variables
    looks = siamese.view_of(cract_config, model.geometry)
    pool = _pool(model.refiner)
    frames, pairs = two_squares(41)

    @jax.jit
    def scores(state, frame, pair):
        """Scores both squares as the tracker would see them."""
        aim = looks.search(state.box, frame.hw)
        x_image = looks.search_image(Crop(aim, cropping.cut(frame, aim)), state.fill)
        x = model.apply(variables, x_image, method="encode_search")
        origin = jnp.tile(aim.center, 2)[None] - 32 / aim.scale
        in_crop = (boxes.cxcywh_to_xyxy(pair) - origin) * aim.scale
        return update.scores(state.online.params, pool(x["fused"][0], in_crop))

    first = state = drivers.init(variables, frames[0], pairs[0, 0])
    found, tau = [pairs[0, 0]], [scores(state, frames[0], pairs[0])]
    for frame, pair in zip(frames[1:], pairs[1:], strict=True):
        tau.append(scores(state, frame, pair))
        state, output = drivers.step(variables, state, frame)
        found.append(output.box)
    tau, found = np.stack(tau), np.stack(found)
    assert np.min(tau[:, 0] - tau[:, 1]) > 0.3, np.round(tau, 2)
    assert np.min(tau[:, 0]) > 0.6, np.round(tau[:, 0], 2)
    np.testing.assert_allclose(found[:, :2], pairs[:, 0, :2], atol=5)
    # It learned on the way, all but the convolution.
    assert state.online.frame == 40
    assert jnp.max(state.online.memory.frames) > 30
    kernels = (s.online.params["conv"]["kernel"] for s in (first, state))
    np.testing.assert_array_equal(*kernels)
    assert np.any(
        first.online.params["fc1"]["kernel"] != state.online.params["fc1"]["kernel"]
    )
