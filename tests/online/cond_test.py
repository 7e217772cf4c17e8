"""Tests for jaxtrack.online.cond."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxtrack.online import cond
from jaxtrack.online.cond import run_if


@pytest.fixture(params=["", "accelerator"], autouse=True)
def platform(request, monkeypatch):
    """What the tests run on, and an accelerator's way of updating a batch."""
    if request.param:
        monkeypatch.setattr(
            cond.lax, "platform_dependent", lambda *a, cpu, default: default(*a)
        )
    return request.param or jax.default_backend()


def due(preds, platform):
    """How many updates are to run: those due, or all of the batch if any is."""
    count = int(np.sum(preds))
    return count if platform == "cpu" else (np.size(preds) if count else 0)


def update(state):
    return {"x": 2 * state["x"] + 1, "n": (state["n"][0] + 1,)}


def make(batch=()):
    x = jnp.arange(np.prod((*batch, 3)), dtype=jnp.float32).reshape(*batch, 3)
    return {"x": x, "n": (jnp.zeros(batch, jnp.int32),)}


def counted():
    """An update that adds a row to a list whenever it really runs."""
    runs = []

    def counting(state):
        jax.debug.callback(lambda x: runs.append(float(x)), state["x"][0])
        return update(state)

    return counting, runs


def same(actual, expected):
    equal = jax.tree.map(np.array_equal, actual, expected)
    return all(jax.tree.leaves(equal))


def test_one_video(variant):
    run = variant(lambda p, s: run_if(p, update, s))
    assert same(run(jnp.array(True), make()), update(make()))
    assert same(run(jnp.array(False), make()), make())


def test_a_plain_bool_will_do():
    assert same(run_if(True, update, make()), update(make()))


def test_vmap_is_a_loop(variant):
    run = variant(jax.vmap(lambda p, s: run_if(p, update, s)))
    state = make((4,))
    rows = [jax.tree.map(lambda a, i=i: np.asarray(a[i]), state) for i in range(4)]
    for preds in ([1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]):
        looped = [
            update(row) if pred else row for pred, row in zip(preds, rows, strict=True)
        ]
        out = run(jnp.array(preds, bool), state)
        assert same(out, jax.tree.map(lambda *a: np.stack(a), *looped)), preds


def test_the_update_runs_where_it_is_due_or_for_all(platform):
    counting, seen = counted()
    batched = jax.jit(jax.vmap(lambda p, s: run_if(p, counting, s)))
    for preds in ([0, 0, 0], [0, 1, 0], [1, 1, 0]):
        jax.block_until_ready(batched(jnp.array(preds, bool), make((3,))))
        jax.effects_barrier()
        assert len(seen) == due(preds, platform), preds
        seen.clear()


def test_plain_cond_would_have_run_it():
    # What `run_if` is for: the same test fails with `lax.cond`.
    counting, seen = counted()
    batched = jax.jit(jax.vmap(lambda p, s: lax.cond(p, counting, lambda s: s, s)))
    jax.block_until_ready(batched(jnp.zeros(3, bool), make((3,))))
    jax.effects_barrier()
    assert len(seen) == 3


def scan(preds, state, update=update):
    def body(state, pred):
        state = run_if(pred, update, state)
        return state, state["n"][0]

    return lax.scan(body, state, preds)


def test_in_a_scan_a_batch_runs_only_when_one_is_due(platform):
    counting, seen = counted()
    # Five frames, two videos: one of frames 1 and 3, none of 0, 2 and 4.
    preds = jnp.array([[0, 1, 0, 0, 0], [0, 0, 0, 1, 0]], bool)
    videos = jax.jit(jax.vmap(partial(scan, update=counting)))
    _, counts = jax.block_until_ready(videos(preds, make((2,))))
    jax.effects_barrier()
    np.testing.assert_array_equal(counts, np.cumsum(preds, axis=1))
    assert len(seen) == sum(due(frame, platform) for frame in preds.T)


def test_nested_vmap(platform):
    counting, seen = counted()
    twice = jax.jit(jax.vmap(jax.vmap(lambda p, s: run_if(p, counting, s))))
    state = make((2, 3))
    for preds in ([[0, 0, 0]] * 2, [[0, 0, 0], [0, 1, 0]]):
        preds = jnp.array(preds, bool)
        out = jax.block_until_ready(twice(preds, state))
        jax.effects_barrier()
        assert len(seen) == due(preds, platform)
        seen.clear()
        x = np.where(preds[..., None], 2 * state["x"] + 1, state["x"])
        np.testing.assert_array_equal(out["x"], x)


@pytest.mark.parametrize("pred", [True, False])
def test_one_condition_for_all_videos_and_operands_they_share(pred):
    state = {"x": make((4,))["x"], "n": (jnp.int32(7),)}
    axes = {"x": 0, "n": (None,)}
    out = jax.jit(jax.vmap(lambda s: run_if(pred, update, s), in_axes=(axes,)))(state)
    x, n = (2 * state["x"] + 1, 8) if pred else (state["x"], 7)
    assert same(out, {"x": x, "n": (jnp.full(4, n, jnp.int32),)})


def test_a_condition_each_and_one_operand():
    preds = jnp.array([True, False])
    out = jax.vmap(lambda p: run_if(p, update, make()))(preds)
    np.testing.assert_array_equal(out["n"][0], [1, 0])
    np.testing.assert_array_equal(out["x"], [[1, 3, 5], [0, 1, 2]])


def test_shared_arrays_may_be_closed_over():
    table = jnp.array([10.0, 20.0, 30.0])
    preds = jnp.array([True, False])
    add = partial(run_if, update=lambda x: x + table)
    out = jax.jit(jax.vmap(lambda p, x: add(p, operand=x)))(preds, jnp.ones((2, 3)))
    np.testing.assert_array_equal(out, [[11, 21, 31], [1, 1, 1]])


def test_an_update_of_another_shape_is_refused():
    with pytest.raises(TypeError):
        run_if(jnp.array(True), lambda x: x[:1], jnp.ones(3))


def add(state, step, table):
    """An update that reads further arrays: one of each video, and a tree."""
    return {"x": state["x"] + step * table["row"], "n": (state["n"][0] + 1,)}


def counted_add():
    """The same, with a list of its runs."""
    runs = []

    def counting(state, step, table):
        jax.debug.callback(lambda x: runs.append(float(x)), step)
        return add(state, step, table)

    return counting, runs


TABLE = {"row": jnp.array([10.0, 20.0, 30.0])}


def test_inputs_of_one_video(variant):
    run = variant(lambda p, s, *inputs: run_if(p, add, s, *inputs))
    # 0, 1, 2 and twice the table.
    for pred, x in ((True, [20, 41, 62]), (False, [0, 1, 2])):
        out = run(jnp.array(pred), make(), jnp.float32(2), TABLE)
        np.testing.assert_array_equal(out["x"], x)
        np.testing.assert_array_equal(out["n"][0], int(pred))


@pytest.mark.parametrize(
    "axes", [(0, None), (None, None), (0, {"row": 0}), (None, {"row": 0})]
)
def test_inputs_of_each_video_and_those_they_share(axes, variant):
    preds = jnp.array([True, False, True])
    state = make((3,))
    step = jnp.array([1.0, 2.0, 3.0]) if axes[0] == 0 else jnp.float32(2)
    row = TABLE["row"] if axes[1] is None else np.add(TABLE["row"], make((3,))["x"])
    call = jax.vmap(lambda p, s, *inputs: run_if(p, add, s, *inputs), (0, 0, *axes))
    out = variant(call)(preds, state, step, {"row": row})
    steps = np.broadcast_to(step, 3)[:, None]
    new = np.asarray(state["x"]) + steps * np.asarray(row)
    expected = np.where(preds[:, None], new, state["x"])
    np.testing.assert_array_equal(out["x"], expected)
    np.testing.assert_array_equal(out["n"][0], [1, 0, 1])


@pytest.mark.parametrize("pred", [True, False])
def test_inputs_alone_may_differ(pred):
    steps = jnp.array([1.0, 2.0])
    out = jax.jit(jax.vmap(lambda c: run_if(pred, add, make(), c, TABLE)))(steps)
    rows = np.add(make()["x"], int(pred) * np.outer(steps, TABLE["row"]))
    np.testing.assert_array_equal(out["x"], rows)


def test_inputs_under_nested_vmap(platform):
    counting, seen = counted_add()
    state, steps = make((2, 3)), jnp.arange(1.0, 7.0).reshape(2, 3)
    rows = jnp.stack([TABLE["row"], 100 * TABLE["row"]])
    inner = jax.vmap(lambda p, s, *i: run_if(p, counting, s, *i), (0, 0, 0, None))
    twice = jax.jit(jax.vmap(inner))
    for preds in ([[0, 0, 0]] * 2, [[0, 0, 0], [0, 1, 1]]):
        preds = jnp.array(preds, bool)
        out = jax.block_until_ready(twice(preds, state, steps, {"row": rows}))
        jax.effects_barrier()
        assert len(seen) == due(preds, platform)
        seen.clear()
        new = state["x"] + steps[..., None] * rows[:, None]
        np.testing.assert_array_equal(
            out["x"], np.where(preds[..., None], new, state["x"])
        )
        np.testing.assert_array_equal(out["n"][0], preds.astype(np.int32))
