"""Pieces of one HTML page as escaped text: what is passed in as text can never become markup; no I/O."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray


def text(value: object) -> str:
    """Returns the value as HTML text, quotes included."""
    return html.escape(str(value), quote=True)


def page(*, title: str, css: str, body: str) -> str:
    """Returns the whole document; it names no other file and no address."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{css}</style></head><body>{body}</body></html>\n"
    )


def tile(label: str, value: str, *, unit: str = "", note: str = "", bad: bool = False) -> str:
    """Returns one key number; `value` may be `not measured`."""
    small = f" <small>{text(unit)}</small>" if unit else ""
    below = f"<p>{text(note)}</p>" if note else ""
    css = "tile bad" if bad else "tile"
    return f'<div class="{css}"><dl><dt>{text(label)}</dt><dd>{text(value)}{small}</dd></dl>{below}</div>'


def table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "", words: bool = False,
    links: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Returns a table whose first column heads its rows; columns with numbers are right-aligned, unless all are `words`.

    `links` are addresses by what stands in the first column.
    """
    rows = [list(row) for row in rows]
    numeric = [i > 0 and not words and any(_is_number(row[i]) for row in rows) for i in range(len(headers))]
    head = "".join(f'<th scope="col"{_css(n)}>{text(h)}</th>' for h, n in zip(headers, numeric, strict=True))
    body = "".join(_row(row, numeric, links or {}) for row in rows)
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def section(anchor: str, title: str, lead: str, *blocks: str) -> str:
    """Returns a section that the page's navigation can reach; `lead` is text, `blocks` are markup."""
    return f'<section id="{text(anchor)}"><h2>{text(title)}</h2><p class="lead">{text(lead)}</p>{"".join(blocks)}</section>'


def card(title: str, *blocks: str) -> str:
    """Returns a framed block with a heading; `blocks` are markup."""
    heading = f"<h3>{text(title)}</h3>" if title else ""
    return f'<div class="card">{heading}{"".join(blocks)}</div>'


def figure(rgb: NDArray[np.uint8], *, name: str, caption: str, alt: str, hero: bool = False) -> str:
    """Returns a picture inside the page with a caption, and a text for who cannot see it."""
    css = ' class="hero"' if hero else ""
    size = f'width="{rgb.shape[1]}" height="{rgb.shape[0]}"'
    image = f'<img src="{data_uri(rgb)}" {size} loading="lazy" alt="{text(alt)}">'
    return f"<figure{css}>{image}<figcaption><b>{text(name)}</b> {text(caption)}</figcaption></figure>"


def data_uri(rgb: NDArray[np.uint8], *, quality: int = 88) -> str:
    """Returns uint8 (H, W, 3) as a JPEG data URI."""
    done, encoded = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of shape {rgb.shape} as JPEG.")
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def ramp(colours: NDArray[np.uint8], near: str, far: str, name: str) -> str:
    """Returns a colour bar, uint8 (n, 3) from left to right, with its two ends named."""
    stops = ", ".join(f"rgb({r} {g} {b})" for r, g, b in colours.tolist())
    bar = f'<span class="ramp" style="background:linear-gradient(90deg, {stops})"></span>'
    return f'<span class="key"><b>{text(name)}</b> {text(near)} {bar} {text(far)}</span>'


def _row(row: Sequence[object], numeric: Sequence[bool], links: Mapping[str, str]) -> str:
    cells = "".join(f"<td{_css(n)}>{_cell(v)}</td>" for v, n in zip(row[1:], numeric[1:], strict=True))
    head = f'<a href="{text(links[str(row[0])])}">{text(row[0])}</a>' if row[0] in links else text(row[0])
    return f'<tr><th scope="row">{head}</th>{cells}</tr>'


def _cell(value: object) -> str:
    return '<span class="unmeasured">not measured</span>' if value is None else text(value)


def _css(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value[:1].isdigit())
