"""Small charts as inline SVG text that follow the page's light or dark colours and speak to a screen reader; no I/O."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from hil.figures.stages import STAGES

WIDTH = 1040
_LEFT, RIGHT, _TOP, _BOTTOM = 46, 16, 26, 34


@dataclass(frozen=True, slots=True, kw_only=True)
class DueFrame:
    """One frame that was due: when (seconds), how long its answer took (ms, None where none came) and its outcome."""

    due_s: float
    latency_ms: float | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """An event on a timeline: its letter, when it began and ended (None: a moment), its kind as a class, and what it was."""

    letter: str
    at_s: float
    until_s: float | None
    kind: str
    said: str


def histogram(values_ms: Sequence[float], *, deadline_ms: float, marks: dict[str, float], title: str) -> str:
    """Returns a histogram with the deadline as a line and each of `marks` (such as p95) as a tick."""
    if not values_ms:
        return '<p class="empty">No answer came back, so there is no latency to draw.</p>'
    top_ms = nice_ceiling(max(*values_ms, deadline_ms * 1.2))
    bins, height = 60, 250
    counts = [0] * bins
    for value in values_ms:
        counts[min(int(value / top_ms * bins), bins - 1)] += 1
    plot_w, plot_h = WIDTH - _LEFT - RIGHT, height - _TOP - _BOTTOM
    parts = _vertical_grid(max(counts), plot_w, plot_h, "frames") + _time_axis(top_ms, plot_w, plot_h, "ms end to end")
    for i, count in enumerate(counts):
        if count:
            bar = max(count / max(counts) * plot_h, 2)
            late = (i + 0.5) * top_ms / bins > deadline_ms
            left = _LEFT + i * plot_w / bins
            tip = f"{i * top_ms / bins:.1f} to {(i + 1) * top_ms / bins:.1f} ms: {count} frames"
            rectangle = _rect(left + 0.8, _TOP + plot_h - bar, plot_w / bins - 1.6, bar, "late" if late else "good")
            parts.append(rectangle.replace("/>", f"><title>{tip}</title></rect>"))
    parts += [_deadline_mark(_LEFT + deadline_ms / top_ms * plot_w, plot_h, f"deadline {deadline_ms:.1f} ms")]
    parts += _percentile_marks(marks, top_ms, plot_w, plot_h)
    return svg(parts, height, title)


def timeline(
    frames: Sequence[DueFrame], *, deadline_ms: float, classes: dict[str, str], title: str, flags: Sequence[Flag] = ()
) -> str:
    """Returns one bar per due frame: its height is its latency, its class its outcome; unanswered ones fill the height.

    Each of `flags` is a band behind the bars with its letter above.
    """
    answered = [f.latency_ms for f in frames if f.latency_ms is not None]
    top_ms = nice_ceiling(max([*answered, deadline_ms * 1.2]))
    end_s = max((f.due_s for f in frames), default=1.0) or 1.0
    height = 250
    plot_w, plot_h = WIDTH - _LEFT - RIGHT, height - _TOP - _BOTTOM
    parts = _vertical_grid(top_ms, plot_w, plot_h, "ms") + _time_axis(end_s, plot_w, plot_h, "s since the clock started")
    parts += _flag_marks(flags, end_s, plot_w, plot_h)
    width = max(plot_w / max(len(frames), 1) * 0.72, 0.8)
    for f in frames:
        bar = plot_h if f.latency_ms is None else max(f.latency_ms / top_ms * plot_h, 1.5)
        left = _LEFT + f.due_s / end_s * (plot_w - width)
        said = "no answer" if f.latency_ms is None else f"{f.latency_ms:.1f} ms"
        tip = html.escape(f"{f.due_s:.2f} s: {f.outcome}, {said}")
        rectangle = _rect(left, _TOP + plot_h - bar, width, bar, classes.get(f.outcome, "other"))
        parts.append(rectangle.replace("/>", f"><title>{tip}</title></rect>"))
    level = _TOP + plot_h - deadline_ms / top_ms * plot_h
    parts.append(f'<line class="deadline" x1="{_LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}"/>')
    label = f"deadline {deadline_ms:.1f} ms"
    parts.append(f'<text class="deadline-text" x="{WIDTH - RIGHT}" y="{level - 6:.1f}" text-anchor="end">{label}</text>')
    return svg(parts, height, title)


def stage_bar(stages_ms: dict[str, float], *, deadline_ms: float, title: str) -> str:
    """Returns one stacked bar of the stages in order, against the deadline, with a key that names and sizes each."""
    total = sum(stages_ms.values())
    span = max(total, deadline_ms) * 1.04
    plot_w = WIDTH - 32
    parts, left = [f'<rect class="track" x="16" y="28" width="{plot_w}" height="38" rx="6"/>'], 16.0
    for i, (name, value) in enumerate(stages_ms.items()):
        width = value / span * plot_w
        tip = html.escape(f"{name}: {value:.2f} ms")
        parts.append(f'<rect class="{stage_css(name, i)}" x="{left:.1f}" y="28" width="{max(width, 0.6):.1f}" height="38">')
        parts.append(f"<title>{tip}</title></rect>")
        if width > 46:
            parts.append(f'<text class="in-bar" x="{left + width / 2:.1f}" y="52" text-anchor="middle">{value:.1f}</text>')
        left += width
    line = 16 + deadline_ms / span * plot_w
    place = 'x="16"' if line > 260 else f'x="{WIDTH - RIGHT}" text-anchor="end"'  # beside the deadline's words
    parts.append(f'<text class="axis strong" {place} y="14">sum {total:.1f} ms</text>')
    parts.append(f'<line class="deadline" x1="{line:.1f}" x2="{line:.1f}" y1="20" y2="74"/>')
    anchor = f'x="{line:.1f}" y="14" text-anchor="{"end" if line > 140 else "start"}"'
    parts.append(f'<text class="deadline-text" {anchor}>deadline {deadline_ms:.1f} ms</text>')
    parts += _stage_key(stages_ms, total)
    return svg(parts, 96 + 24 * math.ceil(len(stages_ms) / 4), title)


def _flag_marks(flags: Sequence[Flag], end_s: float, plot_w: int, plot_h: int) -> list[str]:
    parts, beyond = [], -math.inf
    for flag in flags:
        x = _LEFT + min(max(flag.at_s / end_s, 0.0), 1.0) * plot_w
        until = _LEFT + min(max((flag.until_s or flag.at_s) / end_s, 0.0), 1.0) * plot_w
        tip = f"<title>{html.escape(f'{flag.letter}: {flag.said}')}</title>"
        shape = f'x="{x:.1f}" y="{_TOP}" width="{max(until - x, 2):.1f}" height="{plot_h}"'
        parts.append(f'<rect class="band {flag.kind}" {shape}>{tip}</rect>')
        at = max(x + 1, beyond)  # letters of events that are close together stand beside each other
        parts.append(f'<text class="flag" x="{at:.1f}" y="{_TOP - 5}">{html.escape(flag.letter)}</text>')
        beyond = at + 11
    return parts


def stage_css(name: str, place: int) -> str:
    """Returns the class of a stage, the same in every chart; the two crossings together look like the first of them.

    What is no stage is coloured by its place.
    """
    first = name.partition(" ")[0]
    return f"stage{STAGES.index(first) if first in STAGES else place % len(STAGES)}"


def _stage_key(stages_ms: dict[str, float], total: float) -> list[str]:
    parts = []
    for i, (name, value) in enumerate(stages_ms.items()):
        x, y = 16 + (i % 4) * (WIDTH - 32) / 4, 92 + 24 * (i // 4)
        share = 100 * value / total if total else 0.0
        parts.append(f'<rect class="{stage_css(name, i)}" x="{x:.0f}" y="{y}" width="12" height="12" rx="3"/>')
        text = html.escape(f"{name}  {value:.2f} ms, {share:.0f} %")
        parts.append(f'<text class="axis" x="{x + 18:.0f}" y="{y + 10.5}">{text}</text>')
    return parts


def svg(parts: Sequence[str], height: float, title: str) -> str:
    """Returns the whole picture, with a title for who cannot see it."""
    label = html.escape(title, quote=True)
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{body}</svg>'


def _rect(x: float, y: float, width: float, height: float, css: str) -> str:
    return f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}" rx="1"/>'


def _vertical_grid(top: float, plot_w: int, plot_h: int, unit: str) -> list[str]:
    parts = [f'<text class="axis" x="{_LEFT - 6}" y="{_TOP - 12}" text-anchor="end">{unit}</text>']
    for value in ticks(top, 4):
        y = _TOP + plot_h - value / top * plot_h
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + plot_w}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    return parts


def _time_axis(top: float, plot_w: int, plot_h: int, unit: str) -> list[str]:
    base = _TOP + plot_h + 18
    parts = [f'<text class="axis" x="{_LEFT + plot_w}" y="{base + 14}" text-anchor="end">{unit}</text>']
    for value in ticks(top, 10):
        x = _LEFT + value / top * plot_w
        parts.append(f'<text class="axis" x="{x:.1f}" y="{base}" text-anchor="middle">{value:g}</text>')
    return parts


def _deadline_mark(x: float, plot_h: int, label: str) -> str:
    line = f'<line class="deadline" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{_TOP + plot_h}"/>'
    return line + f'<text class="deadline-text" x="{x + 6:.1f}" y="{_TOP + 2}">{label}</text>'


def _percentile_marks(marks: dict[str, float], top_ms: float, plot_w: int, plot_h: int) -> list[str]:
    parts = []
    for row, (name, value) in enumerate(marks.items()):
        x, y = _LEFT + min(value / top_ms, 1) * plot_w, _TOP + 20 + 15 * row
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8}" y2="{_TOP + plot_h}"/>')
        parts.append(f'<text class="axis over" x="{x + 5:.1f}" y="{y}">{html.escape(name)} {value:.1f}</text>')
    return parts


def ticks(top: float, about: int) -> list[float]:
    """Returns about so many round values from 0 to at most `top`."""
    if top <= 0:
        return [0.0]
    raw = top / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= raw * 0.999)
    return [round(i * step, 10) for i in range(int(top / step + 1e-9) + 1)]


def nice_ceiling(value: float) -> float:
    """Returns the next round value that is not below."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(s * power for s in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if s * power >= value)
