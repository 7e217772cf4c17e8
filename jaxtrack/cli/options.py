"""Options that several commands share."""

import argparse

from jaxtrack import config, datasets, trackers


def add_sequences(parser: argparse.ArgumentParser) -> None:
    """Defines the options that name sequences: plain folders or a benchmark.

    Args:
      parser: gets `--sequences`, `--benchmark`, `--root`, `--split`, `--pattern`.
    """
    group = parser.add_argument_group("sequences")
    group.add_argument(
        "--sequences",
        metavar="DIR",
        default="",
        help="folder of annotated sequences; this or --benchmark",
    )
    group.add_argument(
        "--benchmark",
        metavar="NAME",
        default="",
        help=f"one of {', '.join(datasets.DATASETS)}",
    )
    group.add_argument(
        "--root", metavar="DIR", default="", help="folder the benchmark unpacks to"
    )
    group.add_argument(
        "--split",
        metavar="NAME",
        default="",
        help="of the benchmark; its test set if not given",
    )
    group.add_argument(
        "--pattern",
        metavar="GLOB",
        action="append",
        default=[],
        help="names of the sequences to take, such as 'car*'; repeatable",
    )


def add_tracking(group: argparse._ArgumentGroup) -> None:
    """Defines the options that change tracking settings.

    Args:
      group: gets `--preset` and `--set`.
    """
    group.add_argument(
        "--preset",
        metavar="NAME",
        default="",
        help="track with the settings that public code used for one data set: "
        f"{', '.join(trackers.PRESETS)}",
    )
    group.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="change one tracking setting; repeatable. Fields: "
        f"{', '.join(_tracking_fields())}",
    )


def comma_separated(text: str) -> list[str]:
    """Splits `a,b,c`; an empty text has no parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def whole_number(text: str, *, least: int = 0) -> int:
    """Reads a whole number that is not too small.

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
            f"{text!r}: expected a whole number of at least {least}"
        )
    return number


def _tracking_fields() -> list[str]:
    """Settings that may change after a training, and what they may be."""
    fields = (field for field in config.FIELDS if config.is_of_tracking(field.name))
    return [f"{f.name} ({told})" if (told := f.range()) else f.name for f in fields]
