"""Networks trained side by side on the same batches are those trained one by one."""

import json
import threading
import types

import jax
import numpy as np
import pytest

from experiments import together
from jaxtrack.errors import InputError
from jaxtrack.training import loop
from jaxtrack.training.inference import load_for_inference
from tests.training import conftest as tiny


@pytest.fixture
def loaders(monkeypatch):
    """The loaders that were opened."""
    opened = []

    def open_loader(config, geometry):
        opened.append(tiny.MemoryLoader(config.run.batch_size))
        return opened[-1]

    monkeypatch.setattr(loop, "open_loader", open_loader)
    return opened


def trainings_of(tmp_path, *rates):
    found = []
    for number, rate in enumerate(rates):
        config = tiny.small_config()
        config.optimizer.lr = rate
        found.append(together.Training(config, tmp_path / str(number)))
    return found


def taking(taken, starts, counts):
    """A training that takes batches, from a position on, some of them."""

    def train(config, workdir, *, loader_of):
        name = int(workdir.name)
        loader = loader_of(config, tiny.GEOMETRY)
        if starts[name]:
            loader.set_state({"position": starts[name]})
        for _ in range(counts[name]):
            batch = next(loader)
            taken[name].append((loader.get_state()["position"], batch["xyxy"][0, 0]))
        loader.close()

    return train


def test_each_batch_is_loaded_once_and_seen_by_all(tmp_path, loaders, monkeypatch):
    """One has 5 batches to go; one goes on after 2 of them; one has nothing to do."""
    taken = [[], [], []]
    monkeypatch.setattr(loop, "train", taking(taken, [0, 2, 5], [5, 3, 0]))
    together.train(trainings_of(tmp_path, 0.1, 0.2, 0.3))
    want = [(n, tiny.make_batch(n)["xyxy"][0, 0]) for n in range(1, 6)]
    assert taken == [want, want[2:], []]
    (loader,) = loaders
    assert loader.is_closed and loader.position <= 5 + together._AHEAD + 1


def test_faults_are_told_and_the_others_end(tmp_path, loaders, monkeypatch):
    taken = [[], []]
    take = taking(taken, [0, 0], [4, 4])

    def train(config, workdir, *, loader_of):
        if workdir.name == "1":
            next(loader_of(config, tiny.GEOMETRY))
            raise InputError("the loss is not finite")
        take(config, workdir, loader_of=loader_of)

    monkeypatch.setattr(loop, "train", train)
    with pytest.raises(InputError, match="not finite"):
        together.train(trainings_of(tmp_path, 0.1, 0.2))
    assert len(taken[0]) == 4

    def damaged(self):
        raise InputError("a frame is damaged")

    monkeypatch.setattr(loop, "train", take)
    monkeypatch.setattr(tiny.MemoryLoader, "__next__", damaged)
    with pytest.raises(InputError, match="a frame is damaged"):
        together.train(trainings_of(tmp_path, 0.1, 0.2))


def test_other_crops_are_refused_and_a_signal_ends_all(tmp_path, loaders, monkeypatch):
    def train(config, workdir, *, loader_of):
        sizes = {"template_size": 16, "search_size": 32 + 8 * int(workdir.name)}
        loader_of(config, types.SimpleNamespace(**sizes)).close()

    monkeypatch.setattr(loop, "train", train)
    with pytest.raises(InputError, match="one network takes crops of"):
        together.train(trainings_of(tmp_path, 0.1, 0.2))
    before = threading.active_count()
    shared = together.SharedLoader(1)
    view = shared.open(0, tiny.MemoryLoader, tiny.GEOMETRY)
    next(view)
    shared.stop()
    with pytest.raises(InputError, match="stopped by a signal"):
        next(view)
    view.close()
    shared._thread.join(timeout=5)
    assert threading.active_count() == before


@pytest.mark.slow
def test_together_equals_one_by_one(tmp_path, loaders, monkeypatch):
    """Six steps, the backbone from the fourth on; two learning rates."""
    original = loop.train
    monkeypatch.setattr(
        loop, "train", lambda *args, **how: original(*args, family=tiny.TINY, **how)
    )
    alone = trainings_of(tmp_path / "alone", 0.05, 0.1)
    for one in alone:
        loop.train(*one)
    beside = trainings_of(tmp_path / "beside", 0.05, 0.1)
    together.train(beside)
    assert len(loaders) == 3
    for one, other in zip(alone, beside, strict=True):
        trees = [load_for_inference(x.workdir).variables for x in (one, other)]
        jax.tree.map(np.testing.assert_array_equal, *trees)
        log = (other.workdir / "log.jsonl").read_text().splitlines()
        assert "data_wait" in json.loads(log[-1])
