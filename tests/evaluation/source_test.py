"""Tests for jaxtrack.evaluation.source."""

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import source


def test_plain_folders_and_patterns(root):
    assert [v.name for v in source.load(sequences=str(root)).videos] == [
        *("ball", "car <1>", "dog")
    ]
    found = source.load(sequences=str(root), patterns=["d*", "ball"])
    assert [video.name for video in found.videos] == ["ball", "dog"]
    assert found.protocol == "otb"


def test_a_benchmark_by_name(root):
    found = source.load(benchmark="folders", root=str(root))
    assert len(found.videos) == 3


@pytest.mark.parametrize(
    "given, said",
    [
        ({}, "--sequences=DIR, or a benchmark"),
        ({"sequences": "a", "benchmark": "otb100"}, "--sequences=DIR, or"),
        ({"benchmark": "otb100"}, "--benchmark=otb100 needs --root"),
        ({"benchmark": "otb99", "root": "a"}, "unknown dataset"),
    ],
)
def test_what_cannot_be_is_said(given, said):
    with pytest.raises(InputError, match=said):
        source.load(**given)
