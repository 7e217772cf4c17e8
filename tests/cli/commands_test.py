"""Tests for what all commands share: help, faults, exit codes; and the three doors."""

import pathlib
import resource
import subprocess
import sys
import types

import pytest

import jaxtrack
from jaxtrack import cli
from jaxtrack.errors import InputError
from tests.refusals import refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPU_SECONDS_FOR_HELP = 1.0
PARTS = {
    "annotate_files",
    "arguments",
    "checks",
    "demo_clip",
    "demo_training",
    "faults",
    "first_box",
    "interrupts",
    "options",
    "overrides",
    "page",
    "parsing",
    "pack_show",
    "skipped",
    "video",
    "weights_inspect",
}


def test_every_module_is_a_command_or_a_part():
    files = {path.stem for path in (ROOT / "jaxtrack" / "cli").glob("[!_]*.py")}
    assert files - set(cli.COMMANDS) == PARTS
    assert set(cli.COMMANDS) <= files


def test_help_of_all_commands_is_fast_and_imports_no_jax():
    script = (
        "import contextlib, sys\n"
        "from jaxtrack import cli\n"
        "for name in cli.COMMANDS:\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        cli.main([name, '--help'])\n"
        "cli.main(['--help'])\n"
        "heavy = {'jax', 'flax', 'orbax', 'tensorflow_datasets', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = subprocess.run([sys.executable, "-c", script], capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert found.returncode == 0, found.stderr.decode()
    for name in cli.COMMANDS:
        assert f"usage: jaxtrack {name} ".encode() in found.stdout
        assert f"\n  {name} ".encode() in found.stdout
    # All of them together, each line of which costs less.
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < CPU_SECONDS_FOR_HELP


def test_help_lists_the_values_of_options(capsys):
    train = ["siamcar_lite0", "cract/*", "--config.optimizer.lr=0.005"]
    runs = ["otb100", "vot2018", "siamcar_otb100", "no_first", "tracking.size_rate"]
    tune = ["tpe,random,grid", "auc,ao", "got10k_val", "tracking.refined_weight"]
    for command, words in {"train": train, "eval": runs, "tune": tune}.items():
        with pytest.raises(SystemExit) as end:
            cli.main([command, "--help"])
        assert end.value.code == 0
        told = capsys.readouterr().out
        for word in words:
            assert word in told


def test_the_first_screen_of_help_is_a_sentence_and_examples(capsys):
    for name in cli.COMMANDS:
        with pytest.raises(SystemExit):
            cli.main([name, "--help"])
        usage, sentence, title, *lines = (
            line for line in capsys.readouterr().out.splitlines() if line
        )
        assert usage.startswith(f"usage: jaxtrack {name} ")
        assert sentence.endswith(".") and title == "Examples:"
        assert sum(line.startswith("  ") for line in lines[:3]) == 3, name
        assert max(map(len, (sentence, *lines))) <= 100, name
        assert not any(line.startswith("positional") for line in lines)


def test_without_a_command_the_commands_are_listed(capsys):
    cli.main([])
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in cli.COMMANDS)
    cli.main(["--version"])
    assert capsys.readouterr().out == f"jaxtrack {jaxtrack.__version__}\n"
    assert "did you mean train?" in refused(capsys, "trian")


def test_wrong_options_of_a_training(tmp_path, capsys):
    workdir = tmp_path / "run"
    for arg, message in (
        ("--wokdir=x", "unknown option --wokdir: did you mean --workdir?"),
        ("runs", "unexpected argument 'runs'"),
        ("--config", "--config: expected one argument"),
        ("--config=configs/none.py", "no config file configs/none.py"),
        ("--config=siamcar_light0", "did you mean siamcar_lite0?"),
        ("--config.batch_sise=8", "did you mean run.batch_size?"),
        ("--config.run.batch_size=many", "give a whole number such as"),
        ("--config.optimizer.schedule=linear", "optimizer.schedule is 'linear'"),
    ):
        assert message in refused(capsys, "train", f"--workdir={workdir}", arg)
        assert not workdir.exists()


def test_settings_belong_to_commands_that_have_a_config(capsys):
    said = refused(capsys, "track", "--config.run.batch_size=8")
    assert "unknown option --config.run.batch_size" in said


def command_that(call):
    """A command without options."""
    return types.SimpleNamespace(
        __doc__="A test.", add_arguments=lambda parser: None, run=lambda args: call()
    )


def test_faults_end_as_their_kind_says(capsys):
    def damaged():
        raise InputError("a.jpg is damaged:\n  replace it")

    def interrupted():
        raise KeyboardInterrupt

    for call, code, said in (
        (damaged, 2, "error: a.jpg is damaged: replace it\n"),
        (interrupted, 130, "interrupted\n"),
    ):
        with pytest.raises(SystemExit) as end:
            cli.run_command(command_that(call), [], prog="jaxtrack test")
        assert (end.value.code, capsys.readouterr().err) == (code, said)
    with pytest.raises(ZeroDivisionError):
        cli.run_command(command_that(lambda: 1 / 0), [], prog="jaxtrack test")


def test_the_doors_lead_to_their_commands():
    doors = [["train.py"], ["eval.py"], ["track.py"], ["-m", "jaxtrack", "demo"]]
    for door in doors:
        command = [sys.executable, *door, "--qqqqqq=1"]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        name = door[-1].removesuffix(".py")
        said = f"error: unknown option --qqqqqq (see jaxtrack {name} --help)\n"
        assert (found.returncode, found.stderr) == (2, said)
