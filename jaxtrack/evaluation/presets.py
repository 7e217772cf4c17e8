"""Presets: the tracking settings that public code used, each for one dataset.

Public names are translated: `penalty_k` is our `penalty`, `window_influence` (SiamCAR:
`window_lr`) our `window`, `lr` (video_analyst: `test_lr`) our `size_rate`. The three
mean the same in `tracking.selection`: penalty `exp(-(change - 1) * penalty)`, score
`(1 - window) * penalised + window * hann`, and a new size that enters by the share
`size_rate` times penalty and score. Which selection they belong to is a part of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jaxtrack.errors import InputError

_PYSOT = "STVIR/pysot d04028f, experiments/"
_SIAMCAR = "ohhhyeahhh/SiamCAR 76ddd52, HP_SEARCH of its configuration"
_SIAMCAR_OLD = "ohhhyeahhh/SiamCAR bd85ec9"
_ANALYST = "MegviiDetection/video_analyst f4d1bcc"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Preset:
    """Settings of one public tracker on one dataset.

    Attributes:
      name: key in `PRESETS`.
      settings: field of `jaxtrack.config.TRACKING` -> value.
      tuned_on: the split that the public code found them on, as far as it says.
      source: where the numbers stand.
      note: what is to be known about them, or "".
    """

    name: str
    settings: Mapping[str, str | float | int | bool]
    tuned_on: str
    source: str
    note: str = ""

    def __post_init__(self):
        """Keeps the settings from being changed."""
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def stamp(self) -> dict:
        """Returns what reports carry, ready for `json.dumps`."""
        return {
            "preset": self.name,
            "settings": dict(self.settings),
            "tuned_on": self.tuned_on,
            "source": self.source,
            "note": self.note,
        }


def _pysot(config, dataset, penalty, window, size_rate):
    """SiamRPN++; the order is that of pysot's files."""
    return Preset(
        name=f"siamrpnpp_{config}_{dataset}",
        settings=_settings("pysot", penalty, window, size_rate),
        tuned_on=UNKNOWN,
        source=f"{_PYSOT}, SiamRPN++ with ResNet-50, {config}",
    )


def _siamcar(dataset, size_rate, penalty, window, *, is_old=False):
    """SiamCAR; the order is that of its lists, lr first."""
    note = (
        "The code keeps a set for each test set and names it HP_SEARCH: it was likely "
        "searched on that test set itself."
    )
    settings = _settings("released", penalty, window, size_rate)
    if is_old:
        # That commit selects otherwise, by the mean of the two best of nine cells.
        del settings["selection"]
        note = "Numbers alone: that commit's selection is not built here."
    return Preset(
        name=f"siamcar_{'old_' * is_old}{dataset}",
        settings=settings,
        tuned_on=UNKNOWN,
        source=_SIAMCAR_OLD if is_old else _SIAMCAR,
        note=note,
    )


def _siamla(dataset, size_rate, penalty, window):
    """SiamLA; its paper says no more than "the same testing strategy with SiamCAR"."""
    voting = {"num_boxes": 3, "rate_by_quality": False}
    return Preset(
        name=f"siamla_{dataset}",
        settings=_settings("clean", penalty, window, size_rate) | voting,
        tuned_on=UNKNOWN,
        source=f"Nie et al., SiamLA, section IV-A; numbers of {_SIAMCAR}",
        note="The paper tests as SiamCAR does, whose numbers these are.",
    )


def _siamfcpp(suffix, penalty, window, size_rate):
    """SiamFC++ with GoogLeNet."""
    return Preset(
        name=f"siamfcpp{suffix}",
        settings=_settings("pysot", penalty, window, size_rate),
        tuned_on=UNKNOWN,
        source=f"{_ANALYST}, SiamFC++ with GoogLeNet",
        note="Its HPO.md describes a search on validation data.",
    )


def _settings(selection, penalty, window, size_rate):
    """Returns the fields of a selection; "released" reads the first four alone."""
    settings = {
        "selection": selection,
        "penalty": penalty,
        "window": window,
        "size_rate": size_rate,
    }
    if selection != "released":
        settings |= {"quality_power": 1.0, "num_boxes": 1, "rate_by_quality": True}
    return settings


_ALL = (
    _pysot("r50", "vot", 0.05, 0.42, 0.38),
    _pysot("r50", "otb", 0.24, 0.5, 0.25),
    _pysot("8gpu", "vot", 0.04, 0.44, 0.33),
    _pysot("8gpu", "otb", 0.24, 0.5, 0.25),
    _pysot("16gpu", "vot", 0.01, 0.40, 0.38),
    _siamcar("otb100", 0.35, 0.2, 0.45),
    _siamcar("got10k", 0.7, 0.06, 0.1),
    _siamcar("uav123", 0.4, 0.2, 0.3),
    _siamcar("lasot", 0.33, 0.04, 0.3),
    _siamcar("otb50", 0.15, 0.1, 0.4, is_old=True),
    _siamcar("got10k", 0.6, 0.04, 0.1, is_old=True),
    _siamcar("uav123", 0.39, 0.04, 0.37, is_old=True),
    _siamcar("lasot", 0.33, 0.04, 0.4, is_old=True),
    _siamcar("vot2019", 0.41, 0.04, 0.3, is_old=True),
    _siamla("otb100", 0.35, 0.2, 0.45),
    _siamla("got10k", 0.7, 0.06, 0.1),
    _siamla("uav123", 0.4, 0.2, 0.3),
    _siamla("lasot", 0.33, 0.04, 0.3),
    _siamfcpp("", 0.04, 0.21, 0.52),
    _siamfcpp("_otb100", 0.0433, 0.2369, 0.5384),
    Preset(
        name="cract",
        settings=_settings("pysot", 0.0, 0.0, 1.0),
        tuned_on=UNKNOWN,
        source="Fan and Ling, CRACT (arXiv:2011.12483)",
        note="For every dataset: the paper speaks of neither penalty nor window.",
    ),
)
PRESETS = MappingProxyType({preset.name: preset for preset in _ALL})


def find(name: str) -> Preset:
    """Returns the preset of that name, with where its numbers come from.

    Args:
      name: key in `PRESETS`.

    Raises:
      InputError: there is none.
    """
    if name not in PRESETS:
        raise InputError(f"unknown preset {name!r}: choose from {', '.join(PRESETS)}")
    return PRESETS[name]


def preset(name: str) -> dict[str, str | float | int | bool]:
    """Returns a preset's settings, as `runner.open_checkpoint` takes them.

    Args:
      name: key in `PRESETS`.

    Returns:
      Field of `jaxtrack.config.TRACKING` -> value.

    Raises:
      InputError: there is none.
    """
    return dict(find(name).settings)
