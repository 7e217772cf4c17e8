r"""Trackers of this package and of OpenCV side by side on annotated videos.

Measures accuracy (success AUC, overlap, precision), frames/s, start-up and memory, each
tracker in a process of its own, alternating on each sequence, so that a busy machine
affects all equally. Writes real_video.md, .csv, .json and .png.

Example:
  python -m benchmarks.real_video --sequences=videos/ --checkpoint=lite \
      --nano_backbone=nanotrack_backbone_sim.onnx \
      --nano_head=nanotrack_head_sim.onnx --reference=NanoTrack
"""

import argparse
import contextlib
import fnmatch
import os
import pathlib
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.real_video import scores, tables, trackers
from benchmarks.real_video.child import Answer, Child
from jaxtrack import cli, datasets
from jaxtrack.cli import options
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError, require
from jaxtrack.evaluation import atomic

_ALL = "all"
_STARTUP_FRAMES = 2  # The given box, and one that is tracked.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add, add_list = options.add, options.add_list
    add(parser, "--sequences", "DIR", "folder of sequences", required=True)
    add_list(parser, "--pattern", "GLOB", "names of the sequences to take, as 'car*'")
    add_list(parser, "--exclude", "GLOB", "names of sequences to leave out")
    meaning = "what jaxtrack.load takes"
    add_list(parser, "--checkpoint", "[NAME=]SOURCE", meaning)
    known = ", ".join(trackers.OPENCV)
    meaning = f"any of {known}; '' for none (default: those that this OpenCV has)"
    chosen = {"type": options.comma_separated, "default": None}
    add(parser, "--opencv", "NAME,NAME", meaning, **chosen)
    for part in ("backbone", "head"):
        add(parser, f"--nano_{part}", "ONNX", "weights of NanoTrack v2")
    meaning = "the tracker that others are compared with (default: the first)"
    add(parser, "--reference", "NAME", meaning)
    meaning = "sequences to report separately too"
    add_list(parser, "--group", "NAME=GLOB,GLOB", meaning)
    meaning, out = "output folder", pathlib.Path("runs/real_video")
    add(parser, "--out", "DIR", meaning, type=pathlib.Path, default=out)


def run(args: argparse.Namespace) -> None:
    """Compares."""
    require("matplotlib")
    weights = {"nano_backbone": args.nano_backbone, "nano_head": args.nano_head}
    specs = trackers.jaxtrack_specs(args.checkpoint)
    specs += trackers.opencv_specs(args.opencv, weights)
    reference = check_names([spec.name for spec in specs], args.reference)
    videos = read_videos(args.sequences, args.pattern, args.exclude)
    groups = make_groups([video.name for video in videos], args.group)
    tracked = track_all(specs, videos, pathlib.Path(args.sequences))
    truth = {video.name: video.truth for video in videos}
    rows = scores.score(tracked, truth, groups, reference=reference)
    context = {"reference": reference, "about": describe(videos)}
    text = tables.markdown(rows, groups, **context)
    path = args.out / "real_video.md"
    atomic.write_text(path, text)
    atomic.write_text(path.with_suffix(".csv"), tables.as_csv(rows))
    record = tables.as_json(rows, groups, **context)
    atomic.write_text(path.with_suffix(".json"), record)
    atomic.write_bytes(path.with_suffix(".png"), tables.plot(rows, _ALL))
    print(f"{text}\nwritten: {path}")


def check_names(names: Sequence[str], reference: str) -> str:
    """Returns the reference's name.

    Args:
      names: of the trackers.
      reference: as typed; "" takes the first.

    Raises:
      InputError: there is no tracker, two have one name, or none the reference's.
    """
    if not names:
        raise InputError("no tracker: give --checkpoint or --opencv")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(
            f"two trackers are called {min(twice)!r}: write --checkpoint=NAME=SOURCE"
        )
    if reference and reference not in names:
        raise InputError(
            f"--reference={reference}: no such tracker, they are {', '.join(names)}"
        )
    return reference or names[0]


def read_videos(
    root: str, patterns: Sequence[str], excluded: Sequence[str]
) -> list[Video]:
    """Reads the sequences to track in.

    Args:
      root: folder of sequences.
      patterns: of the names to take; none takes all.
      excluded: of the names to leave out.

    Raises:
      InputError: nothing is left, or a sequence is one that no tracker can start on,
        or that ends there.
    """
    videos = datasets.load("folders", root, sequences=patterns).videos
    videos = [v for v in videos if not _fits(v.name, excluded)]
    if not videos:
        raise InputError(f"{root}: --exclude leaves no sequence")
    for video in videos:
        if len(video.frames) < _STARTUP_FRAMES:
            raise InputError(f"sequence {video.name}: it has only one frame to track")
        if not np.isfinite(video.xyxy[0]).all():
            raise InputError(
                f"sequence {video.name}: its first frame has no box to start from: "
                "leave it out with --exclude"
            )
    return videos


def _fits(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits one of the patterns."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def make_groups(names: Sequence[str], wanted: Sequence[str]) -> dict[str, list[str]]:
    """Returns group -> sequences; the first group has all.

    Args:
      names: of all sequences.
      wanted: texts "NAME=GLOB,GLOB".

    Raises:
      InputError: a text has another form, or a group no sequence.
    """
    groups = {_ALL: list(names)}
    for text in wanted:
        group, _, globs = text.partition("=")
        patterns = options.comma_separated(globs)
        if not (group and patterns):
            raise InputError(f"--group={text}: write NAME=GLOB,GLOB")
        chosen = [name for name in names if _fits(name, patterns)]
        if not chosen:
            raise InputError(f"--group={text}: matches no sequence")
        groups[group] = chosen
    return groups


def track_all(
    specs: Sequence[trackers.Spec], videos: Sequence[Video], root: pathlib.Path
) -> list[scores.Tracked]:
    """Runs every tracker on every sequence, in turn.

    Args:
      specs: the trackers.
      videos: the sequences.
      root: folder that holds theirs.

    Returns:
      What each tracker did.

    Raises:
      InputError: a tracker fails.
    """
    first = root / videos[0].name
    answers = {spec.name: {} for spec in specs}
    cold = {}
    total = len(specs) * sum(len(video.frames) for video in videos)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        cache = pathlib.Path(folder)
        bar = stack.enter_context(tqdm(total=total, unit="frame"))
        for spec in specs:
            bar.set_description(f"starting {spec.name}")
            with contextlib.closing(Child(spec, cache / spec.name)) as child:
                answer = child.track(first, limit=_STARTUP_FRAMES)
            cold[spec.name] = answer.first_box_at - child.started_at
        children = []
        for spec in specs:
            child = Child(spec, cache / spec.name)
            children.append(stack.enter_context(contextlib.closing(child)))
            child.track(first, limit=_STARTUP_FRAMES)
        for video in videos:
            for child in children:
                bar.set_description(f"{child.spec.name}, {video.name}")
                answer = child.track(root / video.name)
                answers[child.spec.name][video.name] = answer
                bar.update(len(video.frames))
    return [
        _gathered(child, answers[child.spec.name], cold[child.spec.name])
        for child in children
    ]


def _gathered(
    child: Child, answers: Mapping[str, Answer], cold: float
) -> scores.Tracked:
    """Collects the results of a tracker on all sequences."""
    last = list(answers.values())[-1]
    return scores.Tracked(
        name=child.spec.name,
        xywh={name: np.array(answer.xywh) for name, answer in answers.items()},
        seconds={name: answer.seconds for name, answer in answers.items()},
        startup_cold=cold,
        startup_warm=last.first_box_at - child.started_at,
        peak_mb=last.peak_mb,
    )


def describe(videos: Sequence[Video]) -> dict[str, str | int]:
    """Describes what was measured and where."""
    from jaxtrack import __version__

    return {
        "frames": sum(len(video.frames) for video in videos),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "Python": platform.python_version(),
        "OpenCV": cv2.__version__,
        "jaxtrack": __version__,
    }


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="real_video")
