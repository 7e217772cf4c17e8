"""Tests for finding settings by name."""

import pytest

from jaxtrack import configs
from jaxtrack.configs import siamcar_lite0
from jaxtrack.errors import InputError


def test_settings_are_found_by_name_and_by_path(tmp_path):
    assert {"siamcar_lite0", "cract/lite0_cascade"} < set(configs.names())
    expected = siamcar_lite0.get_config().to_json()
    assert configs.load("siamcar_lite0").to_json() == expected
    path = tmp_path / "mine.py"
    path.write_text("from jaxtrack.configs.siamcar_lite0 import get_config\n")
    assert configs.load(path).to_json() == expected
    assert configs.load("cract/lite0_cascade").model.pooling == "single"


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="did you mean siamcar_lite0?"):
        configs.load("siamcar_lite")
    with pytest.raises(InputError, match="no config 'qqq': choose from ablations/"):
        configs.load("qqq")
    with pytest.raises(InputError, match=r"no config file .*none\.py"):
        configs.load(tmp_path / "none.py")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match=r"it has no function get_config\(\)"):
        configs.load(tmp_path / "empty.py")
