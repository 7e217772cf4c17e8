"""Tests for jaxtrack.datasets.names."""

import pytest

from jaxtrack.datasets import members
from jaxtrack.datasets.names import match


def found(names, given):
    return match(names, given).found


@pytest.mark.parametrize("kind", [str, str.lower, str.upper])
@pytest.mark.parametrize("sign", ["-", "_", ".", " ", ""])
def test_every_spelling_of_otb_is_told_apart(kind, sign):
    given = {name: kind(name).replace("-", sign) for name in members.OTB100}
    # Alone, a name in lower case may be OTB's; all of them surely are.
    assert found(members.OTB100, given.values()) == given


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("uav_", members.UAV123),
        ("uav123_", members.UAV123),
        ("nfs_", members.NFS),
        ("otb_", members.OTB100),
        ("lasot_", members.LASOT_TEST),
    ],
)
def test_a_prefix_names_the_benchmark(prefix, names):
    given = {name: prefix + name for name in names}
    assert found(names, given.values()) == given
    assert found(given.values(), names) == {b: a for a, b in given.items()}


def test_the_same_target_of_human4():
    for given in ("Human4-2", "Human4_2", "human4.2"):
        assert found(["Human4"], [given]) == {"Human4": given}
    assert found(["Human4-2"], ["Human4"]) == {"Human4-2": "Human4"}
    assert not found(["Human4"], ["Human4-1"])


@pytest.mark.parametrize(
    ("name", "other", "beside"),
    [
        ("Car2", "car-2", ()),  # LaSOT's.
        ("car-2", "Car2", ()),
        ("car-2", "car2", ()),  # UAV123's.
        ("Car2", "uav_car2", ()),
        ("Car2", "nfs_Car2", ()),
        ("dog-1", "dog_1", ()),  # NfS's.
        ("Dog1", "dog-1", ()),
        ("person-1", "person1", ()),
        ("Car2", "car2", ("bike1",)),  # A folder of UAV123.
        ("Suv", "suv", ("Boy",)),  # A folder that keeps capitals: NfS's.
        ("uav_car2", "nfs_car2", ()),
    ],
)
def test_never_a_sequence_of_another_benchmark(name, other, beside):
    assert not found([name, "Boy"], [other, *beside]).get(name)


def test_none_of_a_benchmark_is_one_of_another():
    lists = {
        "otb": members.OTB100,
        "uav": members.UAV123,
        "nfs": members.NFS,
        "lasot": members.LASOT_TEST,
    }
    for ours, names in lists.items():
        for theirs, given in lists.items():
            shared = {name: name for name in set(names) & set(given)}
            if ours != theirs:
                assert found(names, given) == shared


def test_names_in_lower_case_alone_are_taken():
    assert found(["Car2", "Boy"], ["car2", "boy"]) == {"Car2": "car2", "Boy": "boy"}


def test_an_exact_name_goes_before_a_similar_one():
    # UAV123 has both; they differ in nothing but where the number starts.
    both = match(["car1_1", "car11"], ["car11", "car1_1", "unknown"])
    assert both.found == {"car1_1": "car1_1", "car11": "car11"}
    assert both.others == ("unknown",)


def test_unclear_names():
    assert match(["Jogging-1"], ["Jogging_1", "Jogging.1"]).unclear == {
        "Jogging-1": ("Jogging_1", "Jogging.1")
    }
    assert match(["a-1", "a.1"], ["a_1"]).unclear == dict.fromkeys(
        ("a-1", "a.1"), ("a-1", "a.1")
    )
