"""Tests for jaxtrack.datasets.training."""

import pickle

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.errors import InputError
from tests.datasets import miniature


def read_all(name, root, **options):
    """Returns name -> clip, read as a process would that got name and place."""
    listing, read = datasets.training(name, root, **options)
    read = pickle.loads(pickle.dumps(read))
    places = pickle.loads(pickle.dumps(list(listing.found.items())))
    return {name: read(name, place) for name, place in places}


def present(clip):
    """Returns the numbers of the frames with a box, of a clip of one object."""
    return np.flatnonzero(np.isfinite(clip.xyxy[0]).all(axis=1)).tolist()


@pytest.mark.parametrize("name", miniature.WRITERS)
def test_every_training_set(name, tmp_path):
    clips = read_all(name, miniature.make(name, tmp_path))
    assert set(miniature.WRITERS) == set(datasets.TRAINING_SETS)
    assert clips
    for clip_name, clip in clips.items():
        assert clip.name == clip_name and isinstance(clip.frames, tuple)
        assert clip.xyxy.shape == (len(clip.xyxy), len(clip.frames), 4)
        assert np.isfinite(clip.xyxy).all(axis=2).any(axis=1).all()
        assert all(frame.is_file() for frame in clip.frames)


def test_flags_of_absence_are_honoured(tmp_path):
    clips = read_all("got10k", miniature.make("got10k", tmp_path))
    # Frame 1 is flagged absent, of frame 2 nothing is visible.
    assert present(clips["GOT-10k_Train_000001"]) == [0, 1, 2, 3, 4]
    assert present(clips["GOT-10k_Train_000002"]) == [0, 3, 4]
    clips = read_all("lasot", miniature.make("lasot", tmp_path))
    assert present(clips["airplane-2"]) == [0, 2, 3, 4]
    assert present(clips["bear-3"]) == [0, 2, 4]


def test_test_splits_are_refused(tmp_path):
    root = miniature.make("lasot", tmp_path)
    assert list(read_all("lasot", root)) == ["airplane-2", "bear-3"]
    for name, split in (
        ("lasot", "test"),
        ("lasot", "all"),
        ("got10k", "test"),
        ("trackingnet", "TEST"),
    ):
        with pytest.raises(InputError, match=f"'{split}' holds sequences of the test"):
            datasets.training(name, root, split=split)
    with pytest.raises(InputError, match="'valid' is not known: train on train or val"):
        datasets.training("got10k", root, split="valid")
    with pytest.raises(InputError, match="--dataset=otb100 is to evaluate on: train o"):
        datasets.training("otb100", root)
    with pytest.raises(InputError, match="--dataset=coca is not known"):
        datasets.training("coca", root)


def test_parts_are_chosen(tmp_path):
    root = miniature.make("got10k", tmp_path)
    listing, _ = datasets.training("got10k", root, exclude=["*2", "*_00933*"])
    assert "GOT-10k_Train_000004" in listing.found and len(listing.found) == 2
    assert "GOT-10k_Train_000002" not in listing.found
    assert listing.notes == ("1 sequences excluded by *2, *_00933*.",)
    assert list(read_all("got10k", root, patterns=["*4"])) == ["GOT-10k_Train_000004"]
