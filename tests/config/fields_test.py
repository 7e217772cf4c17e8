"""Tests for jaxtrack.config.fields."""

import re
import subprocess
import sys

from jaxtrack import config as config_lib
from jaxtrack.config.field import Field
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


NAN = float("nan")


def test_limits_hold_at_their_edges():
    above = Field("a", 1.0, "It.", above=0)
    assert [bool(above.problem(v)) for v in (0, 1e-9, -1, NAN)] == [1, 0, 1, 1]
    least = Field("a", 1, "It.", least=2)
    assert [bool(least.problem(v)) for v in (1, 2, NAN)] == [1, 0, 1]
    within = Field("a", 1, "It.", within=(0, 1))
    values = (-0.1, 0, 1, 1.1, NAN)
    assert [bool(within.problem(v)) for v in values] == [1, 0, 0, 1, 1]
    choice = Field("a", "x", "It.", choices=("", "x"))
    assert [bool(choice.problem(v)) for v in ("", "x", "y")] == [0, 0, 1]
    assert not Field("a", True, "It.").problem(False)


def test_limits_hold_for_each_number_of_a_tuple():
    pair = Field("a.b", (1.0, 1.0), "It.", least=0, length=2)
    assert pair.problem((1.0, -1.0)) == "it must be at least 0"
    assert pair.problem((1.0,)) == "give 2 numbers"
    assert not pair.problem((0.0, 2.0))
    assert not Field("a", (), "It.", least=0).problem(())


def test_ranges_are_worded():
    assert Field("a", 1, "It.", within=(0, 1)).range() == "in [0, 1]"
    assert Field("a", 1, "It.", above=0).range() == "above 0"
    assert Field("a", 1, "It.", least=0.5).range() == "at least 0.5"
    assert Field("a", "", "It.", choices=("", "b")).range() == 'one of "", "b"'
    assert Field("a", 1, "It.", choices=(0, 1)).range() == "one of 0, 1"
    assert Field("a", "", "It.").range() == ""
