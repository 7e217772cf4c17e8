"""Tests for jaxtrack.training.checkpoint."""

import resource
import shutil
import signal
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.training import saved_step, state
from jaxtrack.training.checkpoint import CheckpointStore
from jaxtrack.training.inference import load_for_inference


def make_state(step=0, *, keep_ema=True, width=3):
    params = {"head": {"w": jnp.arange(float(width)), "b": jnp.ones(())}}
    variables = {"params": params, "batch_stats": {"neck": {"mean": jnp.ones(2)}}}
    new = state.create(variables, optax.adam(0.1), keep_ema=keep_ema)
    ema = jax.tree.map(lambda p: p + 1, new.params) if keep_ema else None
    return new.replace(step=jnp.int32(step), ema=ema)


def save(folder, steps, **options):
    store = CheckpointStore(folder, **options)
    for step in steps:
        store.save(make_state(step), {"position": step}, get_config())
    store.close()


def assert_equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def test_what_is_saved_comes_back(tmp_path):
    save(tmp_path, [5])
    store = CheckpointStore(tmp_path)
    restored, data = store.restore(make_state(), get_config())
    store.close()
    assert_equal(make_state(5), restored)
    assert data == {"position": 5}


def test_the_newest_is_always_kept_and_multiples_for_good(tmp_path):
    save(tmp_path, [1, 2, 3, 4, 5], keep_latest=2, keep_every=3)
    kept = sorted(int(p.name) for p in (tmp_path / "checkpoints").iterdir())
    assert kept == [3, 4, 5]


def test_devices_may_differ(tmp_path):
    mesh = Mesh(np.array(jax.devices()), ("batch",))
    everywhere = jax.device_put(make_state(1), NamedSharding(mesh, PartitionSpec()))
    store = CheckpointStore(tmp_path)
    store.save(everywhere, {}, get_config())
    store.close()
    store = CheckpointStore(tmp_path)
    restored, _ = store.restore(make_state(), get_config())
    store.close()
    assert_equal(make_state(1), restored)


@pytest.mark.parametrize("part", ["", "checkpoints", "checkpoints/2"])
def test_inference_needs_a_path_alone(tmp_path, part):
    save(tmp_path, [1, 2])
    found = load_for_inference(tmp_path / part)
    assert found.step == 2
    # Averaged parameters, where there are any.
    assert_equal(make_state().ema, found.variables["params"])
    assert_equal({"neck": {"mean": np.ones(2)}}, found.variables["batch_stats"])
    assert found.config.model.preprocessing.mean == (0.0, 0.0, 0.0)
    assert found.config.to_dict() == get_config().to_dict()


def test_inference_without_averages(tmp_path):
    store = CheckpointStore(tmp_path)
    store.save(make_state(1, keep_ema=False), {}, get_config())
    store.close()
    assert_equal(make_state().params, load_for_inference(tmp_path).variables["params"])


def test_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match="no checkpoint .*nowhere"):
        load_for_inference(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no whole checkpoint"):
        load_for_inference(tmp_path)


def test_a_half_written_checkpoint_does_not_count(tmp_path):
    # What a process killed while saving leaves behind.
    save(tmp_path, [7])
    folder = tmp_path / "checkpoints"
    shutil.copytree(folder / "7", folder / "9.orbax-checkpoint-tmp")
    assert load_for_inference(tmp_path).step == 7
    with CheckpointStore(tmp_path) as store:
        assert store.latest_step() == 7
        assert int(store.restore(make_state(), get_config())[0].step) == 7


def restored_step(folder, config=None):
    with CheckpointStore(folder) as store:
        return int(store.restore(make_state(), config or get_config())[0].step)


@pytest.mark.parametrize("item", ["network", "config", "data", "digests"])
def test_a_damaged_checkpoint_is_named(tmp_path, item):
    save(tmp_path, [7])
    (file,) = [p for p in (tmp_path / "checkpoints/7" / item).glob("*") if p.is_file()][
        :1
    ]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    if item != "data":  # Which inference does not read.
        with pytest.raises(InputError, match="checkpoints/7 is damaged .* no older"):
            load_for_inference(tmp_path)
    with pytest.raises(InputError, match="checkpoints/7 is damaged"):
        restored_step(tmp_path)
    assert (tmp_path / "checkpoints/7").is_dir()


def flip(folder, item):
    """Flips a bit in the middle of an item's largest file."""
    files = [p for p in (folder / item).rglob("*") if p.is_file()]
    largest = max(files, key=lambda p: p.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1 << 6
    largest.write_bytes(data)


def test_a_damaged_newest_one_falls_back_on_the_one_before(tmp_path, capsys):
    save(tmp_path, [1, 2, 3], keep_latest=3)
    for step in (2, 3):
        # A digit of a digest: each item but it is as it was saved.
        digests = tmp_path / f"checkpoints/{step}/digests/metadata"
        told = digests.read_text()
        digit = told.index('"network"') + 60
        other = "1" if told[digit] == "0" else "0"
        digests.write_text(told[:digit] + other + told[digit + 1 :])
    assert load_for_inference(tmp_path).step == 1
    assert restored_step(tmp_path) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and lines[0] == lines[1]
    assert "checkpoints/3 is damaged (network: " in lines[0]
    assert lines[0].endswith("going back to " + str(tmp_path / "checkpoints/1"))
    # Out of the way, so that the same steps can be saved again.
    assert sorted(p.name for p in (tmp_path / "damaged").iterdir()) == ["2", "3"]
    save(tmp_path, [3])
    assert load_for_inference(tmp_path).step == 3
    with pytest.raises(InputError, match="damaged/2 is damaged"):
        load_for_inference(tmp_path / "damaged/2")


def test_a_flipped_bit_of_the_arrays_is_noticed(tmp_path):
    save(tmp_path, [7])
    flip(tmp_path / "checkpoints/7", "network")
    with pytest.raises(InputError, match="checkpoints/7 is damaged"):
        load_for_inference(tmp_path)


def test_one_without_digests_is_read_with_a_word(tmp_path, capsys):
    save(tmp_path, [7])
    shutil.rmtree(tmp_path / "checkpoints/7/digests")
    assert load_for_inference(tmp_path).step == restored_step(tmp_path) == 7
    assert "checkpoints/7 has no digests: unchecked" in capsys.readouterr().err


def test_another_network_is_no_damage(tmp_path):
    save(tmp_path, [7])
    message = r"is of another network \(ema/head/w is \(3,\), not \(4,\)\)"
    with CheckpointStore(tmp_path) as store:
        with pytest.raises(InputError, match=message):
            store.restore(make_state(width=4), get_config())
        with pytest.raises(
            InputError, match=r"another network \(ema/head/b is \(\), n"
        ):
            store.restore(make_state(keep_ema=False), get_config())
    assert (tmp_path / "checkpoints/7").is_dir()


def test_no_device_is_no_damage(tmp_path, monkeypatch):
    save(tmp_path, [7])

    def fail():
        raise RuntimeError("Unable to initialize backend 'cuda'")

    monkeypatch.setattr(jax, "devices", fail)
    with pytest.raises(InputError, match="no device .*backend 'cuda'; install"):
        load_for_inference(tmp_path)
    with CheckpointStore(tmp_path) as store, pytest.raises(InputError, match="device"):
        store.restore(make_state(), get_config())


def test_a_full_disk_leaves_the_one_before(tmp_path, capfd):
    save(tmp_path, [1])
    big = make_state(2, width=100_000)
    message = r"could not be saved \(File too large\): .* resumes at step 1$"
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(InputError, match=message):
            with CheckpointStore(tmp_path) as store:
                store.save(big, {}, get_config())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert "Traceback" not in capfd.readouterr().err
    assert restored_step(tmp_path) == 1


def test_a_disk_without_room_is_refused_first(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=10))
    with CheckpointStore(tmp_path) as store:
        with pytest.raises(InputError, match="a checkpoint takes 0 MB, and 0 MB are"):
            store.check_room(make_state())


def test_truncated_arrays_are_noticed(tmp_path):
    save(tmp_path, [7])
    files = [p for p in (tmp_path / "checkpoints/7/network/d").iterdir() if p.is_file()]
    assert files
    for path in files:
        path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(InputError, match="checkpoints/7 is damaged"):
        load_for_inference(tmp_path)


def test_a_checkpoint_that_lacks_a_setting_is_refused(tmp_path):
    config = get_config().unlock()
    del config.tracking.num_boxes, config.refine.samples
    with CheckpointStore(tmp_path) as store:
        store.save(make_state(7), {}, config)
    with pytest.raises(
        InputError, match="checkpoints/7 .* refine.samples, tracking.num_boxes;"
    ):
        load_for_inference(tmp_path)
    with CheckpointStore(tmp_path) as store:
        with pytest.raises(
            InputError, match="checkpoints/7 .* refine.samples, tracking.num"
        ):
            store.restore(make_state(), get_config())


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    save(tmp_path, [7])
    other = get_config()
    other.model.backbone = "resnet18"
    store = CheckpointStore(tmp_path)
    message = "config.model.backbone='resnet50', not 'resnet18'"
    with pytest.raises(InputError, match=message):
        store.restore(make_state(), other)
    store.close()


def test_tasks_left_over_after_a_failed_save_print_nothing(capsys):
    saved_step.hush_late_tasks()
    for text in ("Event loop is closed", "a bug"):
        sys.excepthook(RuntimeError, RuntimeError(text), None)
    assert capsys.readouterr().err == "RuntimeError: a bug\n"
