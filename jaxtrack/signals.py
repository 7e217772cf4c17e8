"""Signals that are heard at once, also while Python cannot run their handlers."""

import signal
import socket
import threading
from collections.abc import Callable


class Listener:
    """Calls a function with the number of each signal that arrives, in a thread.

    Python runs handlers between two of its own instructions, therefore not while XLA
    compiles or a device computes. The system's part of a handler writes the number into
    a socket, which the thread reads. A signal without a handler of Python's is not
    heard.
    """

    def __init__(self, answer: Callable[[int], None]):
        """Begins; the main thread must call this.

        Args:
          answer: takes the number of a signal.
        """
        self._answer = answer
        self._written, self._read = socket.socketpair()
        self._written.setblocking(False)
        self._before = signal.set_wakeup_fd(
            self._written.fileno(), warn_on_full_buffer=False
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends; a listener that was there before hears signals again."""
        signal.set_wakeup_fd(self._before)
        self._written.close()
        self._thread.join()

    def _listen(self):
        """Reads until the other end is closed."""
        with self._read:
            while number := self._read.recv(1):
                self._answer(number[0])
