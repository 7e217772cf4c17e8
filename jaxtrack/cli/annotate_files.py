"""Labels a video from a few boxes: reads the known ones, tracks, writes a sequence."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from jaxtrack import annotation, locks
from jaxtrack import session as session_lib
from jaxtrack.annotation import Labels
from jaxtrack.cli import first_box
from jaxtrack.datasets import files, frame_files
from jaxtrack.datasets.pictures import read_image
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.tracking.sources import image_files
from jaxtrack.tracking.video import FrameReader

_HEADER = "frame,x,y,w,h"
_MOST_SHOWN, _COLUMNS, _WIDTH = 12, 4, 320
_QUALITY = 95


class Least(NamedTuple):
    """From which numbers on a box is kept.

    Attributes:
      agreement: IoU of both ways.
      score: of the tracker.
    """

    agreement: float
    score: float


class _Counted(NamedTuple):
    """A session that moves a bar."""

    session: session_lib.Session
    bar: tqdm

    def init(self, image, xywh):
        """Starts."""
        return self.session.init(image, xywh)

    def update(self, image):
        """Follows."""
        # A way back that is lost is tried again: how many frames is not known before.
        self.bar.total = max(self.bar.total, self.bar.n + 1)
        self.bar.update()
        return self.session.update(image)


def run(
    video: str, out: str, *, box: str, checkpoint: str, model: str, least: Least
) -> None:
    """Labels a video and writes what was found.

    Args:
      video: a file, or a folder of images.
      out: folder of the sequence.
      box: "x,y,w,h" in the first frame, or "": `<out>/keys.csv` has boxes.
      checkpoint: see `jaxtrack.session.load`.
      model: likewise.
      least: which boxes are kept.

    Raises:
      InputError: no box is known, a file is damaged, or cannot be written.
    """
    folder, keys = Path(out), Path(out) / "keys.csv"
    if not (box or keys.is_file()):
        raise InputError(f"{keys}: no such file: give the first box by --box=x,y,w,h")
    given = first_box.first_boxes(video, [box]) if box else {}
    with locks.locked(folder, "annotation"):
        frames = _frames(video, folder / "img")
        known = read_known(keys, len(frames)) if keys.is_file() else {}
        if given:
            known[0] = first_box.check(given, read_image(frames[0]).shape[:2])[0]
            atomic.write_text(keys, _table(known))
        # There and back.
        bar = tqdm(total=2 * len(frames), unit="frame", desc="tracking")
        with session_lib.load(checkpoint, model=model) as session, bar:
            labels = annotation.label(frames, known, _Counted(session, bar))
        kept = annotation.accepted(labels, **least._asdict())
        _write(folder, frames, labels, kept)
    _tell(folder, known, kept)


def read_known(path: Path, count: int) -> dict[int, np.ndarray]:
    """Reads which boxes are known.

    Args:
      path: lines frame,x,y,w,h, frames counted from 0; of an absent target nan.
      count: of frames.

    Returns:
      Index of a frame -> `[4]` xywh, px; of several lines of a frame the last.

    Raises:
      InputError: naming the line that is no box, or of no frame.
    """
    known = {}
    for number, line in enumerate(files.read_text(path).splitlines(), start=1):
        if not line.strip() or line.strip() == _HEADER:
            continue
        words = line.split(",")
        try:
            frame, *xywh = int(words[0]), *(float(word) for word in words[1:])
        except ValueError:
            frame, xywh = -1, []
        is_box = np.isfinite(xywh).all() and min(xywh[2:], default=0) > 0
        is_box = len(xywh) == 4 and (is_box or np.isnan(xywh).all())
        if not (0 <= frame < count and is_box):
            raise InputError(
                f"{path}, line {number}: expected frame,x,y,w,h with a frame from 0 to "
                f"{count - 1}, or frame,nan,nan,nan,nan; found {line[:60]!r}"
            )
        known[frame] = np.array(xywh)
    return known


def _frames(video: str, folder: Path) -> list[Path]:
    """Returns the images of a video, which lie in `folder` or are linked there."""
    if folder.is_dir():
        return frame_files.list_frames(folder)
    if Path(video).is_dir():
        found = image_files(Path(video))
        folder.symlink_to(found[0].parent.resolve(), target_is_directory=True)
        return frame_files.list_frames(folder)
    unfinished = folder.with_name("img.incomplete")
    with FrameReader(video, warn=lambda said: print(said, file=sys.stderr)) as reader:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        bar = tqdm(reader, total=reader.length, unit="frame", desc="decoding")
        for number, frame in enumerate(bar):
            height, width = frame.hw
            bgr = cv2.cvtColor(frame.image[:height, :width], cv2.COLOR_RGB2BGR)
            path = unfinished / f"{number:06d}.jpg"
            if not cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]):
                raise InputError(f"{path} could not be written")
    unfinished.rename(folder)
    return frame_files.list_frames(folder)


def _table(known: Mapping[int, np.ndarray]) -> str:
    """Returns what `read_known` reads."""
    rows = [",".join(f"{v:g}" for v in (n, *known[n])) for n in sorted(known)]
    return "\n".join([_HEADER, *rows]) + "\n"


def _write(
    folder: Path, frames: Sequence[Path], labels: Labels, kept: np.ndarray
) -> None:
    """Writes the boxes that are kept, all numbers, and a sheet of what to correct."""
    truth = np.where(kept[:, None], labels.xywh, np.nan)
    rows = [",".join(f"{v:.2f}" for v in box) for box in truth]
    atomic.write_text(folder / "groundtruth_rect.txt", "\n".join(rows) + "\n")
    columns = zip(labels.xywh, labels.agreement, labels.score, kept, strict=True)
    rows = [
        ",".join([str(number), *(f"{v:.2f}" for v in (*box, iou, score)), f"{keep:d}"])
        for number, (box, iou, score, keep) in enumerate(columns)
    ]
    header = f"{_HEADER},agreement,score,kept"
    atomic.write_text(folder / "labels.csv", "\n".join([header, *rows]) + "\n")
    sheet = folder / "correct.jpg"
    sheet.unlink(missing_ok=True)
    middles = [part[len(part) // 2] for part in _longest(kept)]
    cells = [_cell(frames[n], labels.xywh[n], labels.agreement[n], n) for n in middles]
    if cells:
        atomic.write_bytes(sheet, _tiled(cells))


def _longest(kept: np.ndarray) -> list[range]:
    """Returns the longest stretches to correct, in order of time."""
    parts = sorted(annotation.to_correct(kept), key=len, reverse=True)[:_MOST_SHOWN]
    return sorted(parts, key=lambda part: part.start)


def _cell(path: Path, xywh: np.ndarray, agreement: float, number: int) -> np.ndarray:
    """Draws a frame with its number and what was found in it; BGR."""
    image = read_image(path)
    size = (_WIDTH, round(_WIDTH * image.shape[0] / image.shape[1]))
    scale = _WIDTH / image.shape[1]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if np.isfinite(xywh).all():
        low, high = (
            tuple(int(v) for v in np.clip(np.round(corner * scale), -1e4, 1e4))
            for corner in (xywh[:2], xywh[:2] + xywh[2:])
        )
        cv2.rectangle(small, low, high, (255, 140, 40), 2)
    words, font = f"frame {number}: agreement {agreement:.2f}", cv2.FONT_HERSHEY_SIMPLEX
    cv2.rectangle(small, (0, 0), (_WIDTH, 20), (0, 0, 0), -1)
    cv2.putText(small, words, (6, 15), font, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2BGR)


def _tiled(cells: Sequence[np.ndarray]) -> bytes:
    """Returns pictures side by side as a JPEG file's bytes."""
    height = max(cell.shape[0] for cell in cells)
    rows = -(-len(cells) // _COLUMNS)
    sheet = np.zeros((rows, _COLUMNS, height, _WIDTH, 3), np.uint8)
    for place, cell in enumerate(cells):
        sheet[*divmod(place, _COLUMNS), : cell.shape[0]] = cell
    whole = sheet.transpose(0, 2, 1, 3, 4).reshape(rows * height, -1, 3)
    whole = whole[:, : min(len(cells), _COLUMNS) * _WIDTH]
    return cv2.imencode(".jpg", whole)[1].tobytes()


def _tell(folder: Path, known: Mapping[int, np.ndarray], kept: np.ndarray) -> None:
    """Reports what was kept and what to correct."""
    count, parts = len(kept), annotation.to_correct(kept)
    print(f"{folder}: {kept.sum()} of {count} frames labeled from {len(known)} known")
    if not parts:
        return
    stretches = [
        f"{p.start} to {p[-1]} (middle {p[len(p) // 2]})" if len(p) > 1 else f"{p[0]}"
        for p in _longest(kept)
    ]
    rest = len(parts) - len(stretches)
    more = f" and {rest} more" if rest else ""
    print(
        f"to correct: frames {', '.join(stretches)}{more}; see "
        f"{folder / 'correct.jpg'}. Add lines {_HEADER} to {folder / 'keys.csv'}, best "
        "of the middle frames, and run this again without --box"
    )
