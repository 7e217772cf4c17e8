"""Variables for tests of parts of networks."""

import pytest

from tests.networks import draw_variables


@pytest.fixture
def lite_variables():
    return draw_variables("siamcar_lite0")
