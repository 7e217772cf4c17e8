"""The training data named in the config, as portions of sources."""

import fnmatch
import pathlib
import re
from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from jaxtrack import datasets
from jaxtrack.data.composed import ComposedSource, cutouts
from jaxtrack.data.pairs import visible_times
from jaxtrack.data.portions import Portion
from jaxtrack.data.sources import RecordSource
from jaxtrack.data.unlabeled import UnlabeledSource
from jaxtrack.errors import InputError


def make_portions(config: ConfigDict) -> list[Portion]:
    """Returns the training data named in the config.

    Args:
      config: see docs/settings.md.

    Returns:
      Packed folders first, then composed scenes, then photographs without boxes;
      without those of weight 0.

    Raises:
      InputError: if a folder is missing or not packed, a pattern matches no track,
        pictures are missing, or settings need a second track that does not exist.
    """
    check_folders(config)
    data = config.data
    portions = [_of_folder(data, *used) for used in used_folders(config)]
    _check_patterns(data, portions)
    if data.composed_weight > 0:
        scenes = ComposedSource(
            photos=data.composed_photos or None,
            cutouts=_cutouts(data),
            num_tracks=data.scenes,
            length=data.composed_length,
            shown=data.scene_frames,
            seed=config.run.seed,
            split=data.composed_split,
        )
        share = data.composed_weight
        portions.append(Portion("composed scenes", scenes, data.frame_range, share))
    if data.unlabeled:
        portions.append(_unlabeled(data, config.run.seed))
    _check_second_track(config, portions)
    return portions


def used_folders(config: ConfigDict) -> list[tuple[int, pathlib.Path]]:
    """Lists the packed folders to draw pairs from.

    Args:
      config: see docs/settings.md.

    Returns:
      Index in `data.records` and folder, without those of weight 0.
    """
    data = config.data
    folders = [pathlib.Path(data.root, name) for name in data.records]
    numbers = data.num_use or data.record_weights or (1.0,) * len(folders)
    used = zip(folders, numbers, strict=True)
    return [(place, folder) for place, (folder, n) in enumerate(used) if n != 0]


def check_folders(config: ConfigDict) -> None:
    """Raises for packed folders that do not exist, before work starts.

    Args:
      config: see docs/settings.md.

    Raises:
      InputError: names every missing folder, and the command that makes the first.
    """
    missing = [folder for _, folder in used_folders(config) if not folder.is_dir()]
    if not missing:
        return
    data, first = config.data, missing[0]
    known = first.name in datasets.TRAINING_SETS
    counts = "num_use" if data.num_use else "record_weights"
    raise InputError(
        f"config.data.records: no folder {', '.join(map(str, missing))}: make "
        f"{'it' if len(missing) == 1 else 'each'} with `jaxtrack pack"
        f"{f' --dataset={first.name}' if known else ''} --root=DIR --out={first}`, "
        f"leave it out with a 0 in config.data.{counts}, or set config.data.root "
        f"to its parent folder (now {data.root or '.'})"
    )


def check_extents(portions: Sequence[Portion], needed: float) -> None:
    """Checks that packed pictures show as much around targets as crops may need.

    Args:
      portions: the training data.
      needed: see `transforms.reach`.

    Raises:
      InputError: names the folder and what to do.
    """
    for portion in portions:
        extent = getattr(portion.source, "extent", 0.0)
        if 0 < extent < needed:
            raise InputError(
                f"{portion.name}: has {extent:.2f} template sides around each target, "
                f"but search crops of this config may show {needed:.2f}: lower "
                "config.augment.search_shift or search_scale, or pack again with "
                "--crop=whole"
            )


def _cutouts(data):
    """Lists the sequences with masks whose names match one of the patterns."""
    if not data.composed_cutouts:
        return None
    try:
        return cutouts.find_cutouts(
            data.composed_cutouts, patterns=data.composed_patterns
        )
    except InputError as error:
        raise InputError(f"config.data.composed_cutouts: {error}") from error


def _unlabeled(data, seed):
    """Returns the portion of photographs without boxes."""
    try:
        source = UnlabeledSource(data.unlabeled, seed=seed)
    except InputError as error:
        raise InputError(f"config.data.unlabeled: {error}") from error
    # Both crops of a pair show the same window of a photograph.
    return Portion(
        "photographs without boxes",
        source,
        frame_range=0,
        share=data.unlabeled_weight,
        is_labeled=False,
    )


def _of_folder(data, place, folder):
    """Returns the portion of one packed folder."""
    source = RecordSource(folder)
    return Portion(
        str(folder),
        source,
        frame_range=data.frame_ranges[place] if data.frame_ranges else data.frame_range,
        share=data.record_weights[place] if data.record_weights else 1.0,
        num_use=data.num_use[place] if data.num_use else None,
        clips=source.track_clips,
        weights=_weights(data, source.track_names),
    )


def _weights(data, names):
    """Returns the weight of each track by the first pattern that matches its name."""
    if not data.track_patterns:
        return None
    weights = np.ones(len(names))
    pairs = zip(data.track_patterns, data.track_weights, strict=True)
    for pattern, weight in reversed([*pairs]):
        weights[_fitting(names, pattern)] = weight
    return weights


def _fitting(names, pattern):
    """Lists the indices of the names that match a glob pattern."""
    fits = re.compile(fnmatch.translate(pattern)).match
    return [number for number, name in enumerate(names) if fits(name)]


def _check_patterns(data, portions):
    """Checks that every pattern matches a track of some folder."""
    sources = [portion.source for portion in portions]
    for pattern in data.track_patterns:
        if any(_fitting(source.track_names, pattern) for source in sources):
            continue
        known = [str(name) for source in sources for name in source.track_names[:2]]
        raise InputError(
            f"config.data.track_patterns: no track matches {pattern!r}; there are "
            f"{', '.join(known) or 'no packed folders'}, ..."
        )


def _check_second_track(config, portions):
    """Checks that there is a second track if settings need one."""
    needs = [
        f"config.{name} {value:g}"
        for name, value in (
            ("data.negative_ratio", config.data.negative_ratio),
            ("augment.fill_image", config.augment.fill_image),
        )
        if value > 0
    ]
    if needs and portions and _count_visible(portions, enough=2) < 2:
        raise InputError(
            f"{' and '.join(p.name for p in portions)}: only one track, but "
            f"{' and '.join(needs)} need pictures of another one: set "
            f"{'both' if len(needs) > 1 else 'it'} to 0, or add composed scenes with "
            "config.data.composed_weight above 0"
        )


def _count_visible(portions, enough):
    """Counts tracks that can be drawn and show their object, up to a limit."""
    count = 0
    for portion in portions:
        for track in range(portion.source.num_tracks):
            if portion.weights is not None and not portion.weights[track] > 0:
                continue
            count += len(visible_times(portion.source.track_boxes(track))) > 0
            if count >= enough:
                return count
    return count
