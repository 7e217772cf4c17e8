"""Bits of HTML that the report's parts share."""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxtrack.evaluation.plots import color_of, dashes_of


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


def gallery(pictures: Mapping[str, bytes]) -> str:
    """PNG plots side by side; those with a legend beside the axes have more room.

    Args:
      pictures: text in the place of each -> the file's content.

    Returns:
      HTML.
    """
    figures = "".join(
        f"<figure>{image(png, 'png', text)}</figure>" for text, png in pictures.items()
    )
    kind = "plots roomy" if any(map(is_wide, pictures.values())) else "plots"
    return f'<div class="{kind}">{figures}</div>'


def is_wide(png: bytes) -> bool:
    """Whether a PNG is half as wide again as high; what is no PNG is not."""
    # Width and height are the first numbers of the header chunk.
    width, height = (int.from_bytes(png[k : k + 4]) for k in (16, 20))
    return width > 1.5 * height


def number(value: float | None, digits: int = 3) -> str:
    """A table cell that sorts by its full value; a dash where there is none, or NaN."""
    if value is None or value != value:
        return '<td class="n" data-v="-1">&ndash;</td>'
    exact = value.item() if isinstance(value, np.generic) else value
    return f'<td class="n" data-v="{exact!r}">{exact:.{digits}f}</td>'


def sentences(texts: Sequence[str], *, shown: int = 8, kind: str = "remarks") -> str:
    """A list of sentences; nothing where there are none.

    Args:
      texts: as they are; they are escaped here.
      shown: how many are open; more fold.
      kind: class of the list.

    Returns:
      HTML.
    """
    items = [f"<li>{html.escape(text)}</li>" for text in texts]
    more = "".join(items[shown:])
    if more:
        more = f"<details><summary>{len(items) - shown} more</summary>{more}</details>"
    first = "".join(items[:shown])
    return f'<ul class="{kind}">{first}{more}</ul>' if items else ""


def tracker(place: int, name: str) -> str:
    """A tracker's name behind a piece of its line."""
    return (
        f'<span class="t"><i class="d{dashes_of(place)}" '
        f'style="color:{color_of(place)}"></i><span>{html.escape(name)}</span></span>'
    )


def copyable(name: str, content: str) -> str:
    """A text file to select by one click, or to save.

    Args:
      name: of the file.
      content: as it is; it is escaped here.

    Returns:
      A link that saves the file, and the text.
    """
    data = base64.b64encode(content.encode()).decode()
    file = html.escape(name)
    return (
        f'<p class="save"><a download="{file}" '
        f'href="data:text/plain;charset=utf-8;base64,{data}">{file}</a></p>'
        f'<pre class="copy">{html.escape(content)}</pre>'
    )


def facts(value: Mapping[str, Any]) -> str:
    """Nested facts: one line each, groups fold.

    Args:
      value: names -> numbers, texts, lists of these, or facts again.

    Returns:
      HTML.
    """
    parts = [
        f"<div><dt>{html.escape(str(key))}</dt><dd>{html.escape(_told(one))}</dd></div>"
        for key, one in value.items()
        if not isinstance(one, Mapping)
    ]
    parts += [
        f"<div><details><summary>{html.escape(str(key))} <small>{len(one)}</small>"
        f"</summary>{facts(one)}</details></div>"
        for key, one in value.items()
        if isinstance(one, Mapping)
    ]
    return f'<dl class="nested">{"".join(parts)}</dl>'


def _told(value: Any) -> str:
    """A fact that is no group."""
    if isinstance(value, list | tuple):
        return ", ".join(_told(one) for one in value) or "none"
    return "\N{EN DASH}" if value is None else str(value)
