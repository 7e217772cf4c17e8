"""Worker processes: their preparation, and a check before they start."""

import ast
import multiprocessing
import os
import pathlib
import signal
import sys
import threading
from types import FrameType

import cv2

from jaxtrack.errors import InputError, format_warnings


def prepare_worker(*which: int) -> None:
    """Makes a worker use one thread, ignore Ctrl-C, and end with its parent.

    A killed parent cannot end its workers, which would wait for it forever.

    Args:
      *which: Grain's index and number of workers; not used.
    """
    cv2.setNumThreads(0)
    format_warnings()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent():
    """Ends this process when its parent ends, however it ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def check_main() -> None:
    """Checks that the main script does not run again in every worker process.

    A worker imports the main script, and so runs everything that is not below
    `if __name__ == "__main__":`, such as this call or `jax.distributed.initialize`.

    Raises:
      InputError: the calling line of the script is not below it.
    """
    frame, path = _frame_of_main()
    if frame is None or path is None:
        return
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return
    line = frame.f_lineno
    for node in tree.body:
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            test = ast.unparse(node.test) if isinstance(node, ast.If) else ""
            if "__name__" not in test:
                raise InputError(
                    f"{path}, line {line}: worker processes import this script and "
                    "would run this line again: put everything below "
                    '`if __name__ == "__main__":`'
                )


def _frame_of_main() -> tuple[FrameType | None, pathlib.Path | None]:
    """Returns the calling frame of the main script and its file, if any."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        code = frame.f_code
        if code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            is_file = file is not None and code.co_filename == file
            return frame, pathlib.Path(file) if is_file else None
        frame = frame.f_back
    return None, None
