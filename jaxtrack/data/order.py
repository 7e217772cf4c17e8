"""The order of clips: shares, counts and weights, shuffled by a seed."""

from collections.abc import Sequence

import grain
import numpy as np

from jaxtrack.data.portions import ALL, Portion
from jaxtrack.errors import InputError


def mix_clips(portions: Sequence[Portion], seed: int) -> grain.MapDataset:
    """Returns an endless stream of (index of a portion, index of a clip).

    Without counts, portions alternate in proportion to their shares, and the clips of
    each are shuffled again after all have been shown.

    With `num_use`, epochs are like pysot's: each portion's clips in random order,
    repeated up to its count, then shuffled together with those of the other portions.
    Unlike pysot, which draws once for all epochs, every epoch draws again: a portion
    with more clips than its count shows different ones. Portions without a count, such
    as composed scenes, have a share relative to the counted ones, whose share is 1.

    Clips of a portion with equal weights form a stream of their own, in proportion to
    the sum of their weights.

    Element `i` is a function only of the seed and `i`.

    Args:
      portions: to draw from, each with a share or count above 0.
      seed: of every random choice.

    Raises:
      InputError: if there is nothing to draw from, or a portion has no tracks.
    """
    counted, streams, shares = [], [], []
    for number, portion in enumerate(portions):
        sizes = [len(clips) * weight for clips, weight in portion.groups]
        if portion.num_use is not None:
            total = round(sum(sizes)) if portion.num_use == ALL else portion.num_use
            counts = _apportion(total, sizes)
            for (clips, _), count in zip(portion.groups, counts, strict=True):
                counted.append((number, clips, count))
            continue
        for place, (clips, _) in enumerate(portion.groups):
            each_once = [(number, clips, len(clips))]
            streams.append(_Passes(each_once, derive_seed(seed, number, place)))
            shares.append(portion.share * sizes[place] / sum(sizes))
    if counted:
        streams.append(_Passes(counted, derive_seed(seed, len(portions), 1)))
        shares.append(1.0)
    if not streams:
        raise InputError("no training data: every source is absent or has weight 0")
    # Grain truncates to hundredths of the smallest: 3 / 10 to 1 / 10 would be 299 to
    # 100.
    whole = [round(100 * share / min(shares)) for share in shares]
    return grain.MapDataset.mix([stream.repeat() for stream in streams], whole)


def derive_seed(seed: int, *stream: int) -> int:
    """Derives the 31-bit seed of a stream of random choices.

    Trailing zeros change nothing: `(seed, 1, 0)` equals `(seed, 1)`.

    Args:
      seed: of the training.
      *stream: numbers that identify the stream.
    """
    return int(np.random.SeedSequence((seed, *stream)).generate_state(1)[0] >> 1)


def _apportion(total, sizes):
    """Splits a count in proportion to sizes: largest remainders first."""
    exact = total * np.asarray(sizes) / sum(sizes)
    counts = np.floor(exact).astype(int)
    rest = np.argsort(counts - exact, kind="stable")[: total - counts.sum()]
    counts[rest] += 1
    return counts.tolist()


class _Passes(grain.MapDataset):
    """Passes over clips, each in a new order: (index of a portion, of a clip).

    A whole pass is drawn at once: Grain's own shuffling searches 2^16 numbers for one
    of few (4 ms per element if there are five).
    """

    def __init__(self, groups: Sequence[tuple[int, np.ndarray, int]], seed: int):
        """Stores the contents of a pass.

        Args:
          groups: index of a portion, its clips, `[G]` int64, and how many a pass
            shows: if more than `G`, some are shown once more than others.
          seed: of every order.
        """
        super().__init__()
        self._groups = tuple(groups)
        self._seed = seed
        self._drawn: dict[int, tuple[int, np.ndarray]] = {}

    def __len__(self) -> int:
        """Number of elements of a pass."""
        return sum(count for _, _, count in self._groups)

    def __getitem__(self, index: int) -> tuple[int, int]:
        """Returns an element; those of the second pass follow the first's."""
        if isinstance(index, slice):
            return self.slice(index)
        number, place = divmod(index, len(self))
        # This pass and its neighbor, since several threads read ahead.
        drawn, rows = self._drawn.get(number % 2, (None, None))
        if drawn != number:
            rows = self._draw(number)
            self._drawn[number % 2] = number, rows
        portion, clip = rows[place].tolist()
        return portion, clip

    def _draw(self, number):
        """Draws a pass: `[N, 2]` int32."""
        rng = np.random.default_rng((self._seed, number))
        rows = np.concatenate(
            [
                np.stack([np.full(count, portion), _repeat(clips, count, rng)], 1)
                for portion, clips, count in self._groups
                if count
            ]
        )
        return rng.permutation(rows.astype(np.int32))

    def __getstate__(self):
        """Leaves out drawn passes: another process draws the same."""
        return {**self.__dict__, "_drawn": {}}


def _repeat(clips, count, rng):
    """Returns clips in random order, repeated up to a count."""
    repetitions = -(-count // len(clips))
    orders = [rng.permutation(clips) for _ in range(repetitions)]
    return np.concatenate(orders)[:count]
