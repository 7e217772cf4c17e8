"""Tests for jaxtrack.metrics.protocols."""

import dataclasses
import inspect
import re

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics import protocols
from jaxtrack.metrics.protocols import PROTOCOLS

TOOLKITS = tuple(
    """
otb lasot pysot pysot_lasot pytracking_otb pytracking_uav pytracking_lasot
got10k_otb got10k_uav123 got10k_lasot got10k trackingnet
""".split()
)


def test_names_are_the_keys():
    for name, protocol in PROTOCOLS.items():
        assert protocols.protocol_named(name) is protocol
        assert protocol.name == name
        assert protocol.summary.endswith(".")
    assert tuple(PROTOCOLS) == (*TOOLKITS, "no_first")


def test_no_two_toolkits_share_all_rules_but_got10k_on_uav123_and_lasot():
    rules = {}
    for name, protocol in PROTOCOLS.items():
        fields = {**vars(protocol), "name": "", "summary": ""}
        rules.setdefault(tuple(fields.values()), []).append(name)
    shared = [names for names in rules.values() if len(names) > 1]
    assert shared == [["got10k_uav123", "got10k_lasot"]]


def test_success_grid():
    for name in [n for n in PROTOCOLS if n != "got10k"]:
        grid = np.array(PROTOCOLS[name].success_thresholds)
        np.testing.assert_allclose(grid, 0.05 * np.arange(21), atol=1e-12)


def test_grids_hold_the_reported_points():
    for protocol in PROTOCOLS.values():
        middle = (len(protocol.success_thresholds) - 1) // 2
        assert protocol.success_thresholds[middle] == 0.5
        assert protocol.success_thresholds[middle * 3 // 2] == 0.75
        if protocol.precision_is == "at":
            assert protocol.precision_thresholds[20] == 20.0
        if protocol.norm_precision_is == "at":
            assert protocol.norm_thresholds[20] == 0.2


def test_trackingnet_has_steps_of_two_and_a_half_px():
    grid = protocols.TRACKINGNET.precision_thresholds
    np.testing.assert_array_equal(grid, 2.5 * np.arange(21))
    assert protocols.TRACKINGNET.norm_thresholds[-1] == 0.5


def test_unknown_protocol_lists_those_there_are():
    with pytest.raises(InputError, match=r"'xyz'.*otb, lasot, .*no_first"):
        protocols.protocol_named("xyz")


def test_every_rule_is_described_and_chosen_among():
    # Python 3.13 takes the indent off itself.
    text = inspect.getdoc(protocols.OpeProtocol)
    described = re.findall(r"^  (\w+):", text, re.MULTILINE)
    fields = [field.name for field in dataclasses.fields(protocols.OpeProtocol)]
    assert described == fields


def test_every_rule_tells_some_toolkit_from_another():
    for field in dataclasses.fields(protocols.OpeProtocol):
        values = {getattr(protocol, field.name) for protocol in PROTOCOLS.values()}
        assert len(values) > 1, field.name
