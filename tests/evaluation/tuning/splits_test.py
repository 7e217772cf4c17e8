"""Tests for jaxtrack.evaluation.tuning.splits."""

import types

import numpy as np
import pytest

from jaxtrack.datasets.sequence import Sequence
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest, scoring
from jaxtrack.evaluation.tuning import splits
from jaxtrack.metrics import ope
from tests.evaluation.fixtures import material_of


def benchmark(**changes):
    truth = np.tile([1.0, 11, 20, 20], (4, 1))
    xyxy = np.tile([0.0, 10, 20, 30], (4, 1))
    fields = {
        "name": "otb100",
        "split": "all",
        "videos": (Sequence("a", [], xyxy),),
        "truth": {"a": truth},
        "origin": 1.0,
        "is_scored": True,
    }
    return types.SimpleNamespace(**fields | changes)


def test_folder(root):
    found = material_of(root, patterns=["b*", "dog"])
    assert [v.name for v in found.videos] == ["ball", "dog"]
    assert (found.split, found.is_test, found.origin) == ("val", False, 0.0)
    video = found.videos[0]
    hashed = manifest.hash_sequence(video.frames, video.xyxy)
    assert found.hashes()["ball"] == hashed
    assert material_of(root, split="test").is_test
    with pytest.raises(InputError, match="--split=dev: choose from train, val, test"):
        material_of(root, split="dev")


@pytest.mark.parametrize(
    ("name", "split", "is_test"),
    [
        *((name, "all", True) for name in ("otb50", "uav123", "nfs30", "vot2018")),
        *(("lasot", "test", True), ("lasot", "all", True), ("lasot", "train", False)),
        *(("trackingnet", "TRAIN_3", False), ("got10k_val", "val", False)),
        *(("folders", "all", False), ("invented", "all", True)),
    ],
)
def test_benchmarks_are_tests_but_for_what_is_there_to_tune_on(name, split, is_test):
    found = splits.of_benchmark(benchmark(name=name, split=split))
    assert found.is_test == is_test and found.split == f"{name} {split}"


def test_a_test_split_has_to_be_asked_for():
    found = splits.of_benchmark(benchmark())
    with pytest.raises(InputError, match="'otb100 all' is a test split.*tune_on_test"):
        splits.check_split(found, tune_on_test=False)
    splits.check_split(found, tune_on_test=True)
    splits.check_split(found._replace(is_test=False), tune_on_test=False)


def test_a_secret_truth_is_refused():
    with pytest.raises(InputError, match="truth of got10k_test is not public"):
        splits.of_benchmark(benchmark(name="got10k_test", is_scored=False))


def test_scores_are_those_of_the_report(root):
    found = material_of(root)
    name = "dog"
    truth = scoring.truth_xywh(found.videos)[name]
    boxes = truth + np.array([1.5, 0.0, 0.0, 0.0]) * np.arange(len(truth))[:, None]
    one = ope.score({name: truth}, {name: boxes}, protocol="otb").sequences[name]
    scored = splits.score(found, name, boxes)
    assert scored == {"auc": one.auc, "ao": one.ao}
    assert 0.3 < scored["auc"] < 0.9


def test_scores_in_the_coordinates_of_the_files():
    # By OTB's rules a frame whose true x is not above 0 is a miss. The files count from
    # 1, so that a target on the border is none.
    found = splits.of_benchmark(benchmark())
    on_it = np.tile([0.0, 10, 20, 20], (4, 1))
    # Of 21 thresholds all but 1.0 are below an IoU of 1.
    assert splits.score(found, "a", on_it)["auc"] == pytest.approx(20 / 21)
    assert splits.score(found._replace(origin=0.0), "a", on_it)["ao"] < 0.95
