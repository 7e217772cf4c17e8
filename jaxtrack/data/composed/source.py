"""A track source whose videos are composed on reading."""

import copy
import functools
import hashlib
import os
import pathlib
import pickle
from collections.abc import Callable, Sequence

import numpy as np

from jaxtrack.data import frames, memory
from jaxtrack.data.composed import packed
from jaxtrack.data.composed.compose import Maker, SceneSettings, compose, stage
from jaxtrack.data.composed.cutouts import Cutout, find_cutouts, read_cutout
from jaxtrack.data.composed.photos import find_photographs
from jaxtrack.data.composed.scene import Scene
from jaxtrack.errors import InputError

SPLITS = ("train", "eval", "all")
TRAINING = SceneSettings(background_change=0.6)
EVALUATION = SceneSettings()

_EVAL_EVERY = 4  # One in four photographs and videos is for evaluation.
_KEPT_SCENES = memory.number_kept(60e3, 0.05)  # Cached per process.

Paths = str | os.PathLike | Sequence[str | os.PathLike]


class ComposedSource:
    """Videos of moving objects over photographs, with exact boxes.

    A track is a pure function of the constructor's arguments and its index: any
    process may draw any frame in any order, with the same pixels. The splits
    "train" and "eval" share no photograph, no cut-out video and no random stream;
    "all" takes every picture. Pickles contain no pictures; each process decodes
    what it draws, with a cache.

    Attributes:
      num_tracks: number of tracks.
      num_frames: number of frames of all tracks.
      length: frames of every track.
      size: height and width of every frame, px.
      num_pictures: number of photographs for padding.
      label: name of the source, for messages.
    """

    label = "scenes"

    def __init__(
        self,
        photos: Paths | None = None,
        *,
        cutouts: Paths | None = None,
        num_tracks: int = 500,
        length: int = 60,
        shown: int = 0,
        seed: int = 0,
        size: tuple[int, int] = (360, 480),
        split: str = "train",
        settings: SceneSettings | None = None,
        composer: Callable[[Maker], Scene] = compose,
    ):
        """Lists the pictures without decoding.

        Args:
          photos: a folder or a list of photographs; None takes those of the installed
            scikit-image.
          cutouts: a folder of sequences with `img/*.jpg` and `mask/*.png`, or a list
            of such sequences, whose objects are pasted; None draws outlines only.
          num_tracks: number of tracks.
          length: frames per track.
          shown: frames per track with a box, chosen at random; 0 for all.
          seed: of all random choices.
          size: height and width of a frame, px.
          split: "train", "eval" or "all".
          settings: how scenes are composed; None is `TRAINING` or, for the split
            "eval", `EVALUATION`.
          composer: draws a track's scene, like `compose.compose`.

        Raises:
          InputError: if pictures are missing, a split has too few, or the seed is
            negative.
          ValueError: if a count or size is not positive.
        """
        if num_tracks < 1 or length < 1 or min(size) < 16:
            raise ValueError(
                "num_tracks and length must be at least 1 and both sides at least 16 "
                f"px: num_tracks {num_tracks}, length {length}, size {size}"
            )
        if split not in SPLITS:
            raise InputError(f"unknown split {split!r}: choose from {SPLITS}")
        if seed < 0:
            raise InputError(f"seed is {seed}: it must not be negative")
        if settings is None:
            settings = EVALUATION if split == "eval" else TRAINING
        self.num_tracks, self.num_frames = num_tracks, num_tracks * length
        self.length = length
        self.size = (int(size[0]), int(size[1]))
        self._shown = min(shown, length) or length
        self._seed = (seed, SPLITS.index(split))
        self._generation = 0
        self._settings = settings
        self._composer = composer
        self._photos = _part(find_photographs(photos), split)
        if len(self._photos) < 2:
            raise InputError(
                f"split {split!r} has {len(self._photos)} photographs and needs two "
                "(background and texture): add photographs or use the split 'all'"
            )
        folders = find_cutouts(cutouts)
        self._folders = _part(folders, split)
        if folders and not self._folders:
            raise InputError(
                f"split {split!r} has none of the {len(folders)} cut-out sequences, "
                f"one in {_EVAL_EVERY}: add sequences or use the split 'all'"
            )
        self.num_pictures = min(len(self._photos), frames.NUM_PICTURES)
        self._reset()

    def redrawn(self, generation: int) -> "ComposedSource":
        """Returns the source with new scenes of the same pictures.

        Args:
          generation: its number; 0 is the original source.
        """
        source = copy.copy(self)
        source._generation = generation
        source._reset()
        return source

    def _reset(self):
        self._scene = functools.lru_cache(_KEPT_SCENES)(self._compose)

    def track_times(self, track: int) -> np.ndarray:
        """Returns the numbers of a track's frames; see `data.TrackSource`."""
        del track  # Equal for all.
        return np.arange(self.length)

    def track_boxes(self, track: int) -> np.ndarray:
        """Returns the boxes of a track, clipped to the frame; see `TrackSource`.

        They are tight around the whole target, occluded or not. Nothing is drawn.
        """
        return self._scene(track)[1].copy()

    def scene(self, track: int) -> Scene:
        """Returns the scene of a track, not drawn."""
        return self._scene(track)[0]

    def frame(self, track: int, time: int, *, reduction: int = 1) -> frames.Frame:
        """Draws one frame, reduced by any whole number; see `TrackSource`."""
        if not 0 <= time < self.length:
            raise IndexError(f"frame {time} of a track of {self.length} frames")
        scene = self._scene(track)[0]
        return frames.whole(
            scene.draw(int(time), reduction=reduction), reduced=reduction
        )

    def picture(self, number: int) -> tuple[int, np.ndarray]:
        """Returns a small photograph, without composing; see `TrackSource`."""
        chosen = number * len(self._photos) // self.num_pictures
        return -1, _read_picture(self._photos[chosen])

    def frame_ids(self, track: int) -> np.ndarray:
        """Returns frame ids; no two tracks share a frame; see `StoredSource`."""
        return track * self.length + np.arange(self.length)

    def fingerprint(self) -> str:
        """Identifies arguments, pictures and drawing code; see `StoredSource`."""
        modules = sorted(pathlib.Path(__file__).parent.glob("*.py"))
        code = hashlib.sha256(b"".join(path.read_bytes() for path in modules))
        files = [packed.stamp(picture) for picture in (*self._photos, *self._folders)]
        made = (self._seed, self._generation, self.num_tracks, self.length, self._shown)
        how = pickle.dumps((self.size, self._settings, self._composer))
        return repr((code.hexdigest(), files, made, how))

    @functools.cached_property
    def _videos(self) -> "_Videos":
        return _Videos(self._folders)

    def _compose(self, track: int) -> tuple[Scene, np.ndarray]:
        """Returns a track's scene and boxes; `_scene` caches them."""
        if not 0 <= track < self.num_tracks:
            raise IndexError(f"track {track} of {self.num_tracks}")
        make = stage(
            np.random.default_rng((*self._seed, int(track), self._generation)),
            self._photos,
            self._videos,
            hw=self.size,
            length=self.length,
            settings=self._settings,
        )
        scene = self._composer(make)
        boxes = scene.boxes()
        if self._shown < self.length:
            seed = (*self._seed, int(track), self._generation, 1)
            order = np.random.default_rng(seed).permutation(self.length)
            boxes[order[self._shown :]] = np.nan
        return scene, boxes

    def __getstate__(self):
        """Leaves out what each process makes itself."""
        made = ("_videos", "_scene")
        return {k: v for k, v in self.__dict__.items() if k not in made}

    def __setstate__(self, state):
        """Restores an unread source."""
        self.__dict__.update(state)
        self._reset()


class _Videos:
    """Objects to cut out, each read at first use, since reading is slow."""

    def __init__(self, folders):
        self._folders = folders

    def __len__(self):
        return len(self._folders)

    def __getitem__(self, number):
        return _read_video(self._folders[number])


@functools.cache
def _read_video(folder) -> Cutout:
    """Reads the masks of a sequence, and caches their outlines."""
    return read_cutout(folder)


@functools.lru_cache(frames.NUM_PICTURES)
def _read_picture(path):
    """Reads a photograph as a small square, and caches it."""
    return frames.picture(packed.read_picture(path))


def _part(paths: list[pathlib.Path], split: str) -> list[pathlib.Path]:
    """Returns the split's share of the pictures."""
    if split == "eval":
        return paths[_EVAL_EVERY - 1 :: _EVAL_EVERY]
    return [p for k, p in enumerate(paths, 1) if split == "all" or k % _EVAL_EVERY]
