"""A checkpoint with a file deleted, cut or changed; hostile settings."""

import json
import random
import shutil
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.training import state
from jaxtrack.training.checkpoint import CheckpointStore
from jaxtrack.training.inference import load_for_inference
from jaxtrack.weights import digests

# Orbax leaves tasks behind where a read fails.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*never awaited")]
pytestmark += [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
]


def make_state(step):
    params = {"head": {"w": jnp.arange(3000.0) + step, "b": jnp.ones(3)}}
    variables = {"params": params, "batch_stats": {"neck": {"mean": jnp.ones(2)}}}
    new = state.create(variables, optax.adam(0.1), keep_ema=True)
    return new.replace(step=jnp.int32(step))


def saved(folder):
    with CheckpointStore(folder) as store:
        for step in (1, 2):
            store.save(make_state(step), {"position": step}, get_config())
    return folder


def is_equal(a, b):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, a, b)))


def delete(path, generator):
    path.unlink()


def halve(path, generator):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path, generator):
    data = bytearray(path.read_bytes() or b"x")
    data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    path.write_bytes(data)


DAMAGES = {
    "a file of a checkpoint deleted": (delete, 1),
    "cut to half": (halve, 1),
    "one bit flipped": (flip, 3),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_read_is_what_was_saved_or_the_one_before(tmp_path, kind, row):
    whole = saved(tmp_path / "whole")
    damage, times = DAMAGES[kind]
    generator, found = random.Random(kind), {"read": 0, "one before": 0}
    files = sorted(p for p in (whole / "checkpoints/2").rglob("*") if p.is_file())
    for number, file in enumerate(files * times):
        work = tmp_path / str(number)
        shutil.copytree(whole, work)
        damage(work / file.relative_to(whole), generator)
        inferred = load_for_inference(work)
        assert is_equal(inferred.variables["params"], make_state(inferred.step).params)
        with CheckpointStore(work) as store:
            resumed, data = store.restore(make_state(0), get_config())
        step = int(resumed.step)
        assert step in (1, 2) and data == {"position": step}
        assert is_equal(resumed, make_state(step)), file
        found["read" if step == 2 else "one before"] += 1
        shutil.rmtree(work)
    assert found["one before"] >= len(files) // 3
    row(
        kind,
        f"each of {len(files)}" + (f", {times} times" if times > 1 else ""),
        f"read, equal: {found['read']}; previous: {found['one before']}",
    )


def test_hostile_settings_are_refused_in_a_line(tmp_path, row):
    whole = saved(tmp_path / "whole")
    shutil.rmtree(whole / "checkpoints/1")
    generator = random.Random(0)
    path = whole / "checkpoints/2/config/metadata"
    marks = whole / "checkpoints/2/digests/metadata"
    good, told = json.loads(path.read_text()), json.loads(marks.read_text())
    hostile = [
        None,
        [],
        {},
        "<b>",
        "../../etc",
        "\0",
        -1,
        1e308,
        True,
        [[1]],
        "x" * 999,
    ]
    found = {"read": 0, "refused": 0}
    for number in range(100):
        config = json.loads(json.dumps(good))
        group = generator.choice(sorted(config))
        if number % 4 == 0:
            config[group] = generator.choice(hostile)
        else:
            name = generator.choice(sorted(config[group]))
            config[group][name] = generator.choice(hostile)
        path.write_text(json.dumps(config))
        marks.write_text(json.dumps({**told, "config": digests.hash_json(config)}))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                load_for_inference(whole)
            found["read"] += 1
        except InputError as fault:
            assert "\n" not in str(fault)
            found["refused"] += 1
    assert found["refused"] > found["read"]
    row(
        "a setting in a checkpoint replaced by `null`, a list, HTML, a path, ..., with "
        "a new digest",
        sum(found.values()),
        f"one-line errors: {found['refused']}; allowed values: {found['read']}",
    )
