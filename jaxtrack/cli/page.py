"""The page of `jaxtrack track`, which opens where no first box is given."""

import functools
import sys
from collections.abc import Mapping

import cv2
import numpy as np

from jaxtrack import session
from jaxtrack.cli import first_box, video
from jaxtrack.errors import EXTRAS, InputError, require
from jaxtrack.tracking.outputs import Outputs

_PACKAGES = tuple(name for name, extra in EXTRAS.items() if extra == "web")


def check(*, open_browser: bool) -> None:
    """Raises if there is neither a first box nor a page to draw it on.

    Args:
      open_browser: whether the page is to be opened here.

    Raises:
      InputError: a package of the page is missing, or a browser.
    """
    ways = (
        "no first box: give --box=x,y,w,h or --box=FILE (its first line), or draw it "
    )
    ways += "in the browser"
    try:
        require(*_PACKAGES)
    except InputError as fault:
        raise InputError(f"{ways}: {fault}") from None
    from jaxtrack.web import serve  # An extra.

    if open_browser and not serve.has_browser():
        raise InputError(
            f"{ways} (pip install 'jaxtrack[web]'): none can be opened here, so add "
            "--no_browser and open the printed address elsewhere"
        )


def run(
    checkpoint: str,
    source: str,
    boxes: Mapping[str, np.ndarray],
    *,
    outputs: Outputs,
    model: str = "",
    strict: bool = False,
    open_browser: bool = True,
) -> int:
    """Shows the page until Ctrl-C.

    Args:
      checkpoint: what `jaxtrack.load` takes.
      source: see `jaxtrack.tracking.sources.open_source`.
      boxes: drawn already, from `first_box.first_boxes`; may be empty.
      outputs: files that are written as boxes come.
      model: see `jaxtrack.load`.
      strict: stops at the first bad frame; else the page names it.
      open_browser: whether to open the page, too.

    Returns:
      How many frames could not be read.

    Raises:
      InputError: if something given cannot be used, or what stopped tracking.
    """
    from jaxtrack.web import frames, serve  # An extra.
    from jaxtrack.web.run import Run

    outputs.check()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    notes, print_warning = [], video.warnings()

    def warn(message):
        notes.append(message)
        print_warning(message)

    shown = frames.open_frames(source, warn=None if strict else warn)
    xywh = first_box.check(boxes, shown.hw) if boxes else ()
    load = functools.partial(session.load, checkpoint, model=model)
    page = Run(shown, load, paths=outputs, boxes=xywh, notes=notes)
    serve.serve(page, open_browser=open_browser)
    if page.fault:
        raise page.fault
    written = "".join(f"; wrote {path}" for path in outputs if path)
    print(f"{len(page.rows())} frames tracked{written}", file=sys.stderr)
    return shown.skipped
