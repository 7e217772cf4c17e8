"""Tests for experiments.folds."""

from collections import Counter

import numpy as np
import pytest

from experiments import compare, folds
from jaxtrack.data import composed
from jaxtrack.data.packing.shrink import WHOLE
from jaxtrack.errors import InputError

HELD_OUT = ["otb_a", "uav_b", "vot_c"]


def names_of(num_davis, num_segtrack, seed=0):
    names = [f"davis_{i:02d}" for i in range(num_davis)]
    names += [f"segtrack2_{i:02d}" for i in range(num_segtrack)] + HELD_OUT
    return list(np.random.default_rng(seed).permutation(names))


def test_deals_alternately_by_hand():
    names = ["davis_d", "davis_a", "davis_c", "davis_b", "segtrack2_x", "otb_q"]
    # The fifth name goes on where the fourth stopped: to the first fold.
    assert folds.split(names) == [
        (("davis_b", "davis_d"), ("davis_a", "davis_c", "segtrack2_x", "otb_q")),
        (("davis_a", "davis_c", "segtrack2_x"), ("davis_b", "davis_d", "otb_q")),
    ]


def test_disjoint_whole_balanced():
    for num_folds in (2, 3, 5):
        for counts in ((20, 8), (7, 5), (3, 2), (5, 0)):
            names = names_of(*counts)
            found = folds.split(names, num_folds=num_folds)
            dealt = {n for n in names if n not in HELD_OUT}
            held = [set(test) - set(HELD_OUT) for _, test in found]
            assert len(found) == num_folds
            for (train, test), share in zip(found, held, strict=True):
                assert not set(train) & set(test)
                assert set(train) == dealt - share
                assert set(HELD_OUT) <= set(test)
                assert len(set(test)) == len(test)
            # Every name that may be trained on is held out exactly once.
            assert Counter(n for share in held for n in share) == Counter(dealt)
            for family in ("", "davis", "segtrack2"):
                sizes = [sum(n.startswith(family) for n in share) for share in held]
                assert max(sizes) - min(sizes) <= 1


def test_order_of_the_names_does_not_matter():
    assert folds.split(names_of(6, 3, seed=1)) == folds.split(names_of(6, 3, seed=2))


def test_other_names_are_left_out_and_matching_ones_taken_once():
    found = folds.split(["davis_a", "davis_b", "got_1"])
    assert "got_1" not in {n for fold in found for part in fold for n in part}
    assert folds.matching(["b1", "a1", "c"], ["b*", "*1"]) == ["a1", "b1"]


def test_refuses(experiment, tmp_path):
    with pytest.raises(InputError, match="disjoint"):
        folds.split(["davis_a", "davis_b"], held_out=["*_b"])
    with pytest.raises(InputError, match="1 sequences fit"):
        folds.split(["davis_a", "otb_b"])
    with pytest.raises(InputError, match="--folds=1"):
        folds.split(["davis_a", "davis_b"], num_folds=1)
    with pytest.raises(InputError, match="no such folder"):
        compare.make_folds(experiment._replace(root=tmp_path / "absent"))


def test_each_fold_packs_its_own_training_sequences(experiment, two_folds, packed):
    found = compare.make_folds(experiment)
    assert [(fold.train, fold.test) for fold in found] == two_folds
    assert folds.tested_by_all(found) == ["otb_c"]
    where, out = experiment.root.absolute() / "sequences", experiment.out / "packed"
    assert packed == [
        (out / "fold0", {"root": where, "patterns": ("davis_b",), "shrink": WHOLE}),
        (out / "fold1", {"root": where, "patterns": ("davis_a",), "shrink": WHOLE}),
    ]
    # Only davis_a has masks; fold 0 tests it, so only fold 1 may cut it out.
    one, other = (fold.fields for fold in found)
    assert one["data.composed_cutouts"] == ""
    assert other["data.composed_cutouts"] == str(where)
    assert other["data.composed_patterns"] == ("davis_a",)
    assert one["data.records"] == (str(out / "fold0"),)
    assert one["data.record_weights"] == (0.4,)
    assert one["data.composed_weight"] == 0.35
    assert {fold.folder for fold in found} == {where}


def test_stills_and_photographs_where_there_are_some(experiment, packed):
    (experiment.root / "images" / "imagenet_sample").mkdir(parents=True)
    table = experiment.root / "images" / "dogs_boxes.tsv"
    table.touch()
    found, out = compare.make_folds(experiment), experiment.out / "packed"
    assert packed[0] == (out / "stills", {"stills": [table], "shrink": WHOLE})
    for number, fold in enumerate(found):
        names = (f"fold{number}", "stills")
        assert fold.fields["data.records"] == tuple(str(out / name) for name in names)
        assert fold.fields["data.record_weights"] == (0.4, 0.25)
        assert fold.fields["data.composed_photos"].endswith("imagenet_sample")


def test_odd_names_are_taken_literally(experiment, packed):
    sequences = experiment.root / "sequences"
    for name in ("davis_[a]", "davis_c", "davis_d"):
        (sequences / name / "mask").mkdir(parents=True)
        (sequences / name / "groundtruth_rect.txt").write_text("1,2,3,4\n")
    for fold, (_, how) in zip(compare.make_folds(experiment), packed, strict=True):
        found = [p.name for q in how["patterns"] for p in sequences.glob(q)]
        assert sorted(found) == sorted(fold.train)
        patterns = fold.fields["data.composed_patterns"]
        cut = [p.name for q in patterns for p in sequences.glob(q)]
        assert cut == [name for name in sorted(fold.train) if name != "davis_b"]


def test_composed_scenes_are_one_fold_of_photographs_never_seen(monkeypatch, tmp_path):
    sources = []

    def write(source, folder, *, prefix):
        sources.append(source)
        return [folder / f"{prefix}_{i}" for i in range(source.num_tracks)]

    monkeypatch.setattr(composed, "write_sequences", write)
    (fold,) = folds.of_scenes(tmp_path)
    assert sources[0].num_tracks == 8
    assert (fold.folder, fold.test[0]) == (tmp_path / "sequences", "scene_0")
    fields = fold.fields
    assert (fields["data.records"], fields["data.composed_weight"]) == ((), 1.0)
    # The scenes to test on are "eval".
    assert fields["data.composed_split"] == "train"
    assert folds.tested_by_all([fold]) == []
