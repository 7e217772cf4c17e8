"""The values that a pickle may contain here, and a limit on their size."""

from dataclasses import dataclass
from pickle import UnpicklingError
from typing import Any

_KEYS = (str, float, bool, bytes, type(None))
_LONGEST = 64  # Bits of an integer; longer ones are not sizes.
_ITEM = 100  # Approximate bytes per entry of a container.


@dataclass(frozen=True)
class Name:
    """A name in a pickle, such as "torch.FloatStorage"."""

    path: str


class Inert(dict):
    """Represents an object of an unknown class, with its entries as a dict.

    Attributes:
      path: the name of the class or function in the pickle.
      args: the arguments of its call.
      state: the state to set its attributes from, or None.
      members: the items to append.
    """

    __slots__ = ("args", "members", "path", "state")

    def __init__(self, path: str, args: tuple[Any, ...]):
        """Stores the name and the arguments."""
        super().__init__()
        self.path, self.args, self.state, self.members = path, args, None, []

    def build(self, state: Any) -> None:
        """Stores the state."""
        self.state = state


class Budget:
    """Limits the bytes that reading a file may allocate."""

    def __init__(self, left: int):
        """Starts with that number of bytes."""
        self.left = left

    def spend(self, count: int) -> None:
        """Subtracts bytes.

        Args:
          count: how many.

        Raises:
          UnpicklingError: there are not enough left.
        """
        self.left -= count
        if self.left < 0:
            raise UnpicklingError("it unpacks to far more than its own size")


@dataclass
class Pending:
    """A known object, which becomes `value` when it is built."""

    value: Any = None


def finished(value: Any) -> Any:
    """Returns the value of a `Pending` object, and any other value unchanged."""
    return value.value if isinstance(value, Pending) else value


def is_whole(value: Any) -> bool:
    """Returns whether a value is an integer that can be a size."""
    return type(value) is int and value.bit_length() < _LONGEST


def is_key(value: Any) -> bool:
    """Returns whether a value may be a key; others are never hashed."""
    return is_whole(value) or type(value) in _KEYS


def members(args: tuple[Any, ...], budget: Budget) -> list[Any]:
    """Builds a list from nothing or a list, like `set`.

    Args:
      args: of the call.
      budget: of the file.

    Returns:
      The members; none if the argument is not a list or tuple.
    """
    given = args[0] if args and isinstance(args[0], list | tuple) else ()
    budget.spend(_ITEM * len(given))
    return list(given)


def entries(args: tuple[Any, ...], budget: Budget) -> dict[Any, Any]:
    """Builds a dict from nothing or a list of pairs, like `OrderedDict`.

    Args:
      args: of the call; anything but a list of pairs is dropped.
      budget: of the file.

    Returns:
      Entries whose keys are numbers or strings.
    """
    pairs = args[0] if args and isinstance(args[0], list) else []
    budget.spend(_ITEM * len(pairs))
    made = {}
    for pair in pairs:
        if isinstance(pair, tuple | list) and len(pair) == 2 and is_key(pair[0]):
            made[pair[0]] = finished(pair[1])
    return made
