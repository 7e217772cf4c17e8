"""Tests for jaxtrack.data.packing.part: a part of the records, and what is bad."""

import cv2
import numpy as np
import pytest

from jaxtrack.data import encoding, records, tracks
from jaxtrack.data.packing import part, summary
from jaxtrack.data.packing.items import Item
from jaxtrack.data.packing.shrink import WHOLE, Shrink
from jaxtrack.datasets.sequence import Clip
from jaxtrack.errors import InputError
from tests.data.conftest import scene


def write_frames(folder, count, hw=(48, 64)):
    """Writes images `img/0001.jpg` and so on; returns their paths."""
    (folder / "img").mkdir(parents=True)
    paths = [folder / "img" / f"{t + 1:04d}.jpg" for t in range(count)]
    for t, path in enumerate(paths):
        path.write_bytes(encoding.encode(scene(t, hw)))
    return tuple(paths)


def boxes(count, *, targets=1):
    """Boxes of some targets, `[K, T, 4]`."""
    return np.tile([10.0, 12, 30, 28], (targets, count, 1))


@pytest.fixture
def pack(tmp_path):
    """Packs clips as one part; returns its index, summary and records of a split."""
    out = tmp_path / "parts"
    out.mkdir()

    def packed(*clips, shrink=WHOLE, on_frame=None, is_photo=False):
        items = [Item(c.name, c, lambda name, clip: clip, is_photo) for c in clips]
        part.pack("00000-key", items, out, shrink, on_frame=on_frame)
        assert [p.name for p in out.iterdir()] == ["00000-key"]
        folder = out / "00000-key"
        return tracks.read(folder), summary.read(folder)

    return packed


def test_bad_items_are_left_out_and_listed(pack, tmp_path):
    frames = write_frames(tmp_path / "a", 5)
    frames[1].write_bytes(frames[1].read_bytes()[:-300])
    xyxy = boxes(5)
    xyxy[0, 2] = [64, 0, 74, 10]  # The images are 64 px wide.
    xyxy[0, 3] = np.nan  # Absent: not bad.
    clip = Clip("a", frames, xyxy, ("a, object 7: crowd",))
    index, told = pack(clip)
    damaged, outside = told.bad
    assert "0002.jpg: damaged JPEG" in damaged
    assert "0003.jpg: box 0 is outside" in outside
    assert told.skipped == ["a, object 7: crowd"] and told.clips == 1
    # Of the absent object's frame nothing is stored.
    np.testing.assert_array_equal(index.records, [0, -1, -1, -1, 1])
    np.testing.assert_array_equal(index.times, range(5))
    assert np.isnan(index.xyxy).any(axis=1).tolist() == [False, True, True, True, False]


def test_a_sequence_that_cannot_be_read_is_one_bad_item(pack, tmp_path):
    out = tmp_path / "parts"

    def read(name, place):
        raise OSError(5, "Input/output error")

    part.pack("k", [Item("gone", None, read)], out, WHOLE)
    (bad,) = summary.read(out / "k").bad
    assert bad.startswith("gone: ") and "Input/output" in bad


def test_targets_of_a_clip_share_its_records(pack, tmp_path):
    frames = write_frames(tmp_path / "a", 3)
    xyxy = boxes(3, targets=2)
    xyxy[1, :2] = np.nan
    index, told = pack(Clip("a", frames, xyxy), Clip("b", frames[:1], boxes(1)))
    assert list(index.names) == ["a#0", "a#1", "b"]
    np.testing.assert_array_equal(index.records, [0, 1, 2, -1, -1, 2, 3])
    np.testing.assert_array_equal(index.clips, [0, 0, 1])
    assert told.shards["train"].length == 4 and told.frames == 4


def test_frames_are_chosen_evenly_among_those_with_a_box(pack, tmp_path):
    xyxy = boxes(9)
    xyxy[0, :4] = np.nan
    clip = Clip("a", write_frames(tmp_path / "a", 9), xyxy)
    index, _ = pack(clip, shrink=Shrink(crop="whole", frames=3))
    # Of the frames 4 to 8 the first, the middle one and the last.
    np.testing.assert_array_equal(index.times, [4, 6, 8])
    np.testing.assert_array_equal(index.records, [0, 1, 2])


def test_masks_are_cut_as_their_frames_are(pack, tmp_path):
    # A template side of sqrt(16 * 16) = 16 px: 67.2 px are stored, at (50.4, 30.4).
    frames = write_frames(tmp_path / "a", 2, hw=(128, 160))
    xyxy = np.tile([80.0, 60, 88, 68], (1, 2, 1))
    (tmp_path / "a" / "mask").mkdir()
    mask = np.zeros((128, 160), np.uint8)
    mask[60:68, 80:88] = 255
    cv2.imwrite(str(tmp_path / "a" / "mask" / "0002.png"), mask)
    index, told = pack(Clip("a", frames, xyxy), shrink=Shrink())
    np.testing.assert_array_equal(index.masks, [-1, 0])
    folder = tmp_path / "parts" / "00000-key"
    reader = records.array_record_module.ArrayRecordReader(
        str(summary.shard_path(folder, "masks"))
    )
    assert told.shards["masks"].length == reader.num_records() == 1
    features = records._features()
    example = features.deserialize_example_np(
        reader.read([0])[0], decoders={"image": records.tfds.decode.SkipDecoding()}
    )
    stored = encoding.decode_mask(example["image"], "mask")
    x0, y0, x1, y1 = index.xyxy[1].astype(int)
    assert stored[y0:y1, x0:x1].all() and stored.sum() == 64
    assert stored.shape == (68, 68) and (x0, y0) == (30, 30)
    # Of the frame, not of what is stored of it.
    means = [encoding.read(path).image.mean(axis=(0, 1)) for path in frames]
    np.testing.assert_allclose(index.means, means, atol=0.5)


def test_a_photograph_has_no_track(pack, tmp_path):
    frames = write_frames(tmp_path / "a", 1, hw=(100, 1280))
    clip = Clip("p", frames, np.zeros((0, 1, 4)))
    index, told = pack(clip, is_photo=True)
    assert list(index.photos) == ["p"] and not len(index.names)
    assert told.shards["photos"].length == 1
    # A still whose objects were all left out is none.
    index, told = pack(clip)
    assert not len(index.photos) and not told.shards and not told.bad
    assert told.skipped == ["p: no object is left"]


def test_a_full_disk_leaves_nothing_and_is_told(pack, tmp_path, monkeypatch):
    clip = Clip("a", write_frames(tmp_path / "a", 2), boxes(2))
    refuse = OSError(28, "No space left on device")

    def full(index, folder):
        raise refuse

    monkeypatch.setattr(tracks, "write", full)
    with pytest.raises(InputError, match="No space left.*run the same command again"):
        pack(clip)
    assert not list((tmp_path / "parts").iterdir())


def test_a_stop_is_heard_after_a_frame(pack, tmp_path):
    clip = Clip("a", write_frames(tmp_path / "a", 3), boxes(3))
    heard = []

    def stop(clips):
        heard.append(clips)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(clip, on_frame=stop)
    assert heard == [0] and not list((tmp_path / "parts").iterdir())
