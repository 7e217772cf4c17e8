"""What a pickle may hold here, and how much of it."""

from dataclasses import dataclass
from pickle import UnpicklingError
from typing import Any

_KEYS = (str, float, bool, bytes, type(None))
_LONGEST = 64  # Bits of a whole number: longer ones are no sizes.
_ITEM = 100  # Bytes that an entry of a container takes, about.


@dataclass(frozen=True)
class Name:
    """A name in a pickle, such as "torch.FloatStorage"."""

    path: str


class Inert(dict):
    """Stands for an object whose class is not known: entries as of a dict, and more.

    Attributes:
      path: the name of the class or function that would have built it.
      args: what that would have been called with.
      state: what its attributes would have been set from, or None.
      members: what would have been appended.
    """

    __slots__ = ("args", "members", "path", "state")

    def __init__(self, path: str, args: tuple[Any, ...]):
        """Keeps the name and the arguments."""
        super().__init__()
        self.path, self.args, self.state, self.members = path, args, None, []

    def build(self, state: Any) -> None:
        """Keeps the state."""
        self.state = state


class Budget:
    """Counts the bytes that reading a file may take beyond the file's own."""

    def __init__(self, left: int):
        """Starts with that number of bytes."""
        self.left = left

    def spend(self, count: int) -> None:
        """Takes bytes off.

        Args:
          count: how many.

        Raises:
          UnpicklingError: there are not so many left.
        """
        self.left -= count
        if self.left < 0:
            raise UnpicklingError("it unpacks to far more than its own size")


@dataclass
class Pending:
    """A known object that is `value` once it has been built."""

    value: Any = None


def finished(value: Any) -> Any:
    """Returns the value of a `Pending` object, and any other value unchanged."""
    return value.value if isinstance(value, Pending) else value


def is_whole(value: Any) -> bool:
    """Tells whether a value is an integer that can be a size."""
    return type(value) is int and value.bit_length() < _LONGEST


def is_key(value: Any) -> bool:
    """Tells whether a value may be the key of an entry: others are never hashed."""
    return is_whole(value) or type(value) in _KEYS


def members(args: tuple[Any, ...], budget: Budget) -> list[Any]:
    """Builds a list from nothing or a list, as `set` does a set.

    Args:
      args: of the call.
      budget: of the file.

    Returns:
      The members; none of what is no list or tuple.
    """
    given = args[0] if args and isinstance(args[0], list | tuple) else ()
    budget.spend(_ITEM * len(given))
    return list(given)


def entries(args: tuple[Any, ...], budget: Budget) -> dict[Any, Any]:
    """Builds a dict from nothing or a list of pairs, as `OrderedDict` does.

    Args:
      args: of the call; what is no list of pairs is left out.
      budget: of the file.

    Returns:
      Entries whose keys are numbers or texts.
    """
    pairs = args[0] if args and isinstance(args[0], list) else []
    budget.spend(_ITEM * len(pairs))
    made = {}
    for pair in pairs:
        if isinstance(pair, tuple | list) and len(pair) == 2 and is_key(pair[0]):
            made[pair[0]] = finished(pair[1])
    return made
