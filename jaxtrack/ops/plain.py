"""Plain forms of computations, for converters to other runtimes.

Some convolutions and means are written out for a CPU. A converter
supports `conv_general_dilated` and not the form that replaces it, and it traces with a
batch of unknown size, on which no choice of form can depend.
"""

import contextlib
import contextvars
from collections.abc import Iterator

_IS_ON = contextvars.ContextVar("plain_forms", default=False)


@contextlib.contextmanager
def plain_forms() -> Iterator[None]:
    """Traces every computation in its plain form while the block runs.

    A function that `jax.jit` traced before keeps its form.
    """
    token = _IS_ON.set(True)
    try:
        yield
    finally:
        _IS_ON.reset(token)


def is_plain() -> bool:
    """Whether only plain forms are traced."""
    return _IS_ON.get()
