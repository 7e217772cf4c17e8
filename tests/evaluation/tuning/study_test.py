"""Tests for jaxtrack.evaluation.tuning.study: a study of a function of two settings."""

import errno

import pytest
from optuna.storages import journal

from jaxtrack.errors import InputError
from jaxtrack.evaluation.tuning import study as studies
from jaxtrack.evaluation.tuning.study import Plan, open_study

RANGES = {"x": (0.0, 1.0), "y": (-2.0, 2.0)}
OWN = {"x": 0.5, "y": 1.0}
IDENTITY = {"checkpoint": {"weights": "w", "step": 3}, "sampler": "tpe", "seed": 0}


def plan(num_trials=12, sampler="tpe", seed=0, **changes):
    made = Plan(RANGES, OWN, sampler, seed, num_trials)
    return made._replace(**changes)


def worth(settings):
    return -((settings["x"] - 0.3) ** 2) - 1e-3 * settings["y"]


def try_all(folder, made, *, batch=4, stop=None, identity=IDENTITY):
    """Tells trials until all are, or `stop` of them; returns those finished."""
    told = 0
    folder.mkdir(parents=True, exist_ok=True)
    study = open_study(folder, made, identity)
    while asked := study.ask(batch):
        for number, settings in asked.items():
            if told == stop:
                return study.finished()
            study.keep(number, "a", {"auc": settings["x"]})
            study.tell(number, worth(settings))
            told += 1
    return study.finished()


def test_untuned_settings_come_first_and_all_are_in_range(tmp_path):
    tried = try_all(tmp_path, plan())
    assert [t.number for t in tried] == list(range(12))
    assert tried[0].settings == OWN and tried[0].value == worth(OWN)
    assert tried[1].sequences == {"a": {"auc": tried[1].settings["x"]}}
    for trial in tried:
        for name, (low, high) in RANGES.items():
            assert low <= trial.settings[name] <= high
    assert len({t.settings["x"] for t in tried}) == 12


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_seed_decides(tmp_path, sampler):
    kinds = {
        seed: try_all(tmp_path / str(seed), plan(6, sampler, seed=seed % 2), batch=3)
        for seed in range(3)
    }
    assert kinds[0] == kinds[2]
    assert kinds[0][0] == kinds[1][0]
    assert all(
        a.settings != b.settings
        for a, b in zip(kinds[0][1:], kinds[1][1:], strict=True)
    )


def test_interrupted_it_goes_on_as_if_it_had_not_been(tmp_path):
    # Batches of 4: 14 trials, of which TPE models the last.
    whole = try_all(tmp_path / "whole", plan(14))
    for stop in (0, 3, 6):
        part = tmp_path / str(stop)
        assert try_all(part, plan(14), stop=stop) == whole[:stop]
        assert try_all(part, plan(14)) == whole
    # Complete, it asks for nothing; with more trials it goes on.
    assert try_all(part, plan(14), stop=0) == whole
    assert try_all(part, plan(15))[:14] == whole


def test_random_does_not_depend_on_the_batch(tmp_path):
    one, four = (
        try_all(tmp_path / str(batch), plan(6, "random"), batch=batch)
        for batch in (1, 4)
    )
    assert one == four


def test_grid_is_what_fits(tmp_path):
    # 3 x 3 points beside the untuned ones fit into 12 trials, 4 x 4 do not.
    tried = try_all(tmp_path, plan(12, "grid"))
    points = [(t.settings["x"], t.settings["y"]) for t in tried]
    grid = [(x, y) for x in (0.0, 0.5, 1.0) for y in (-2.0, 0.0, 2.0)]
    assert points == [(0.5, 1.0), *grid]
    assert plan(10, "grid").total() == 10 and plan(9, "grid").total() == 5
    cube = Plan({**RANGES, "z": (0.0, 1.0)}, OWN | {"z": 0.1}, "grid", 0, 65)
    assert cube.total() == 65
    on_it = plan(12, "grid", own={"x": 0.5, "y": 0.0})
    assert on_it.total() == 9
    with pytest.raises(InputError, match="at least 4 points"):
        plan(4, "grid").fixed()


def test_importances_find_what_matters(tmp_path):
    study = open_study(tmp_path, plan(24, "random"), IDENTITY)
    assert study.importances() is None
    while asked := study.ask(8):
        for number, settings in asked.items():
            study.tell(number, worth(settings))
    found = study.importances()
    assert list(found) == ["x", "y"]
    assert sum(found.values()) == pytest.approx(1) and found["x"] > 0.8
    # Trials that are all alike have none.
    (tmp_path / "b").mkdir()
    study = open_study(tmp_path / "b", plan(20, "random"), IDENTITY)
    for number in study.ask(20):
        study.tell(number, 0.5)
    assert study.importances() is None


def test_what_a_killed_process_left_is_mended(tmp_path):
    whole = try_all(tmp_path / "whole", plan(6))
    folder = tmp_path / "killed"
    try_all(folder, plan(6), stop=2)
    file = folder / studies.FILE
    with file.open("a") as torn:
        torn.write('{"op_code": 5, "worker')
    (folder / f"{file.name}.lock").symlink_to(file)
    assert try_all(folder, plan(6)) == whole
    assert file.read_text().endswith("\n")


def test_killed_while_settings_were_drawn(tmp_path):
    whole = try_all(tmp_path / "whole", plan(6))
    folder = tmp_path / "killed"
    try_all(folder, plan(6), stop=0)
    file = folder / studies.FILE
    lines = file.read_text().splitlines(keepends=True)
    # The last line drew the last setting of the batch's last trial.
    assert '"param_name":"y"' in lines[-1]
    file.write_text("".join(lines[:-1]))
    tried = try_all(folder, plan(6))
    assert tried[:3] == whole[:3] and [t.number for t in tried] == list(range(6))
    assert tried[3].settings["x"] == whole[3].settings["x"]
    assert -2 <= tried[3].settings["y"] <= 2


def test_faults(tmp_path):
    (tmp_path / studies.FILE).write_text("no journal\n" * 100)
    with pytest.raises(InputError, match="cannot be opened as a study") as caught:
        try_all(tmp_path, plan())
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    study = open_study(tmp_path, plan(), IDENTITY)

    def write(backend, entries):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal.JournalFileBackend, "append_logs", write)
    told = f"cannot write {tmp_path / studies.FILE}: No space left on device: free"
    with pytest.raises(InputError, match=told):
        study.ask(1)
    (tmp_path / studies.FILE).unlink()
    with pytest.raises(InputError, match=told):
        open_study(tmp_path, plan(), IDENTITY)
