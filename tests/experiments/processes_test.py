"""Tests for experiments.processes."""

import json
import os
import signal
import sys
import threading
import time

import pytest

from experiments import processes
from jaxtrack.errors import InputError


def stage(folder, name, code, *, weight=1.0, share=lambda: 0.0):
    """A stage whose child runs `code`; done when `<name>.done` is there."""
    done = folder / f"{name}.done"
    return processes.Stage(
        label=name,
        command=(sys.executable, "-S", "-c", f"done = {str(done)!r}\n{code}"),
        log=folder / f"{name}.log",
        usage=folder / f"{name}.json",
        is_done=done.exists,
        share=share,
        weight=weight,
    )


WORKS = "open(done, 'w').close()"
# Saves its work when it is asked to end.
PATIENT = """
import signal, time
def save(number, frame):
    open(done + '.saved', 'w').close()
    raise SystemExit(0)
signal.signal(signal.SIGTERM, save)
open(done + '.started', 'w').close()
time.sleep(30)
"""


def chain(folder, label, *codes):
    return [stage(folder, f"{label}{i}", code) for i, code in enumerate(codes)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(processes, "_POLL_SECONDS", 0.01)


def test_stages_follow_each_other_and_finished_ones_are_kept(tmp_path):
    after = f"import os\nassert os.path.exists({str(tmp_path / 'a0.done')!r})\n{WORKS}"
    chains = [chain(tmp_path, "a", WORKS, after), chain(tmp_path, "b", WORKS)]
    done, finished = tmp_path / "b0.done", []
    processes.run_all(chains, on_finished=lambda: finished.append(done.exists()))
    assert finished == [False, True]
    before = (tmp_path / "a0.json").read_text()
    processes.run_all(chains, on_finished=lambda: finished.append(done.exists()))
    assert finished == [False, True]
    assert (tmp_path / "a0.json").read_text() == before


def test_some_at_once_in_order(tmp_path):
    # Each notes when it begins and ends; with two at once the third waits.
    code = "import time\nopen(done + '.begin', 'w').close()\ntime.sleep(0.5)\n" + WORKS
    chains = [chain(tmp_path, label, code) for label in "abc"]
    processes.run_all(chains, at_once=2)

    def when(name):
        return (tmp_path / name).stat().st_mtime

    assert when("b0.done.begin") < when("a0.done")
    assert when("c0.done.begin") > min(when("a0.done"), when("b0.done"))


def test_counts_what_children_use_over_attempts(tmp_path):
    busy = "import time\nwhile time.process_time() < 0.2: pass\n"
    first = stage(tmp_path, "a", busy + "raise SystemExit(3)")
    with pytest.raises(InputError):
        processes.run_all([[first]])
    once = processes.read_usage(first.usage)
    assert 0.2 <= once["cpu_seconds"] < 2
    assert once["wall_seconds"] >= 0.2
    processes.run_all([[stage(tmp_path, "a", busy + WORKS)]])
    twice = processes.read_usage(first.usage)
    assert twice["cpu_seconds"] >= once["cpu_seconds"] + 0.2
    attempts = json.loads(first.usage.read_text())["attempts"]
    assert [one["exit_code"] for one in attempts] == [3, 0]


def test_grandchildren_count_and_ctrl_c_does_not_reach_children(tmp_path):
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    # The terminal sends it to all processes of its session.
    code = "import os, subprocess, sys\nassert os.getsid(0) == os.getpid()\n"
    code += f"subprocess.run([sys.executable, '-S', '-c', {busy!r}])\n"
    one = stage(tmp_path, "a", code + WORKS)
    processes.run_all([[one]])
    assert processes.read_usage(one.usage)["cpu_seconds"] >= 0.2


def test_an_attempt_nobody_saw_the_end_of_is_unknown(tmp_path):
    unknown = {"cpu_seconds": None, "wall_seconds": None}
    assert processes.read_usage(tmp_path / "absent.json") == unknown
    known = {"cpu_seconds": 2.0, "wall_seconds": 3.0, "exit_code": 0}
    path = tmp_path / "usage.json"
    path.write_text(json.dumps({"attempts": [known, {**known, **unknown}]}))
    assert processes.read_usage(path) == unknown
    path.write_text("{")
    assert processes.read_usage(path) == unknown


def test_a_failing_child_stops_the_others_gently(tmp_path):
    wait = f"import os, time\nwhile not os.path.exists({str(tmp_path)!r} + "
    wait += "'/b0.done.started'): time.sleep(0.01)\n"
    bad = chain(tmp_path, "a", wait + "print('no such file: x')\nraise SystemExit(2)")
    good, never = chain(tmp_path, "b", PATIENT), chain(tmp_path, "c", WORKS)
    with pytest.raises(InputError) as caught:
        processes.run_all([bad, good, never], at_once=2)
    said = str(caught.value)
    assert "a0 failed with exit code 2" in said
    assert "no such file: x" in said and str(tmp_path / "a0.log") in said
    assert (tmp_path / "b0.done.saved").exists()
    assert not (tmp_path / "c0.done").exists()


def test_a_child_that_ends_early_is_no_success(tmp_path):
    with pytest.raises(InputError, match="stopped before its end"):
        processes.run_all([chain(tmp_path, "a", "pass")])
    with pytest.raises(InputError, match="--processes=0"):
        processes.run_all([], at_once=0)


@pytest.fixture
def restored_interrupts():
    # A shell without a terminal starts what it puts in the background deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_children_gently(tmp_path, number, restored_interrupts):
    def send():
        until = time.monotonic() + 60
        while not (tmp_path / "a0.done.started").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        processes.run_all([chain(tmp_path, "a", PATIENT)])
    sender.join()
    assert (tmp_path / "a0.done.saved").exists()
    assert signal.getsignal(signal.SIGTERM) is before
    attempts = json.loads((tmp_path / "a0.json").read_text())["attempts"]
    assert [one["exit_code"] for one in attempts] == [0]


def test_a_deaf_child_is_killed_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.3)
    deaf = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    deaf += "open(done + '.started', 'w').close()\ntime.sleep(30)"
    wait = f"import os, time\nwhile not os.path.exists({str(tmp_path)!r} + "
    wait += "'/a0.done.started'): time.sleep(0.01)\nraise SystemExit(1)"
    start = time.monotonic()
    with pytest.raises(InputError, match="exit code 1"):
        chains = [chain(tmp_path, "a", deaf), chain(tmp_path, "b", wait)]
        processes.run_all(chains, at_once=2)
    assert time.monotonic() - start < 20
    attempts = json.loads((tmp_path / "a0.json").read_text())["attempts"]
    assert attempts[0]["exit_code"] == -signal.SIGKILL


def test_share_by_weight(tmp_path):
    half = stage(tmp_path, "x", "", weight=3.0, share=lambda: 0.5)
    rest = stage(tmp_path, "y", "", weight=1.0, share=lambda: 9.0)
    # (3 * 0.5 + 1 * 1) / 4: no share is above 1.
    assert processes.share_done([half, rest]) == pytest.approx(0.625)
    (tmp_path / "x.done").touch()
    assert processes.share_done([half, rest]) == 1.0
    assert processes.next_stage([half, rest]) is rest


@pytest.fixture
def progress(tmp_path, monkeypatch):
    """Half a chain that is done; returns its stages."""
    for name in ("_SHOW_SECONDS", "_LOG_SECONDS"):
        monkeypatch.setattr(processes, name, 0.0)
    (tmp_path / "a.done").touch()
    code = "import time\ntime.sleep(0.2)\n"
    return [stage(tmp_path, "a", ""), stage(tmp_path, "b", code + WORKS)]


def test_shows_shares_and_what_runs(progress, capsys):
    processes.run_all([progress, progress[:1]])
    said = capsys.readouterr().err
    # One and a half of two chains are done at the start.
    assert "75%" in said and "100%" in said and ", b" in said
    processes.run_all([progress])
    assert capsys.readouterr().err == ""  # Nothing is left.


def test_the_bar_moves_seldom(progress, monkeypatch):
    monkeypatch.setattr(processes, "_SHOW_SECONDS", 60.0)
    monkeypatch.setattr(processes, "_LOG_SECONDS", 60.0)
    asked = []
    late = progress[1]._replace(share=lambda: asked.append(1) or 0.5)
    processes.run_all([[late]])
    assert len(asked) <= 2  # At the start and the first time.
