"""Tests for what is built and installed: the files, the names, the console script."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import cv2
import numpy as np
import pytest

pytest.importorskip("setuptools", minversion="77", reason="builds the wheel")
ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ("jaxtrack", "configs", "pyproject.toml", "README.md", "LICENSE")


def run(*command, cwd, **variables):
    """Runs a program; returns what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind, source, out):
    """Builds a wheel or an sdist as pip does; returns its path."""
    script = "import sys, setuptools.build_meta as b; "
    script += f"print(b.build_{kind}(sys.argv[1]), file=sys.stderr)"
    out.mkdir(exist_ok=True)
    run(sys.executable, "-c", script, out, cwd=source)
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the sources, since building leaves files beside them."""
    folder = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        if (ROOT / part).is_dir():
            copied = folder / part
            shutil.copytree(ROOT / part, copied, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    """The wheel."""
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


def names_in(wheel):
    """Files in a wheel that are not about the wheel itself."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    return {name for name in names if ".dist-info/" not in name}


def test_the_wheel_has_the_package_whole_and_nothing_else(source, wheel):
    files = [f for part in ("jaxtrack", "configs") for f in (source / part).rglob("*")]
    made = {f.relative_to(source).as_posix() for f in files if f.is_file()}
    moved = {f"jaxtrack/{f}" if f.startswith("configs/") else f for f in made}
    assert names_in(wheel) == moved
    assert {"jaxtrack/py.typed", "jaxtrack/configs/cract/lite0_cascade.py"} < moved
    assert "jaxtrack/weights/shipped/lite.safetensors" in moved
    with zipfile.ZipFile(wheel) as archive:
        (entries,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        assert "jaxtrack = jaxtrack.cli:main" in archive.read(entries).decode()


def test_the_sdist_makes_the_same_wheel(source, wheel, tmp_path):
    with tarfile.open(build("sdist", source, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert names_in(build("wheel", unpacked, tmp_path / "wheel")) == names_in(wheel)


def test_the_wheel_runs_in_an_empty_folder(wheel, tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    script = (
        "import jaxtrack, jaxtrack.configs, sys\n"
        "from jaxtrack import cli\n"
        "assert jaxtrack.__file__.startswith(sys.argv[1]), jaxtrack.__file__\n"
        "assert jaxtrack.configs.load('siamcar_lite0').run.batch_size == 32\n"
        "cli.main(['--help'])\n"
        "cli.main(['train', '--help'])\n"
    )
    told = run(sys.executable, "-c", script, site, cwd=empty, PYTHONPATH=str(site))
    assert "usage: jaxtrack COMMAND" in told and "siamcar_lite0" in told


def write_video(folder):
    """Writes a sequence of three frames."""
    (folder / "ball" / "img").mkdir(parents=True)
    for number in range(3):
        image = np.full((90, 120, 3), 60, np.uint8)
        image[40:60, 40 + number : 60 + number] = 200
        cv2.imwrite(str(folder / "ball" / "img" / f"{number}.jpg"), image)
    boxes = [f"{40 + number},40,20,20\n" for number in range(3)]
    (folder / "ball" / "groundtruth_rect.txt").write_text("".join(boxes))
    return folder


@pytest.mark.slow
def test_an_installed_wheel_trains_tracks_and_scores(wheel, tmp_path):
    """In a fresh environment with what pip finds, and in an empty folder."""
    empty = tmp_path / "empty"
    empty.mkdir()
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=empty)
    pip = (tmp_path / "env" / "bin" / "pip", "install", "--quiet")
    program = tmp_path / "env" / "bin" / "jaxtrack"
    own = {"cwd": empty, "PYTHONPATH": ""}
    run(*pip, wheel, **own)
    refused = subprocess.run(
        [program, "train", "--config=siamcar_lite0"],
        cwd=empty,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 2
    assert "pip install 'jaxtrack[" in refused.stderr
    assert refused.stderr.count("\n") == 1

    run(*pip, f"{wheel}[report,train,video]", **own)
    small = "run.batch_size=2 run.pairs_per_epoch=4 run.num_epochs=1 data.num_workers=0"
    changes = [f"--config.{word}" for word in small.split()]
    run(program, "train", "--config=siamcar_lite0", "--workdir=run", *changes, **own)
    videos = write_video(empty / "videos")
    run(program, "eval", "--checkpoint=run", f"--sequences={videos}", **own)
    assert "AUC" in (empty / "runs" / "eval" / "report.html").read_text()
    clip = videos / "ball"
    run(program, "track", clip, "--checkpoint=run", "--out=out.mp4", **own)
    assert (empty / "out.mp4").stat().st_size > 1000
