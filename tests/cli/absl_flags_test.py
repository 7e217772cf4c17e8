"""Tests for jaxtrack.cli.absl_flags."""

import subprocess
import sys


def test_faults_and_exit_codes():
    script = (
        "import sys\n"
        "from jaxtrack import cli\n"
        "from jaxtrack.errors import InputError\n"
        "cli.define_config('configs/demo.py')\n"
        "def main():\n"
        "    raise InputError('a.jpg is damaged:\\n  replace it')\n"
        "for argv in ([], ['--config.batch_sise=8'], ['--wokdir=x'], ['runs']):\n"
        "    sys.argv[1:] = argv\n"
        "    try:\n"
        "        cli.run(main)\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 2\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    lines = found.stderr.splitlines()
    assert lines[0] == "error: a.jpg is damaged: replace it"
    for line, word in zip(lines[1:], ("batch_sise", "wokdir", "'runs'"), strict=True):
        assert line.startswith("error: ") and word in line
