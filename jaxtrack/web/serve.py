"""The server of the page, on this machine, until Ctrl-C."""

import os
import secrets
import socket
import sys
import threading
import webbrowser

import uvicorn

from jaxtrack.web import app
from jaxtrack.web.run import Run

_HOST = "127.0.0.1"


def has_browser() -> bool:
    """Returns whether a graphical browser can be opened."""
    is_desktop = sys.platform in ("darwin", "win32")
    shown = any(map(os.environ.get, ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")))
    try:
        return bool((is_desktop or shown) and webbrowser.get())
    except webbrowser.Error:
        return False


class Server:
    """Serves a run in a thread of its own; use it in a `with` statement."""

    def __init__(self, run: Run):
        """Binds a free port and starts to serve.

        Args:
          run: the run to show.
        """
        token = secrets.token_urlsafe(16)
        self._socket = socket.create_server((_HOST, 0))
        self.url = f"http://{_HOST}:{self._socket.getsockname()[1]}/{token}/"
        config = uvicorn.Config(
            app.make(run, token),
            log_level="error",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        sockets = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=sockets)
        self._thread.daemon = True
        self._thread.start()

    def __enter__(self) -> "Server":
        """Returns itself."""
        return self

    def __exit__(self, *fault: object) -> None:
        """Stops after the last events are sent."""
        self._server.should_exit = True
        self._thread.join(timeout=3)
        self._socket.close()


def serve(run: Run, *, open_browser: bool) -> None:
    """Shows a run until Ctrl-C, then finishes its files.

    Args:
      run: the run to show; it is closed at the end.
      open_browser: whether to open the page; its address is always printed.
    """
    with Server(run) as server:
        print(f"open {server.url} (Ctrl-C ends)", file=sys.stderr, flush=True)
        if open_browser:
            webbrowser.open(server.url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("finishing ...", file=sys.stderr, flush=True)
        finally:
            run.close()
    if run.is_working():
        # A compilation cannot be interrupted: Python would abort. Nothing is tracked
        # yet, so there are no files to finish.
        print("ended during compilation", file=sys.stderr, flush=True)
        os._exit(130)
