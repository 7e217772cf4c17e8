"""The division of a batch: over devices, into parts, and into groups of statistics."""

from typing import NamedTuple

from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.models.norms import WHOLE_BATCH, Statistics


class Division(NamedTuple):
    """How a device's share of a batch is divided.

    Attributes:
      parts: that go through the network one after the other.
      statistics: over which pairs batch normalizations compute theirs.
      is_exact: whether parts are accumulated exactly, by a second pass.
    """

    parts: int = 1
    statistics: Statistics = WHOLE_BATCH
    is_exact: bool = False


UNDIVIDED = Division()


def divide(config: ConfigDict, num_devices: int) -> Division:
    """Divides the batch as the settings say.

    Args:
      config: the settings.
      num_devices: of all processes.

    Raises:
      InputError: the batch does not divide evenly.
    """
    size, parts = config.run.batch_size, config.run.accumulate
    if size % (parts * num_devices):
        raise InputError(
            f"config.run.batch_size is {size}: make it a multiple of "
            f"{parts * num_devices} ({num_devices} devices x {parts} accumulation "
            "steps)"
        )
    kind, group = config.run.batch_norm, config.run.batch_norm_group
    if kind == "all":
        return Division(parts)
    if kind == "frozen":
        return Division(parts, Statistics(is_frozen=True), parts > 1)
    at_once = size // (parts * num_devices)
    if at_once % group == 0:
        return Division(parts, Statistics(at_once // group, 1), parts > 1)
    shared, rest = divmod(group, at_once)
    if rest or num_devices % shared:
        raise InputError(
            f"config.run.batch_norm_group is {group}: make it a divisor of {at_once}, "
            f"the pairs that a device computes at once, or {at_once} times a divisor "
            f"of {num_devices}, the number of devices"
        )
    return Division(parts, Statistics(devices=shared))


def lines(config: ConfigDict, num_devices: int) -> list[str]:
    """Describes how the batch is divided, and what depends on that.

    Args:
      config: the settings.
      num_devices: of all processes.

    Raises:
      InputError: see `divide`.
    """
    division = divide(config, num_devices)
    at_once = config.run.batch_size // (num_devices * division.parts)
    statistics = {
        "all": f"of {at_once * num_devices} pairs",
        "groups": f"of groups of {config.run.batch_norm_group} pairs",
        "frozen": "frozen",
    }
    lines = [f"statistics of batch normalization: {statistics[config.run.batch_norm]}"]
    if division.parts == 1:
        return lines
    lines.append(
        f"accumulated over {division.parts} parts of {at_once} pairs a device:"
    )
    if division.is_exact:
        return [*lines, "equal to the undivided batch, by a second forward pass"]
    return [
        *lines,
        "close to the undivided batch: counts and statistics are those of a part;",
        'config.run.batch_norm="groups" or "frozen" makes it equal',
    ]
