"""Tests for jaxtrack.datasets.got10k."""

import pytest

from jaxtrack.datasets import got10k
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def read(root, split="val", number=1):
    name = f"GOT-10k_{split.capitalize()}_{number:06d}"
    listing = got10k.survey(root, split)
    return got10k.read(name, listing.found[name])


def test_names_follow_from_the_number(tmp_path):
    fake.got10k_sequence(tmp_path, "val", 7)
    listing = got10k.survey(tmp_path, "val")
    assert list(listing.found) == ["GOT-10k_Val_000007"]
    assert listing.names[-1] == "GOT-10k_Val_000180"
    assert listing.num_expected == len(listing.names) == 180


def test_list_gives_the_order(tmp_path):
    names = [fake.got10k_sequence(tmp_path, "val", n) for n in (2, 1)]
    fake.text(tmp_path / "val/list.txt", "\n".join(names))
    listing = got10k.survey(tmp_path, "val")
    assert listing.names == tuple(names)
    # A list that was cut short does not make the benchmark smaller.
    assert listing.num_expected == 180


def test_root_may_be_the_subset(tmp_path):
    fake.got10k_sequence(tmp_path, "val", 1)
    assert got10k.survey(tmp_path / "val", "val").found


def test_labels_and_meta(tmp_path):
    fake.got10k_sequence(tmp_path, "val", 1, cover=(8, 0, 3))
    entry = read(tmp_path)
    assert entry.cover.tolist() == [8, 0, 3]
    assert entry.absent.tolist() == [False, True, False]
    assert entry.attributes == ("object_class=zebra", "motion_class=run")
    assert entry.image_size == (16, 9)


def test_test_set_has_one_box(tmp_path):
    fake.got10k_sequence(tmp_path, "test", 1)
    entry = read(tmp_path, "test")
    assert entry.truth.shape == (1, 4) and len(entry.frames) == 3
    assert entry.cover is None and entry.absent is None


def test_without_meta(tmp_path):
    fake.got10k_sequence(tmp_path, "val", 1)
    meta = tmp_path / "val/GOT-10k_Val_000001/meta_info.ini"
    fake.text(meta, "object_class: zebra\n")
    assert read(tmp_path).image_size is None
    meta.unlink()
    assert read(tmp_path).attributes == ()


def test_wrong_layouts(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match="GOT-10k's layout, val/.*; found train/"):
        got10k.survey(tmp_path, "val")
    fake.got10k_sequence(tmp_path, "val", 1, cover=(8, 8))
    with pytest.raises(InputError, match=r"absence\.label: expected 3 values; found 2"):
        read(tmp_path)
    fake.text(tmp_path / "val/GOT-10k_Val_000001/groundtruth.txt", "1,2,3,4\n")
    with pytest.raises(InputError, match="found 3 frames, 1 rows"):
        read(tmp_path)
    fake.got10k_sequence(tmp_path, "val", 2)
    meta = tmp_path / "val/GOT-10k_Val_000002/meta_info.ini"
    fake.text(meta, "resolution: 16 x 9\n")
    with pytest.raises(InputError, match=r"resolution: \(width, height\); found '16"):
        read(tmp_path, number=2)
