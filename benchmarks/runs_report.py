"""One page on repeated runs: the verdict on all of them, each run beside the others, and a link to each one's own report."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._charts import DueFrame, histogram, timeline
from benchmarks._event_table import event_table, flags_of
from benchmarks._events import events_of
from benchmarks._facts import fact_tables, provenance
from benchmarks._page import card, page, section, table, text, tile
from benchmarks._row_charts import Marks, mark_rows
from hil.figures.latency import LatencyReport
from hil.session import Session

if TYPE_CHECKING:
    from benchmarks.repeat import Repeated

_MARKS = (0.5, 0.95, 0.99, 0.999)
_CLASS_OF = {"on_time": "good", "late": "late"}
_MOST_BARS = 1200
_QUALITY = (("pq", "PQ"), ("delta1_image_mean", "depth within 25 %"), ("box_ap25", "3D box AP25"))


def render_runs(repeated: Repeated, names: Sequence[str]) -> str:
    """Returns the page's HTML; `names` are the runs' folders beside it, whose scores.json is read where it is there."""
    sections = (
        section("runs", "The runs", _lead(repeated), _table(repeated, names), _comparison(repeated)),
        section("time", "Time", "All answers together, then every frame that was due, run by run.", *_time(repeated, names)),
        section("rules", "The rules", "The verdict is on all runs together; none is left out.", _rules(repeated)),
        section("provenance", "What ran on what", provenance(repeated.sessions[0]), *fact_tables(repeated.sessions[0])),
    )
    body = f'{_banner(repeated)}<main><div class="tiles">{_tiles(repeated)}</div>{"".join(sections)}</main>'
    started = text(repeated.sessions[0].started_utc)
    body += f"<footer>Made by Rehearse. The same figures as data: runs.json beside this file. Started {started} (UTC).</footer>"
    css = files("benchmarks").joinpath("report.css").read_text(encoding="utf-8")
    return page(title=f"{repeated.verdict.status} · {len(names)} runs", css=css, body=body)


def _banner(repeated: Repeated) -> str:
    session, verdict = repeated.sessions[0], repeated.verdict
    marks = "".join(f'<p class="reason"><strong>{text(mark)}</strong></p>' for mark in verdict.marks)
    line = f"{len(repeated.sessions)} runs at {session.rate_hz:g} FPS, deadline {session.deadline_s * 1e3:.1f} ms"
    return (
        f'<header class="{verdict.status.lower()}"><div><p class="eyebrow">{text(line)}</p>'
        f'<h1>{text(verdict.status)}</h1><p class="reason">{text(verdict.reason)}</p>{marks}</div></header>'
    )


def _tiles(repeated: Repeated) -> str:
    together = repeated.together
    bound = f"at most {100 * together.miss_bound_99:.3g} % with 99 % confidence, all runs together"
    made = [tile("Deadline missed", str(together.misses), unit=f"of {together.frames}", note=bound, bad=together.misses > 0)]
    for p in (0.95, 0.99):
        values = [report.quantile(p).value_s for report in repeated.single]
        said = f"single runs: {_ms(min(values))} to {_ms(max(values))}"
        value = together.quantile(p).value_s
        made.append(tile(f"p{100 * p:g} end to end", _ms(value), unit="ms" if math.isfinite(value) else "", note=said))
    shown = [f"{100 * c.p:g} %" for c in together.claims if c.holds]
    said = shown[-1] if shown else "nothing yet"
    return "".join([*made, tile("Shown on time", said, note="by the exact bound, all runs together")])


def _lead(repeated: Repeated) -> str:
    fresh = len({s.agent.get("instance") for s in repeated.sessions}) == len(repeated.sessions)
    agents = "Every run met an agent that was started anew." if fresh else "The runs met the same agent process."
    return f"Each run is a process of its own on the host, one after the other. {agents} A row leads to the run's own report."


def _table(repeated: Repeated, names: Sequence[str]) -> str:
    heads = (
        "run", "verdict", "frames", "missed", "at most", "p50 ms", "p95 ms", "p99 ms", "max ms",
        *(label for _, label in _QUALITY),
    )  # fmt: skip
    rows = [_row(repeated, k, name) for k, name in enumerate(names)]
    together = ("all", repeated.verdict.status, *_figures(repeated.together), *("-" for _ in _QUALITY))
    return card("", table(heads, [*rows, together], links={name: f"{name}/report.html" for name in names}))


def _row(repeated: Repeated, k: int, name: str) -> tuple[object, ...]:
    from hil.verdict import judge

    verdict = judge(repeated.sessions[k], report=repeated.single[k])
    return (name, verdict.status, *_figures(repeated.single[k]), *_quality(repeated.folder / name / "scores.json"))


def _figures(report: LatencyReport) -> tuple[object, ...]:
    quantiles = (_ms(report.quantile(p).value_s) for p in (0.5, 0.95, 0.99))
    return (report.frames, report.misses, f"{100 * report.miss_bound_99:.3g} %", *quantiles, _ms(report.max_s))


def _quality(path: Path) -> tuple[str, ...]:
    """Returns the figures of quality of a run; dashes where its file has none."""
    try:
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["quality"]["offline"]["figures"]
        values = [figures[key]["value"] for key, _ in _QUALITY]
    except (OSError, KeyError, TypeError, ValueError):
        return tuple("-" for _ in _QUALITY)
    return tuple("-" if value is None else f"{100 * value:.1f} %" for value in values)


def _comparison(repeated: Repeated) -> str:
    deadline_ms = repeated.sessions[0].deadline_s * 1e3
    labels = [f"run {k + 1}" for k in range(len(repeated.single))]
    rows = [_marks(label, report) for label, report in zip([*labels, "all"], [*repeated.single, repeated.together], strict=True)]
    said = "; ".join(f"{row.label}: " + ", ".join(f"{n} {v:.1f} ms" for n, v in row.values_ms.items()) for row in rows)
    return card("Run by run", mark_rows(rows, deadline_ms=deadline_ms, title=f"Quantiles of latency of each run. {said}"))


def _marks(label: str, report: LatencyReport) -> Marks:
    values = {f"p{100 * p:g}": report.quantile(p).value_s * 1e3 for p in _MARKS} | {"max": report.max_s * 1e3}
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    return Marks(label=label, values_ms=finite, beyond=tuple(name for name in values if name not in finite))


def _time(repeated: Repeated, names: Sequence[str]) -> list[str]:
    deadline_ms, together = repeated.sessions[0].deadline_s * 1e3, repeated.together
    answered = [f.latency_s * 1e3 for s in repeated.sessions for f in s.due if f.latency_s is not None]
    finite = [q for q in together.quantiles if math.isfinite(q.value_s) and q.p != 0.9]
    marks = {f"p{100 * q.p:g}": q.value_s * 1e3 for q in finite}
    title = f"Histogram of {len(answered)} end-to-end latencies of {together.runs} runs."
    cards = [card("Latency of every answer of all runs", histogram(answered, deadline_ms=deadline_ms, marks=marks, title=title))]
    return cards + [_run_card(session, name) for session, name in zip(repeated.sessions, names, strict=True)]


def _run_card(session: Session, name: str) -> str:
    each = max(math.ceil(len(session.due) / _MOST_BARS), 1)
    groups = [session.due[i : i + each] for i in range(0, len(session.due), each)]
    drawn = [max(group, key=lambda f: math.inf if f.latency_s is None else f.latency_s) for group in groups]
    bars = [
        DueFrame(
            due_s=(f.due_ns - session.due[0].due_ns) / 1e9, outcome=f.outcome,
            latency_ms=None if f.latency_s is None else f.latency_s * 1e3,
        )
        for f in drawn
    ]  # fmt: skip
    classes = {outcome: _CLASS_OF.get(outcome, "lost") for outcome in session.outcomes()}
    happened, more = events_of(session)
    title = f"Latency of {len(session.due)} due frames of {name} over time."
    chart = timeline(bars, deadline_ms=session.deadline_s * 1e3, classes=classes, title=title, flags=flags_of(happened))
    return card(name, chart, event_table(happened, more))


def _rules(repeated: Repeated) -> str:
    rows = [(check.name, check.status, check.found) for check in repeated.verdict.checks]
    return card("", table(("rule", "status", "what was found"), rows, words=True))


def _ms(seconds: float) -> str:
    return "no answer" if math.isinf(seconds) else f"{seconds * 1e3:.1f}"
