"""Tests for jaxtrack.online.update."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models import refine
from jaxtrack.online import discriminator, memory, update
from jaxtrack.ops import boxes

SIZE = 64
TARGET = jnp.array([32.0, 32.0, 16.0, 16.0])
RIVAL = jnp.array([10.0, 50.0, 16.0, 16.0])
RULES = update.Rules(
    channels=16,
    kernel_size=1,
    hidden=32,
    regularization=(1e-4, 1e-3),
    first_positives=12,
    first_negatives=24,
    first_steps=4,
    first_iterations=6,
    every=3,
    positives=6,
    negatives=8,
    candidates=16,
    iterations=4,
    groups=3,
    short_frames=4,
    success=0.5,
    rate=0.1,
    hard_rate=0.18,
    distractor=0.5,
)
pool = jax.jit(partial(refine.pool, output_sizes=(2,), stride=4.0, offset=2.0))
# One program a call, not one for each operation.
scores_of = jax.jit(update.scores)
embed, classify = map(jax.jit, (discriminator.embed, discriminator.classify))


def draw(*colored):
    """A map of 16 x 16 cells of 4 pixels, gray but for boxes of a color."""
    cells = np.full((16, 16, 3), 0.5, np.float32)
    cells += 0.1 * np.random.default_rng(0).random(cells.shape, np.float32)
    for box, color in colored:
        x0, y0, x1, y1 = np.round(boxes.cxcywh_to_xyxy(box) / 4).astype(int)
        cells[y0:y1, x0:x1] = color
    return jnp.asarray(cells)


ORANGE, BLUE = (3.0, 2.0, 0.5), (0.5, 2.0, 3.0)
MAP = draw((TARGET, ORANGE))
BOTH = draw((TARGET, ORANGE), (RIVAL, BLUE))


@pytest.fixture(scope="module")
def start():
    begin = lambda cells: update.start(  # noqa: E731
        partial(pool, cells), TARGET, SIZE, RULES
    )
    return jax.jit(begin)(MAP)


@pytest.fixture(scope="module")
def learn():
    """`(state, seen, feature_map) -> state`, compiled once for all tests here."""
    return jax.jit(
        lambda state, seen, cells: update.learn(state, seen, cells, SIZE, RULES, pool)
    )


def seen(score, scores=(0.9, 0.1, 0.0), others=(RIVAL, RIVAL)):
    """What a frame showed: the target, and two further proposals."""
    proposals = boxes.cxcywh_to_xyxy(jnp.stack([TARGET, *others]))
    return update.Result(TARGET, jnp.float32(score), proposals, jnp.array(scores))


GOOD, BAD = seen(0.9), seen(0.2)
HARD = seen(0.9, (0.9, 0.6, 0.0))


def after(learn, state, *frames, cells=MAP):
    for frame in frames:
        state = learn(state, frame, cells)
    return state


def assert_close(actual, expected, **options):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, **options), actual, expected
    )


def is_same(a, b):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, a, b)))


def test_the_first_frame_is_learnt(start):
    scores = scores_of(
        start.params, pool(BOTH, boxes.cxcywh_to_xyxy(jnp.stack([TARGET, RIVAL])))
    )
    assert scores[0] > 0.7
    assert scores[1] < 0.4
    assert start.frame == 0


def test_the_first_frame_stays_in_the_memory(start):
    stored = start.memory
    # Six positives and eight negatives of 2 x 2 x 16 values; three groups, two empty.
    assert stored.samples.shape == (3, 14, 64)
    np.testing.assert_array_equal(stored.weights, [1, 0, 0])
    np.testing.assert_array_equal(stored.labels[0], [1] * 6 + [0] * 8)
    np.testing.assert_array_equal(stored.valid, np.arange(3)[:, None] * np.ones(14) < 1)
    found = classify(start.params, stored.samples[0])
    assert jnp.min(found[:6]) > jnp.max(found[6:])
    # The hardest negatives come first.
    assert jnp.all(jnp.diff(found[6:]) <= 0)


def test_scores_are_cut(start):
    features = jax.random.uniform(jax.random.key(0), (5, 2, 2, 3))
    for bias, value in ((50.0, 1), (-50.0, 0)):
        fc2 = {**start.params["fc2"], "bias": jnp.array([bias])}
        found = scores_of({**start.params, "fc2": fc2}, features)
        np.testing.assert_array_equal(found, np.full(5, value))
    found = scores_of(start.params, features)
    raw = classify(start.params, embed(start.params, features))
    np.testing.assert_array_equal(found, np.clip(raw, 0, 1))


def test_every_third_frame_is_collected_and_the_first_group_stays(start, learn):
    kept, state = [], start
    for _ in range(12):
        state = learn(state, GOOD, MAP)
        kept.append(list(state.memory.frames))
        np.testing.assert_array_equal(state.memory.samples[0], start.memory.samples[0])
        assert state.memory.weights[0] >= 0.25
    # An empty slot has the first frame's number. Frame 9 takes the lighter slot, the
    # older group's, and so does frame 12.
    expected = [[0] * 3] * 2 + [[0, 3, 0]] * 3 + [[0, 3, 6]] * 3 + [[0, 9, 6]] * 3
    assert kept == [*expected, [0, 9, 12]]
    assert state.frame == 12
    np.testing.assert_allclose(jnp.sum(state.memory.weights), 1, rtol=1e-6)


def test_nothing_is_learnt_between(start, learn):
    state = after(learn, start, GOOD, GOOD)
    assert is_same(state.params, start.params)
    assert is_same(state.memory, start.memory)
    assert state.frame == 2
    assert not is_same(after(learn, state, GOOD).params, start.params)


def test_a_badly_tracked_frame_gives_no_sample_but_is_learnt_from(start, learn):
    state = after(learn, start, BAD)
    assert is_same(state.memory, start.memory)
    assert not is_same(state.params, start.params)
    # When a collection is due, too.
    state = after(learn, start, GOOD, GOOD, BAD)
    assert is_same(state.memory, start.memory)
    assert not is_same(state.params, start.params)
    # The least score that is good.
    state = after(learn, start, GOOD, GOOD, seen(0.5))
    np.testing.assert_array_equal(state.memory.frames, [0, 3, 0])


def by_hand(state, since):
    """What a frame learns of a memory, with groups older than `since` left out."""
    stored = state.memory
    return discriminator.update(
        state.params,
        stored.samples.reshape(-1, 64),
        stored.labels.reshape(-1),
        memory.sample_weights(stored, since_frame=since).reshape(-1),
        regularization=1e-3,
        num_iters=4,
    )


def test_a_short_term_update_forgets_what_is_old(start, learn):
    # The third frame has the target's color elsewhere too, so that it matters.
    cells = draw((TARGET, ORANGE), (RIVAL, (2.5, 2.0, 1.0)))
    state = after(learn, start, GOOD, GOOD, GOOD, cells=cells)
    state = after(learn, state, GOOD, GOOD)
    by_updates = jax.jit(by_hand)
    # Frame 7 looks back to frame 3, frame 8 to frame 4: of frame 3's group no more.
    sixth = after(learn, state, BAD)
    seventh = after(learn, sixth, BAD)
    assert_close(seventh.params, by_updates(sixth, 3), atol=1e-5)
    eighth = after(learn, seventh, BAD)
    assert_close(eighth.params, by_updates(seventh, 4), atol=1e-5)
    # The group does matter.
    other = by_updates(seventh, 3)["fc1"]["kernel"] - eighth.params["fc1"]["kernel"]
    assert jnp.max(jnp.abs(other)) > 1e-3


def test_a_long_term_update_learns_from_all(start, learn):
    state = after(learn, start, *[GOOD] * 8)
    new = after(learn, state, GOOD)
    with_new = state.replace(memory=new.memory)
    assert_close(new.params, jax.jit(by_hand)(with_new, 0), atol=1e-5)


def test_a_distractor_is_collected_at_once_and_weighs_more(start, learn):
    hard = after(learn, start, HARD)
    np.testing.assert_array_equal(hard.memory.frames, [0, 1, 0])
    assert not is_same(hard.params, start.params)
    # The first insertion: r beside 1 / (1 - r), made to sum to 1.
    np.testing.assert_allclose(hard.memory.weights[1], 0.18 / (0.18 + 1 / 0.82))
    plain = after(learn, start, GOOD, GOOD, GOOD)
    np.testing.assert_allclose(plain.memory.weights[1], 0.1 / (0.1 + 1 / 0.9))


def test_distractors_leave_the_long_term_memory():
    rules = RULES._replace(every=10, groups=8)

    def body(state, is_hard):
        scores = jnp.where(is_hard, HARD.scores, GOOD.scores)
        frame = GOOD._replace(scores=scores)
        state = update.learn(state, frame, MAP, SIZE, rules, pool)
        return state, state.memory.frames

    def follow(is_hard):
        state = update.start(partial(pool, MAP), TARGET, SIZE, rules)
        return jax.lax.scan(body, state, is_hard)[1]

    frames = np.sort(jax.jit(follow)(jnp.arange(1, 101) > 40))
    # Frame 10 is collected and no other before 20; 41 to 47 show a distractor, and the
    # last of them stays. (Each took a slot: {0, 41 ... 47}.) Two slots are empty.
    np.testing.assert_array_equal(frames[46], [0, 0, 0, 10, 20, 30, 40, 47])
    # Distractors forever: a multiple of ten each, and the frame before the next one.
    np.testing.assert_array_equal(frames[99], [0, 70, 79, 80, 89, 90, 99, 100])


def test_narrow_targets_have_positives():
    # 200 x 10 px is 135.6 x 6.8 px of the crop, 120 x 10 px is 129.4 x 10.8: of cells
    # of 8 px both fill one row. Without positives the score was 0.00 and 0.98.
    rules = RULES._replace(first_positives=50, first_negatives=100, first_steps=6)
    rules = rules._replace(first_iterations=10)
    of_map = partial(refine.pool, output_sizes=(6, 3, 1), stride=8.0, offset=7.5)

    @jax.jit
    def learnt(box, cells):
        state = update.start(partial(of_map, cells), box, 255, rules)
        features = of_map(cells, boxes.cxcywh_to_xyxy(box)[None])
        return update.scores(state.params, features)[0], state.memory.valid[0]

    rng = np.random.default_rng(0)
    cells = rng.standard_normal((31, 31, 12))
    cells[15, 7:24] += 2 * rng.standard_normal(12)
    for wh in ([135.62, 6.78], [129.38, 10.78]):
        box = jnp.array([127.5, 127.5, *wh])
        score, is_valid = learnt(box, jnp.asarray(cells, jnp.float32))
        assert is_valid[: RULES.positives].all()
        assert score > 0.9, (wh, score)


@pytest.mark.parametrize(
    "frame",
    [
        # Not more than half as good as the best.
        seen(0.9, (0.9, 0.45, 0.0)),
        # 16 x 16 shifted by 8: IoU 8 / 24, the target's own.
        seen(0.9, (0.9, 0.8, 0.0), (TARGET + jnp.array([8.0, 0, 0, 0]), RIVAL)),
        # A distractor in a frame that was tracked badly is no sample.
        seen(0.4, (0.9, 0.8, 0.0)),
    ],
)
def test_what_is_no_distractor(start, learn, frame):
    assert is_same(after(learn, start, frame).memory, start.memory)


def test_a_proposal_that_looks_like_the_target_becomes_a_negative(start, learn):
    cells = draw((TARGET, ORANGE), (RIVAL, ORANGE))
    state = after(learn, start, HARD, cells=cells)
    like = embed(start.params, pool(cells, boxes.cxcywh_to_xyxy(RIVAL)[None]))[0]
    group = state.memory.samples[1]
    is_like = np.all(np.abs(group - like[None]) < 1e-5, axis=1)
    assert is_like[6:].any()
    np.testing.assert_array_equal(state.memory.labels[1], [1] * 6 + [0] * 8)
    # The proposal on the target is none, nor are drawn boxes near it.
    tau = classify(start.params, group)
    # Hardest first; in another batch those that are equal differ by their rounding.
    assert jnp.all(jnp.diff(tau[6:]) <= 1e-6)
    assert state.memory.valid[1, :6].all()


def test_the_convolution_stays(start, learn):
    state = after(learn, start, BAD, HARD, GOOD, BAD, GOOD, GOOD, HARD, cells=BOTH)
    assert is_same(state.params["conv"], start.params["conv"])
    for name in ("fc1", "fc2"):
        assert not is_same(state.params[name], start.params[name])


def test_collected_distractors_are_learnt(start, learn):
    cells = draw((TARGET, ORANGE), (RIVAL, (2.0, 3.0, 0.5)))
    pair = pool(cells, boxes.cxcywh_to_xyxy(jnp.stack([TARGET, RIVAL])))

    def gap(state):
        target, rival = classify(state.params, embed(state.params, pair))
        return target - rival

    state = after(learn, start, *[HARD] * 4, cells=cells)
    assert gap(state) > gap(start) + 0.1, (gap(state), gap(start))


def test_what_is_not_finite_teaches_nothing(start, learn):
    frame = jax.tree.map(lambda a: a * jnp.nan, GOOD)._replace(score=jnp.float32(0))
    state = after(learn, start, frame, cells=MAP * jnp.nan)
    assert is_same(state.memory, start.memory)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))


def test_videos_in_a_batch_do_not_meet(start, learn):
    stack = partial(jax.tree.map, lambda *rows: jnp.stack(rows))
    frames, maps = [GOOD, BAD, HARD], [MAP, BOTH, BOTH]
    second = after(learn, start, HARD)
    states = [start, start, second]
    one = jax.vmap(lambda s, f, m: update.learn(s, f, m, SIZE, RULES, pool))
    many = jax.jit(one)(stack(*states), stack(*frames), jnp.stack(maps))
    for i in range(3):
        alone = learn(states[i], frames[i], maps[i])
        assert_close(jax.tree.map(lambda a, i=i: a[i], many), alone, atol=1e-4)
    # None is due: nothing moves.
    still = jax.jit(one)(stack(start, start, start), stack(*[GOOD] * 3), stack(*maps))
    for i in range(3):
        assert is_same(jax.tree.map(lambda a, i=i: a[i], still.params), start.params)


def test_halves():
    labels = jnp.array([1.0, 1.0, 0.0, 0.0, 0.0])

    def halves(*valid):
        return update._halves(labels, jnp.array(valid, bool))

    # One positive and two negatives are samples; half the weight to each kind.
    np.testing.assert_allclose(halves(1, 0, 1, 1, 0), [0.5, 0, 0.25, 0.25, 0])
    np.testing.assert_allclose(halves(0, 0, 1, 1, 0), [0, 0, 0.5, 0.5, 0])
    np.testing.assert_array_equal(halves(0, 0, 0, 0, 0), np.zeros(5))
