"""Bits of HTML that the report's parts share."""

import base64
import html

from jaxtrack.evaluation.plots import color_of


def image(content: bytes, kind: str, alternative: str) -> str:
    """An inline picture.

    Args:
      content: of the file.
      kind: "png" or "jpeg".
      alternative: text in its place.

    Returns:
      An `img` element.
    """
    data = base64.b64encode(content).decode()
    return (
        f'<img src="data:image/{kind};base64,{data}" alt="{html.escape(alternative)}">'
    )


def number(value: float | None, digits: int = 3) -> str:
    """A table cell that sorts by its full value; a dash where there is none."""
    if value is None:
        return '<td class="n" data-v="-1">&ndash;</td>'
    return f'<td class="n" data-v="{value!r}">{value:.{digits}f}</td>'


def tracker(place: int, name: str) -> str:
    """A tracker's name behind a spot of its colour."""
    return f'<i style="background:{color_of(place)}"></i>{html.escape(name)}'
