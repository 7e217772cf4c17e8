"""Flags that the studies share; each command defines them when it is run."""

from absl import flags

from experiments import folds, settings


def define(*, out: str, pairs: int, seeds: int) -> None:
    """Defines `--pairs`, `--seeds`, `--out`, `--jobs`, `--set`, `--summary_only`.

    Args:
      out: default folder of the study.
      pairs: default number of pairs of a training.
      seeds: default number of seeds.
    """
    flags.DEFINE_integer("pairs", pairs, "Pairs that each training sees.")
    flags.DEFINE_integer("seeds", seeds, "Trainings of each kind.", lower_bound=1)
    flags.DEFINE_string("out", out, "Everything is written here.")
    flags.DEFINE_integer("jobs", 1, "Trainings at once.", lower_bound=1)
    flags.DEFINE_multi_string(
        "set", [], "FIELD=VALUE, a Python literal; a setting of every training."
    )
    flags.DEFINE_bool("summary_only", False, "Only print what is finished.")


def define_data() -> None:
    """Defines `--root`, `--folds`, `--train`, `--held_out`: which real video to use."""
    flags.DEFINE_string("root", "", "Folder with sequences/ and images/.")
    flags.DEFINE_integer("folds", 2, "Into which sequences to train on are divided.")
    flags.DEFINE_multi_string("train", list(folds.TRAIN), "Sequences to train on.")
    flags.DEFINE_multi_string("held_out", list(folds.HELD_OUT), "Never trained on.")


def overrides() -> dict:
    """Returns what `--set` asks for."""
    return settings.parse_overrides(flags.FLAGS["set"].value)
