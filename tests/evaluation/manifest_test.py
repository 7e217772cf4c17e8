"""Tests for jaxtrack.evaluation.manifest."""

import json
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.datasets.sequence import Sequence
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest
from jaxtrack.weights import digests
from tests.datasets import fake_datasets as fake


def test_hash_of_a_sequence_sees_boxes_and_frames_not_their_folder():
    boxes = np.array([[0.0, 0, 1, 1], [np.nan] * 4])
    first = manifest.hash_sequence(["x/1.jpg", "x/2.jpg"], boxes)
    assert manifest.hash_sequence(["y/1.jpg", "y/2.jpg"], boxes) == first
    assert manifest.hash_sequence(["x/1.jpg", "x/3.jpg"], boxes) != first
    assert manifest.hash_sequence(["x/1.jpg", "x/2.jpg"], boxes[::-1]) != first


def test_hash_of_a_sequence_sees_a_file_that_was_replaced(tmp_path):
    frame, boxes = tmp_path / "1.jpg", np.zeros((1, 4))
    missing = manifest.hash_sequence([frame], boxes)
    frame.write_bytes(b"12")
    first = manifest.hash_sequence([frame], boxes)
    frame.write_bytes(b"123")
    assert len({missing, first, manifest.hash_sequence([frame], boxes)}) == 3


def done_now(folder, step, hashes, damaged=(), stop=""):
    """What is done of sequences, some of whose files cannot be read, up to one."""

    def check(name):
        if name in damaged:
            raise InputError(f"{name} is damaged")

    def save(name):
        (folder / name).write_text(str(step))
        if name == stop:
            raise KeyboardInterrupt

    def work(pending, advance):
        for video in pending:
            advance(len(video.frames))
            yield video.name, partial(save, video.name)

    videos = [Sequence(name, [], None) for name in hashes]
    about = {"identity": {"step": step}, "around": {"device": "cpu"}}
    return manifest.complete(work, videos, folder, **about, check=check, hashes=hashes)


def test_what_is_finished_is_kept_for_the_same_identity(tmp_path, capsys):
    assert done_now(tmp_path, 1, {"a": "12", "b": "34"}) == ["a", "b"]
    made = manifest.read(tmp_path)
    assert made["environment"] == {"device": "cpu"}
    assert made["sequences"] == {"a": "12", "b": "34"}
    assert capsys.readouterr().out == ""
    assert done_now(tmp_path, 1, {"a": "12", "c": "5"}) == ["c"]
    assert f"1 of 2 sequences kept: {tmp_path}" in capsys.readouterr().out
    # Others than those asked for stay.
    assert done_now(tmp_path, 1, {"a": "12", "b": "34", "c": "5"}, ["b"]) == ["b"]
    assert done_now(tmp_path, 1, {"a": "99"}) == ["a"]
    assert manifest.read(tmp_path)["sequences"] == {"a": "99", "b": "34", "c": "5"}
    assert done_now(tmp_path, 2, {"a": "99"}) == ["a"]
    assert manifest.read(tmp_path)["sequences"] == {"a": "99"}


def test_an_interruption_mixes_nothing(tmp_path):
    hashes = {"a": "12", "b": "34", "c": "56"}
    for stop, goes_on, left in (
        *(("a", 2, ["a", "b", "c"]), ("b", 2, ["b", "c"])),
        # Neither takes the other's files for its own; untouched ones are kept.
        *(("a", 1, ["a"]), ("b", 1, ["a", "b"])),
    ):
        done_now(tmp_path, 1, hashes)
        with pytest.raises(KeyboardInterrupt):
            done_now(tmp_path, 2, hashes, stop=stop)
        assert done_now(tmp_path, goes_on, hashes) == left
        assert {(tmp_path / name).read_text() for name in hashes} == {str(goes_on)}


def test_a_damaged_record_keeps_nothing(tmp_path):
    for text in ("{", "[1]", "", '{"run": 3}'):
        (tmp_path / manifest.FILE).write_text(text)
        assert manifest.read(tmp_path) is None
        (tmp_path / manifest.FINISHED).mkdir(exist_ok=True)
        (tmp_path / manifest.FINISHED / "a").write_text(text)
        assert done_now(tmp_path, 1, {"a": "12"}) == ["a"]
        assert manifest.read(tmp_path)["sequences"] == {"a": "12"}
    (tmp_path / manifest.FILE).unlink()
    assert done_now(tmp_path, 1, {"a": "12"}) == []
    assert manifest.read(tmp_path)["identity"] == {"step": 1}


def test_processes_share_a_folder(tmp_path):
    """What another process records in between stays; each knows what is left."""
    hashes = {"a": "12", "b": "34", "c": "56"}
    done_now(tmp_path, 1, {"c": "56"})
    assert manifest.unfinished(tmp_path, hashes) == ["a", "b"]
    done_now(tmp_path, 1, {"a": "12"})
    assert manifest.unfinished(tmp_path, hashes) == ["b"]
    assert manifest.unfinished(tmp_path, hashes | {"c": "99"}) == ["b", "c"]
    assert manifest.unfinished(tmp_path / "none", hashes) == list(hashes)


def test_datasets_are_described(tmp_path):
    fake.otb_sequence(tmp_path, "street")
    said = manifest.describe(datasets.load("folders", tmp_path))
    assert json.loads(json.dumps(said)) == said
    assert said["benchmark"] == "folders" and said["num_sequences"] == 1
    assert said["num_frames"] == 3 and said["protocol"] == "otb"
    again = manifest.describe(datasets.load("folders", tmp_path))
    assert again == said
    fake.table(tmp_path / "street/groundtruth_rect.txt", fake.boxes(3, (2, 3, 4, 6)))
    other = manifest.describe(datasets.load("folders", tmp_path))
    assert other["data"] != said["data"] and other["notes"] == []


TREE = {"params": {"w": np.arange(6.0).reshape(2, 3), "b": np.zeros(3, np.float32)}}


def test_hash_of_arrays_sees_every_change():
    w, b = TREE["params"]["w"], TREE["params"]["b"]
    same = {"params": {"b": b.copy(), "w": w.copy()}}
    assert digests.hash_arrays(same) == digests.hash_arrays(TREE)
    changed = [
        {"params": {"w": w + np.eye(2, 3) * 1e-9, "b": b}},
        {"params": {"w": w.reshape(3, 2), "b": b}},
        {"params": {"w": w, "b": b.astype(np.float64)}},
        {"params": {"v": w, "b": b}},
    ]
    hashes = {digests.hash_arrays(tree) for tree in (TREE, *changed)}
    assert len(hashes) == 5


def test_hash_of_device_arrays_is_that_of_the_host():
    host = {"w": np.arange(4, dtype=np.float32)}
    assert digests.hash_arrays({"w": jnp.asarray(host["w"])}) == digests.hash_arrays(
        host
    )


def test_environment_names_versions_device_and_precision():
    around = manifest.environment(precision="bfloat16")
    assert around["precision"] == "bfloat16"
    assert around["device"].startswith("cpu")
    assert around["matmul_precision"] == "highest"
    assert {"jax", "jaxtrack", "python", "numpy"} <= set(around["versions"])
