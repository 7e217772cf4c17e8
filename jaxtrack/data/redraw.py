"""Other composed scenes after every so many pairs, filled into banks ahead of time."""

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
    """Which scenes pairs show: those of a generation, which lasts some pairs.

    Attributes:
      number: of the portion of scenes.
      scenes: the scenes of generation 0.
      every: pairs of a generation, of all portions together.
      root: folder of the banks; None draws for every pair.
      footprint: what training can see.
    """

    number: int
    scenes: ComposedSource
    every: int
    root: pathlib.Path | None = None
    footprint: Footprint | None = None

    def beside(
        self, source: ComposedSource | BankedSource, footprint: Footprint
    ) -> "Redraw":
        """Returns the same with banks beside that of generation 0, if there is one.

        Args:
          source: the scenes of generation 0, banked or not.
          footprint: what training can see.
        """
        root = source.folder.parent if isinstance(source, BankedSource) else None
        return dataclasses.replace(self, root=root, footprint=footprint)

    def source(self, generation: int) -> ComposedSource | BankedSource:
        """Returns the scenes of a generation; a bank is used as soon as it is there."""
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
    """Makes pairs of the scenes that are shown at the time.

    Attributes:
      loader: makes pairs of generation 0.
      redraw: the other generations.
    """

    loader: PairLoader
    redraw: Redraw

    def random_map(
        self, element: tuple[int, tuple[int, int]], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Makes one pair.

        Args:
          element: number of the generation, and what `PairLoader` takes.
          rng: random numbers of this pair.

        Returns:
          One row of a batch; see `data/batch.py`.
        """
        generation, clip = element
        return self._of(generation).random_map(clip, rng)

    @functools.cached_property
    def _of(self):
        """Keeps the loaders of two generations: several threads read ahead."""
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
        """Restores what was sent."""
        self.__dict__.update(state)


class Numbered(grain.transforms.MapWithIndex):
    """Tells of every clip which generation of scenes its pair sees."""

    def __init__(self, every: int):
        """Takes the pairs of a generation."""
        self._every = every

    def map_with_index(
        self, index: int, element: tuple[int, int]
    ) -> tuple[int, tuple[int, int]]:
        """Returns the generation and the element."""
        return index // self._every, element


class SceneFiller:
    """Fills the bank of the next generation while this one is shown.

    Pairs do not wait for it: what is not there yet is drawn for them, equal pixel by
    pixel.
    """

    def __init__(self, redraw: Redraw):
        """Starts nothing.

        Args:
          redraw: the generations; with a folder of banks.
        """
        self._redraw = redraw
        self._generation = -1
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def reach(self, pair: int) -> None:
        """Lets the thread know where the stream is; starts it if need be.

        Args:
          pair: number of the pair that is drawn next.
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
        """Ends the thread; waits for the end of what is being drawn."""
        with self._changed:
            self._generation = -1
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def _run(self):
        """Fills the generation that is shown and the next, until it is closed."""
        done = -1
        while (generation := self._generation) >= 0:
            if generation > 1:  # Generation 0 is where a training that resumes begins.
                old = self._redraw.folder(generation - 1)
                shutil.rmtree(old, ignore_errors=True)
            for number in range(max(generation, done + 1), generation + 2):
                self._fill(number)
                done = number
            with self._changed:
                self._changed.wait_for(lambda now=generation: self._generation != now)

    def _fill(self, number):
        """Fills the bank of a generation, unless it is there, or is over meanwhile."""
        try:
            choice.fill_quietly(
                self._redraw.scenes.redrawn(number),
                self._redraw.folder(number),
                self._redraw.footprint,
                niceness=_NICENESS,
                is_stopped=lambda: not 0 <= self._generation <= number,
            )
        except (InputError, OSError) as error:
            logging.warning("scenes are drawn for every pair: %s", error)


def find(portions: Sequence[Portion], every: int) -> Redraw | None:
    """Returns when scenes are redrawn, without banks; None if there are none.

    Args:
      portions: what is trained on.
      every: pairs of a generation, of all portions together; 0 never redraws.
    """
    for number, portion in enumerate(portions):
        if every and isinstance(portion.source, ComposedSource):
            return Redraw(number, portion.source, every)
    return None


def replace_source(
    portions: Sequence[Portion], number: int, source: ComposedSource | BankedSource
) -> list[Portion]:
    """Returns portions of which one draws from another source.

    Args:
      portions: what is trained on.
      number: of the portion.
      source: its new source.
    """
    changed = list(portions)
    changed[number] = dataclasses.replace(portions[number], source=source)
    return changed
