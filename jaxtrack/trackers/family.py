"""The type of a tracker: a paper's choices as functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.assign import Assigner, label_batch
from jaxtrack.errors import InputError
from jaxtrack.models import siamese as siamese_network
from jaxtrack.models.backbones import BACKBONES, Backbone, Rules
from jaxtrack.models.light import CORRELATIONS
from jaxtrack.models.siamese import Forward
from jaxtrack.trackers import describe
from jaxtrack.tracking import Tracker, siamese

DESIGNS = ("released", "light")
PARTS = ("correlation", "localization", "aggregation_center", "refinement", "pooling")
Batch = Mapping[str, jax.Array]
Outputs = Mapping[str, jax.Array]
Metrics = dict[str, jax.Array]


class Loss(Protocol):
    """A device's share of a loss that is normalized over all devices."""

    def __call__(
        self, outputs: Outputs, batch: Batch, *, axis_name: str | None = None
    ) -> tuple[jax.Array, Metrics]:
        """Returns shares of the loss and of the metrics, `[]` each, to be summed.

        Args:
          outputs: the network's outputs.
          batch: the batch that was passed to `Forward`.
          axis_name: mapped axis of devices that share the batch.
        """


class BuildNetwork(Protocol):
    """Builds a network."""

    def __call__(
        self, config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
    ) -> nn.Module:
        """Returns a module with the interface of `jaxtrack.models.siamese.Siamese`.

        It has `geometry`, `anchors`, `encode_template`, `encode_search`, `predict`, and
        `__call__(z_image, x_image)`, which creates all variables.

        Args:
          config: the config; its group `model` is read.
          search_size: side of the search crop, pixels; 0 takes the network's own.
          axis_name: mapped axis over which batch normalization shares its statistics.

        Raises:
          InputError: the network does not have a choice of the config, or does not
            support that crop size.
        """


class LabelLoss(Protocol):
    """A loss of targets and labels, such as `siamcar.siamcar_loss`."""

    def __call__(
        self,
        outputs: Outputs,
        xyxy: jax.Array,
        labels: jax.Array,
        *,
        axis_name: str | None = None,
    ) -> tuple[jax.Array, Metrics]:
        """Returns the same as `Loss`, from the labels of `assign.label_batch`."""


class BuildLoss(Protocol):
    """Builds a loss together with its label assigner."""

    def __call__(
        self, config: ConfigDict, network: nn.Module, *, assign: Assigner | None = None
    ) -> Loss:
        """Returns the loss.

        Args:
          config: the config; its groups `labels` and `loss` are read.
          network: its `geometry` gives the positions of cells and `anchors`.
          assign: labels one example; None uses the assigner named in the config.
        """


def label_first(assign: Assigner, loss: LabelLoss) -> Loss:
    """Returns a loss that labels its batch.

    Args:
      assign: labels one example.
      loss: computes the loss from the labels.
    """

    def of_batch(
        outputs: Outputs, batch: Batch, *, axis_name: str | None = None
    ) -> tuple[jax.Array, Metrics]:
        return loss(outputs, *label_batch(assign, batch), axis_name=axis_name)

    return of_batch


class WeightNames(NamedTuple):
    """The names of a network's variables in PyTorch code.

    Attributes:
      rules: from a path in our variables, joined by dots, to PyTorch's name: regular
        expressions and their replacements, applied in order.
      backbone: prefix of the backbone's names.
      unused: regular expression of the keys of an ImageNet network, without that
        prefix, that the backbone leaves out.
      transposed: prefixes of the paths of transposed convolutions.
      widened: regular expression of the backbone's kernels, without that prefix, that
        may be 1x1 in an ImageNet network, and are 3x3 in ours.
      imagenet: source of the backbone's weights; see
        `jaxtrack.models.backbones.Backbone`.
      codes: name of another code base -> its rules, where it names the ImageNet network
        of the backbone differently.
      leftover: regular expression of the keys of the tracker's public files that its
        network does not use.
      exported: from a name in the tracker's public ONNX files, which lack the names of
        the parts, to that in its state dict.
    """

    rules: Rules
    backbone: str = "backbone."
    unused: str = r"$^"
    transposed: tuple[tuple[str, ...], ...] = ()
    widened: str = r"$^"
    imagenet: str = ""
    codes: Mapping[str, Rules] = MappingProxyType({})
    leftover: str = r"$^"
    exported: Rules = ()


@dataclass(frozen=True)
class Preset:
    """Tracking settings that public code used on one dataset.

    Attributes:
      settings: field of the config -> value.
      source: where the numbers are published.
      tuned_on: the split that they were tuned on, as far as the code says.
      note: a remark on the numbers, or "".
    """

    settings: Mapping[str, str | float | int | bool]
    source: str
    tuned_on: str = "unknown"
    note: str = ""

    def __post_init__(self):
        """Makes the settings read-only."""
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def description(self, name: str) -> dict[str, Any]:
        """Returns the preset's entry in reports, ready for `json.dumps`."""
        return {
            "preset": name,
            "settings": dict(self.settings),
            "tuned_on": self.tuned_on,
            "source": self.source,
            "note": self.note,
        }


def no_names(config: ConfigDict) -> WeightNames | None:
    """Returns None: no public weights of this tracker can be read."""
    del config


@dataclass(frozen=True)
class Family:
    """A tracker: a paper's choices, as functions.

    The rest of the package does not depend on any tracker's name.

    Attributes:
      network: builds the network.
      loss: builds the loss that a training step minimizes.
      forward: `(config, network) -> Forward`.
      tracker: `(config, network) -> Tracker`.
      names: `config -> WeightNames`, or None where no public weights can be read.
      presets: name -> tracking settings of public code.
    """

    network: BuildNetwork
    loss: BuildLoss
    forward: Callable[[ConfigDict, nn.Module], Forward] = siamese_network.make_forward
    tracker: Callable[[ConfigDict, nn.Module], Tracker] = siamese.make
    names: Callable[[ConfigDict], WeightNames | None] = no_names
    presets: Mapping[str, Preset] = field(default_factory=dict)


def selection_settings(
    selection: str, penalty: float, window: float, size_rate: float
) -> dict[str, Any]:
    """Returns the settings of a selection; "released" reads only the first four.

    Public names are translated: `penalty_k` is our `penalty`, `window_influence`
    (SiamCAR: `window_lr`) our `window`, `lr` (video_analyst: `test_lr`) our
    `size_rate`. The three mean the same in `jaxtrack.tracking.selection`: penalty
    `exp(-(change - 1) * penalty)`, score `(1 - window) * penalised + window * hann`,
    and the new size has the weight `size_rate` times penalty and score.

    Args:
      selection: the selection that the numbers are for.
      penalty: cost of a change of size or shape.
      window: weight of the Hann window.
      size_rate: largest weight of the new size.
    """
    settings = {
        "tracking.selection": selection,
        "tracking.penalty": penalty,
        "tracking.window": window,
        "tracking.size_rate": size_rate,
    }
    if selection != "released":
        settings |= {
            "tracking.quality_power": 1.0,
            "tracking.num_boxes": 1,
            "tracking.boxes_from": "neighbors",
            "tracking.rate_by_quality": True,
        }
    return settings


def choices(config: ConfigDict, **allowed: tuple[str, ...]) -> dict[str, str]:
    """Checks the parts of a network that the config chooses.

    Args:
      config: the config.
      **allowed: one of `PARTS` -> the network's options; the first is the default where
        the setting is "". The network has none of the parts that are left out.

    Returns:
      Part -> choice.

    Raises:
      InputError: the network does not have that choice.
    """
    chosen = {}
    for part in PARTS:
        names = allowed.get(part, ("none",))
        wanted = config.model[part]
        chosen[part] = wanted or names[0]
        if chosen[part] not in names:
            raise InputError(
                f"{part}: {describe(config)} has {', '.join(names)}, not {wanted!r}"
            )
    return chosen


def backbone_of(config: ConfigDict) -> tuple[Backbone, bool]:
    """Returns the backbone named in the config, and whether the design is light.

    "released" is a paper's own design: its widths, and correlations of levels that
    have one stride.
    "light" is small: a cosine correlation of one map that fuses the levels, and
    narrow heads.

    Args:
      config: the config.

    Returns:
      The backbone, and whether the design is "light".

    Raises:
      InputError: the backbone is unknown, or the design does not fit it.
    """
    name, design = config.model.backbone, config.model.design
    backbone = _named(config)
    if design not in DESIGNS:
        raise InputError(f"model.design: {design!r} is not one of {', '.join(DESIGNS)}")
    if design == "released" and set(backbone.strides) != {8}:
        strides = ", ".join(map(str, backbone.strides))
        raise InputError(
            f"model.design: 'released' correlates levels of stride 8, those of {name} "
            f"have strides {strides}: use 'light'"
        )
    return backbone, design == "light"


def _named(config):
    """Returns the backbone named in the config."""
    name = config.model.backbone
    if name not in BACKBONES:
        raise InputError(
            f"model.backbone: {name!r} is not one of {', '.join(BACKBONES)}"
        )
    return BACKBONES[name]


def correlations(config: ConfigDict) -> tuple[str, ...]:
    """Returns the correlations that the design supports, its default first."""
    return CORRELATIONS if backbone_of(config)[1] else ("depthwise",)


def backbone_names(config: ConfigDict, public: Rules) -> WeightNames:
    """Returns names of weights with the backbone named as in its public code.

    Args:
      config: the config.
      public: names of the other parts in the public code of the tracker.
    """
    backbone = _named(config)
    return WeightNames(
        rules=(*backbone.names, *public),
        unused=backbone.unused,
        widened=backbone.widened,
        imagenet=backbone.imagenet,
        codes={code: (*rules, *public) for code, rules in backbone.codes.items()},
    )
