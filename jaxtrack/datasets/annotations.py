"""Annotation files of video sequences and of stills.

Files hold `x, y, w, h` lines in continuous pixels; in memory boxes are xyxy.
"""

import dataclasses
import pathlib
import re

import numpy as np

from jaxtrack.errors import InputError

_BOX_FILES = ("groundtruth_rect.txt", "groundtruth.txt")
_FRAME_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


@dataclasses.dataclass(frozen=True)
class Sequence:
    """A video of one annotated object.

    Attributes:
      name: name of the folder.
      frames: image files in order of time, `T` of them.
      xyxy: boxes, `[T, 4]` float64 xyxy px; a row of NaN says the object is absent.
    """

    name: str
    frames: list[pathlib.Path]
    xyxy: np.ndarray


@dataclasses.dataclass(frozen=True)
class Still:
    """A photograph with the boxes of its objects.

    Attributes:
      path: the image file.
      xyxy: boxes, `[K, 4]` float64 xyxy px, `K >= 1`.
    """

    path: pathlib.Path
    xyxy: np.ndarray


def read_boxes(
    path: str | pathlib.Path, *, allow_absent: bool = False, min_rows: int = 1
) -> np.ndarray:
    """Reads one box a line: `x y w h` separated by commas, tabs or spaces.

    Args:
      path: the text file; blank lines at its end are ignored.
      allow_absent: whether a line with NaN, or of zero width or height, is allowed;
        it becomes a row of NaN.
      min_rows: least number of lines.

    Returns:
      Boxes, `[N, 4]` float64 xyxy px.

    Raises:
      InputError: if the file cannot be read or a line is not a box; it names the line.
    """
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8-sig").rstrip().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the boxes ({error})") from error
    lines = [line for line in lines if line] if lines == [""] else lines
    if len(lines) < min_rows:
        raise InputError(f"{path}: {len(lines)} boxes, needs at least {min_rows}")
    rows = [
        _parse_xywh(line, f"{path}, line {number}", allow_absent)
        for number, line in enumerate(lines, start=1)
    ]
    xywh = np.array(rows, np.float64).reshape(-1, 4)
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


def write_boxes(path: str | pathlib.Path, xyxy: np.ndarray) -> None:
    """Writes boxes as OTB result files have them: `x,y,w,h`, one a line.

    Args:
      path: the file to write.
      xyxy: boxes, `[N, 4]` px; NaN is written as `nan`.
    """
    xyxy = np.asarray(xyxy, np.float64)
    xywh = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    lines = [",".join(f"{value:.4f}" for value in row) for row in xywh]
    pathlib.Path(path).write_text("".join(line + "\n" for line in lines))


def read_sequence(
    folder: str | pathlib.Path, *, allow_absent: bool = False
) -> Sequence:
    """Reads the boxes of a sequence and lists its frames.

    Args:
      folder: holds `groundtruth_rect.txt` or `groundtruth.txt`, and the frames in
        `img/` or beside that file.
      allow_absent: see `read_boxes`.

    Returns:
      The sequence.

    Raises:
      InputError: if frames or boxes are absent, malformed or not equally many.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    box_file = _box_file(folder)
    if box_file is None:
        raise InputError(f"{folder}: has no {' or '.join(_BOX_FILES)}")
    image_dir = folder / "img" if (folder / "img").is_dir() else folder
    frames = list_frames(image_dir)
    xyxy = read_boxes(box_file, allow_absent=allow_absent)
    if len(frames) != len(xyxy):
        raise InputError(
            f"{folder}: {len(frames)} frames but {len(xyxy)} boxes in {box_file.name}"
        )
    return Sequence(folder.name, frames, xyxy)


def list_frames(folder: str | pathlib.Path) -> list[pathlib.Path]:
    """Lists the images of a folder by name, numbers in their numeric order.

    Args:
      folder: the folder; it is not searched deeper.

    Returns:
      Image files.

    Raises:
      InputError: if there is none.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    frames = [p for p in folder.iterdir() if p.suffix.lower() in _FRAME_SUFFIXES]
    if not frames:
        raise InputError(f"{folder}: holds no images ({', '.join(_FRAME_SUFFIXES)})")
    return sorted(frames, key=_natural)


def list_sequences(
    root: str | pathlib.Path, patterns: tuple[str, ...] = ("*",)
) -> list[pathlib.Path]:
    """Lists the folders of sequences directly below a folder.

    Args:
      root: the folder of sequences.
      patterns: glob patterns of folder names; one that fits nothing is an error.

    Returns:
      Folders that hold a box file, each once, ordered by name.

    Raises:
      InputError: if the folder is absent or a pattern fits no sequence.
    """
    root = pathlib.Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    found = set()
    for pattern in patterns:
        fits = {p for p in root.glob(pattern) if p.is_dir() and _box_file(p)}
        if not fits:
            raise InputError(
                f"{root}: no folder fits {pattern!r} and holds {_BOX_FILES[0]}"
            )
        found |= fits
    return sorted(found, key=_natural)


def read_stills(
    tsv: str | pathlib.Path, image_dir: str | pathlib.Path | None = None
) -> list[Still]:
    """Reads a table `image x y w h` of photographs, one object a line.

    Args:
      tsv: the table, tab-separated, with or without a line of column names; an image
        may stand on several lines.
      image_dir: folder of the images; by default `NAME/` beside `NAME_boxes.tsv` or
        `NAME.tsv` where that is a folder, else the folder of the table.

    Returns:
      One still an image, in the order of the table.

    Raises:
      InputError: if the table cannot be read, a line is malformed or an image absent.
    """
    tsv = pathlib.Path(tsv)
    if image_dir is None:
        beside = tsv.parent / tsv.stem.removesuffix("_boxes")
        image_dir = beside if beside.is_dir() else tsv.parent
    try:
        lines = tsv.read_text(encoding="utf-8-sig").rstrip().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{tsv}: cannot read the table ({error})") from error
    boxes: dict[pathlib.Path, list] = {}
    for number, line in enumerate(lines, start=1):
        name, _, rest = line.rstrip("\r").partition("\t")
        if number == 1 and name.strip().lower() == "image":
            continue
        where = f"{tsv}, line {number}"
        x, y, w, h = _parse_xywh(rest, where, allow_absent=False)
        path = pathlib.Path(image_dir) / name
        if path not in boxes and not path.is_file():
            raise InputError(f"{where}: no such image: {path}")
        boxes.setdefault(path, []).append([x, y, x + w, y + h])
    if not boxes:
        raise InputError(f"{tsv}: the table is empty")
    return [Still(path, np.array(rows, np.float64)) for path, rows in boxes.items()]


def _parse_xywh(line, where, allow_absent):
    """Returns the four numbers of a line, NaN where the object is absent."""
    words = [word for word in re.split(r"[,\s]+", line.strip()) if word]
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != 4 or any(abs(value) == np.inf for value in values):
        raise InputError(f"{where}: needs four numbers x y w h, found {line[:60]!r}")
    if any(value < 0 for value in values[2:]):
        raise InputError(f"{where}: a box of negative size: {line[:60]!r}")
    if all(value > 0 for value in values[2:]) and not np.isnan(values).any():
        return values
    if not allow_absent:
        raise InputError(f"{where}: a box of no size: {line[:60]!r}")
    return [np.nan] * 4


def _box_file(folder):
    """Returns the box file of a sequence, or None."""
    for name in _BOX_FILES:
        if (folder / name).is_file():
            return folder / name
    return None


def _natural(path):
    """Sorts `2.jpg` before `10.jpg`."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
