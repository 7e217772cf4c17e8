"""Tests for jaxtrack.datasets.members."""

from jaxtrack.datasets import members


def test_lists_are_whole():
    for names, count in (
        *((members.OTB50, 50), (members.OTB100, 100), (members.UAV123, 123)),
        *((members.NFS, 100), (members.LASOT_TEST, 280), (members.VOT2018, 60)),
    ):
        assert len(names) == len(set(names)) == count


def test_otb50_is_the_half_of_otb100_with_98_folders():
    assert set(members.OTB50) < set(members.OTB100)
    assert len({name.partition("-")[0] for name in members.OTB100}) == 98
    assert set(members.OTB_FRAMES) < set(members.OTB100)
    # Two of the facts that tell TB-50 from the set of 2013.
    assert "Human4" in members.OTB50 and "Lemming" not in members.OTB50


def test_uav123_comes_from_91_folders():
    folders = set(members.UAV123_CUTS) | {
        name for name in members.UAV123 if not name.rpartition("_")[2].isdigit()
    }
    assert len(folders) == 91
    cuts = [cut for cuts in members.UAV123_CUTS.values() for cut in cuts]
    assert all(1 <= first < last for first, last in cuts)
    # Of a folder's cut-outs none begins before the one before it has ended.
    for folder in members.UAV123_CUTS.values():
        ends = [number for cut in folder for number in cut]
        assert ends == sorted(ends)


def test_lasot_has_four_test_sequences_of_each_of_70_classes():
    classes = [name.rpartition("-")[0] for name in members.LASOT_TEST]
    assert len(set(classes)) == 70
    assert all(classes.count(name) == 4 for name in set(classes))
    numbers = [int(name.rpartition("-")[2]) for name in members.LASOT_TEST]
    assert min(numbers) >= 1 and max(numbers) <= 20
