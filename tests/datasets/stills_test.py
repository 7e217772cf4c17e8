"""Tests for jaxtrack.datasets.stills."""

import numpy as np
import pytest

from jaxtrack.datasets.stills import read_stills
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake

ROWS = (
    "image\tx\ty\tw\th\n0.jpg\t1\t2\t20\t30\n0.jpg\t30\t5\t10\t10\n1.jpg\t0\t0\t9\t8\n"
)


@pytest.fixture
def table(tmp_path):
    """Two photographs, the first with two objects, and their table."""
    fake.images(tmp_path / "photos", (0, 1), digits=1)
    return fake.text(tmp_path / "photos_boxes.tsv", ROWS)


def test_stills(table):
    first, second = read_stills(table)
    assert first.path == table.parent / "photos" / "0.jpg"
    np.testing.assert_array_equal(first.xyxy, [[1, 2, 21, 32], [30, 5, 40, 15]])
    np.testing.assert_array_equal(second.xyxy, [[0, 0, 9, 8]])


def test_a_bad_row_of_a_table_is_named(table):
    for row, message in (
        ("2.jpg\t1\t2\t3\t4", "line 5: no such image"),
        ("0.jpg\t1\t2\t3", "line 5: expected 4 numbers"),
        ("0.jpg\t1\t2\t0\t4", "line 5: a box of no size"),
        ("0.jpg\t1\tnan\t3\t4", "line 5: a box of no size"),
    ):
        table.write_text(ROWS + row + "\n")
        with pytest.raises(InputError, match=message):
            read_stills(table)
    table.write_text("image\tx\ty\tw\th\n")
    with pytest.raises(InputError, match="the table is empty"):
        read_stills(table)
