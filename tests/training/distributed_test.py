"""Tests for jaxtrack.training.distributed."""

import json
import socket
import threading
import time

import pytest

from jaxtrack.errors import InputError
from jaxtrack.training import distributed
from jaxtrack.training.distributed import Watch
from tests.refusals import refused


class Ended:
    """Remembers with what a process would have been ended."""

    def __init__(self):
        self.status, self.is_set = None, threading.Event()

    def __call__(self, status):
        self.status = status
        self.is_set.set()


def watch(folder, number, end, patience=0.3):
    return Watch(folder, number=number, count=2, beat=0.02, patience=patience, end=end)


def wait_for(path):
    deadline = time.monotonic() + 5
    while not path.exists() or b'"beat": 3' not in path.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_that_beats_no_more_is_named_and_the_other_ends(tmp_path, capfd):
    mine, other = Ended(), Ended()
    lost = watch(tmp_path, 1, other, patience=60)
    with watch(tmp_path, 0, mine):
        lost.__enter__()
        wait_for(tmp_path / "processes" / "0")
        wait_for(tmp_path / "processes" / "1")
        assert not mine.is_set.is_set()
        lost._stop.set()  # As if it was killed.
        assert mine.is_set.wait(5)
    assert mine.status == 1 and other.status is None
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("process 1 of 2 (pid ") and ") was lost 0 s ago: " in line
    assert line.endswith("the training resumes at its last checkpoint")


def test_a_process_that_fails_says_why_and_one_that_is_done_is_not_missed(
    tmp_path, capfd
):
    first, second, third = Ended(), Ended(), Ended()
    with watch(tmp_path, 0, first, patience=0.15):
        with watch(tmp_path, 1, second, patience=60):
            wait_for(tmp_path / "processes" / "0")
            wait_for(tmp_path / "processes" / "1")
        time.sleep(0.4)
    assert not first.is_set.is_set() and not second.is_set.is_set()
    # What that run left is nobody's beat.
    with watch(tmp_path, 0, first, patience=0.15):
        assert first.is_set.wait(5)
    assert "process 1 of 2 was not heard of" in capfd.readouterr().err
    folder = tmp_path / "another"
    with watch(folder, 0, third, patience=60):
        with pytest.raises(InputError), watch(folder, 1, second, patience=60):
            wait_for(folder / "processes" / "1")
            wait_for(folder / "processes" / "0")
            raise InputError("a frame ä\n" + 1000 * "x")
        assert third.is_set.wait(5)
    assert ") failed (InputError: a frame ? xxx" in capfd.readouterr().err


def test_process_0_is_missed_as_soon_as_its_port_is_closed(tmp_path, capfd):
    first, second = Ended(), Ended()
    with socket.create_server(("localhost", 0)) as server:
        address = f"localhost:{server.getsockname()[1]}"
        told = {"pid": 7, "host": "here", "beat": 1}
        how = {"number": 1, "count": 2, "coordinator": address, "beat": 0.02}
        with Watch(tmp_path, end=second, **how):
            (tmp_path / "processes" / "0").write_text(json.dumps(told))
            connection, _ = server.accept()
            connection.close()  # As gRPC does after a while: it connects again.
            connection, _ = server.accept()
            assert not second.is_set.is_set()
            server.close()
            connection.close()
            assert second.is_set.wait(5)
        # Where it was done, it is not missed.
        (tmp_path / "processes" / "0").write_text(json.dumps(told | {"ended": "done"}))
        with Watch(tmp_path, end=first, **how):
            assert not first.is_set.wait(0.1)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("process 0 of 2 (pid 7 on here) was lost: process 1 ends")


def test_one_process_is_not_watched(tmp_path):
    with Watch(tmp_path, number=0, count=1):
        assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_connected_is_refused(monkeypatch, capsys):
    with pytest.raises(InputError, match="process 2 of 2: number them from 0"):
        distributed.initialize("localhost:1", num_processes=2, process_id=2)
    with pytest.raises(InputError, match="'localhost': write host:port"):
        distributed.initialize("localhost", num_processes=2, process_id=1)
    monkeypatch.setattr(distributed.multiprocessing, "parent_process", lambda: 1)
    with pytest.raises(InputError, match="a worker process ran the main script again"):
        distributed.initialize("localhost:1", num_processes=2, process_id=1)
    command = ["train", "--coordinator=localhost:1"]
    command += ["--num_processes=2"]
    assert "is for --distributed" in refused(capsys, *command)
