"""Tests for packages that only some commands need."""

import pathlib
import subprocess
import sys
import tomllib

import pytest

from jaxtrack import errors

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Distributions that are called otherwise than the package they bring.
DISTRIBUTIONS = {"skimage": "scikit-image", "trax": "vot-trax"}


def test_extras_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for package, extra in errors.EXTRAS.items():
        name = DISTRIBUTIONS.get(package, package.replace("_", "-"))
        brought = project["optional-dependencies"][extra]
        assert any(line.startswith(name) for line in brought), (package, extra)
        assert not any(line.startswith(name) for line in project["dependencies"])


def test_a_missing_package_is_told_with_its_extra():
    errors.require("json")
    with pytest.raises(errors.InputError, match="^trax is not installed: pip install"):
        sys.modules["trax"], kept = None, sys.modules.get("trax")
        try:
            errors.require("trax")
        finally:
            sys.modules["trax"] = kept
            if kept is None:
                del sys.modules["trax"]


def test_commands_name_the_extra_that_they_miss(tmp_path):
    script = (
        "import contextlib, sys\n"
        "from jaxtrack import cli, errors\n"
        "sys.modules |= dict.fromkeys(errors.EXTRAS)\n"
        "for argv in sys.stdin.read().splitlines():\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        cli.main(argv.split())\n"
    )
    (tmp_path / "groundtruth_rect.txt").write_text("1,2,3,4\n")
    commands = {
        f"pack --root={tmp_path} --out=packed": "data",
        "train --workdir=run": "composed",
        f"eval --results=a={tmp_path} --sequences={tmp_path}": "report",
        f"track {tmp_path} --out=a.mp4": "video",
        "tune --checkpoint=lite --sequences=x": "tune",
        "trax --checkpoint=lite": "vot",
        "demo": "composed,imagenet,report,video",
    }
    how = {"cwd": tmp_path, "capture_output": True, "text": True}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input="\n".join(commands), **how)
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    assert len(told) == len(commands), done.stderr
    for line, extra in zip(told, commands.values(), strict=True):
        assert line.startswith("error: ") and f"'jaxtrack[{extra}]'" in line
    assert [path.name for path in tmp_path.iterdir()] == ["groundtruth_rect.txt"]
