"""Tests for jaxtrack.cli and the flags of the commands."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def command(*args):
    return subprocess.run(
        [sys.executable, *args], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--config.batch_sise=8"], "batch_sise"),
        (["--config.batch_size=many"], "batch_size"),
        (["--config=configs/none.py"], "configs/none.py"),
        (["--wokdir=x"], "wokdir"),
        (["runs"], "unexpected argument 'runs'"),
        (["--config.schedule=linear"], "config.schedule is 'linear'"),
    ],
)
def test_wrong_flags_give_one_line_and_exit_code_2(args, message, tmp_path):
    result = command("train.py", f"--workdir={tmp_path / 'run'}", *args)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert not (tmp_path / "run").exists()


def test_input_errors_are_one_line(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text(
        "from jaxtrack import cli\n"
        "from jaxtrack.errors import InputError\n"
        "def main():\n"
        "    raise InputError('a.jpg is damaged:\\n  replace it')\n"
        "cli.run(main)\n"
    )
    result = command("-c", f"exec(open({str(script)!r}).read())")
    assert result.returncode == 2
    assert result.stderr == "error: a.jpg is damaged: replace it\n"


def test_own_faults_keep_their_traceback():
    result = command("-c", "from jaxtrack import cli; cli.run(lambda: 1 / 0)")
    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr
