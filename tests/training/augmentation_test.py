"""Tests for jaxtrack.training.augmentation."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.data import batch as batch_lib
from jaxtrack.data.settings import Augmentation
from jaxtrack.training.augmentation import augment_batch, augment_pair

CHANGED = {
    **dict.fromkeys(("gray", "tone", "flip"), ("x_image", "z_image")),
    **dict.fromkeys(("template_color", "template_blur"), ("z_image",)),
    **dict.fromkeys(("search_color", "search_blur", "occluder"), ("x_image",)),
    **dict.fromkeys(("motion_blur", "low_resolution", "noise"), ("x_image",)),
}


def chances(**changes):
    """Returns settings of those chances alone."""
    numbers = {f.name: 0.0 for f in dataclasses.fields(Augmentation)}
    others = {"jitter": "pysot", "attempts": 0, "occluder_ignored": False}
    return Augmentation(**{**numbers, **others, **changes})


ALL = chances(**dict.fromkeys(CHANGED, 0.6), occluder_ignored=True)


def make_batch(size):
    """Draws smooth pictures, whose details every change alters."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:40, :40] / 4
    phases = rng.uniform(0, 6, (size, 1, 1, 3))
    waves = 127 + 120 * np.sin(x[..., None] + phases + y[..., None] * [0.3, 0.7, 1.1])
    images = np.uint8(waves)
    return {
        "z_image": images[:, :20, :20],
        "x_image": images,
        "z_xyxy": np.tile(np.float32([5, 6, 14, 12]), (size, 1)),
        "xyxy": np.float32([8, 11, 22, 27])
        + rng.uniform(-2, 2, (size, 4)).astype("f4"),
        "is_positive": np.ones(size, bool),
    }


@pytest.fixture(scope="module")
def each():
    """One pair, changed by each augmentation alone, and by noise with a flip."""
    pair = {name: array[0] for name, array in make_batch(1).items()}
    pair.pop("is_positive")
    settings = {name: chances(**{name: 1.0}) for name in CHANGED}
    settings["both"] = chances(noise=1.0, flip=1.0)
    settings["told"] = chances(occluder=1.0, flip=1.0, occluder_ignored=True)

    def change(key):
        return {n: augment_pair(key, pair, augmentation=a) for n, a in settings.items()}

    changed = jax.device_get(jax.jit(change)(jax.random.key(0)))
    return pair, changed


def test_each_augmentation_changes_its_crops_only(each):
    pair, changed = each
    for name, images in CHANGED.items():
        new = changed[name]
        assert {k: (v.shape, v.dtype) for k, v in new.items()} == {
            k: (v.shape, v.dtype) for k, v in pair.items()
        }
        differ = {field for field in pair if (new[field] != pair[field]).any()}
        boxes = {"xyxy", "z_xyxy"} if name == "flip" else set()
        assert differ == {*images} | boxes, name


def test_both_crops_and_boxes_are_mirrored(each):
    pair, changed = each
    flipped = changed["flip"]
    for name in ("z_image", "x_image"):
        np.testing.assert_array_equal(flipped[name], pair[name][:, ::-1])
    # From [5, 14] of 20 px to [6, 15].
    np.testing.assert_array_equal(flipped["z_xyxy"], [6, 6, 15, 12])
    x0, y0, x1, y1 = pair["xyxy"]
    np.testing.assert_allclose(flipped["xyxy"], [40 - x1, y0, 40 - x0, y1], rtol=1e-6)


def test_gray_is_for_both_crops(each):
    for name in ("z_image", "x_image"):
        assert np.ptp(each[1]["gray"][name], axis=2).max() == 0


def test_another_augmentation_alters_none_of_the_draws(each):
    _, changed = each
    np.testing.assert_array_equal(
        changed["both"]["x_image"], changed["noise"]["x_image"][:, ::-1]
    )


def test_what_an_occluder_hides_is_told_and_mirrored(each):
    _, changed = each
    told, covered = changed["told"], changed["occluder"]["x_image"]
    np.testing.assert_array_equal(told["x_image"], covered[:, ::-1])
    differs = (told["x_image"] != each[0]["x_image"][:, ::-1]).any(axis=2)
    assert differs.any() and told["hidden"].dtype == bool
    assert not (differs & ~told["hidden"]).any()


def test_pixels_are_the_same_one_by_one_at_once_and_on_two_devices():
    # One by one, as a CPU does, on two devices, against all at once on one.
    batch, key = make_batch(4), jax.random.split(jax.random.key(5), 4)
    pairs = {name: batch[name] for name in batch if name != "is_positive"}
    at_once = jax.jit(jax.vmap(partial(augment_pair, augmentation=ALL)))(key, pairs)
    mapped = jax.pmap(
        lambda key, batch: augment_batch(key, batch, ALL), devices=jax.devices()[:2]
    )
    parts = mapped(key.reshape(2, 2), batch_lib.shard(batch, 2))
    assert set(parts) == {*batch, "hidden"}
    for name, array in at_once.items():
        np.testing.assert_array_equal(parts[name].reshape(array.shape), array)
        assert len(np.unique(np.asarray(array), axis=0)) > 1
    np.testing.assert_array_equal(np.ravel(parts["is_positive"]), True)


def test_what_never_happens_is_not_compiled():
    batch, key = make_batch(2), jax.random.split(jax.random.key(0), 2)
    assert augment_batch(key, batch, chances(search_shift=64.0)) is batch
    for settings, count in ((chances(flip=0.5), 1), (chances(tone=0.1, gray=1.0), 3)):
        pair = {name: array[0] for name, array in batch.items()}
        traced = jax.make_jaxpr(partial(augment_pair, augmentation=settings))(
            key[0], pair
        )
        assert str(traced).count("cond[") == count


def test_it_happens_as_often_as_told():
    size = 600
    batch = {
        "z_image": np.tile(np.uint8([[[0], [9]]]), (size, 1, 1, 3)),
        "x_image": np.tile(np.uint8([[[0], [9]]]), (size, 1, 1, 3)),
        "z_xyxy": np.zeros((size, 4), np.float32),
        "xyxy": np.zeros((size, 4), np.float32),
    }
    key = jax.random.split(jax.random.key(1), size)
    flipped = augment_batch(key, batch, chances(flip=0.25))
    z, x = (
        np.asarray(flipped[name])[:, 0, 0, 0] == 9 for name in ("z_image", "x_image")
    )
    np.testing.assert_array_equal(z, x)
    # Of deviation sqrt(.25 * .75 / 600) = .018.
    assert jnp.mean(z) == pytest.approx(0.25, abs=0.06)
