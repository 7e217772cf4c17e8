"""Tests for jaxtrack.data.pipeline."""

import dataclasses
import json
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import time

import grain
import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.configs import demo
from jaxtrack.data import batch as batch_lib
from jaxtrack.data import frames, mixture, pipeline
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource
from jaxtrack.errors import InputError

from .conftest import check_batch, is_alive

# Colors stay as they are.
PLAIN = Augmentation(
    **get_config().augment.to_dict()
    | {"template_color": 0.0, "search_color": 0.0, "search_blur": 0.0}
)
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

# A program that loads with two processes and prints their ids; then it hangs about.
LOADING = """
import multiprocessing, sys, time
from jaxtrack.config import get_config
from jaxtrack.configs import demo
from jaxtrack.data import pipeline, portions, settings, sources

if __name__ == "__main__":
    source = sources.RecordSource(sys.argv[1])
    iterator = pipeline.from_portions(
        [portions.Portion("tracks", source, frame_range=100)],
        settings=settings.PairSettings(127, 255, 0.5, 0.0),
        augmentation=settings.Augmentation(**get_config().augment),
        batch_size=2,
        seed=0,
        num_workers=2,
    )
    next(iterator)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""


class Marked:
    """Tracks of one frame whose color is the source's mark and the track's number."""

    def __init__(self, mark, num_tracks):
        self.mark, self.num_tracks = mark, num_tracks

    def track_times(self, track):
        return np.arange(len(self.track_boxes(track)))

    def track_boxes(self, track):
        return np.array([[10, 10, 20, 20]], np.float32)

    def frame(self, track, time, *, reduction=1):
        image = np.empty((30, 30, 3), np.uint8)
        image[...] = (self.mark, track, 0)
        return frames.whole(image)


def make(*sources, batch_size=4, num_workers=0, seed=0, **options):
    with_shares = [s if isinstance(s, tuple) else (s, 1.0) for s in sources]
    return pipeline.from_portions(
        [Portion(f"source {i}", s, 100, w) for i, (s, w) in enumerate(with_shares)],
        settings=PairSettings(16, 32, context=0.5, negative_ratio=0.0),
        augmentation=PLAIN,
        batch_size=batch_size,
        seed=seed,
        num_workers=num_workers,
        **options,
    )


def take(iterator, count):
    batches = [next(iterator) for _ in range(count)]
    iterator.close()
    return batches


def marks(batches):
    """Marks and track numbers of all templates, `[N, 2]`."""
    return np.concatenate([batch["z_image"][:, 8, 8, :2] for batch in batches])


def assert_equal(batches, others):
    for batch, other in zip(batches, others, strict=True):
        for name, value in batch.items():
            np.testing.assert_array_equal(value, other[name])


def test_batches_are_as_documented(packed):
    check_batch(take(make(RecordSource(packed), batch_size=3), 1)[0], 3, 16, 32)


def test_a_seed_decides_everything(packed):
    source = RecordSource(packed)
    first = take(make(source), 3)
    assert_equal(first, take(make(source), 3))
    other = take(make(source, seed=1), 3)
    assert (first[0]["x_image"] != other[0]["x_image"]).any()
    # No pair repeats: a track shown again is cropped again.
    rows = np.concatenate([batch["xyxy"] for batch in first])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_every_track_is_shown_once_before_any_is_again():
    shown = marks(take(make(Marked(1, 12)), 6))[:, 1]
    assert sorted(shown[:12]) == sorted(shown[12:]) == list(range(12))
    assert list(shown[:12]) != list(range(12))
    assert list(shown[:12]) != list(shown[12:])  # In a new order.


def test_sources_are_mixed_by_weight():
    sources = (Marked(1, 7), 3.0), (Marked(2, 50), 1.0), (Marked(3, 5), 0.0)
    shown = marks(take(make(*sources), 20))[:, 0]
    # Of 80 pairs three quarters; grain takes turns, it does not draw.
    assert abs((shown == 1).sum() - 60) <= 1 and abs((shown == 2).sum() - 20) <= 1


def test_processes_share_the_stream():
    source = Marked(1, 40)
    whole = take(make(source, batch_size=6), 4)
    share = {"batch_size": 3, "process_count": 2}
    pair = [make(source, process_index=p, **share) for p in range(2)]
    parts = [take(iterator, 4) for iterator in pair]
    for batch, first, second in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(batch["xyxy"][:3], first["xyxy"])
        np.testing.assert_array_equal(batch["xyxy"][3:], second["xyxy"])
    # Two of them go on where one stood.
    alone = make(source, batch_size=6)
    take(alone, 2)
    pair[1].set_state(alone.get_state())
    np.testing.assert_array_equal(take(pair[1], 1)[0]["xyxy"], whole[2]["xyxy"][3:])


def test_position_is_saved_and_restored(packed):
    source = RecordSource(packed)
    straight = take(make(source), 6)
    iterator = make(source)
    take(iterator, 4)
    state = json.loads(json.dumps(iterator.get_state()))
    resumed = make(source)
    resumed.set_state(state)
    assert_equal(take(resumed, 2), straight[4:])
    iterator.set_state({**state, "position": 1})  # Also backwards.
    assert_equal(take(iterator, 2), straight[1:3])
    assert isinstance(iterator, grain.DatasetIterator)  # As orbax's handler asks.


def test_a_state_of_another_stream_is_refused():
    state = make(Marked(1, 3)).get_state()
    for change in ({"batch_size": 5}, {"seed": 3}):
        with pytest.raises(InputError, match=next(iter(change))):
            make(Marked(1, 3), **change).set_state(state)


def test_loader_processes_change_nothing_and_are_closed(packed):
    source = RecordSource(packed)
    straight = take(make(source), 6)
    iterator = make(source, num_workers=2)
    batches = [next(iterator) for _ in range(3)]
    state = iterator.get_state()
    workers = {child.pid for child in multiprocessing.active_children()}
    assert len(workers) == 2
    assert_equal(batches, straight[:3])
    iterator.close()
    _assert_gone(workers)
    resumed = make(source)  # A state fits any number of processes.
    resumed.set_state(state)
    assert_equal(take(resumed, 3), straight[3:])


def test_a_damaged_frame_reaches_the_user():
    for num_workers in (0, 1):
        iterator = make(Damaged(), num_workers=num_workers)
        with pytest.raises(InputError, match="photo 7 is damaged"):
            next(iterator)
        iterator.close()


class Damaged(Marked):
    def __init__(self):
        super().__init__(1, 3)

    def frame(self, track, time, *, reduction=1):
        raise InputError("photo 7 is damaged")


def test_no_data_is_refused():
    with pytest.raises(InputError, match="no training data"):
        make()
    with pytest.raises(InputError, match="no training data"):
        make((Marked(1, 3), 0.0))
    with pytest.raises(InputError, match="source 0 has no tracks"):
        make(Marked(1, 0))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(packed, tmp_path, number):
    script = tmp_path / "loading.py"
    script.write_text(LOADING)
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    how["env"] = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, str(script), str(packed)]
    process = subprocess.Popen(command, start_new_session=True, **how)
    workers = {int(word) for word in process.stdout.readline().split()}
    assert len(workers) == 2
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # As a terminal sends Ctrl-C, to all.
    else:
        process.send_signal(number)
    stderr = process.communicate(timeout=20)[1].decode()
    _assert_gone(workers)
    assert stderr.count("Traceback") <= 1, stderr  # The parent's own.


# Loader processes that die.


class Dying:
    """A loader of which Grain says that a process ended."""

    def __next__(self):
        raise RuntimeError(
            "Worker process was terminated unexpectedly with exit code -9. Search the "
            "logs above."
        )

    def close(self):
        pass


def test_loader_processes_that_die_again_and_again_end_the_training(monkeypatch):
    iterator = make(Marked(1, 3), num_workers=1)
    monkeypatch.setattr(iterator, "_start", Dying)
    with pytest.raises(InputError, match=r"died 4 times .* exit code -9.*num_workers"):
        next(iterator)
    iterator = make(Marked(1, 3))  # Without processes it is another fault.
    monkeypatch.setattr(iterator, "_start", Dying)
    with pytest.raises(RuntimeError, match="terminated"):
        next(iterator)


@pytest.mark.slow
def test_a_killed_loader_process_is_replaced(packed):
    source = RecordSource(packed)
    straight = take(make(source), 12)
    iterator = make(source, num_workers=2)
    batches = [next(iterator) for _ in range(2)]
    first = {child.pid for child in multiprocessing.active_children()}
    os.kill(min(first), signal.SIGKILL)
    batches += [next(iterator) for _ in range(10)]
    assert_equal(batches, straight)
    second = {child.pid for child in multiprocessing.active_children()}
    assert not first & second
    iterator.close()
    _assert_gone(first | second)


def _assert_gone(pids):
    """Waits for processes to end, ten seconds at most."""
    deadline = time.monotonic() + 10
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, [p for p in pids if is_alive(p)]
        time.sleep(0.05)


# The batches that settings describe.


def test_augmentation_is_a_group_of_the_settings():
    names = {field.name for field in dataclasses.fields(Augmentation)}
    assert names == set(get_config().augment)


def small_config():
    config = demo.get_config()
    config.run.batch_size = 2
    config.data.num_workers, config.data.bank = 0, "off"
    config.data.scenes = 4
    return config


def test_composed_scenes_make_batches_of_the_networks_sizes():
    loader = pipeline.make(small_config(), template_size=128, search_size=256)
    batch = next(loader)
    loader.close()
    check_batch(batch, 2, 128, 256)


def test_sources_without_a_share_are_left_out():
    config = small_config()
    config.data.composed_weight = 0.0
    assert mixture.make_portions(config) == []
    with pytest.raises(InputError, match="no training data"):
        pipeline.make(config, template_size=128, search_size=256)


def make_batch(size=6):
    rng = np.random.default_rng(0)
    return {
        "z_image": rng.integers(0, 256, (size, 8, 8, 3), dtype=np.uint8),
        "x_image": rng.integers(0, 256, (size, 16, 16, 3), dtype=np.uint8),
        "xyxy": rng.random((size, 4), np.float32),
        "z_xyxy": rng.random((size, 4), np.float32),
        "is_positive": np.ones(size, np.bool_),
    }


def test_shards_hold_the_pairs_in_order():
    batch = make_batch(6)
    shards = batch_lib.shard(batch, 3)
    assert shards["z_image"].shape == (3, 2, 8, 8, 3)
    # Device 1 of 3 gets pairs 2 and 3.
    for name in ("z_xyxy", "xyxy"):
        np.testing.assert_array_equal(shards[name][1], batch[name][2:4])


def test_an_indivisible_batch_is_refused():
    with pytest.raises(InputError, match="6 pairs cannot be split over 4 devices"):
        batch_lib.shard(make_batch(6), 4)
