"""Charts with a row per frame or run on one axis of milliseconds, as inline SVG like those of `benchmarks._charts`; no I/O."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks._charts import RIGHT, WIDTH, nice_ceiling, stage_css, svg, ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """One frame: a label, a note, and its stages in order, ms."""

    label: str
    note: str
    stages_ms: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """One row of a comparison: a label and values by name, ms; `beyond` are the names of values that are infinite."""

    label: str
    values_ms: dict[str, float]
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A value in percent with its interval, None where there is none."""

    value: float
    low: float | None = None
    high: float | None = None


def waterfall(rows: Sequence[Waterfall], *, deadline_ms: float, title: str) -> str:
    """Returns a row per frame, its stages behind each other from its due time on, and a key of the stages."""
    left, line, top = 150, 30, 34
    span = max([deadline_ms, *(sum(row.stages_ms.values()) for row in rows)]) * 1.06
    plot_w, names = WIDTH - left - 70, list(rows[0].stages_ms)
    base = top + line * len(rows)
    parts = [_ms_grid(value, left + value / span * plot_w, top - 4, base) for value in ticks(span, 8)]
    parts.append(f'<text class="axis" x="{left - 10}" y="{base + 14}" text-anchor="end">ms since due</text>')
    for k, row in enumerate(rows):
        y, x = top + k * line, float(left)
        said = html.escape(f"{row.label}, at {row.note}")
        parts.append(f'<text class="axis" x="{left - 10}" y="{y + 15}" text-anchor="end">{said}</text>')
        for i, (name, value) in enumerate(row.stages_ms.items()):
            width = max(value, 0.0) / span * plot_w
            parts.append(f'<rect class="{stage_css(name, i)}" x="{x:.1f}" y="{y}" width="{max(width, 0.4):.2f}" height="20">')
            parts.append(f"<title>{html.escape(name)}: {value:.2f} ms</title></rect>")
            x += width
        parts.append(f'<text class="axis strong" x="{x + 7:.1f}" y="{y + 15}">{sum(row.stages_ms.values()):.1f}</text>')
    parts.append(_deadline(deadline_ms, left + deadline_ms / span * plot_w, top, base))
    parts += _key({name: stage_css(name, i) for i, name in enumerate(names)}, base + 34)
    return svg(parts, base + 34 + 24 * math.ceil(len(names) / 5), title)


def mark_rows(rows: Sequence[Marks], *, deadline_ms: float, title: str) -> str:
    """Returns a row per run, its values as labelled dots on one axis of ms, against the deadline; infinite ones at the right."""
    left, line, top = 70, 44, 34
    finite = [value for row in rows for value in row.values_ms.values()]
    span = nice_ceiling(max([*finite, deadline_ms * 1.1]))
    room = 240 if any(row.beyond for row in rows) else 40  # for the words on what is beyond the axis
    plot_w, base = WIDTH - left - room, top + line * len(rows)
    parts = [_ms_grid(value, left + value / span * plot_w, top - 4, base) for value in ticks(span, 8)]
    parts.append(f'<text class="axis" x="{left - 12}" y="{base + 14}" text-anchor="end">ms</text>')
    for k, row in enumerate(rows):
        y, ends = top + k * line + 26, 0.0
        values = sorted(row.values_ms.items(), key=lambda item: item[1])
        parts.append(f'<text class="axis strong" x="{left - 12}" y="{y + 4}" text-anchor="end">{html.escape(row.label)}</text>')
        if values:
            low, high = (left + values[at][1] / span * plot_w for at in (0, -1))
            parts.append(f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>')
        for name, value in values:
            x = left + value / span * plot_w
            tip = html.escape(f"{row.label} {name}: {value:.1f} ms")
            css = "late" if value > deadline_ms else "good"
            parts.append(f'<circle class="{css}" cx="{x:.1f}" cy="{y}" r="5.5"><title>{tip}</title></circle>')
            if x - ends > 34:
                parts.append(f'<text class="axis small" x="{x:.1f}" y="{y - 10}" text-anchor="middle">{html.escape(name)}</text>')
                ends = x
        if row.beyond:
            said = html.escape(f"{', '.join(row.beyond)}: no answer")
            parts.append(f'<text class="deadline-text small" x="{WIDTH - RIGHT}" y="{y + 4}" text-anchor="end">{said}</text>')
    parts.append(_deadline(deadline_ms, left + deadline_ms / span * plot_w, top, base))
    return svg(parts, base + 30, title)


def _key(classes: Mapping[str, str], top: float) -> list[str]:
    parts = []
    for i, (name, css) in enumerate(classes.items()):
        x, y = 16 + (i % 5) * (WIDTH - 32) / 5, top + 24 * (i // 5)
        parts.append(f'<rect class="{css}" x="{x:.0f}" y="{y}" width="12" height="12" rx="3"/>')
        parts.append(f'<text class="axis" x="{x + 18:.0f}" y="{y + 10.5}">{html.escape(name)}</text>')
    return parts


def _deadline(deadline_ms: float, x: float, top: float, base: float) -> str:
    label = f'<text class="deadline-text" x="{x:.1f}" y="{top - 14}" text-anchor="middle">deadline {deadline_ms:.1f} ms</text>'
    return _vertical_line("deadline", x, top - 8, base) + label


def _ms_grid(value: float, x: float, top: float, base: float) -> str:
    text = f'<text class="axis" x="{x:.1f}" y="{base + 14}" text-anchor="middle">{value:g}</text>'
    return _vertical_line("grid", x, top, base) + text


def _vertical_line(css: str, x: float, top: float, base: float) -> str:
    return f'<line class="{css}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{base:.1f}"/>'


def bar_rows(rows: Mapping[str, Mapping[str, Bar]], names: Sequence[str], *, title: str) -> str:
    """Returns a group of bars per row, one for each of `names` that the row has, on an axis of percent, with a key."""
    left, bar, gap, top = 150, 15, 14, 12
    plot_w, y = WIDTH - left - 60, float(top)
    height = sum(len(bars) * bar + gap for bars in rows.values())
    parts = [_ms_grid(value, left + value / 100 * plot_w, top, top + height) for value in range(0, 101, 20)]
    parts.append(f'<text class="axis" x="{WIDTH - RIGHT}" y="{top + height + 14}" text-anchor="end">%</text>')
    for label, bars in rows.items():
        middle = y + len(bars) * bar / 2 + 5
        parts.append(f'<text class="axis strong" x="{left - 12}" y="{middle:.1f}" text-anchor="end">{html.escape(label)}</text>')
        for i, name in enumerate(names):
            if (found := bars.get(name)) is not None:
                parts += _one_bar(found, f"{label}, {name}", i, y, left, plot_w / 100)
                y += bar
        y += gap
    parts += _key({name: f"stage{2 * i % 9}" for i, name in enumerate(names)}, top + height + 32)
    return svg(parts, top + height + 32 + 24 * math.ceil(len(names) / 5), title)


def _one_bar(bar: Bar, said: str, number: int, y: float, left: int, scale: float) -> list[str]:
    width = max(bar.value * scale, 1.0)
    tip = html.escape(f"{said}: {bar.value:.1f} %")
    shape = f'x="{left}" y="{y:.1f}" width="{width:.1f}" height="11" rx="2"'
    parts = [f'<rect class="stage{2 * number % 9}" {shape}><title>{tip}</title></rect>']
    end = width
    if bar.low is not None and bar.high is not None:
        low, high = left + bar.low * scale, left + bar.high * scale
        parts.append(f'<line class="interval" x1="{low:.1f}" x2="{high:.1f}" y1="{y + 5.5:.1f}" y2="{y + 5.5:.1f}"/>')
        end = max(end, bar.high * scale)
    parts.append(f'<text class="axis small" x="{left + end + 7:.1f}" y="{y + 9.5:.1f}">{bar.value:.1f}</text>')
    return parts
