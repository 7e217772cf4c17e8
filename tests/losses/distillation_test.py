"""Tests for jaxtrack.losses.distillation."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.losses.distillation import TeacherMaps, distillation_loss, trust
from jaxtrack.ops import boxes, grid
from tests.devices import check_four_devices
from tests.gradients import check_gradients

POINTS = grid.points(grid.Geometry(16, 32, 3, 8, 8.0))
WEIGHTS = (1.0, 2.0, 0.5)


def draw(*, logits=2, batch=8):
    """Returns a student's outputs, a teacher's maps and trusts, of random numbers.

    Examples 1 and 2 have no cell that the teacher takes for the target.
    """
    rng = np.random.default_rng(3)
    shape = (batch, 3, 3)
    cls = rng.uniform(0.05, 0.95, shape).astype(np.float32)
    cls[1:3] *= 0.5
    center = np.asarray(POINTS) + rng.uniform(-2, 2, (*shape, 2))
    half = rng.uniform(4, 9, (*shape, 2))
    outputs = {
        "cls": rng.normal(size=(*shape, logits)),
        "ltrb": rng.uniform(3, 9, (*shape, 4)),
        "centerness": rng.normal(size=(*shape, 1)),
    }
    maps = TeacherMaps(
        cls, np.concatenate([center - half, center + half], -1), rng.uniform(size=shape)
    )
    given = outputs, maps, rng.uniform(size=batch)
    return jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), given)


def reference(outputs, teacher, trusted):
    """The loss in float64, a cell at a time."""
    outputs, teacher, trusted = jax.tree.map(
        lambda a: np.asarray(a, np.float64), (outputs, teacher, trusted)
    )
    sums = {name: [0.0, 0] for name in ("pos", "neg", "reg", "quality")}

    def add(name, value):
        sums[name][0] += value
        sums[name][1] += 1

    def kl(p, logit):
        s = 1 / (1 + np.exp(-logit))
        return p * np.log(p / s) + (1 - p) * np.log((1 - p) / (1 - s))

    for b, i, j in np.ndindex(teacher.cls.shape):
        logits, p, t = outputs["cls"][b, i, j], teacher.cls[b, i, j], trusted[b]
        logit = logits[1] - logits[0] if len(logits) == 2 else logits[0]
        add("pos" if p >= 0.5 else "neg", t * kl(p, logit))
        if p < 0.5:
            continue
        q = teacher.quality[b, i, j]
        add("quality", t * kl(q, outputs["centerness"][b, i, j, 0]))
        left, top, right, bottom = outputs["ltrb"][b, i, j]
        x, y = np.asarray(POINTS)[i, j]
        own = np.array([x - left, y - top, x + right, y + bottom])
        add("reg", t * (1 - giou(own, teacher.xyxy[b, i, j])))
    means = {name: total / count for name, (total, count) in sums.items()}
    cls = (means["pos"] + means["neg"]) / 2
    return WEIGHTS @ np.array([cls, means["reg"], means["quality"]])


def giou(a, b):
    """The generalized IoU of two boxes xyxy."""

    def area(box):
        return np.prod(np.maximum(box[2:] - box[:2], 0))

    low, high = np.minimum(a, b), np.maximum(a, b)
    inside = area(np.concatenate([high[:2], low[2:]]))
    around = area(np.concatenate([low[:2], high[2:]]))
    union = area(a) + area(b) - inside
    return inside / union - (around - union) / around


loss = partial(distillation_loss, points=POINTS, weights=WEIGHTS)
whole = jax.jit(jax.value_and_grad(loss, has_aux=True))


@pytest.mark.parametrize("logits", [1, 2])
def test_the_loss_is_that_of_a_definition_in_float64(logits):
    given = draw(logits=logits)
    (compiled, metrics), _ = whole(*given)
    # Logarithms and quotients of float32.
    np.testing.assert_allclose(compiled, reference(*given), rtol=1e-5)
    np.testing.assert_allclose(metrics["trust"], jnp.mean(given[2]), rtol=1e-6)
    np.testing.assert_allclose(loss(*given)[0], compiled, rtol=1e-6)


def test_devices_share_one_loss():
    check_four_devices(partial(loss, axis_name="batch"), whole, draw(), rtol=1e-5)


def test_slopes_are_those_of_differences_and_the_teacher_has_none():
    outputs, maps, trusted = draw(batch=2)
    check_gradients(
        lambda outputs: loss(outputs, maps, trusted)[0], (outputs,), rtol=2e-2
    )
    by_teacher = jax.grad(lambda maps, t: loss(outputs, maps, t)[0], (0, 1))
    slopes = jax.jit(by_teacher)(maps, trusted)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(slopes))


def test_a_student_that_says_what_its_teacher_does_has_no_loss():
    outputs, maps, trusted = draw()
    logit = jnp.log(maps.cls / (1 - maps.cls))
    same = {
        "cls": jnp.stack([jnp.zeros_like(logit), logit], -1),
        "ltrb": boxes.xyxy_to_ltrb(POINTS[None], maps.xyxy),
        "localization": jnp.log(maps.quality / (1 - maps.quality))[..., None],
    }
    np.testing.assert_allclose(whole(same, maps, trusted)[0][0], 0, atol=2e-6)
    # A wrong teacher that nobody trusts teaches nothing, one of no quality no quality.
    assert whole(outputs, maps, trusted * 0)[0][0] == 0
    told = loss(outputs, maps._replace(quality=None), trusted)[1]
    assert told["teach_quality"] == 0


def test_trust_by_hand():
    # The best score of example 0 is 0.8 * 0.5 at its cell (0, 1), not the 0.9 * 0.1 at
    # (0, 0): its box has 100 of 200 + 100 - 100 px in common with the target's. The
    # second crop does not show the target, and there the best score is 0.4, too.
    cls = jnp.array([[[0.9, 0.8]], [[0.9, 0.8]]])
    quality = jnp.array([[[0.1, 0.5]], [[0.1, 0.5]]])
    found = jnp.zeros((2, 1, 2, 4)).at[:, 0, 1].set(jnp.array([0.0, 0, 10, 20]))
    target = jnp.array([[0.0, 0, 10, 10], [0, 0, 10, 10]])
    given = TeacherMaps(cls, found, quality), target, jnp.array([True, False])
    np.testing.assert_allclose(trust(*given, power=1.0), [0.5, 0.6], rtol=1e-6)
    np.testing.assert_allclose(trust(*given, power=2.0), [0.25, 0.36], rtol=1e-6)
    np.testing.assert_allclose(trust(*given, power=0.0), 1)
