"""New composed scenes after a number of pairs, stored in banks ahead of time."""

import dataclasses
import functools
import pathlib
import shutil
import threading
from collections.abc import Sequence

import grain
import numpy as np
from absl import logging

from jaxtrack.data.bank import choice
from jaxtrack.data.bank.footprint import Footprint
from jaxtrack.data.bank.source import BankedSource
from jaxtrack.data.composed import ComposedSource
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.portions import Portion
from jaxtrack.errors import InputError

_NICENESS = 10  # Of the process that draws ahead while the network trains.


@dataclasses.dataclass(frozen=True)
class Redraw:
    """The generations of scenes; each is used for a number of pairs.

    Attributes:
      number: index of the portion of scenes.
      scenes: the scenes of generation 0.
      every: pairs per generation, over all portions.
      root: folder of the banks; None draws for every pair.
      footprint: the part of frames that training can see.
    """

    number: int
    scenes: ComposedSource
    every: int
    root: pathlib.Path | None = None
    footprint: Footprint | None = None

    def beside(
        self, source: ComposedSource | BankedSource, footprint: Footprint
    ) -> "Redraw":
        """Returns the same with banks beside the one of generation 0, if it has one.

        Args:
          source: the scenes of generation 0, with or without a bank.
          footprint: the part of frames that training can see.
        """
        root = source.folder.parent if isinstance(source, BankedSource) else None
        return dataclasses.replace(self, root=root, footprint=footprint)

    def source(self, generation: int) -> ComposedSource | BankedSource:
        """Returns the scenes of a generation; its bank is used as soon as it exists."""
        scenes = self.scenes.redrawn(generation)
        if self.root is None:
            return scenes
        return BankedSource(scenes, self.folder(generation), is_awaited=True)

    def folder(self, generation: int) -> pathlib.Path:
        """Returns the folder of a generation's bank."""
        scenes = self.scenes.redrawn(generation)
        return choice.folder_of(scenes, self.root, self.footprint)


@dataclasses.dataclass(frozen=True)
class RedrawnLoader(grain.transforms.RandomMap):
    """Loads pairs with the scenes of the current generation.

    Attributes:
      loader: of generation 0.
      redraw: the other generations.
    """

    loader: PairLoader
    redraw: Redraw

    def random_map(
        self, element: tuple[int, tuple[int, int]], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Loads one pair.

        Args:
          element: number of the generation, and the element for `PairLoader`.
          rng: random numbers of this pair.

        Returns:
          One row of a batch; see `data/batch.py`.
        """
        generation, clip = element
        return self._of(generation).random_map(clip, rng)

    @functools.cached_property
    def _of(self):
        """Caches the loaders of two generations, since several threads read ahead."""
        return functools.lru_cache(2)(self._make)

    def _make(self, generation):
        """Returns the loader of a generation."""
        if generation == 0:
            return self.loader
        portions = replace_source(
            self.loader.portions, self.redraw.number, self.redraw.source(generation)
        )
        return dataclasses.replace(self.loader, portions=portions)

    def __getstate__(self):
        """Leaves out the loaders of generations."""
        return {"loader": self.loader, "redraw": self.redraw}

    def __setstate__(self, state):
        """Restores the loader."""
        self.__dict__.update(state)


class Numbered(grain.transforms.MapWithIndex):
    """Adds the generation of scenes to every clip."""

    def __init__(self, every: int):
        """Takes the number of pairs per generation."""
        self._every = every

    def map_with_index(
        self, index: int, element: tuple[int, int]
    ) -> tuple[int, tuple[int, int]]:
        """Returns the generation and the element."""
        return index // self._every, element


class SceneFiller:
    """Fills the bank of the next generation while this one is in use.

    Pairs do not wait for it: missing scenes are drawn for them, with equal pixels.
    """

    def __init__(self, redraw: Redraw):
        """Does not start anything yet.

        Args:
          redraw: the generations, with a folder of banks.
        """
        self._redraw = redraw
        self._generation = -1
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def reach(self, pair: int) -> None:
        """Gives the thread the position of the stream; starts it if needed.

        Args:
          pair: number of the next pair.
        """
        generation = pair // self._redraw.every
        if generation == self._generation:
            return
        with self._changed:
            self._generation = generation
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends the thread, after the scene that it is drawing."""
        with self._changed:
            self._generation = -1
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def _run(self):
        """Fills the current and the next generation, until closed."""
        done = -1
        while (generation := self._generation) >= 0:
            if generation > 1:  # A resumed training starts with generation 0.
                old = self._redraw.folder(generation - 1)
                shutil.rmtree(old, ignore_errors=True)
            for number in range(max(generation, done + 1), generation + 2):
                self._fill(number)
                done = number
            with self._changed:
                self._changed.wait_for(lambda now=generation: self._generation != now)

    def _fill(self, number):
        """Fills the bank of a generation, unless it exists or is no longer needed."""
        try:
            choice.fill_quietly(
                self._redraw.scenes.redrawn(number),
                self._redraw.folder(number),
                self._redraw.footprint,
                niceness=_NICENESS,
                is_stopped=lambda: not 0 <= self._generation <= number,
            )
        except (InputError, OSError) as error:
            logging.warning("no bank, scenes are drawn for every pair: %s", error)


def find(portions: Sequence[Portion], every: int) -> Redraw | None:
    """Returns how scenes are redrawn, without banks; None if there are no scenes.

    Args:
      portions: the training data.
      every: pairs per generation, over all portions; 0 never redraws.
    """
    for number, portion in enumerate(portions):
        if every and isinstance(portion.source, ComposedSource):
            return Redraw(number, portion.source, every)
    return None


def replace_source(
    portions: Sequence[Portion], number: int, source: ComposedSource | BankedSource
) -> list[Portion]:
    """Returns the portions with the source of one replaced.

    Args:
      portions: the training data.
      number: index of the portion.
      source: its new source.
    """
    changed = list(portions)
    changed[number] = dataclasses.replace(portions[number], source=source)
    return changed
