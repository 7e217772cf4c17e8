"""Tests for benchmarks.first_minute."""

import sys
import time

import pytest

from benchmarks import first_minute
from jaxtrack.errors import InputError


def python(*lines):
    return (sys.executable, "-u", "-c", "\n".join(lines))


def test_stops_at_a_line_of_the_output():
    talker = python("import time", "print(1)", "print(2)", "time.sleep(60)")
    begin = time.perf_counter()
    seconds = first_minute.until_line(2, *talker)
    assert 0 < seconds <= time.perf_counter() - begin < 30
    with pytest.raises(InputError, match="ended before line 2"):
        first_minute.until_line(2, *python("print(1)"))


def test_a_failure_says_its_last_line(tmp_path):
    with pytest.raises(InputError, match="failed: b$"):
        first_minute.call(*python("raise SystemExit('a\\nb')"))
    path = tmp_path / "a"
    script = "import os; open(os.environ['AT'], 'w').close()"
    assert first_minute.timed(*python(script), AT=str(path)) > 0
    assert path.exists()
