"""A new user's mistakes: each is answered in one line that says what to do."""

import errno
import os
import pathlib
import resource
import shlex
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from jaxtrack.cli import faults
from tests.refusals import refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACK = "track frames --box=10,20,30,40 "
EVAL = "eval --sequences=videos "
# What is typed, in a folder as `here` makes it -> words of what is said.
MISTAKES = (
    # Commands and options.
    ("trian", "no command 'trian': did you mean train?"),
    ("--hlep", "no command '--hlep': did you mean --help?"),
    ("frobnicate", "no command 'frobnicate': `jaxtrack --help` lists them"),
    ("weights", "missing: ACTION (see jaxtrack weights --help)"),
    ("weights cards", "'cards': did you mean card?"),
    ("weights inspect", "missing: PATH"),
    ("weights inspect --fitts w.npz", "unknown option --fitts: did you mean --fits?"),
    ("pack chek p", "pack chek: did you mean check?"),
    ("train siamcar_lite0", "unexpected argument 'siamcar_lite0': options are written"),
    ("train --wokdir=x", "unknown option --wokdir: did you mean --workdir?"),
    ("track frames --bbox=1,2,3,4", "unknown option --bbox: did you mean --box?"),
    ("track frames --box 10 20 30 40", "unexpected argument '20'"),
    ("track frames --config.run.seed=1", "unknown option --config.run.seed"),
    ("export", "missing: --out (see jaxtrack export --help)"),
    ("export --format=tflite --out=e", "--format=tflite: choose from stablehlo, onnx"),
    ("tune --sampler=tpee", "--sampler=tpee: did you mean tpe?"),
    ("tune --trials=0", "--trials=0: give a whole number of at least 1"),
    ("pack --num_workers=-2", "--num_workers=-2: give a whole number of at least 0"),
    ("demo --steps=many", "--steps=many: give a whole number of at least 1"),
    # Settings.
    ("train --config=siamcar_lit0", "no config 'siamcar_lit0': did you mean siamcar_l"),
    ("train --config=none.py", "no config file none.py: check the path"),
    ("train --config=empty.py", "config file empty.py: it has no function get_config"),
    ("train --config=typo.py", "config file typo.py, line 1: SyntaxError: "),
    (
        "train --config=field.py",
        "config file field.py: no setting config.batch_sise: d",
    ),
    ("train --config=name.py", "config file name.py, line 2: NameError: name 'lr' is"),
    ("train --config.batch_sise=8", "no setting config.batch_sise: did you mean run.b"),
    ("train --config.run.batch_size=x", "config.run.batch_size=x: give a whole number"),
    ("train --config.run.batch_size=-4", "config.run.batch_size is -4: it must be abo"),
    ("train --config.data.num_workers=-1", "num_workers is -1: it must be at least 0"),
    ("train --config.optimizer=adam", "config.optimizer is a group: name one of its"),
    ("train --config.optimizer.kind=adam", "config.optimizer.kind is 'adam': use one"),
    ("train --config.run.loggers=wandbb", "config.run.loggers is ('wandbb',): use one"),
    ("train --config.data.records=(a,)", "data.records=(a,): give numbers or names"),
    ("train --config.loss.weights=a", "config.loss.weights is ('a',): give 3 numbers"),
    (EVAL + "--checkpoint=lite --set=tracking.windw=1", "did you mean tracking.window"),
    (
        EVAL + "--checkpoint=lite --set=tracking.window=3",
        "window is 3.0: it must be in",
    ),
    (
        EVAL + "--checkpoint=lite --set=tracking.window=x",
        "is 'x': it must be of type f",
    ),
    (
        EVAL + "--checkpoint=lite --set=run.seed=3",
        "run.seed is fixed by training: choo",
    ),
    (
        EVAL + "--checkpoint=lite --set=window",
        "--set=window: give FIELD=VALUE, such as",
    ),
    # Videos and boxes.
    ("track", "VIDEO is missing: name a video file, a folder of images, a pattern"),
    ("track none.mp4", "no video none.mp4: name a video file, a folder of images"),
    ("track empty --box=1,2,3,4", "empty: holds no images (.bmp, .jpeg, .jpg"),
    ("track text --box=1,2,3,4", "text: holds no images (.bmp, .jpeg, .jpg"),
    ("track text.mp4 --box=1,2,3,4", "text.mp4 has no frame that can be read"),
    ("track zero.mp4 --box=1,2,3,4", "zero.mp4 has no frame that can be read"),
    ("track 97 --box=1,2,3,4", "camera 97 does not open: `ls /dev/video*` lists camer"),
    (
        "track http://127.0.0.1:9/a.mp4 --box=1,2,3,4",
        "does not answer, or sends no vid",
    ),
    ("track frames --box=10,20", "--box=10,20 is neither a box nor a file of one: wri"),
    ("track frames --box=a,b,c,d", "write x,y,width,height in pixels, such as --box="),
    ("track frames --box=500,500,10,10", "outside of the picture of 120 x 90 pixels"),
    ("track frames --box=10,20,-30,40", "width and height must be positive"),
    ("track frames --box=10,20,0,40", "width and height must be positive"),
    (TRACK + "--out=none/a.mp4", "no folder none: make it before a.mp4"),
    (TRACK + "--out=a.avi", "a.avi does not end in .mp4"),
    (TRACK + "--csv=empty", "--csv=empty is a folder: give the name of a file"),
    # Trackers.
    (TRACK + "--checkpoint=light", "no such file or folder: did you mean lite?"),
    (TRACK + "--checkpoint=none", "no such file or folder: name a tracker that ships"),
    (TRACK + "--checkpoint=empty", "no checkpoint in that folder: name the workdir of"),
    (TRACK + "--checkpoint=begun", "no checkpoint in that folder: name the workdir of"),
    (TRACK + "--checkpoint=text.pth", "text.pth holds no tracker's settings: name the"),
    (TRACK + "--checkpoint=text.pth --model=siamcar_r5", "did you mean siamcar_r50?"),
    (TRACK + "--checkpoint=text.pth --model=siamcar_r50", "not readable as a file of"),
    (TRACK + "--model=siamcar_r50", "it is for a file of weights without settings"),
    ("weights card light", "no tracker 'light' is shipped: did you mean lite?"),
    ("weights inspect none", "PATH=none: no such file or folder: name a tracker"),
    ("weights inspect text.pth", "text.pth: not readable as a file of weights"),
    (
        "weights import --model=siamcar_r50 --file=none.pth --out=w",
        "no such file of we",
    ),
    ("weights import --file=w.npz --out=w", "missing: --model"),
    ("weights export none --out=a.safetensors", "PATH=none: no such file or folder"),
    ("weights export lite --out=none/a.safetensors", "none: make it first"),
    (
        "weights export lite --out=a.pth",
        "the name of the file must end in .safetensors",
    ),
    ("tune --sequences=videos", "--checkpoint is missing: name a tracker that ships"),
    ("trax", "--checkpoint is missing: name a tracker that ships"),
    (
        "trax --checkpoint=lite --compile_for=640",
        "--compile_for=640: write WIDTHxHEIGH",
    ),
    ("demo --checkpoint=none", "no such file or folder: name a tracker that ships"),
    (
        "train --init=none.pth",
        "--init=none.pth: no such file or folder: name a tracker",
    ),
    # Places to write.
    ("train --workdir=file", "file is a file: name another folder"),
    ("train --workdir=file/run", "file is a file: name another folder"),
    ("train --workdir=/proc/run", "cannot write in /proc"),
    (EVAL + "--checkpoint=lite --out=file", "file is a file: name another folder"),
    ("export --out=full", "--out=full exists already: name another folder"),
    ("export --out=/proc/e", "--out=/proc/e: cannot write in /proc"),
    ("compose --out=file", "file is a file: name another folder"),
    ("demo --out=file/demo", "file is a file: name another folder"),
    (
        "pack --root=videos --out=full",
        "not made by `jaxtrack pack` or is damaged: choose",
    ),
    ("pack --root=videos --out=file", "file is a file: name another folder"),
    # Data and results.
    ("train --config.data.records=none", "no folder none: make it with `jaxtrack pac"),
    ("train --config.data.records=text", "text: no packed data (tracks.npz is missing"),
    ("pack", "--out is missing: name the folder to make"),
    ("pack --out=p", "nothing to pack: name a folder of sequences with --root, a tab"),
    ("pack --root=none --out=p", "none: no such folder"),
    ("pack --root=empty --out=p", "none of its folders holds groundtruth_rect.txt"),
    ("pack --root=videos --out=p --pattern=cat*", "no sequence 'cat*'; they are ball"),
    (
        "pack --dataset=lasott --root=videos --out=p",
        "training set: did you mean lasot?",
    ),
    ("pack --dataset=lasot --root=videos --out=p", "expected LaSOT's layout, <class>/"),
    ("pack --root=videos --out=p --shard=4/4", "expected i/n with i from 0 to n - 1"),
    ("pack --root=videos --out=p --quality=900", "--quality=900: expected 1 to 100"),
    ("pack check", "DIR is missing: name the folders to look through"),
    (
        "pack check text",
        "no packed data there; a dataset that is not packed needs --da",
    ),
    ("pack join --out=p", "nothing to join: name the folders OUT.incomplete"),
    ("eval --checkpoint=lite", "no source of sequences: name a folder by --sequences="),
    (EVAL, "nothing to score: give --checkpoint, --results or both"),
    ("eval --checkpoint=lite --sequences=none", "none: no such folder"),
    ("eval --checkpoint=lite --sequences=empty", "none of its folders holds groundtru"),
    ("eval --checkpoint=lite --benchmark=otb10 --root=videos", "did you mean otb100?"),
    ("eval --checkpoint=lite --benchmark=otb100", "--root is missing: name the folder"),
    (
        "eval --checkpoint=lite --benchmark=otb100 --root=videos",
        "expected OTB's layout",
    ),
    (EVAL + "--checkpoint=lite --protocol=ottb", "protocol 'ottb': did you mean otb?"),
    (EVAL + "--checkpoint=lite --preset=siamcar_otb10", "did you mean siamcar_otb100?"),
    (EVAL + "--checkpoint=lite --tuned=none.json", "(No such file or directory): name"),
    (
        EVAL + "--checkpoint=lite --heatmaps_of=dog",
        "--heatmaps_of=dog: no such sequenc",
    ),
    (EVAL + "--results=mine", "--results=mine: give NAME=DIR, such as KCF=out/KCF"),
    (EVAL + "--results=mine=none", "no folder of results none"),
    (EVAL + "--results=mine=empty", "no file is named after a sequence (ball.txt"),
    (EVAL + "--results=mine=short", "run the tracker on the whole sequence, or"),
    ("compose --out=c --photos=none", "no folder of photographs at none"),
    (
        "compose --out=c --photos=empty",
        "no photographs in empty: it needs files ending",
    ),
)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a sequence and all that can be wrong."""
    folder = tmp_path_factory.mktemp("here")
    images = np.full((90, 120, 3), 90, np.uint8)
    for place in ("videos/ball/img", "frames"):
        (folder / place).mkdir(parents=True)
        for number in (1, 2):
            cv2.imwrite(str(folder / place / f"{number:04d}.jpg"), images)
    for place in ("empty", "begun/checkpoints", "text", "full", "short"):
        (folder / place).mkdir(parents=True)
    texts = {
        "videos/ball/groundtruth_rect.txt": "10,20,30,40\n" * 2,
        "short/ball.txt": "10,20,30,40\n",
        "text/readme.txt": "These are no images.\n",
        "full/old.txt": "It was here first.\n",
        "file": "This is no folder.\n",
        "text.mp4": "This is no video.\n",
        "zero.mp4": "",
        "text.pth": "These are no weights.\n",
        "empty.py": "",
        "typo.py": "def get_config(:\n",
        "name.py": "def get_config():\n    return lr\n",
        "field.py": "from jaxtrack import config\n\n\ndef get_config():\n"
        "    changed = config.get_config()\n    changed.batch_sise = 8\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def contents(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def test_each_is_told_in_one_line_and_nothing_is_written(here, monkeypatch, capsys):
    monkeypatch.chdir(here)
    before, wrong = contents(here), []
    for typed, words in MISTAKES:
        said = refused(capsys, *shlex.split(typed))
        if words not in said:
            wrong.append((typed, said))
    assert not wrong
    assert contents(here) == before


def test_faults_of_the_system_say_what_to_do(capsys):
    for code, words in (
        (errno.ENOSPC, "a/b: No space left on device: free space, then run the"),
        (errno.EFBIG, "a/b: File too large: raise the limit on file sizes"),
        (errno.ENAMETOOLONG, "a/b: File name too long: give a shorter one"),
        (errno.EACCES, "a/b: Permission denied: choose another place, or change"),
    ):

        def fail(code=code):
            raise OSError(code, os.strerror(code), "a/b")

        with pytest.raises(SystemExit) as end:
            faults.guarded(fail)
        assert end.value.code == 2
        assert words in capsys.readouterr().err
    with pytest.raises(OSError, match="Bad file"):  # No user can fix that.
        faults.guarded(lambda: os.close(99_999))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_full_disk_below_the_output_ends_in_status_2():
    # All of it: what is told, and the line that says why it cannot be told.
    code = "from jaxtrack.cli import faults; faults.guarded(lambda: print('boxes'))"
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=full)
    assert done.returncode == 2


def start(*words, cwd, **options):
    """Starts the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "jaxtrack", *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def cpu_seconds():
    """Of all child processes so far: another program may hold a test up."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_it_is_told_within_two_seconds(here):
    quick = ("trian", "train --wokdir", "train --workdir=/proc/run", "track none.mp4")
    found = [
        typed for typed, _ in MISTAKES if typed.startswith((*quick, "export --out=f"))
    ]
    assert len(found) == 5
    for typed in found:
        before = cpu_seconds()
        process = start(*shlex.split(typed), cwd=here)
        said = process.communicate()[1]
        assert (process.returncode, said.count("\n")) == (2, 1)
        assert cpu_seconds() - before < 2, typed


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="Linux has it")
@pytest.mark.parametrize("presses", [1, 2, 3])
def test_ctrl_c_leaves_no_traceback(here, presses):
    process = start("export", "--checkpoint=lite", "--out=new", cwd=here)
    maps = pathlib.Path(f"/proc/{process.pid}/maps")
    while "jaxlib" not in maps.read_text():  # Its import begins.
        time.sleep(0.01)
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    lines = process.communicate()[1].splitlines()
    assert process.returncode == 130 and lines[-1] == "interrupted"
    assert set(lines[:-1]) <= {
        "stopping as soon as possible; press Ctrl-C again to stop now"
    }
    assert not (here / "new").exists()


@pytest.mark.slow
def test_a_closed_pipe_is_no_fault(here):
    with start("train", "--help", cwd=here) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_no_gpu_where_one_is_asked_for(here):
    environment = os.environ | {"JAX_PLATFORMS": "cuda", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "jaxtrack", *shlex.split(TRACK)]
    done = subprocess.run(
        command, cwd=here, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "no device to compute on: JAX_PLATFORMS=cuda" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
