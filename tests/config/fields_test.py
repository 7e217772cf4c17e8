"""Tests for jaxtrack.config.fields."""

import re
import subprocess
import sys

from jaxtrack import config as config_lib
from jaxtrack.config.fields import FIELDS


def test_each_field_is_there_once():
    names = [field.name for field in FIELDS]
    assert len(set(names)) == len(names)
    assert set(config_lib.flat(config_lib.get_config())) == set(names)


def test_every_row_says_what_its_field_is():
    names = {field.name for field in FIELDS}
    for field in FIELDS:
        assert field.meaning.endswith("."), field.name
        assert not field.problem(field.default), field.name
        limits = field.above, field.least, field.within, field.choices or None
        assert sum(limit is not None for limit in limits) <= 1, field.name
        is_number = isinstance(field.default, int | float)
        if is_number and not isinstance(field.default, bool):
            assert field.range(), f"{field.name} has no range"
        # Other settings that the row speaks of exist.
        for name in re.findall(r"`([a-z_.]+)`", field.meaning):
            assert name in names or name.startswith("jaxtrack."), field.name


def test_settings_load_without_jax():
    code = (
        "import sys, jaxtrack.config as c; c.check(c.get_config()); c.text();"
        "sys.exit('jax' in sys.modules or 'flax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
