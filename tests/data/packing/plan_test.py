"""Tests for jaxtrack.data.packing.plan: what is packed, in which parts."""

import numpy as np
import pytest

from jaxtrack.data.packing import items as packing_items
from jaxtrack.data.packing import plan
from jaxtrack.errors import InputError
from tests.data.conftest import NUM_FRAMES, write_sequence, write_stills


def request(root, **fields):
    return packing_items.Request(root=str(root), **fields)


def test_clips_of_all_kinds_are_found(root, tmp_path):
    table = write_stills(tmp_path)
    photos = write_stills(tmp_path, "more").parent / "more"
    options = {"stills": (str(table),), "photos": (str(photos),)}
    items, _ = packing_items.find(request(root, **options))
    names = " ".join(items.names())
    assert names == "a b photos_boxes/0.jpg photos_boxes/1.jpg 0.jpg 1.jpg"
    clips = [item.read(*item[:2]) for item in items]
    assert [item.is_photo for item in items] == [False] * 4 + [True] * 2
    shapes = [clip.xyxy.shape[:2] for clip in clips]
    assert shapes == [(1, NUM_FRAMES)] * 2 + [(2, 1), (1, 1), (0, 1), (0, 1)]
    assert len(packing_items.find(request(root, patterns=("b",)))[0]) == 1
    with pytest.raises(InputError, match="nothing to pack"):
        packing_items.find(packing_items.Request())


def test_parts_hold_every_clip_once_in_order(root, tmp_path, monkeypatch):
    for number in range(7):
        write_sequence(root / f"c{number}", number, num_frames=2)
    # Sampled are all nine clips but one: 24 or more frames, 9 clips; 5 frames a part.
    monkeypatch.setattr(plan, "_MIN_FRAMES", 5)
    whole, items = plan.make(request(root), tmp_path)
    joined = [item.name for part in whole.parts for item in items.of(part)]
    assert joined == ["a", "b", *(f"c{n}" for n in range(7))]
    sizes = [part.stop - part.start for part in whole.parts]
    assert sizes == [2, 2, 2, 2, 1]
    assert plan.num_clips(whole.parts[1:]) == 7


def test_what_was_begun_is_gone_on_with(root, tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "_MIN_FRAMES", 1)
    before, _ = plan.make(request(root), tmp_path)
    # A clip that has become longer would move the parts.
    monkeypatch.setattr(plan, "_mean_length", lambda items: 1 / 0)
    again, _ = plan.make(request(root), tmp_path)
    assert again == before
    monkeypatch.undo()
    other, _ = plan.make(request(root, patterns=("a",)), tmp_path)
    assert other.digest != before.digest and other.parts[0].key != before.parts[0].key


def test_a_digest_tells_what_but_not_where(root, tmp_path):
    def digest(folder, **fields):
        asked = request(folder, **fields)
        return plan.digest_of(asked, packing_items.find(asked)[0])

    moved = tmp_path / "elsewhere"
    moved.symlink_to(root)
    assert digest(moved) == digest(root)
    table = write_stills(tmp_path)
    before = digest("", stills=(str(table),))
    table.write_text(table.read_text() + "1.jpg\t3\t3\t9\t9\n")
    assert len({before, digest("", stills=(str(table),)), digest(root)}) == 3


def test_places_are_made_when_they_are_asked_for():
    asked = []

    class Found(dict):
        def __getitem__(self, name):
            asked.append(name)
            return super().__getitem__(name)

    items = packing_items.Items()
    items.add(Found(a=1, b=2), np.add)
    items.add({"c": 3}, np.subtract)
    assert [item[:2] for item in items.of(packing_items.Part(0, "", 1, 3))] == [
        ("b", 2),
        ("c", 3),
    ]
    assert asked == ["b"] and items[2].read is np.subtract and len(items) == 3
