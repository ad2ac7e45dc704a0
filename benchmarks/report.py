"""One self-contained HTML file: it loads nothing from anywhere, and every figure in it says its sample size."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._charts import DueFrame, histogram, stage_bar, timeline
from benchmarks._columns import columns_card
from benchmarks._event_table import event_table, flags_of
from benchmarks._events import events_of
from benchmarks._facts import fact_tables, provenance
from benchmarks._gallery import ERROR_LIMIT, frame_pictures, thing_bounds
from benchmarks._method import method_cards
from benchmarks._page import card, figure, page, ramp, section, table, text, tile
from benchmarks._scores import category_table, headline_tiles, score_tables, tube_table
from benchmarks._waterfall import waterfall_card
from benchmarks._worst import WorstFrame, worst_cards
from hil.figures.latency import report_rows
from hil.figures.quantiles import Interval
from hil.session import FrameRecord
from perception.pictures import stuff_colours, thing_colours
from perception.prediction import Prediction
from sim.frame import Frame
from sim.pictures import depth_colours, depth_range

if TYPE_CHECKING:
    from benchmarks.rehearsal import Rehearsal

_MOST_BARS = 1500
_CLASS_OF = {"on_time": "good", "late": "late"}
_SECTIONS = (
    ("pictures", "Pictures"), ("time", "Time"), ("quality", "Quality"), ("worst", "Worst frames"),
    ("provenance", "What ran on what"), ("again", "Again"),
)  # fmt: skip


def render_report(
    rehearsal: Rehearsal, shown: Sequence[tuple[Frame, Prediction]], worst: Sequence[WorstFrame] = ()
) -> str:
    """Returns the page's HTML; no I/O but the package's own style sheet."""
    sections = (
        _pictures(shown),
        _time(rehearsal),
        _quality(rehearsal),
        _worst_section(rehearsal, worst),
        section("provenance", "What ran on what", provenance(rehearsal.session), *fact_tables(rehearsal.session)),
        _again(rehearsal),
    )
    links = "".join(f'<a href="#{anchor}">{text(name)}</a>' for anchor, name in _SECTIONS)
    body = (
        _banner(rehearsal)
        + f'<main><div class="tiles">{_tiles(rehearsal)}</div><nav aria-label="Sections">{links}</nav>{"".join(sections)}</main>'
        + f"<footer>Made by Rehearse. The same figures as data: scores.json and session.json beside this file. "
        f"Started {text(rehearsal.session.started_utc)} (UTC).</footer>"
    )
    css = files("benchmarks").joinpath("report.css").read_text(encoding="utf-8")
    return page(title=f"{rehearsal.verdict.status} · Rehearsal at {rehearsal.session.rate_hz:g} FPS", css=css, body=body)


def _banner(rehearsal: Rehearsal) -> str:
    session, verdict = rehearsal.session, rehearsal.verdict
    suite = session.dataset.get("suite", "a data set")
    size = "x".join(str(v) for v in session.dataset.get("size", ()))
    marks = "".join(f'<p class="reason"><strong>{text(mark)}</strong></p>' for mark in verdict.marks)
    line = f"Rehearsal of {suite} {size} at {session.rate_hz:g} FPS, deadline {session.deadline_s * 1e3:.1f} ms"
    return (
        f'<header class="{verdict.status.lower()}"><div><p class="eyebrow">{text(line)}</p>'
        f'<h1>{text(verdict.status)}</h1><p class="reason">{text(verdict.reason)}</p>{marks}</div></header>'
    )


def _tiles(rehearsal: Rehearsal) -> str:
    latency, session = rehearsal.latency, rehearsal.session
    p95 = latency.quantile(0.95)
    first = tile(
        "p95 end to end",
        _ms(p95.value_s),
        unit="ms" if math.isfinite(p95.value_s) else "",
        note=f"95 % interval {_interval(p95.interval)}, n = {latency.frames}",
        bad=p95.value_s > session.deadline_s,
    )
    missed = tile(
        "Deadline missed",
        str(latency.misses),
        unit=f"of {latency.frames}",
        note=f"at most {100 * latency.miss_bound_99:.3g} % with 99 % confidence",
        bad=latency.misses > 0,
    )
    return missed + first + headline_tiles(rehearsal.quality.offline)


def _pictures(shown: Sequence[tuple[Frame, Prediction]]) -> str:
    lead = (
        "Every picture below is one that the camera sent on the clock, with what came back over the link. "
        "Truth and prediction share their colours; the depth span is that of the frame's truth."
    )
    if not shown:
        return section("pictures", "Pictures", "No answer came back, so there is nothing to show.")
    return section("pictures", "Pictures", lead, *(_frame_card(frame, prediction) for frame, prediction in shown))


def _frame_card(frame: Frame, prediction: Prediction) -> str:
    pictures = frame_pictures(frame, prediction)
    tiles = [
        figure(p.rgb, name=p.name, caption=p.caption, alt=p.alt, hero=index == 0) for index, p in enumerate(pictures)
    ]
    near, far = thing_bounds(frame.truth)
    depth_near, depth_far = depth_range(frame.truth.depth_m)
    steps = np.linspace(0, 1, 9)
    whole = depth_colours(depth_near + (depth_far - depth_near) * steps[None], (depth_near, depth_far))[0]
    error = np.array([[33, 102, 172], [250, 250, 250], [178, 24, 43]], dtype=np.uint8)
    keys = (
        ramp(thing_colours(near + (far - near) * steps, near_m=near, far_m=far), f"{near:.2f} m", f"{far:.2f} m", "Objects"),
        ramp(stuff_colours(near + (far - near) * steps, near_m=near, far_m=far), f"{near:.2f} m", f"{far:.2f} m", "Background"),
        ramp(whole, f"{depth_near:.2f} m", f"{depth_far:.2f} m", "Depth"),
        ramp(error, f"{-100 * ERROR_LIMIT:.0f} %", f"+{100 * ERROR_LIMIT:.0f} %", "Depth error"),
    )
    legend = f'<div class="keys stacked">{"".join(keys)}</div>'
    return card(frame.name, f'<div class="gallery">{"".join(tiles)}{legend}</div>')


def _time(rehearsal: Rehearsal) -> str:
    session, latency = rehearsal.session, rehearsal.latency
    deadline_ms = session.deadline_s * 1e3
    finite = [q for q in latency.quantiles if math.isfinite(q.value_s) and q.p != 0.9]
    answered = [f.latency_s * 1e3 for f in session.due if f.latency_s is not None]
    start = min((f.due_ns for f in session.due), default=0)
    drawn, each = _worst(session.due)
    happened, more = events_of(session)
    due = [
        DueFrame(
            due_s=(f.due_ns - start) / 1e9,
            latency_ms=None if f.latency_s is None else f.latency_s * 1e3,
            outcome=f.outcome,
        )
        for f in drawn
    ]
    classes = {name: _CLASS_OF.get(name, "lost") for name in session.outcomes()}
    marks = {f"p{100 * q.p:g}": q.value_s * 1e3 for q in finite}
    said = f"Histogram of {len(answered)} end-to-end latencies against a deadline of {deadline_ms:.1f} ms."
    blocks = [
        card("Latency of every answer", histogram(answered, deadline_ms=deadline_ms, marks=marks, title=said)),
        card(
            "Every frame that was due",
            timeline(due, deadline_ms=deadline_ms, classes=classes, title=f"Latency of {len(session.due)} due frames over time.",
                     flags=flags_of(happened)),
            "" if each == 1 else f'<p class="lead">Each bar is the slowest of {each} frames in a row.</p>',
            _outcome_key(session.outcomes()),
            event_table(happened, more),
        ),
        _stages(rehearsal),
        waterfall_card(session),
        *_faults(rehearsal),
        card("Latency in figures", _latency_table(rehearsal)),
        *method_cards(session, latency),
    ]
    lead = (
        "End to end: from the moment a frame was due, on the host's clock, to its decoded answer on the host. "
        "Frames leave on the clock whether or not the last answer came; an unanswered one counts as infinitely late."
    )
    return section("time", "Time", lead, *blocks)


def _worst(due: Sequence[FrameRecord]) -> tuple[Sequence[FrameRecord], int]:
    """Returns what a timeline has room for, and how many frames each of it stands for: the slowest of them, misses first."""
    each = max(math.ceil(len(due) / _MOST_BARS), 1)
    groups = [due[i : i + each] for i in range(0, len(due), each)]
    return [max(group, key=lambda f: math.inf if f.latency_s is None else f.latency_s) for group in groups], each


def _outcome_key(outcomes: dict[str, int]) -> str:
    keys = "".join(
        f'<span class="key"><span class="dot {_CLASS_OF.get(name, "lost")}"></span>{text(name.replace("_", " "))}: {count}</span>'
        for name, count in outcomes.items()
        if count or name in _CLASS_OF
    )
    return f'<div class="keys">{keys}</div>'


def _stages(rehearsal: Rehearsal) -> str:
    stages = rehearsal.latency.stages
    said = rehearsal.latency.stages_note
    note = f'<p class="lead">{text(said[:1].upper() + said[1:])}.</p>'
    if stages is None:
        return card("Where the time goes", note)
    medians = {name: spread["p50"] * 1e3 for name, spread in stages.items()}
    deadline_ms = rehearsal.session.deadline_s * 1e3
    said = "Median milliseconds by stage: " + ", ".join(f"{name} {value:.1f}" for name, value in medians.items())
    return card("Where the time goes (median of each stage)", stage_bar(medians, deadline_ms=deadline_ms, title=said), note)


def _faults(rehearsal: Rehearsal) -> list[str]:
    """Returns a card of what was said about frames without an answer; nothing where every frame was answered."""
    said = Counter((f.outcome, f.reason or "no reason was given") for f in rehearsal.session.due if f.return_ns is None)
    if not said:
        return []
    rows = [(outcome, count, reason) for (outcome, reason), count in said.most_common(8)]
    return [card("Why frames had no answer", table(("outcome", "frames", "reason"), rows))]


def _latency_table(rehearsal: Rehearsal) -> str:
    latency = rehearsal.latency
    rows: list[tuple[object, ...]] = []
    for q in latency.quantiles:
        drawn = None if q.bootstrap is None else _interval(q.bootstrap)
        rows.append((f"p{100 * q.p:g}", _ms(q.value_s), _interval(q.order), drawn, latency.frames))
    rows.append(("max", _ms(latency.max_s), "-", "-", latency.frames))
    heads = ("quantile", "ms", "95 %, order statistics", "95 %, blocks of 3 s", "n")
    blocks = [table(heads, rows, caption="End-to-end latency of all due frames.")]
    more = [
        (name, *(_ms(row[k]) if row else None for k in ("p50", "p95", "p99", "max"))) for name, row in report_rows(latency)
    ]
    blocks.append(table(("stage", "p50 ms", "p95 ms", "p99 ms", "max ms"), more, caption="The way and the clock itself."))
    return f'<div class="latency"><div>{blocks[0]}</div><div>{blocks[1]}</div></div>'


def _quality(rehearsal: Rehearsal) -> str:
    scores = rehearsal.quality.offline
    images = len({f.image for f in rehearsal.session.due})
    lead = (
        f"Scored on all {scores.frame_count} due frames, which show {images} images of {scores.scene_count} scenes. "
        "Offline counts whatever came back; in time counts only what came within the deadline, as the robot gets it. "
        f"A frame without an answer counts as all missed ({len(scores.missing)} here). {_streaming(rehearsal)}"
        "Intervals are 95 %, by resampling whole scenes."
    )
    tables = "".join(card(title, markup) for title, markup in score_tables(rehearsal.quality))
    categories = card("By category", category_table(scores))
    tubes = card("DVPQ by window and tolerance", tube_table(scores))
    wide = rehearsal.quality.streaming is not None  # the streaming columns need the page's whole width
    tables = tables if wide else f'<div class="columns">{tables}</div>'
    return section("quality", "Quality", lead, columns_card(rehearsal.quality), tables, tubes, categories)


def _worst_section(rehearsal: Rehearsal, worst: Sequence[WorstFrame]) -> str:
    if not worst:
        return section("worst", "Worst frames", "Every frame was answered in time, and there is nothing to find in any of them.")
    lead = (
        "Frames in the middle of the longest stretches without an answer, the slowest answers and the poorest ones. In hand is "
        "what a robot still acted on when the deadline of a frame was over: the newest answer, drawn over the image of now."
    )
    return section("worst", "Worst frames", lead, *worst_cards(worst, rehearsal.session.deadline_s * 1e3))


def _streaming(rehearsal: Rehearsal) -> str:
    streaming = rehearsal.quality.streaming
    if streaming is None:
        return "Streaming accuracy is not available: the images are stills, which do not follow each other. "
    return (
        f"Streaming holds the newest answer at each due time against the truth of that moment, n = {streaming.frame_count}; "
        f"a period later is what an engine that is always on time can reach. {_between(rehearsal)}"
    )


def _between(rehearsal: Rehearsal) -> str:
    """Says what the column between images is, and at what speed clips were played where it was not their own."""
    speed = rehearsal.session.dataset.get("speed", 1.0)
    slowed = "" if speed == 1 else f"The clips were played at {speed:g} times their own speed. "
    between = rehearsal.quality.between
    if between is None or between[1] is None:
        return slowed
    hz = between[0].rpartition("_")[2]
    return f"At {hz} Hz is the same against the truth {hz} times a second, n = {between[1].frame_count}. {slowed}"


def _again(rehearsal: Rehearsal) -> str:
    lead = "Scenes are a pure function of suite, version, split, seed and index; these lines make the same frames again."
    commands = "\n".join(rehearsal.commands) or "rehearse hil DATASET --device ADDRESS"
    return section("again", "Again", lead, f"<pre>{text(commands)}</pre>")


def _interval(interval: Interval) -> str:
    high = "unbounded" if interval.high_s is None else _ms(interval.high_s)
    return f"{_ms(interval.low_s)} to {high}" + (" ms" if high[0].isdigit() else "")


def _ms(seconds: float) -> str:
    return "no answer" if math.isinf(seconds) else f"{seconds * 1e3:.1f}"
