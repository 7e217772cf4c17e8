"""Runs a command on disks that are too small, then on ones with room; told in JSON.

A program of its own, as `tests.faults.trainings`: each run is a fork. Its user must be
allowed to mount a file system in memory.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
from functools import partial

from jaxtrack import cli
from jaxtrack.session import Session
from tests.data.conftest import write_sequence
from tests.faults import forks

IMPORTED = Session  # And what it imports: the forks need not.
SHARED = "--checkpoint=lite"
# What runs -> its options, {root} of what it reads and {out} of what it writes; and the
# kilobytes of the disks.
COMMANDS = {
    "track": (
        f"{{root}}/a/img {SHARED} --box=10,12,20,16 --boxes={{out}}/b.txt "
        "--csv={out}/b.csv --out={out}/o.mp4",
        (4, 8),
    ),
    "eval": ("--checkpoint=t=lite --sequences={root} --out={out}/e", (4, 64)),
    "tune": (
        f"{SHARED} --sequences={{root}} --out={{out}}/t --trials=3 --batch=2 "
        "--settings=window",
        (4, 8),
    ),
    "export": (f"{SHARED} --out={{out}}/x", (4, 1000)),
    "pack": ("--root={root} --out={out}/p --num_workers=1", (4, 16)),
    "weights": ("export lite --out={out}/w.safetensors", (4, 1000)),
}


def run(name, options, log):
    """Runs a command in a fork; returns its exit status and what it printed."""
    status = forks.ended(forks.start(partial(cli.main, [name, *options]), str(log)))
    said = log.read_text()
    log.unlink()
    assert "Traceback" not in said, (name, said)
    return status, said


def mount(place, *options):
    """Mounts a disk in memory, or changes it; raises if that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(place)]
    subprocess.run(command, check=True, capture_output=True)


def small_disks(name, folder):
    """Runs a command without room, and again with room; returns its errors."""
    for seed, sequence in enumerate("ab"):
        write_sequence(folder / "sequences" / sequence, seed)
    out, log, told = folder / "out", folder / "log", []
    out.mkdir()
    words, sizes = COMMANDS[name]
    options = words.format(root=folder / "sequences", out=out).split()
    for size in sizes:
        mount(out, f"size={size}k")
        try:
            status, said = run(name, options, log)
            errors = [s for s in said.splitlines() if s.startswith("error: ")]
            assert (status, len(errors)) == (2, 1), (name, size, status, said)
            told += errors
            mount(out, "remount", "size=100m")
            status, said = run(name, options, log)
            assert status == 0, (name, size, status, said)
        finally:
            subprocess.run(["umount", out], check=True)
    return {"sizes": sizes, "errors": told}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        try:
            mount(folder, "size=4k")
            subprocess.run(["umount", folder], check=True)
        except (OSError, subprocess.CalledProcessError):
            sys.exit("no disk can be mounted")
        print(json.dumps(small_disks(sys.argv[1], folder)))
