"""The page of a sweep: its result, its picture and every run in a table with the way to its own report; loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from benchmarks._page import card, page, table, text
from benchmarks._sweep_charts import EngineMark, RateMark, misses_by_rate, standalone, streaming_by_offline

if TYPE_CHECKING:
    from benchmarks.engine_sweep import EnginePoint, EngineSweep
    from benchmarks.rate_sweep import RateSweep


def rate_page(sweep: RateSweep) -> tuple[str, str]:
    """Returns the page and the picture of a rate sweep."""
    marks = [
        RateMark(
            rate_hz=point.rate_hz, missed=100 * (attempt.latency("miss_ratio") or 0.0),
            bound=100 * (attempt.latency("miss_ratio_bound_99") or 0.0), status=attempt.status,
        )
        for point in sweep.points
        for attempt in point.attempts
    ]  # fmt: skip
    chart = misses_by_rate(marks, allowed=100 * (1 - sweep.claim), highest_hz=sweep.highest_hz, title=sweep.sentence())
    heads, *rows = sweep.rows()
    lead = f"{sweep.engine}. Every run is a process of its own, none is left out, all are judged by the same rules."
    notes = [f"{a.folder}: {a.status}: {a.why}" for point in sweep.points for a in point.attempts if a.status != "PASS"]
    return _page("Rate sweep", sweep.status, sweep.sentence(), lead, chart, heads, rows, notes), standalone(chart)


def engine_page(sweep: EngineSweep) -> tuple[str, str]:
    """Returns the page and the picture of a sweep of engines."""
    marks = [mark for point in sweep.points if (mark := _engine_mark(point, sweep.column)) is not None]
    title = f"Panoptic quality, {sweep.column} against offline, of {len(marks)} engines"
    chart = streaming_by_offline(marks, column=sweep.column, title=title) if marks else ""
    heads, *rows = sweep.rows()
    lead = (
        "Every engine played the same data set by the same rules, each run in fresh processes: once through in lockstep, where "
        "every image is answered (offline), then on the clock (all others). Verdict and latency are those on the clock."
    )
    result = f"{sum(p.attempt.status == 'PASS' for p in sweep.points)} of {len(sweep.points)} engines pass."
    page = _page("Engine sweep", sweep.status, result, lead, chart, heads, rows, sweep.notes())
    return page, standalone(chart)


def _engine_mark(point: EnginePoint, column: str) -> EngineMark | None:
    attempt = point.attempt
    offline, streaming = point.quality("offline", "pq"), point.quality(column, "pq")
    if offline is None or streaming is None:
        return None
    values = [
        (100 * f["value"], *(None if f[end] is None else 100 * f[end] for end in ("low", "high")))
        for f in (offline, streaming)
    ]
    p50, p99 = ("no answer" if v is None else f"{v:.0f} ms" for v in (attempt.quantile_ms(0.5), attempt.quantile_ms(0.99)))
    return EngineMark(
        label=point.label, below=f"p50 {p50}, p99 {p99}", offline=values[0], streaming=values[1], status=attempt.status
    )


def _page(
    kind: str,
    status: str,
    result: str,
    lead: str,
    chart: str,
    heads: tuple[str, ...],
    rows: list[tuple[str, ...]],
    notes: Sequence[str] = (),
) -> str:
    banner = (
        f'<header class="{status.lower()}"><div><p class="eyebrow">{text(kind)}</p><h1>{text(status)}</h1>'
        f'<p class="reason">{text(result)}</p></div></header>'
    )
    said = "".join(f"<p>{text(note)}</p>" for note in notes)
    cards = card("", chart) + card("Runs", table(heads, rows), said)
    body = f'<main><section><p class="lead">{text(lead)}</p>{cards}</section></main>'
    footer = "<footer>Made by Rehearse. The same figures as data: sweep.json; each run's own report is in its folder.</footer>"
    css = files("benchmarks").joinpath("report.css").read_text(encoding="utf-8")
    return page(title=f"{kind}: {status}", css=css, body=banner + body + footer)
