"""Trained trackers that ship with the package, by name."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError, suggest
from jaxtrack.weights import bundle

FOLDER = Path(__file__).parent / "shipped"


class Shipped(NamedTuple):
    """A tracker that ships with the package.

    Attributes:
      file: its weights and settings, in `FOLDER`; its model card is the `.md` by it.
      summary: one sentence.
      settings: dotted field of tracking -> value that differs from the file's.
    """

    file: str
    summary: str
    settings: Mapping[str, Any] = MappingProxyType({})


SHIPPED: Mapping[str, Shipped] = MappingProxyType(
    {
        "lite": Shipped(
            file="lite.safetensors",
            summary="SiamCAR on EfficientNet-Lite0, 0.8 million parameters, for a CPU.",
        ),
        "lite-fast": Shipped(
            file="lite.safetensors",
            summary="The same network with search crops of 192 instead of 256 px.",
            settings=MappingProxyType(
                {
                    "tracking.search_size": 192,
                    "tracking.score_slope": 12.9,
                    "tracking.score_middle": 0.79,
                }
            ),
        ),
    }
)


def load(name: str) -> bundle.Bundle:
    """Reads a tracker that ships with the package.

    Args:
      name: a key of `SHIPPED`.

    Raises:
      InputError: the name is unknown.
    """
    entry = _find(name)
    loaded = bundle.read(FOLDER / entry.file)
    config_lib.update(loaded.config, entry.settings, source=name)
    return loaded


def path(name: str) -> Path:
    """Returns the file of a tracker that ships with the package.

    Args:
      name: a key of `SHIPPED`.

    Raises:
      InputError: the name is unknown.
    """
    return FOLDER / _find(name).file


def card(name: str) -> str:
    """Returns a tracker's model card, in Markdown.

    Args:
      name: a key of `SHIPPED`.

    Raises:
      InputError: the name is unknown.
    """
    return path(name).with_suffix(".md").read_text("utf-8")


def listing() -> str:
    """Returns a line for each tracker that ships with the package."""
    width = max(map(len, SHIPPED))
    return "".join(f"{n:<{width}}  {one.summary}\n" for n, one in SHIPPED.items())


def _find(name: str) -> Shipped:
    """Finds a tracker by name."""
    if name in SHIPPED:
        return SHIPPED[name]
    raise InputError(f"no tracker {name!r} is shipped: {suggest(name, SHIPPED)}")
