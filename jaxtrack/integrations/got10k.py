"""A tracker for the toolkit of GOT-10k.

Run: experiment.run(GOT10kTracker("lite")), as docs/toolkits.md shows.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxtrack import session
from jaxtrack.errors import InputError, missing
from jaxtrack.tracking.video import read_image

try:
    from got10k.trackers import Tracker as _Base
except ImportError:  # The toolkit is an extra; this module can be read without it.
    _Base = None


class GOT10kTracker(_Base or object):
    """A checkpoint as the toolkit's experiments take it.

    The toolkit hands over the boxes of the annotation files as they are, and writes
    what it gets back. Boxes here are continuous pixels from the picture's top-left
    edge, so `origin` is taken from x and y on the way in and added on the way out;
    width and height are the same.

    Attributes:
      name: under which the toolkit keeps results.
      is_deterministic: True: repetitions would be equal, so GOT-10k's three are one.
    """

    def __init__(
        self, checkpoint: str | pathlib.Path, *, name: str = "", origin: float = 0.0
    ):
        """Reads the checkpoint.

        Args:
          checkpoint: what `jaxtrack.load` takes.
          name: under which the toolkit keeps results; "" takes the folder's or file's.
          origin: coordinate of the picture's top-left edge in the annotation files,
            pixels: 0 where they count from 0 (GOT-10k), 1 where from 1 (OTB).

        Raises:
          InputError: if the toolkit or the checkpoint is missing, or damaged.
        """
        if _Base is None:
            raise InputError(missing("got10k"))
        path = pathlib.Path(checkpoint)
        name = name or path.absolute().name.removesuffix(".safetensors")
        super().__init__(name, is_deterministic=True)
        self._session = session.load(checkpoint)
        self._shift = np.array([origin, origin, 0.0, 0.0])

    def init(self, image: Any, box: Sequence[float]) -> None:
        """Starts on a picture.

        Args:
          image: of PIL, or as `jaxtrack.Session` takes it.
          box: `[4]` xywh as the annotation has it, pixels.

        Raises:
          InputError: if the box is not finite, is empty or outside of the picture.
        """
        self._session.init(image, np.asarray(box) - self._shift)

    def update(self, image: Any) -> np.ndarray:
        """Finds the target in the next picture.

        Args:
          image: of PIL, or as `jaxtrack.Session` takes it.

        Returns:
          `[4]` float64 xywh, pixels counted as the annotation counts.
        """
        return self._session.update(image).xywh + self._shift

    def track(
        self, img_files: Sequence[str], box: Sequence[float], visualize: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Tracks through a sequence, compiled before the toolkit's clock starts.

        Args:
          img_files: paths of the pictures.
          box: `[4]` xywh as the annotation has it, pixels.
          visualize: shows every picture.

        Returns:
          Boxes `[N, 4]` xywh as the annotation counts, seconds `[N]`.

        Raises:
          InputError: if a picture or the first box cannot be used.
        """
        self._session.compile_for(read_image(pathlib.Path(img_files[0])).shape[:2])
        return super().track(img_files, box, visualize)
