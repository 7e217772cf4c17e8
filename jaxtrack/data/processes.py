"""What every worker process does first."""

import multiprocessing
import os
import signal
import threading

import cv2


def prepare_worker(*which: int) -> None:
    """Makes a worker use one thread, leave Ctrl-C to its parent, and die with it.

    A parent that is killed cannot end its workers, which would wait for it for ever.

    Args:
      *which: Grain's number of the worker, and how many there are; they do not matter.
    """
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent():
    """Ends this process when its parent ends, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
