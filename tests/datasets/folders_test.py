"""Tests for jaxtrack.datasets.folders."""

import numpy as np
import pytest

from jaxtrack.datasets import folders
from jaxtrack.errors import InputError
from tests.datasets import fake_benchmarks as fake


def test_truth_keeps_what_files_say(tmp_path):
    truth = fake.boxes(3)
    truth[1] = (0, 0, 0, 0)
    fake.otb_sequence(tmp_path, "street", truth=truth)
    fake.images(tmp_path / "park", range(3))
    fake.table(tmp_path / "park/groundtruth.txt", fake.boxes(3))
    listing = folders.survey(tmp_path, "folders", "all")
    assert listing.names == ("park", "street") and listing.num_expected == 2
    street, park = (folders.read(n, listing.found[n]) for n in ("street", "park"))
    np.testing.assert_array_equal(street.truth, truth)
    assert len(park.frames) == 3 and park.name == "park"


def test_no_sequence(tmp_path):
    with pytest.raises(InputError, match="no folder fits"):
        folders.survey(tmp_path, "folders", "all")
