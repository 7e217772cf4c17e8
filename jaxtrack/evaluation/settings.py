"""Settings to track with instead of a checkpoint's own, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.evaluation.tuning import tuned
from jaxtrack.trackers import find_preset


@dataclass(frozen=True)
class TrackingSettings:
    """Settings, and what a report must say about scores with them.

    Attributes:
      tracking: dotted field of tracking -> value.
      source: where each comes from, ready for `json.dumps`.
      tuning: the outcome of a tuning that is part of them, or None.
    """

    tracking: Mapping[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    tuning: Mapping[str, Any] | None = None

    def about(
        self, hashes: Mapping[str, str], weights: Mapping[str, str | None]
    ) -> tuple[dict[str, Any], list[str]]:
        """What a report must say about scores with these settings.

        Args:
          hashes: name of a scored sequence -> its hash; see `manifest.hash_sequence`.
          weights: name of a tracker that was run -> their hash, None where unknown.

        Returns:
          Where they come from, and sentences that a reader must see first.
        """
        if self.tuning is None:
            return dict(self.source), []
        overlaps, lines = tuned.describe(self.tuning, hashes)
        tuned_for = self.tuning["tuned_on"].get("checkpoint", {}).get("weights")
        lines += [
            f"{name} is tracked with settings that were tuned for other weights"
            for name, own in weights.items()
            if None not in (own, tuned_for) and own != tuned_for
        ]
        return self.source | {"tuned": {**self.source["tuned"], **overlaps}}, lines


def choose(
    *,
    preset: str = "",
    tuned_file: str = "",
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> TrackingSettings:
    """Joins settings; later ones win: preset, tuning, changes.

    Args:
      preset: name of a public code's settings; "" takes none.
      tuned_file: outcome of a tuning; "" takes none.
      changes: field -> value.

    Returns:
      The settings.

    Raises:
      InputError: no such preset or file, or a field that is not one of tracking.
    """
    tracking, source, tuning = {}, {}, None
    if preset:
        public = find_preset(preset)
        tracking |= public.settings
        source["preset"] = public.description(preset)
    if tuned_file:
        tuning = tuned.read(tuned_file)
        tracking |= tuning["tracking"]
        source["tuned"] = {"file": str(tuned_file)}
    if changes:
        tracking |= changes
        source["set"] = dict(changes)
    for name in tracking:
        if not config_lib.is_known(name):
            raise InputError(config_lib.unknown(name))
        if not config_lib.is_of_tracking(name):
            raise InputError(
                f"{name} is fixed by training: choose from the groups "
                f"{' and '.join(config_lib.TRACKING)}"
            )
    config = config_lib.get_config()
    config_lib.update(config, tracking, source="--set")
    config_lib.check_ranges(config)
    return TrackingSettings(tracking, source, tuning)
