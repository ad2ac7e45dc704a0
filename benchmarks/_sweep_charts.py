"""The two pictures of sweeps as inline SVG text, in the colours of the page: misses against rate, streaming against offline.

A mark's class says its verdict: `good` PASS, `late` FAIL, `other` INVALID. No I/O.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 1040, 66, 24, 44, 52
CLASSES = {"PASS": "good", "FAIL": "late", "INVALID": "other"}
# What stands for no miss at all on a scale of powers of ten, in percent.
_FLOOR = 0.05
_ASIDE = 15.0  # px
_CHARACTER = 7.6  # px, on average, of a bold label
_STYLE = (
    "svg{background:#fff}text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;fill:#5d6370}"
    ".strong{fill:#1d1f24;font-weight:640}.grid{stroke:#e2e0da}.mark{stroke:#5d6370;stroke-dasharray:2 3}"
    ".deadline{stroke:#c23b3b;stroke-width:1.6}.deadline-text{fill:#c23b3b;font-weight:600}"
    ".good{fill:#2a8f6a}.late{fill:#d9822b}.other{fill:#8a8fa0}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateMark:
    """One run: its rate, its ratio of misses and the 99 % bound on it, in percent, and its verdict."""

    rate_hz: float
    missed: float
    bound: float
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMark:
    """One engine: its name and a line below it, quality in percent as (value, low, high), the ends None without an interval."""

    label: str
    below: str
    offline: tuple[float, float | None, float | None]
    streaming: tuple[float, float | None, float | None]
    status: str


def misses_by_rate(marks: Sequence[RateMark], *, allowed: float, highest_hz: float | None, title: str) -> str:
    """Returns the ratio of misses (dot) up to its bound (cap) against the rate, on a scale of powers of ten."""
    height = 400
    plot_w, plot_h = _WIDTH - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    top_hz = 1.06 * max(mark.rate_hz for mark in marks)

    def x(rate_hz: float) -> float:
        return _LEFT + rate_hz / top_hz * plot_w

    def y(percent: float) -> float:
        share = math.log(max(percent, _FLOOR) / _FLOOR) / math.log(100 / _FLOOR)
        return _TOP + (1 - share) * plot_h

    parts = [_text(_LEFT - 8, _TOP - 14, "missed", anchor="end")]
    for level, name in ((_FLOOR, "none"), (0.1, "0.1 %"), (1, "1 %"), (10, "10 %"), (100, "100 %")):
        parts.append(_line(_LEFT, y(level), _LEFT + plot_w, y(level), "grid"))
        parts.append(_text(_LEFT - 8, y(level) + 4, name, anchor="end"))
    for rate in _ticks(top_hz):
        parts.append(_text(x(rate), height - _BOTTOM + 20, f"{rate:g}", anchor="middle"))
    parts.append(_text(_LEFT + plot_w, height - _BOTTOM + 40, "frames per second", anchor="end"))
    parts.append(_line(_LEFT, y(allowed), _LEFT + plot_w, y(allowed), "deadline"))
    parts.append(_text(_LEFT + plot_w, y(allowed) - 6, f"the claim allows {allowed:.3g} %", css="deadline-text", anchor="end"))
    if highest_hz is not None:
        parts.append(_line(x(highest_hz), _TOP - 8, x(highest_hz), _TOP + plot_h, "mark"))
        parts.append(_text(x(highest_hz) - 6, _TOP + 12, f"{highest_hz:g} FPS holds", css="strong", anchor="end"))
    before = [sum(other.rate_hz == mark.rate_hz for other in marks[:k]) for k, mark in enumerate(marks)]
    for mark, aside in zip(marks, before, strict=True):  # further attempts at a rate stand beside the first
        parts.append(_rate_mark(x(mark.rate_hz) + _ASIDE * aside, y(mark.missed), y(mark.bound), mark))
    return _svg([*parts, *_key("dot: missed in the run; cap: at most, with 99 % confidence")], height, title)


def streaming_by_offline(marks: Sequence[EngineMark], *, column: str, title: str) -> str:
    """Returns quality in streaming against quality offline, in percent; on the diagonal nothing is lost to time."""
    height = 620
    plot_w, plot_h = _WIDTH - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    values = [v for mark in marks for some in (mark.offline, mark.streaming) for v in some if v is not None]
    low, high = max(math.floor(min(values) / 10 - 0.3) * 10, 0), min(math.ceil(max(values) / 10 + 0.3) * 10, 100)

    def x(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * plot_w

    def y(value: float) -> float:
        return _TOP + (1 - (value - low) / (high - low)) * plot_h

    parts = [_text(_LEFT - 8, _TOP - 14, f"{column}, %", anchor="end" if len(column) < 5 else "middle")]
    for value in range(low, high + 1, 10 if high - low > 20 else 5):
        parts.append(_line(_LEFT, y(value), _LEFT + plot_w, y(value), "grid"))
        parts.append(_line(x(value), _TOP, x(value), _TOP + plot_h, "grid"))
        parts.append(_text(_LEFT - 8, y(value) + 4, str(value), anchor="end"))
        parts.append(_text(x(value), height - _BOTTOM + 20, str(value), anchor="middle"))
    parts.append(_text(_LEFT + plot_w, height - _BOTTOM + 40, "offline, %", anchor="end"))
    parts.append(_line(x(low), y(low), x(high), y(high), "mark"))
    parts.append(_text(x(high) - 70, y(high) + 20, "nothing lost to time", anchor="end"))
    labels = _apart([y(mark.streaming[0]) for mark in marks])
    for mark, label_y in zip(marks, labels, strict=True):
        at_x, at_y = x(mark.offline[0]), y(mark.streaming[0])
        parts += _error_bars(mark, at_x, at_y, x, y)
        parts.append(_dot(at_x, at_y, mark.status, f"{mark.label}: {mark.status}"))
        left = at_x + 40 + _CHARACTER * max(len(mark.label), len(mark.below)) > _WIDTH
        text_x, anchor = (at_x - 34, "end") if left else (at_x + 34, "start")
        parts.append(_line(at_x + (-7 if left else 7), at_y, text_x + (4 if left else -4), label_y - 4, "grid"))
        parts.append(_text(text_x, label_y, mark.label, css="strong", anchor=anchor))
        parts.append(_text(text_x, label_y + 15, mark.below, anchor=anchor))
    note = "lines: 95 % intervals over scenes" if any(m.offline[1] is not None for m in marks) else "too few scenes for intervals"
    return _svg([*parts, *_key(note)], height, title)


def standalone(svg: str) -> str:
    """Returns a chart as a file of its own, on white."""
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f"><style>{_STYLE}</style>", 1) + "\n"


def _rate_mark(x: float, y_missed: float, y_bound: float, mark: RateMark) -> str:
    css = CLASSES[mark.status]
    stem = f'<rect class="{css}" x="{x - 1:.1f}" y="{y_bound:.1f}" width="2" height="{max(y_missed - y_bound, 0.1):.1f}"/>'
    cap = f'<rect class="{css}" x="{x - 7:.1f}" y="{y_bound - 1:.1f}" width="14" height="2"/>'
    said = f"{mark.rate_hz:g} FPS: {mark.status}, {mark.missed:.2f} % missed, at most {mark.bound:.2f} %"
    return stem + cap + _dot(x, y_missed, mark.status, said)


def _error_bars(mark: EngineMark, at_x: float, at_y: float, x: object, y: object) -> list[str]:
    parts, css = [], CLASSES[mark.status]
    for (_, low, high), scale, upright in ((mark.offline, x, False), (mark.streaming, y, True)):
        if low is None or high is None or not callable(scale):
            continue
        a, b = sorted((scale(low), scale(high)))
        size = f'x="{at_x - 0.7:.1f}" y="{a:.1f}" width="1.4" height="{b - a:.1f}"' if upright else (
            f'x="{a:.1f}" y="{at_y - 0.7:.1f}" width="{b - a:.1f}" height="1.4"'
        )  # fmt: skip
        parts.append(f'<rect class="{css}" {size} opacity="0.55"/>')
    return parts


def _apart(heights: Sequence[float], *, least: float = 36.0) -> list[float]:
    """Returns the heights moved down as little as it takes for no two to be closer than `least`."""
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    placed, before = list(heights), -math.inf
    for k in order:
        placed[k] = before = max(heights[k], before + least)
    return placed


def _key(note: str) -> list[str]:
    parts, x = [], float(_LEFT + 120)
    for status in CLASSES:
        parts.append(f'<circle {_look(status)} cx="{x:.0f}" cy="14" r="6"/>')
        parts.append(_text(x + 11, 18, status))
        x += 90
    return [*parts, _text(x + 20, 18, note)]


def _dot(x: float, y: float, status: str, said: str) -> str:
    return f'<circle {_look(status)} cx="{x:.1f}" cy="{y:.1f}" r="6"><title>{html.escape(said)}</title></circle>'


def _look(status: str) -> str:
    """Returns how a mark is drawn: what is INVALID is hollow, so that colour is not all that tells it."""
    return 'fill="none" stroke="#8a8fa0" stroke-width="2.5"' if status == "INVALID" else f'class="{CLASSES[status]}"'


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, *, css: str = "axis", anchor: str = "start") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _ticks(top: float) -> list[float]:
    power = 10.0 ** math.floor(math.log10(top / 8))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= top / 8 * 0.999)
    return [k * step for k in range(int(top / step) + 1)]


def _svg(parts: Sequence[str], height: int, title: str) -> str:
    label = html.escape(title, quote=True)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
