"""Loads one training pair: from the number of a clip to crops and boxes."""

import dataclasses
from collections.abc import Sequence

import grain
import numpy as np
from absl import logging

from jaxtrack.data import pairs, transforms
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.errors import InputError

_DAMAGED_RUNNING = 20
_PICTURES_TRIED = 20


@dataclasses.dataclass(frozen=True)
class PairLoader(grain.transforms.RandomMap):
    """Draws and loads a pair whose template shows an object of a given clip.

    Attributes:
      portions: the training data.
      settings: how pairs are drawn and cropped.
      augmentation: of the crops.
      skip_damaged: whether to draw another pair if a frame is damaged.
    """

    portions: Sequence[Portion]
    settings: PairSettings
    augmentation: Augmentation
    skip_damaged: bool = False

    def random_map(
        self, element: tuple[int, int], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Loads one pair.

        Args:
          element: indices of the portion and of the template's clip.
          rng: random numbers of this pair.

        Returns:
          One row of a batch; see `data/batch.py`.

        Raises:
          InputError: if a frame is damaged and `skip_damaged` is off, or too many in a
            row are damaged.
        """
        number, clip = element
        portion = self.portions[number]
        for _ in range(_DAMAGED_RUNNING):
            try:
                return self._load(number, clip, rng)
            except InputError as error:
                if not self.skip_damaged:
                    raise
                logging.warning("left out: %s", error)
                clip = portion.draw_clip(rng)
        raise InputError(f"{portion.name}: {_DAMAGED_RUNNING} damaged frames in a row")

    def _load(self, number, clip, rng):
        """Draws a pair, reads its frames and crops them."""
        settings = self.settings
        pair = pairs.sample_pair(
            *(self.portions, number, clip, rng), negative_ratio=settings.negative_ratio
        )

        def reader(frame):
            read = self.portions[frame.source].source.frame
            return lambda reduction: read(frame.track, frame.time, reduction=reduction)

        def read_other():
            return _draw_picture(self.portions, pair.z, rng)

        example = transforms.make_pair(
            reader(pair.z),
            None if pair.x[:3] == pair.z[:3] else reader(pair.x),
            pair.z.xyxy,
            pair.x.xyxy,
            rng,
            settings=settings,
            augmentation=self.augmentation,
            read_other=read_other,
        )
        example["is_positive"] = np.bool_(pair.is_positive)
        if not all(portion.is_labeled for portion in self.portions):
            is_labeled = self.portions[pair.z.source].is_labeled
            example["is_labeled"] = np.bool_(is_labeled)
        return example


def _draw_picture(portions, z, rng):
    """Draws a picture of no or another track; None if none is found."""
    for _ in range(_PICTURES_TRIED):
        source = int(rng.integers(len(portions)))
        number = int(rng.integers(portions[source].source.num_pictures))
        track, image = portions[source].source.picture(number)
        if (source, track) != (z.source, z.track):
            return image
    return None
