"""Tests for jaxtrack.data.composed.write."""

import numpy as np
import pytest

from jaxtrack.data.composed import ComposedSource, write_sequences
from jaxtrack.datasets import pictures
from jaxtrack.datasets.folders import read_sequence
from jaxtrack.errors import InputError


@pytest.fixture
def source(photo_folder):
    return ComposedSource(photo_folder, num_tracks=2, length=3, size=(60, 80))


def test_what_is_written_reads_back(source, tmp_path):
    folders = write_sequences(source, tmp_path / "out")
    assert [f.name for f in folders] == ["composed_0000", "composed_0001"]
    for i, folder in enumerate(folders):
        sequence = read_sequence(folder)
        assert [f.name for f in sequence.frames] == ["0001.jpg", "0002.jpg", "0003.jpg"]
        np.testing.assert_allclose(sequence.xyxy, source.track_boxes(i), atol=2e-4)
        for t, path in enumerate(sequence.frames):
            written, drawn = pictures.read_image(path), source.frame(i, t)[0]
            assert np.abs(written.astype(int) - drawn).mean() < 5  # JPEG's loss.
    line = (folders[0] / "groundtruth_rect.txt").read_text().splitlines()[0]
    x0, y0, x1, y1 = source.track_boxes(0)[0]
    expected = [x0, y0, x1 - x0, y1 - y0]
    np.testing.assert_allclose([float(v) for v in line.split(",")], expected, atol=1e-3)


def test_a_repeated_run_keeps_what_is_there(source, tmp_path):
    first, second = write_sequences(source, tmp_path)
    note = first / "note.txt"
    note.write_text("mine")
    (second / "groundtruth_rect.txt").unlink()
    for path in (second / "img").iterdir():
        path.unlink()
    (second / "img").rmdir()
    second.rmdir()
    write_sequences(source, tmp_path)
    assert note.read_text() == "mine"
    assert (second / "groundtruth_rect.txt").is_file()


def test_an_interrupted_sequence_leaves_nothing(source, tmp_path, monkeypatch):
    draw = source.frame

    def frame(track, time):
        if (track, time) == (1, 2):
            raise KeyboardInterrupt
        return draw(track, time)

    monkeypatch.setattr(source, "frame", frame)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write_sequences(source, out)
    assert [path.name for path in out.iterdir()] == ["composed_0000"]


def test_a_file_in_the_way_is_named(source, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken is a file"):
        write_sequences(source, tmp_path / "taken")
