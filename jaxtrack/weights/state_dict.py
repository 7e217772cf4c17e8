"""State dicts as saved by training scripts, without wrappers and prefixes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.errors import InputError

# Keys under which scripts store the state dict, the most specific one first.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network")
# Prefixes that nn.DataParallel, torch.compile and Lightning's modules add to each name.
PREFIXES = ("module.", "_orig_mod.", "model.")
_COUNTER = "num_batches_tracked"
_DEPTH = 3  # Nested wrappers.
_MOST_BESIDE = 64  # Entries of a wrapper whose key is not known.
_MOST_NAMED = 8


class StateDict(NamedTuple):
    """A state dict without wrappers.

    Attributes:
      arrays: by name, without prefix and without `num_batches_tracked`.
      wrapper: the keys that led to it, joined by dots, or "".
      prefix: the prefix removed from every name, or "".
      beside: other entries that are not its arrays: of the file, such as "optimizer",
        and of the state dict.
      counters: number of `num_batches_tracked` left out.
    """

    arrays: dict[str, Any]
    wrapper: str = ""
    prefix: str = ""
    beside: tuple[str, ...] = ()
    counters: int = 0


def unwrap(content: Any) -> StateDict:
    """Removes the wrappers and prefixes that training scripts add to a state dict.

    Args:
      content: a state dict; or a dict that holds one, under a key of `WRAPPERS` or as
        its only entry of arrays by name, next to an optimizer and other things.

    Raises:
      InputError: it holds no arrays by name.
    """
    keys, beside = [], []
    for _ in range(_DEPTH):
        key = wrapper(content)
        if key is None:
            break
        beside += [".".join([*keys, str(k)]) for k in content if k != key]
        keys.append(key)
        content = content[key]
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise InputError(f"holds a {kind}, not arrays by name; save a state dict")
    arrays = {k: v for k, v in content.items() if isinstance(k, str) and _is_array(v)}
    if not arrays:
        names = f"it has {listed(list(content))}" if content else "it is empty"
        raise InputError(f"holds no arrays by name: {names}")
    beside += [".".join([*keys, str(k)]) for k in content if k not in arrays]
    prefix, arrays = _without_prefix(arrays)
    kept = {k: v for k, v in arrays.items() if not k.endswith(_COUNTER)}
    counters = len(arrays) - len(kept)
    return StateDict(kept, ".".join(keys), prefix, tuple(beside), counters)


def listed(names: list[Any], *, most: int = _MOST_NAMED) -> str:
    """Lists the first few names, and how many more there are.

    Args:
      names: any names; long ones are cut.
      most: number of names to list.
    """
    rest = len(names) - most
    told = ", ".join(plain(str(name)) for name in names[:most])
    return told + (f" and {rest} more" if rest > 0 else "")


def plain(text: str) -> str:
    """Returns a file's text as shown in messages: short, on one line."""
    return text[:200].encode("unicode_escape").decode("ascii")


def wrapper(content: Any) -> str | None:
    """Returns the key under which a state dict lies in a dict, or None."""
    if not isinstance(content, Mapping):
        return None
    for key in WRAPPERS:
        if key in content and _holds_arrays(content[key]):
            return key
    if len(content) > _MOST_BESIDE or _has_array(content):
        return None
    others = [k for k, v in content.items() if _holds_arrays(v) and isinstance(k, str)]
    return others[0] if len(others) == 1 else None


def _holds_arrays(inner):
    """Whether a value is a state dict, or a known wrapper of one."""
    if not isinstance(inner, Mapping):
        return False
    return _has_array(inner) or any(
        isinstance(inner.get(key), Mapping) and _has_array(inner[key])
        for key in WRAPPERS
    )


def _has_array(content):
    """Whether a dict has an array; a number of numpy's, such as a score, is none."""
    found = (v for v in content.values() if not isinstance(v, np.generic))
    return any(map(_is_array, found))


def _is_array(value):
    """Whether a value is an array, of numpy or PyTorch."""
    return isinstance(value, np.ndarray) or (
        hasattr(value, "shape") and hasattr(value, "dtype")
    )


def _without_prefix(arrays):
    """Removes a prefix of every name."""
    taken = ""
    for _ in range(_DEPTH):
        prefix = next(
            (p for p in PREFIXES if all(key.startswith(p) for key in arrays)), ""
        )
        taken += prefix
        arrays = {key.removeprefix(prefix): value for key, value in arrays.items()}
    return taken, arrays
