"""A TraX server, by which vot-toolkit runs a tracker: see docs/toolkits.md."""

import pathlib
import re
import shlex
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol

import numpy as np

from jaxtrack.errors import InputError, missing
from jaxtrack.metrics.regions import init_cxcywh

# The toolkit waits 30 s unless told otherwise, a first compilation included.
_TIMEOUT_SECONDS = 300


class Tracker(Protocol):
    """What is served, such as a `jaxtrack.session.Session`."""

    def init(
        self, image: np.ndarray, xywh: Sequence[float]
    ) -> tuple[np.ndarray, float]:
        """Starts on a picture; returns box and confidence."""

    def update(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """Finds the target in the next picture; returns box and confidence."""


def serve(tracker: Tracker, *, name: str = "jaxtrack", polygon: str = "area") -> None:
    """Answers a TraX client until it quits.

    TraX counts coordinates from the picture's top-left edge, as this package does, so
    rectangles pass unchanged. Each answer is a rectangle with the property
    `confidence`. A fault is told to the client before it is raised here.

    Args:
      tracker: of one target, compiled already: the client's clock
        starts with the handshake.
      name: told to the client.
      polygon: what a polygon becomes, see `box_of_polygon`.

    Raises:
      InputError: if the package vot-trax is missing, the client gives a target or a
        picture that cannot be used, or goes without a word.
    """
    trax = import_trax()
    regions = [trax.Region.RECTANGLE, trax.Region.POLYGON]
    server = trax.Server(regions, [trax.Image.PATH], tracker_name=name)
    try:
        while (request := server.wait()).type != trax.TraxStatus.QUIT:
            xywh, score = _reply(tracker, request, polygon)
            region = trax.Rectangle.create(*map(float, xywh))
            server.status([(region, {"confidence": f"{score:.6f}"})])
    except trax.TraxException as fault:
        raise InputError(f"the TraX client is gone: {fault}") from fault
    except Exception as fault:
        server.quit(reason=" ".join(str(fault).split()) or type(fault).__name__)
        raise
    server.quit()


def box_of_polygon(
    points: Sequence[Sequence[float]], *, rule: str = "area"
) -> np.ndarray:
    """Puts an upright box around a polygon whose corners are pixels' indices.

    A pixel i covers [i, i + 1), so centers move by half a pixel and sides, which count
    pixels, stay.

    Args:
      points: `[K, 2]` corners in order, pixel indices.
      rule: "area", as pysot starts on four corners, see `metrics.regions.init_cxcywh`;
        "bounds", all around, which every other number of corners gets too.

    Returns:
      `[4]` float64 xywh, pixels from the top-left edge.

    Raises:
      ValueError: if the rule is another.
    """
    if rule not in ("area", "bounds"):
        raise ValueError(f"polygon is 'area' or 'bounds', not {rule!r}")
    points = np.asarray(points, np.float64)
    if rule == "area" and len(points) == 4:
        center, size = np.split(init_cxcywh(points.reshape(8)), 2)
    else:
        low, high = points.min(axis=0), points.max(axis=0)
        center, size = (low + high + 1) / 2, high - low + 1
    return np.concatenate([center - size / 2, size])


def ini_section(checkpoint: str, *, name: str = "", options: Sequence[str] = ()) -> str:
    """Writes the section of trackers.ini that starts this server.

    Args:
      checkpoint: what `jaxtrack.load` takes.
      name: of the tracker, letters, digits, "-" and "_"; "" takes the folder's.
      options: more options of the server.

    Returns:
      The section, for vot-toolkit in this or another environment.

    Raises:
      InputError: if the toolkit does not take the name.
    """
    path = pathlib.Path(checkpoint)
    # A shipped tracker's name is no path; the server starts in another folder.
    is_name = path.name == str(checkpoint) and not path.suffix and not path.exists()
    source = checkpoint if is_name else path.absolute()
    folder_name = path.stem if path.suffix == ".safetensors" else path.absolute().name
    name = name or re.sub(r"[^a-zA-Z0-9_-]", "_", folder_name)
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
        raise InputError(f"--name={name!r}: use letters, digits, - and _ only")
    command = [sys.executable, "-m", "jaxtrack", "trax", f"--checkpoint={source}"]
    # Python's configparser takes a lone % for a reference.
    command = shlex.join([*command, *options]).replace("%", "%%")
    lines = (
        f"[{name}]",
        f"label = {name}",
        "protocol = trax",
        f"command = {command}",
        f"timeout = {_TIMEOUT_SECONDS}",
    )
    return "\n".join(lines) + "\n"


def import_trax() -> ModuleType:
    """Imports TraX, which is an extra.

    Raises:
      InputError: if it is not installed.
    """
    try:
        import trax
    except ImportError:
        raise InputError(missing("trax")) from None
    return trax


def _reply(tracker, request, polygon):
    """Starts or follows as a request says; returns xywh and the confidence."""
    from jaxtrack.tracking.video import read_image

    image = read_image(pathlib.Path(request.image["color"].path()))
    if request.type == "initialize":
        return tracker.init(image, _first_xywh(request.objects, polygon))
    return tracker.update(image)


def _first_xywh(objects, polygon):
    """Turns the client's one target into a box."""
    if len(objects) != 1:
        raise InputError(f"{len(objects)} targets at once: this tracker follows one")
    region = objects[0][0]
    if region.type == "polygon":
        return box_of_polygon(list(region), rule=polygon)
    if region.type != "rectangle":
        raise InputError(f"a target as {region.type}: give a rectangle or a polygon")
    return np.array(region.bounds())
