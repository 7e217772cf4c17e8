"""Runs of VOT's reset-based experiment: a tracker restarts after a failure."""

import pathlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import loading, manifest, vot_files
from jaxtrack.evaluation.manifest import Skip
from jaxtrack.metrics import regions
from jaxtrack.metrics.vot_input import FAILED, SKIP, SKIPPED, STARTED
from jaxtrack.shares import WHOLE, Share
from jaxtrack.tracking import Frame, check_init_box, cropping
from jaxtrack.tracking.run import Drivers, compile_tracker
from jaxtrack.tracking.video import FrameReader

# Takes a frame and a box `[4]` cxcywh, continuous px; returns a state.
Start = Callable[[Frame, np.ndarray], Any]
# Takes a state and a frame; returns the next state and a box `[4]` cxcywh.
Follow = Callable[[Any, Frame], tuple[Any, np.ndarray]]


def track_with_resets(
    start: Start, follow: Follow, frames: Iterable[Frame], ground_truth: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Tracks through a sequence; it restarts five frames after a failure.

    A tracker fails where its region shares no pixel of the image with the target's.
    The image is taken to have one column and row more, and a rectangle of the ground
    truth one less, as in pysot, whose runs the published numbers are of.

    Args:
      start: starts a tracker.
      follow: tracks one frame; both answer when they are done, for the clock's sake.
      frames: of the sequence, N of them, of one size.
      ground_truth: `[N, 4]` or `[N, 8]`, pixel indices.

    Returns:
      N rows of `[1]` a code or `[4]` x, y, width, height, pixel indices; and seconds
      `[N]` of the tracker alone, 0 where it was not asked.

    Raises:
      InputError: fewer or more frames than regions, or a region outside of the image
        where the tracker is to start.
    """
    targets = regions.polygons(regions.run_regions(ground_truth))
    rows, seconds, state, next_start = [], np.zeros(len(targets)), None, 0
    for number, frame in enumerate(frames):
        if number >= len(targets):
            raise InputError(
                f"more frames than the {len(targets)} regions of the truth"
            )
        height, width = (int(side) for side in frame.hw)
        if number < next_start:
            rows.append(np.array([SKIPPED], np.float64))
            continue
        began = time.perf_counter()
        if number == next_start:
            box = regions.init_cxcywh(ground_truth[number])
            where = f"frame {number}: the box to start from"
            check_init_box(box, (height, width), where=where)
            state = start(frame, box)
            row = np.array([STARTED], np.float64)
        else:
            state, box = follow(state, frame)
            row = regions.written_xywh(box)
        seconds[number] = time.perf_counter() - began
        if len(row) == 4 and not _meets(row, targets[number], (width, height)):
            row, next_start = np.array([FAILED], np.float64), number + SKIP
        rows.append(row)
    if len(rows) < len(targets):
        raise InputError(f"{len(rows)} frames for {len(targets)} regions of the truth")
    return rows, seconds


def track_unfinished(
    drivers: Drivers,
    variables: Any,
    videos: Sequence[Video],
    folder: str | pathlib.Path,
    *,
    identity: dict,
    around: dict,
    pixel_center: float = 0.5,
    skip: Skip | None = None,
    share: Share = WHOLE,
) -> list[str]:
    """Runs the sequences whose results are not there yet; see `manifest.complete`.

    Each is run once: a tracker of pure functions answers the same every time.

    Args:
      drivers: of the tracker, compiled.
      variables: of the network.
      videos: the sequences, with regions; their boxes are not used.
      folder: of this tracker's results, `<folder>/baseline/<sequence>/...`; the
        manifest lies in `<folder>/baseline`.
      identity: of weights and settings, as JSON.
      around: of the run, as JSON; recorded, never compared.
      pixel_center: see `jaxtrack.tracking.cropping.pixel_center`.
      skip: told of sequences that cannot be run, and why; None raises.
      share: of this process; see `manifest.complete`.

    Returns:
      Names of the sequences that were run now.

    Raises:
      InputError: a sequence has other than N frames; a frame is damaged; a file cannot
        be written.
    """
    if not videos:
        raise InputError("no sequences to track")
    counts = {v.name: len(v.frames) for v in videos}
    place = pathlib.Path(folder) / vot_files.EXPERIMENT
    identity = identity | {"experiment": vot_files.EXPERIMENT}
    hashes = {v.name: manifest.hash_sequence(v.frames, v.region) for v in videos}
    skip = manifest.recorded(skip, place, identity=identity, hashes=hashes)
    variables = jax.device_put(variables)

    def track(video: Video, compiled: set):
        functions = _compiled(drivers, variables, video, compiled)
        start, follow = _shifted(*functions, shift=pixel_center - 0.5)
        with FrameReader(video.frames) as frames:
            return track_with_resets(start, follow, frames, video.region)

    about = {"identity": identity, "around": around, "hashes": hashes}
    about["check"] = partial(_check_length, folder, counts)
    work = partial(_write_each, track, folder, skip)
    return manifest.complete(work, videos, place, **about, title="VOT", share=share)


def _check_length(folder, counts, name):
    """Rejects results that have not a row for each frame."""
    for rows in vot_files.read_runs(folder, [name])[name]:
        if len(rows) != counts[name]:
            raise InputError(f"{name}: {len(rows)} rows of {counts[name]}")


def _write_each(track, folder, skip, pending, advance):
    """Tracks sequences; yields the name of each, and what writes its files."""
    compiled = set()
    for video in pending:
        try:
            rows, seconds = track(video, compiled)
        except InputError as fault:
            if skip is None:
                raise InputError(f"sequence {video.name}: {fault}") from fault
            skip(video.name, str(fault))
            continue
        advance(len(video.frames))
        files = [rows], seconds[:, None]
        yield video.name, partial(vot_files.write_runs, folder, video.name, *files)


def track_checkpoint(
    checkpoint: str | pathlib.Path,
    videos: Sequence[Video],
    out_dir: str | pathlib.Path,
    *,
    name: str,
    tracking: Mapping[str, Any] | None = None,
    skip: Skip | None = None,
    share: Share = WHOLE,
) -> pathlib.Path:
    """Runs a checkpoint with resets over every sequence it has not finished yet.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.
      videos: the sequences, with regions; their boxes are not used.
      out_dir: results go to `<out_dir>/results/<name>/baseline`.
      name: of the tracker.
      tracking: see `loading.open_checkpoint`.
      skip: see `track_unfinished`.
      share: see `track_unfinished`.

    Returns:
      The tracker's folder, for `vot_files.read_runs`.

    Raises:
      InputError: see `track_unfinished`; or the checkpoint is missing or damaged.
    """
    opened = loading.open_checkpoint(checkpoint, tracking=tracking or {})
    folder = pathlib.Path(out_dir) / "results" / name
    drivers = compile_tracker(opened.tracker)
    options = {"identity": opened.identity, "around": opened.around}
    options |= {"skip": skip, "share": share}
    selection = opened.config.tracking.selection
    options["pixel_center"] = cropping.pixel_center(selection)
    track_unfinished(drivers, opened.variables, videos, folder, **options)
    return folder


def _meets(row: np.ndarray, target: np.ndarray, size_wh: tuple[int, int]) -> bool:
    """Whether a rectangle shares a pixel with a target; one of NaN does not."""
    overlap = regions.overlaps(
        regions.polygons(row[None]), target[None], bounds_wh=size_wh
    )
    return bool(overlap[0] > 0)


def _compiled(drivers: Drivers, variables: Any, video: Video, compiled: set):
    """Start and follow of compiled functions, after a canvas that is new compiled."""

    def start(frame, box):
        box = np.asarray(box, np.float32)
        frame = jax.device_put(frame)
        return jax.block_until_ready(drivers.init(variables, frame, box))

    def follow(state, frame):
        state, output = drivers.step(variables, state, jax.device_put(frame))
        return state, np.asarray(jax.device_get(output.box), np.float64)

    with FrameReader(video.frames[:1]) as reader:
        canvas = reader.canvas
    if canvas not in compiled:
        blank = Frame(np.zeros((*canvas, 3), np.uint8), np.array(canvas, np.int32))
        follow(start(blank, np.full(4, 8.0)), blank)
        compiled.add(canvas)
    return start, follow


def _shifted(start: Start, follow: Follow, *, shift: float):
    """Start and follow of a tracker whose centers are `shift` more than ours."""
    shift = np.array([shift, shift, 0.0, 0.0])

    def moved(state, frame):
        state, box = follow(state, frame)
        return state, box - shift

    return lambda frame, box: start(frame, box + shift), moved
