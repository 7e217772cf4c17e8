"""Tests for jaxtrack.datasets.nfs."""

import numpy as np
import pytest

from jaxtrack.datasets import nfs
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def released(root, name, num_frames, num_rows):
    """Writes corners; row k has its box at x = k + 2."""
    fake.images(root / name / "30" / name, range(1, num_frames + 1), 5)
    rows = fake.boxes(num_rows)
    lines = [
        f'0 {x:g} {y:g} {x + w:g} {y + h:g} {k} 0 0 1 "{name}"\n'
        for k, (x, y, w, h) in enumerate(rows)
    ]
    fake.text(root / name / "30" / f"{name}.txt", "".join(lines))


def read(root, name):
    return nfs.read(name, nfs.survey(root, "all").found[name])


def test_released_at_30_frames_a_second(tmp_path):
    released(tmp_path, "bee", 5, 5)
    entry = read(tmp_path, "bee")
    np.testing.assert_array_equal(entry.truth, fake.boxes(5))
    assert len(entry.frames) == 5


def test_every_eighth_row_counts_and_one_may_be_left_over(tmp_path):
    for num_frames, num_rows, step, left in (
        (20, 160, 8, 20),  # Rows 0, 8, ..., 152.
        (20, 161, 8, 20),  # Row 160 is left over.
        (20, 153, 8, 20),
        (20, 152, 8, 19),  # A frame is left over.
        *((5, 6, 1, 5), (6, 5, 1, 5)),
    ):
        root = tmp_path / f"{num_frames}_{num_rows}"
        released(root, "bee", num_frames, num_rows)
        entry = read(root, "bee")
        assert len(entry.frames) == len(entry.truth) == left
        # Row k has its box at x = k + 2.
        np.testing.assert_array_equal(entry.truth[:, 0], step * np.arange(left) + 2)


def test_converted_copy(tmp_path):
    fake.images(tmp_path / "sequences/bee", range(1, 4), 5)
    fake.table(tmp_path / "anno/nfs_bee.txt", fake.boxes(3), "\t")
    np.testing.assert_array_equal(read(tmp_path, "bee").truth, fake.boxes(3))
    fake.table(tmp_path / "anno/nfs_bee.txt", fake.boxes(4), "\t")
    with pytest.raises(InputError, match="found 3 frames, 4 rows"):
        read(tmp_path, "bee")


def test_wrong_layouts(tmp_path):
    fake.images(tmp_path / "bee/240/bee", (1,), 5)
    with pytest.raises(InputError, match="expected NfS's layout.*; found bee/"):
        nfs.survey(tmp_path, "all")
    with pytest.raises(InputError, match="no such folder"):
        nfs.survey(tmp_path / "none", "all")
    released(tmp_path, "bee", 5, 20)
    with pytest.raises(InputError, match="found 5 frames, 20 rows"):
        read(tmp_path, "bee")
    fake.table(tmp_path / "bee/30/bee.txt", [[0, 1, 2, 3]])
    with pytest.raises(InputError, match="expected rows of an identifier and x1 y1"):
        read(tmp_path, "bee")
