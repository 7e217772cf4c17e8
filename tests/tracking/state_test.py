"""Tests for jaxtrack.tracking.state."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.tracking import check_init_box

BAD = (
    ((np.nan, 5, 4, 4), "finite"),
    ((5, 5, np.inf, 4), "finite"),
    ((5, 5, 0, 4), "positive"),
    ((5, 5, 4, -1), "positive"),
    ((205, 5, 10, 4), "outside"),
    ((5, -2, 4, 4), "outside"),
)


def test_bad_first_boxes():
    for box, message in BAD:
        with pytest.raises(InputError, match=message):
            check_init_box(box, (100, 200))


def test_first_box_may_stick_out():
    check_init_box((199, 50, 10, 10), (100, 200))
