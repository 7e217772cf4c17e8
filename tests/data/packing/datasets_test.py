"""Every training set is packed from a miniature of its official layout."""

import numpy as np
import pytest

from jaxtrack.data import build, records, sources
from jaxtrack.data.packing import card, part, workers
from tests.datasets import miniature
from tests.datasets.training_test import EXPECTED


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """Packs a training set's miniature in this process, as the command does."""

    def pack_all(parts, items, folder, shrink, *, num_workers, num_done):
        for one in parts:
            part.pack(one.key, items.of(one), folder, shrink)

    monkeypatch.setattr(workers, "pack_all", pack_all)

    def packed(name):
        root, out = miniature.make(name, tmp_path), tmp_path / "out"
        split = "all" if name == "lasot_extension" else None
        # A frame is missing in some, as in the sets themselves.
        build.build(out, root=root, dataset=name, split=split, max_bad=1)
        return out

    return packed


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_stored_shows_every_object_in_its_box(name, pack):
    out = pack(name)
    index = sources.tracks.read(out)
    tracks = [
        (f"{clip}#{number}" if len(objects) > 1 else clip, times)
        for clip, objects in EXPECTED[name].items()
        for number, times in enumerate(objects)
    ]
    assert list(index.names) == [track for track, _ in tracks]
    source, told = sources.RecordSource(out), card.read(out)
    # Video, and number in it, of the frame that is missing.
    gaps = {"got10k": ("GOT-10k_Train_000002", 5)}
    gaps |= {"imagenet_vid": ("ILSVRC2015_train_00139005", 3)}
    for number, (track, times) in enumerate(tracks):
        rows = index.rows(number)
        seen = np.flatnonzero(index.records[rows] >= 0)
        stored = [t for t in times if (track, t) != gaps.get(name)]
        assert index.times[rows][seen].tolist() == stored
        frame = source.frame(number, int(seen[0]))
        image = frame.image.max(axis=2)
        np.testing.assert_array_equal(frame.mean_color, index.means[rows][seen[0]])
        x0, y0, x1, y1 = source.track_boxes(number)[seen[0]].round().astype(int)
        # Blocks are bright, noise is not.
        assert np.median(image[max(y0, 0) : y1, max(x0, 0) : x1]) > 170
    frames = sum(s["length"] for s in told["shards"].values())
    assert told["counts"]["pictures"] == frames
    assert len(told["bad"]) == (name in gaps) and told["terms"]
    assert {s["split"] for s in told["shards"].values()} == {records.FRAMES}
