"""Draws a contact sheet of training pairs: what `jaxtrack pack show` does."""

import pathlib
from collections.abc import Sequence

import cv2

from jaxtrack import config as config_lib
from jaxtrack import configs
from jaxtrack.cli import overrides
from jaxtrack.errors import InputError
from jaxtrack.training import pair_sheet

# Of each folder a number: those of the config are of other folders.
_A_FOLDER = ("record_weights", "num_use", "frame_ranges")


def draw(
    folders: Sequence[str],
    out: str | pathlib.Path,
    *,
    config: str,
    num: int,
    changes: Sequence[tuple[str, str]],
) -> None:
    """Draws pairs of packed folders as a training would see them.

    Args:
      folders: packed ones; none takes those of the config.
      out: the picture to write.
      config: name or path of the training's settings.
      num: how many pairs.
      changes: of settings, as typed.

    Raises:
      InputError: the data cannot be used, or the picture cannot be written.
    """
    settings = configs.load(config)
    if folders:
        data = settings.data
        data.root, data.records, data.composed_weight = "", tuple(folders), 0.0
        data.track_patterns = data.track_weights = ()
        data.update({name: () for name in _A_FOLDER})
    overrides.apply(settings, changes)
    config_lib.check(settings)
    sheet = pair_sheet.draw_pairs(settings, num=num)
    path = pathlib.Path(out)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_written = cv2.imwrite(str(path), sheet[..., ::-1])
    except (OSError, cv2.error):
        is_written = False
    if not is_written:
        raise InputError(f"cannot write {path}: name a .jpg or .png")
    print(f"{path}: {num} pairs")
