"""Tests for jaxtrack.config.field."""

from jaxtrack.config.field import Field

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
