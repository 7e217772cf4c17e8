"""Renders templates: pages as HTML with autoescaping, and tables as text."""

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup, escape

from jaxtrack.report import wording
from jaxtrack.report.plots import style

_HERE = Path(__file__).parent
_MARKDOWN = {c: f"\\{c}" for c in "\\`*_[]#|~$"} | {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
}
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{EN DASH}": "--",
    "…": r"\ldots{}",
} | {c: f"\\{c}" for c in "{}$&%#_"}


def render(template: str, **values: Any) -> str:
    """Renders a template.

    Args:
      template: name of a file in `templates/`; in `.html.j2` all values are escaped.
      **values: of the template.

    Returns:
      The text, with a final newline.
    """
    return environment().get_template(template).render(values)


def markdown_text(text: str) -> str:
    """Escapes a text for Markdown, on one line."""
    return "".join(_MARKDOWN.get(c, c) for c in " ".join(text.split()))


def latex_text(text: str) -> str:
    """Escapes a text for LaTeX, on one line."""
    return "".join(_LATEX.get(c, c) for c in " ".join(text.split()))


@functools.cache
def environment() -> jinja2.Environment:
    """Returns the templates, with their filters for numbers and pictures."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters |= {
        "base64": _base64,
        "breakable": _breakable,
        "brief": wording.brief,
        "color": style.color_of,
        "dashes": style.dashes_of,
        "exact": _exact,
        "is_wide": is_wide,
        "latex": latex_text,
        "markdown": markdown_text,
        "number": _number,
        "share": _share,
        "text": _text,
        "unusable": wording.unusable,
    }
    script = (_HERE / "sort.js").read_text()
    # Nothing is loaded, sent or framed, and only this script runs, whatever the names
    # of trackers and sequences are.
    digest = hashlib.sha256(script.encode()).digest()
    templates.globals |= {
        "line": wording.line,
        "style": Markup((_HERE / "style.css").read_text()),
        "script": Markup(script),
        "script_hash": base64.b64encode(digest).decode(),
    }
    return templates


def is_wide(png: bytes) -> bool:
    """Returns whether a PNG is at least 1.5 times as wide as high."""
    # Width and height are the first numbers of the header chunk.
    width, height = (int.from_bytes(png[k : k + 4]) for k in (16, 20))
    return png.startswith(b"\x89PNG") and width > 1.5 * height


def _base64(content: bytes | str) -> str:
    """Encodes a file's content as text."""
    content = content.encode() if isinstance(content, str) else content
    return base64.b64encode(content).decode()


def _exact(value: float | None) -> str:
    """Returns a number in full, to sort by; -1 if there is none."""
    if value is None or value != value:
        return "-1"
    return repr(value.item() if isinstance(value, np.generic) else value)


def _number(value: float | None, digits: int = 3) -> str:
    """Formats a number; a dash if there is none."""
    missing = value is None or value != value
    return "\N{EN DASH}" if missing else f"{value:.{digits}f}"


def _share(value: float | None) -> float | None:
    """Returns the part of a cell that a number fills."""
    missing = value is None or value != value
    return None if missing else min(1.0, max(0.0, float(value)))


def _breakable(text: str) -> Markup:
    """Allows line breaks after the underscores of a text."""
    return Markup("_<wbr>").join(escape(part) for part in text.split("_"))


def _text(value: Any) -> str:
    """Formats a single value of a manifest."""
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value) or "none"
    return "\N{EN DASH}" if value is None else str(value)
