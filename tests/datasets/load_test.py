"""Tests for jaxtrack.datasets."""

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.datasets import members
from jaxtrack.errors import InputError
from jaxtrack.metrics.protocols import PROTOCOLS
from jaxtrack.metrics.vot import INTERVALS
from tests.datasets import fake_datasets as fake


def load(name, root, **options):
    return datasets.load(name, root, allow_missing=True, **options)


@pytest.fixture
def otb(tmp_path):
    for name in ("Biker", "Boy", "Coke"):
        fake.otb_sequence(tmp_path, name)
    fake.otb_sequence(tmp_path, "Jogging", end=".1.txt")
    fake.table(tmp_path / "Jogging/groundtruth_rect.2.txt", fake.boxes(3, (9, 9, 2, 2)))
    return tmp_path


def test_otb_counts_from_one(otb):
    benchmark = load("OTB100", otb)
    assert benchmark.name == "otb100" and benchmark.protocol == "otb"
    assert benchmark.origin == 1.0 and benchmark.is_scored
    video = benchmark.videos[0]
    # x 2, y 3, w 4, h 5 in a file that counts from 1.
    np.testing.assert_array_equal(video.xyxy[0], [1, 2, 5, 7])
    np.testing.assert_array_equal(benchmark.truth[video.name][0], [2, 3, 4, 5])
    for video in benchmark.videos:
        xy = benchmark.truth[video.name][:, :2]
        np.testing.assert_array_equal(video.xyxy[:, :2] + benchmark.origin, xy)


def test_missing_sequences_are_an_error_that_names_them(otb):
    with pytest.raises(InputError) as fault:
        datasets.load("otb50", otb)
    message = str(fault.value)
    assert "49 of 50 sequences are missing (Basketball, Bird1, " in message
    assert ", ...)" in message and "1 are there" in message


def test_missing_sequences_can_be_allowed_and_are_noted(otb):
    benchmark = load("otb100", otb)
    names = [video.name for video in benchmark.videos]
    assert names == ["Biker", "Boy", "Coke", "Jogging-1", "Jogging-2"]
    assert benchmark.num_expected == 100 and len(benchmark.notes) == 1
    assert benchmark.notes[0].startswith("95 of 100 sequences are missing (Basket")


def test_chosen_sequences(otb):
    for chosen, names in (
        (("Coke", "Biker"), ["Biker", "Coke"]),
        (("Jogging.2",), ["Jogging-2"]),
        (("jogging_1", "Boy"), ["Boy", "Jogging-1"]),
        (("Jogging*",), ["Jogging-1", "Jogging-2"]),
    ):
        benchmark = datasets.load("otb100", otb, sequences=chosen)
        assert [video.name for video in benchmark.videos] == names
        assert benchmark.notes == (f"{len(names)} of 100 sequences chosen.",)
    # Of those that a pattern names, most may not be there.
    with pytest.raises(InputError, match="Basketball.* 2 are there"):
        datasets.load("otb100", otb, sequences=("B*",))


def test_spellings_that_differ_in_separators_alone_stay_apart(tmp_path):
    # TNL2K has both of these.
    for name in ("SuperMan_video_01-Done", "SuperMan_video_01_done"):
        fake.tnl2k_sequence(tmp_path, name)
    benchmark = load("tnl2k", tmp_path, sequences=("SuperMan_video_01_done",))
    assert list(benchmark.truth) == ["SuperMan_video_01_done"]


def test_unknown_things(otb):
    with pytest.raises(InputError, match="unknown dataset 'otb': did you mean otb50"):
        load("otb", otb)
    with pytest.raises(InputError, match="otb50 has no split 'test': choose from all"):
        load("otb50", otb, split="test")
    with pytest.raises(InputError, match="no sequence 'Dog9'; they are Basketball, "):
        load("otb50", otb, sequences=("Dog9",))
    with pytest.raises(InputError, match="2 of 2 sequences are missing"):
        load("otb50", otb, sequences=("Walking", "Woman"))


def test_rows_without_a_target(tmp_path):
    truth = fake.boxes(4)
    truth[1] = np.nan
    truth[2, 2:] = 0
    fake.uav_sequence(tmp_path, "bike1", range(1, 5), {"bike1": truth})
    benchmark = load("uav123", tmp_path)
    np.testing.assert_array_equal(benchmark.truth["bike1"], truth)
    absent = np.isnan(benchmark.videos[0].xyxy).all(axis=1)
    assert absent.tolist() == [False, True, True, False]
    assert benchmark.absent is None and benchmark.cover is None
    assert benchmark.origin == 0.0


def test_lasot_splits_and_flags(tmp_path):
    for name in ("airplane-1", "airplane-2"):
        fake.lasot_sequence(tmp_path, name, absent=(2,))
    test, train = (load("lasot", tmp_path, split=s) for s in (None, "train"))
    assert list(test.truth) == ["airplane-1"] and test.split == "test"
    assert list(train.truth) == ["airplane-2"] and train.split == "train"
    assert test.absent["airplane-1"].tolist() == [False, False, True]
    assert test.num_expected == 280 and "279 of 280" in test.notes[0]


def test_lasot_extension(tmp_path):
    for name in ("atv-1", "airplane-2"):
        fake.lasot_sequence(tmp_path / "LaSOT_extension_subset", name)
    benchmark = load("lasot_extension", tmp_path)
    assert list(benchmark.truth) == ["atv-1"] and benchmark.num_expected == 150
    assert benchmark.protocol == "lasot" and benchmark.is_scored


def test_sequences_that_nothing_names_are_missed_by_number(tmp_path):
    fake.trackingnet_video(tmp_path, "a_0")
    with pytest.raises(InputError, match="510 of 511 sequences are missing, 1 are"):
        datasets.load("trackingnet", tmp_path)
    # Who chooses misses none.
    benchmark = datasets.load("trackingnet", tmp_path, sequences=("a_0",))
    assert benchmark.num_expected == 511
    assert benchmark.notes == ("1 of 511 sequences chosen.",)


def test_one_box_of_a_test_set(tmp_path):
    fake.got10k_sequence(tmp_path, "test", 1)
    fake.trackingnet_video(tmp_path, "a_0", 3)
    fake.trackingnet_video(tmp_path, "b_0", 3, split="TRAIN_0")
    for name in ("got10k_test", "trackingnet"):
        benchmark = load(name, tmp_path)
        (video,) = benchmark.videos
        assert not benchmark.is_scored
        assert benchmark.truth[video.name].shape == (1, 4)
        assert len(video.frames) == len(video.xyxy) == 3
        np.testing.assert_array_equal(video.xyxy[0], [2, 3, 6, 8])
        assert np.isnan(video.xyxy[1:]).all()
    assert load("trackingnet", tmp_path, split="TRAIN_0").is_scored


def test_vot_regions(tmp_path):
    square = [2, 1, 6, 1, 6, 5, 2, 5]
    folder = fake.vot_sequence(tmp_path, "ants1", [square, square])
    fake.table(folder / "occlusion.tag", [[1]])
    for name in ("vot2018", "vot2019"):
        benchmark = load(name, tmp_path)
        np.testing.assert_array_equal(benchmark.regions["ants1"], [square, square])
        np.testing.assert_array_equal(benchmark.truth["ants1"][0], [2, 1, 4, 4])
        np.testing.assert_allclose(benchmark.videos[0].xyxy[0], [2, 1, 7, 6])
        assert benchmark.tags["ants1"]["occlusion"].tolist() == [True, False]
        assert benchmark.protocol == name


def test_got10k_labels_and_image_sizes(tmp_path):
    named = fake.got10k_sequence(tmp_path, "val", 1, cover=(8, 0, 3))
    plain = fake.got10k_sequence(tmp_path, "val", 2)
    (tmp_path / "val" / plain / "meta_info.ini").unlink()
    benchmark = load("got10k_val", tmp_path)
    assert benchmark.is_scored and benchmark.cover[named].tolist() == [8, 0, 3]
    assert benchmark.absent[named].tolist() == [False, True, False]
    assert benchmark.attributes[named][0] == "object_class=zebra"
    assert benchmark.image_sizes() == {named: (16, 9), plain: (8, 8)}
    benchmark.videos[1].frames[0].write_bytes(b"")
    # The next frame tells, as long as one can be read.
    assert benchmark.image_sizes() == {named: (16, 9), plain: (8, 8)}
    for frame in benchmark.videos[1].frames:
        frame.write_bytes(b"")
    assert benchmark.image_sizes() is None


def test_every_protocol_exists():
    for dataset in datasets.DATASETS.values():
        assert dataset.protocol in PROTOCOLS or dataset.protocol in INTERVALS
        assert set(dataset.hidden_truth) <= set(dataset.splits)


def test_a_whole_benchmark_has_no_notes(tmp_path):
    for name in members.NFS:
        fake.images(tmp_path / "sequences" / name, (1,), 5)
        fake.table(tmp_path / f"anno/nfs_{name}.txt", fake.boxes(1))
    benchmark = datasets.load("nfs30", tmp_path)
    assert len(benchmark.videos) == benchmark.num_expected == 100
    assert benchmark.notes == ()
