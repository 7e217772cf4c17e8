"""Tests for benchmarks.first_minute."""

import sys
import time

import pytest

from benchmarks import first_minute
from jaxtrack.errors import InputError


def python(*lines):
    return (sys.executable, "-u", "-c", "\n".join(lines))


def test_stops_when_something_is_there(tmp_path):
    log = tmp_path / "log.txt"
    worker = python(
        "sum(range(10**6))", "print('1,2,3,4')", "import time; time.sleep(60)"
    )
    begin = time.perf_counter()
    spent = first_minute.until(lambda: first_minute._lines(log) == 1, *worker, log=log)
    assert 0 < spent.wall <= time.perf_counter() - begin < 30
    assert 0 < spent.cpu < 20
    with pytest.raises(InputError, match="ended too early: a b$"):
        first_minute.until(lambda: False, *python("print('a b')"), log=log)


def test_a_failure_says_its_last_line(tmp_path):
    with pytest.raises(InputError, match="failed: b$"):
        first_minute.call(*python("raise SystemExit('a\\nb')"))
    path = tmp_path / "a"
    script = "import os; open(os.environ['AT'], 'w').close()"
    assert first_minute.timed(*python(script), AT=str(path)) > 0
    assert path.exists()
