"""Tests for the progress of `jaxtrack annotate`."""

import io

import numpy as np
from tqdm import tqdm

from jaxtrack.cli import annotate_files


class Still:
    """Follows nothing."""

    def update(self, image):
        return np.zeros(4), 1.0


def test_frames_that_are_tracked_again_extend_the_bar():
    bar = tqdm(total=2, file=io.StringIO())
    counted = annotate_files._Counted(Still(), bar)
    for _ in range(3):
        counted.update(np.zeros((1, 1, 3), np.uint8))
    assert (bar.n, bar.total) == (3, 3)
