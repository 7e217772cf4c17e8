"""The routes of the page: a run as JSON, pictures and files."""

import asyncio
import json
import math
import pathlib
import tempfile
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from jaxtrack.errors import InputError
from jaxtrack.tracking import track_files
from jaxtrack.web.run import ENDED, Run

_STATIC = pathlib.Path(__file__).parent / "static"
_FILES = tuple(path.name for path in _STATIC.iterdir())
_POLL = 0.05  # Seconds.
_SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src "
    "'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make(run: Run, token: str) -> Starlette:
    """Makes the web application.

    It answers only requests from this machine, under its own name, with the token.

    Args:
      run: the run to show.
      token: first part of all paths.

    Returns:
      The application.
    """

    async def events(request: Request) -> Response:
        return StreamingResponse(_events(run), media_type="text/event-stream")

    def about(request: Request) -> Response:
        return JSONResponse(_about(run))

    def frame(request: Request) -> Response:
        jpeg = run.frames.jpeg(request.path_params["number"])
        if jpeg is None:
            return Response(status_code=404)
        kept = {"Cache-Control": "private, max-age=600"}
        return Response(jpeg, media_type="image/jpeg", headers=kept)

    async def command(request: Request) -> Response:
        name = request.path_params["name"]
        with_boxes = {"draft": run.draft, "track": run.track}
        plain = {"pause": run.pause, "resume": run.resume, "restart": run.restart}
        if name in with_boxes:
            with_boxes[name](*_frame_and_boxes(await request.body()))
        elif name in plain:
            plain[name]()
        else:
            return Response(status_code=404)
        return JSONResponse({})

    routes = [
        Route("/", _static),
        Route("/about", about),
        Route("/events", events),
        Route("/frames/{number:int}.jpg", frame),
        Route("/tracked.{kind}", lambda request: _download(run, request)),
        Route("/{file}", _static),
        Route("/{name}", command, methods=["POST"]),
    ]
    return Starlette(
        routes=[Mount(f"/{token}", routes=routes)],
        middleware=[Middleware(TrustedHostMiddleware, ["127.0.0.1", "localhost"])],
        exception_handlers={InputError: _refuse},
    )


def _refuse(request: Request, fault: Exception) -> Response:
    """Returns an error for the page."""
    return JSONResponse({"error": str(fault)}, status_code=400)


def _static(request: Request) -> Response:
    """Returns one of the page's own files."""
    name = request.path_params.get("file", "index.html")
    if name not in _FILES:
        return Response(status_code=404)
    return FileResponse(_STATIC / name, headers=_SAFE)


def _about(run: Run) -> dict[str, Any]:
    """Returns the constant facts of a run."""
    frames = run.frames
    height, width = (int(side) for side in frames.hw)
    return {
        "video": frames.name,
        "width": width,
        "height": height,
        "fps": frames.fps,
        "length": frames.length,
        "is_live": frames.is_live,
    }


async def _events(run: Run) -> AsyncIterator[str]:
    """Yields news as server-sent events until the run ends."""
    news, generation, cursor = None, -1, 0
    while True:
        before, news = news, run.news(generation, cursor)
        generation, cursor = news["generation"], news["cursor"]
        if before is None or news["rows"] or news != before | {"rows": []}:
            yield f"data: {json.dumps(news)}\n\n"
        if news["phase"] == ENDED and not news["rows"]:
            return
        await asyncio.sleep(_POLL)


def _frame_and_boxes(body: bytes) -> tuple[int, list[list[float] | None]]:
    """Reads `{"frame": 7, "boxes": [[x, y, w, h], null]}`."""
    try:
        given = json.loads(body)
        boxes = [box and [float(v) for v in box] for box in given["boxes"]]
        if all(
            b is None or (len(b) == 4 and all(map(math.isfinite, b))) for b in boxes
        ):
            return int(given["frame"]), boxes
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    raise InputError("expected a frame and boxes of x, y, width, height")


def _download(run: Run, request: Request) -> Response:
    """Returns the results as a file."""
    kind = request.path_params["kind"]
    if kind == "mp4":
        with tempfile.NamedTemporaryFile(suffix=".mp4", delete=False) as file:
            path = pathlib.Path(file.name)
        try:
            run.write_video(str(path))
        except BaseException:
            path.unlink()
            raise
        remove = BackgroundTask(path.unlink, missing_ok=True)
        return FileResponse(path, filename="tracked.mp4", background=remove)
    texts = {"csv": lambda: track_files.table(run.rows()), "json": lambda: _json(run)}
    if kind not in texts:
        return Response(status_code=404)
    named = {"Content-Disposition": f'attachment; filename="tracked.{kind}"'}
    types = {"csv": "text/csv", "json": "application/json"}
    return Response(texts[kind](), media_type=types[kind], headers=named)


def _json(run: Run) -> str:
    """Returns all rows with names, and whether a box was drawn by hand."""
    rows = []
    for row in run.rows():
        columns = zip(row.xywh.tolist(), row.score, row.lost, strict=True)
        for k, (box, score, lost) in enumerate(columns):
            box_by_name = dict(zip("xywh", box, strict=True))
            about = {"score": float(score), "lost": bool(lost)}
            drawn = {"given": run.is_given(row.frame, k)}
            rows.append(
                {"frame": row.frame, "target": k + 1} | box_by_name | about | drawn
            )
    return json.dumps(_about(run) | {"rows": rows}, indent=1)
