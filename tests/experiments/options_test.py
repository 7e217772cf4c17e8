"""Tests for experiments.options."""

import pytest
from absl import flags

from experiments import options
from jaxtrack.errors import InputError


@pytest.fixture
def values(monkeypatch):
    """Flags of their own, which no other test sees."""
    found = flags.FlagValues()
    for name in ("integer", "string", "multi_string", "bool"):
        define = getattr(flags, f"DEFINE_{name}")

        def bound(*args, define=define, **how):
            return define(*args, flag_values=found, **how)

        monkeypatch.setattr(flags, f"DEFINE_{name}", bound)
    monkeypatch.setattr(flags, "FLAGS", found)
    options.define(out="runs/x", pairs=64, seeds=3)
    return found


def test_defaults(values):
    values(["study"])
    assert (values.out, values.pairs, values.seeds, values.jobs) == ("runs/x", 64, 3, 1)
    assert options.overrides() == {} and not values.summary_only


def test_overrides_add_up(values):
    values(["study", "--set=lr=0.5", "--set=optimizer=sgd"])
    assert options.overrides() == {"lr": 0.5, "optimizer": "sgd"}


def test_refuses(values):
    with pytest.raises(flags.IllegalFlagValueError, match="jobs"):
        values(["study", "--jobs=0"])
    values(["study", "--set=seed=3"])
    with pytest.raises(InputError, match="itself sets seed"):
        options.overrides()
