"""Helpers to define options, and the options that several commands share."""

import argparse
from typing import Any

from jaxtrack import config, configs, datasets, trackers

Group = argparse.ArgumentParser | argparse._ArgumentGroup

# Trackers that come with the package; `jaxtrack.weights.shipped` needs jax to say so.
SHIPPED = ("lite", "lite-fast")
# What `--checkpoint` takes.
TRACKER = f"a tracker that ships ({', '.join(SHIPPED)}), a .safetensors file, the "
TRACKER += "workdir of a training, or with --model any file of weights"


def add(group: Group, name: str, metavar: str, meaning: str, **options: Any) -> None:
    """Defines an option with a value; its default is "".

    Args:
      group: gets the option.
      name: of the option, with its dashes.
      metavar: stands for the value in `--help`.
      meaning: of the option; a default other than "" or None is appended.
      **options: of `argparse.ArgumentParser.add_argument`.
    """
    options = {"default": "", **options}
    if options["default"] not in ("", None):
        meaning += " (default: %(default)s)"
    if "choices" not in options:
        options["metavar"] = metavar
    group.add_argument(name, help=meaning, **options)


def add_list(group: Group, name: str, metavar: str, meaning: str) -> None:
    """Defines an option that may be repeated; its default is an empty list."""
    meaning += "; repeatable"
    group.add_argument(name, metavar=metavar, action="append", default=[], help=meaning)


def add_flag(group: Group, name: str, meaning: str) -> None:
    """Defines a flag."""
    group.add_argument(name, action="store_true", help=meaning)


def configs_known() -> str:
    """Lists the configs for `--help`: those in folders by their folder."""
    names = configs.names()
    folders = {name.split("/")[0] + "/*" for name in names if "/" in name}
    return f"one of {', '.join([n for n in names if '/' not in n] + sorted(folders))}"


def add_checkpoint(group: Group) -> None:
    """Defines `--checkpoint`."""
    add(group, "--checkpoint", "TRACKER", TRACKER)
    add_model(group)


def add_model(group: Group) -> None:
    """Defines `--model`."""
    meaning = "config of the network, such as siamcar_r50, if the checkpoint is a file "
    meaning += "of weights without settings (.pth, .npz, .safetensors)"
    add(group, "--model", "NAME", meaning)


def add_sequences(parser: argparse.ArgumentParser) -> None:
    """Defines the options that name sequences: plain folders or a benchmark.

    Args:
      parser: gets `--sequences`, `--benchmark`, `--root`, `--split`, `--pattern`,
        `--only`.
    """
    group = parser.add_argument_group("sequences")
    known = f"one of {', '.join(datasets.DATASETS)}"
    meaning = "folder of annotated sequences; this or --benchmark"
    add(group, "--sequences", "DIR", meaning)
    add(group, "--benchmark", "NAME", known)
    add(group, "--root", "DIR", "folder of the benchmark, as it unpacks")
    add(group, "--split", "NAME", "split of the benchmark (default: its test set)")
    add_list(group, "--pattern", "GLOB", "sequences to take, such as 'car*'")
    meaning = "text file with the names of the sequences to take, one a line"
    add(group, "--only", "LIST", meaning)


def add_strict(group: Group) -> None:
    """Defines `--strict`."""
    meaning = "stop at the first sequence that cannot be used (exit status 2)"
    add_flag(group, "--strict", meaning)


def add_processes(parser: argparse.ArgumentParser, meaning: str) -> Group:
    """Defines the options of a command that several processes may do together.

    Args:
      parser: gets `--distributed`, `--num_processes` and `--process_id`.
      meaning: of the first.

    Returns:
      The group of options.
    """
    group = parser.add_argument_group("several processes, of one machine or more")
    add_flag(group, "--distributed", meaning)
    meaning = "how many processes there are"
    add(group, "--num_processes", "N", meaning, type=whole_number, default=0)
    meaning = "the number of this one, from 0"
    add(group, "--process_id", "I", meaning, type=whole_number, default=0)
    return group


def add_tracking(group: Group) -> None:
    """Defines the options that change tracking settings.

    Args:
      group: gets `--preset` and `--set`.
    """
    presets = ", ".join(trackers.PRESETS)
    fields = [field for field in config.FIELDS if config.is_of_tracking(field.name)]
    names = [f"{f.name} ({r})" if (r := f.range()) else f.name for f in fields]
    meaning = "track with the settings of a public code: "
    add(group, "--preset", "NAME", meaning + presets)
    meaning = f"change one tracking setting, of {', '.join(names)}"
    add_list(group, "--set", "FIELD=VALUE", meaning)


def comma_separated(text: str) -> list[str]:
    """Splits `a,b,c`; an empty text has no parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def whole_number(text: str, *, least: int = 0) -> int:
    """Reads a whole number with a lower limit.

    Args:
      text: as typed.
      least: the smallest number allowed.

    Raises:
      argparse.ArgumentTypeError: it is no number, or too small.
    """
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(
            f"{text!r}: give a whole number of at least {least}"
        )
    return number


def count(text: str) -> int:
    """Reads a whole number of at least 1."""
    return whole_number(text, least=1)
