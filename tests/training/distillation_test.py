"""Tests for jaxtrack.training.distillation."""

import functools
from functools import partial

import jax
import numpy as np
import pytest

from jaxtrack import configs, trackers
from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.ops import boxes, grid
from jaxtrack.ops.preprocess import Preprocessing, normalize
from jaxtrack.trackers import siamcar
from jaxtrack.training import distillation, inference

from .conftest import GEOMETRY, TinyTracker, make_batch
from .step_test import drawn, make, train

PIXELS = Preprocessing("BGR", (100.0, 110.0, 120.0), (50.0, 60.0, 70.0))


def teacher():
    """Returns a tiny teacher of other parameters than the student's first ones."""
    variables = jax.tree.map(lambda a: 0.5 * a, drawn(TinyTracker))
    return distillation.Teacher("tiny", TinyTracker(), variables, PIXELS, "0" * 64)


def taught(*teachers):
    """Returns SiamCAR's loss with teachers."""
    config, network = get_config(), TinyTracker()
    loss = siamcar.FAMILY.loss(config, network)
    return distillation.teach(loss, teachers, config=config, network=network)


def test_a_teacher_sees_the_crops_as_it_expects_them():
    batch, one = make_batch(0), teacher()
    answer = jax.jit(distillation.maps_of(one, GEOMETRY))
    found = answer(batch["z_image"], batch["x_image"])
    crops = (normalize(batch[name], PIXELS) for name in ("z_image", "x_image"))
    outputs = jax.jit(one.network.apply)(one.variables, *crops)
    np.testing.assert_allclose(
        found.cls, jax.nn.softmax(outputs["cls"])[..., 1], atol=1e-6
    )
    expected = boxes.ltrb_to_xyxy(grid.points(GEOMETRY), outputs["ltrb"])
    np.testing.assert_allclose(found.xyxy, expected, rtol=1e-5, atol=1e-4)


def test_a_teacher_of_wider_crops_answers_on_the_students_cells():
    # 8 px more on each side: its cells 1 to 4 are the student's, and the crop's outer
    # pixels are repeated around it.
    batch, wider = make_batch(0), grid.Geometry(16, 48, 6, 8, 4)
    one = teacher()._replace(network=TinyTracker(geometry=wider))
    answer = jax.jit(distillation.maps_of(one, GEOMETRY))
    found = answer(batch["z_image"], batch["x_image"])
    x_image = np.pad(batch["x_image"], ((0, 0), (8, 8), (8, 8), (0, 0)), "edge")
    crops = (normalize(image, PIXELS) for image in (batch["z_image"], x_image))
    outputs = jax.tree.map(
        lambda m: m[:, 1:5, 1:5], jax.jit(one.network.apply)(one.variables, *crops)
    )
    np.testing.assert_allclose(
        found.cls, jax.nn.softmax(outputs["cls"])[..., 1], atol=1e-6
    )
    expected = boxes.ltrb_to_xyxy(grid.points(GEOMETRY), outputs["ltrb"])
    np.testing.assert_allclose(found.xyxy, expected, rtol=1e-5, atol=1e-3)


def partly_labeled(number):
    """Returns a batch whose pairs 1, 4, 5 and 7 have no labels."""
    is_labeled = np.array([1, 0, 1, 1, 0, 0, 1, 0], bool)
    return {**make_batch(number), "is_labeled": is_labeled}


def test_devices_together_are_taught_as_one():
    given = {"batches": partly_labeled, "steps": 1}
    one, metrics = train(1, loss=taught(teacher()), **given)
    taught_by = ("teach_cls", "teach_reg", "teach_quality", "trust")
    assert min(metrics[name] for name in taught_by) > 0.01
    many, many_metrics = train(4, loss=taught(teacher()), **given)
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
        (one, metrics),
        (many, many_metrics),
    )
    # The state holds no more than without a teacher.
    assert jax.tree.structure(make(1)[0]) == jax.tree.structure(one)


def test_pairs_without_labels_are_only_the_teachers():
    batch, rng = partly_labeled(0), np.random.default_rng(0)
    batch["key"] = jax.random.split(jax.random.key(1), 8)
    outputs = {
        "cls": rng.normal(size=(8, 4, 4, 2)).astype(np.float32),
        "ltrb": rng.uniform(3, 12, (8, 4, 4, 4)).astype(np.float32),
        "centerness": rng.normal(size=(8, 4, 4, 1)).astype(np.float32),
    }
    together = jax.jit(taught(teacher()))
    _, metrics = together(outputs, batch)
    kept = batch.pop("is_labeled")
    # The terms of labels are those of the labeled pairs alone,
    alone = jax.tree.map(lambda value: value[kept], (outputs, batch))
    of_labels, expected = jax.jit(taught())(*alone)
    for name in ("cls", "reg", "quality", "iou"):
        np.testing.assert_allclose(metrics[name], expected[name], rtol=1e-6)
    # the teacher's those of all pairs, with its weights of 1, 1 and 1/2.
    _, same = together(outputs, batch)
    told = [same[name] for name in ("teach_cls", "teach_reg", "teach_quality")]
    added = told[0] + told[1] + 0.5 * told[2]
    assert added > 0.1
    np.testing.assert_allclose(metrics["loss"], of_labels + added, rtol=1e-6)


def test_no_teachers_leave_the_loss_as_it_is():
    loss = siamcar.FAMILY.loss(get_config(), TinyTracker())
    same = distillation.teach(loss, (), config=get_config(), network=TinyTracker())
    assert same is loss
    assert distillation.provenance(()) == {}


def test_teachers_are_read_by_name(monkeypatch):
    config = trackers.with_preprocessing(configs.load("siamcar_lite0"))
    config.loss.teachers, config.data.search_size = ("lite",), 192
    student = TinyTracker(geometry=grid.Geometry(128, 192, 24, 8, 4.0))
    once = functools.cache(inference.load_for_inference)
    monkeypatch.setattr(inference, "load_for_inference", once)
    (lite,) = distillation.load(config, student)
    assert lite.network.geometry == student.geometry
    assert distillation.provenance([lite]) == {"teachers": {"lite": lite.digest}}
    config.data.context = 0.25
    with pytest.raises(InputError, match="have a context of 0.5, the student"):
        distillation.load(config, student)
    config.loss.teachers = ("absent",)
    with pytest.raises(InputError, match="teachers: no checkpoint absent"):
        distillation.load(config, student)


def test_students_with_anchors_have_no_teachers():
    config = get_config()
    config.loss.teachers = ("lite",)
    with pytest.raises(InputError, match="has anchors: teachers teach"):
        distillation.load(config, TinyTracker(anchors=((8.0, 8.0),)))
