"""How the run was measured, and what may be said of it: claims with their sample sizes, the warm-up, first and last minute."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from benchmarks._page import card, table
from hil.figures.claims import frames_needed
from hil.figures.condition import energy_j_per_frame, samples_of, throttled
from hil.figures.latency import LatencyReport
from hil.figures.rules import rule_table, rules_of
from hil.figures.sustained import Minute
from hil.session import Session


def method_cards(session: Session, latency: LatencyReport) -> tuple[str, ...]:
    """Returns the cards that stand below the latency figures."""
    return (f'<div class="two">{_claims(latency)}{_run(session, latency)}</div>', *_others(session))


def _claims(latency: LatencyReport) -> str:
    rows = [
        (
            f"{100 * c.p:g} % on time",
            "shown" if c.holds else "no",
            c.misses,
            "-" if c.allowed is None else c.allowed,
            frames_needed(c.p),
        )
        for c in latency.claims
    ]
    heads = ("claim", "this run", "missed", "may miss", "frames needed")
    note = (
        f"With 99 % confidence, by the exact bound, of {latency.frames} frames; a dash where they are too few for any claim. "
        f"Missed: {100 * latency.miss_ratio:.2f} %, at most {100 * latency.miss_exact_99:.2f} % by the exact bound and "
        f"{100 * latency.miss_bootstrap_99:.2f} % by resampling blocks of time; the verdict takes the higher."
    )
    return card("What may be claimed", table(heads, rows), f'<p class="lead">{note}</p>')


def _others(session: Session) -> tuple[str, ...]:
    """Returns a card of what this run would have looked like to other rules; nothing where no frame was answered."""
    rows = rules_of(session)
    if rows is None:
        return ()
    heads, cells = rule_table(rows)
    note = (
        "The same device, measured in other ways: those marked with service times are computed from how long each frame of "
        "this run was served. A closed loop and a re-anchored pace never see the frames that were due while a slow one ran; "
        "the row in which every due frame counts is this report's."
    )
    return (card("What other ways of measuring would have said", table(heads, cells), f'<p class="lead">{note}</p>'),)


def _run(session: Session, latency: LatencyReport) -> str:
    first, found = session.first_frame_s, latency.sustained
    engine = session.agent.get("engine")
    start: Mapping[str, Any] = engine.get("start", {}) if isinstance(engine, Mapping) else {}
    rows: list[tuple[str, object]] = [
        ("profile", session.profile),
        ("claim, fixed before the run", f"{100 * session.claim:g} % on time"),
        ("warm-up, left out", _warm_up(session.warm_up)),
        ("first frame of all", "no answer" if first is None else f"{first * 1e3:.1f} ms"),
        ("engine opened in", _seconds(start.get("open_s"))),
        ("its first inference", _seconds(start.get("first_s"))),
        ("priority of the frame clock", session.host.get("priority")),
        ("idle states of the host's cores", session.host.get("idle")),
        *_condition(session),
        ("first minute", "under ten minutes: nothing is claimed" if found is None else _minute(found.first)),
    ]
    if found is not None:
        rows += [("last minute", _minute(found.last)), ("change of p50", f"{100 * found.drift:+.1f} %")]
    return card("How it was measured", table(("fact", "value"), rows))


def _condition(session: Session) -> list[tuple[str, object]]:
    """Returns what the device measured of itself; a device that measures nothing says so."""
    if not samples_of(session):
        return [("throttled", None), ("energy per frame", None)]
    reasons, energy = throttled(session), energy_j_per_frame(session)
    rows: list[tuple[str, object]] = [("throttled", "; ".join(reasons) or f"no sign in {len(samples_of(session))} samples")]
    if energy is None:
        return [*rows, ("energy per frame", "not measured: no power rail can be read")]
    return rows + [(f"energy per frame, {name}", f"{joules:.3f} J, idle included") for name, joules in energy.items()]


def _minute(minute: Minute) -> str:
    p50 = "no answer" if math.isinf(minute.p50_s) else f"{minute.p50_s * 1e3:.1f} ms"
    return f"p50 {p50}, {minute.misses} of {minute.frames} missed"


def _warm_up(made: Mapping[str, Any]) -> str | None:
    if not made:
        return None
    ended = "until three medians agreed" if made["settled"] else "to its cap, still changing"
    return f"{made['frames']} frames, {ended if made['rule']['windows'] else 'fixed'}"


def _seconds(value: object) -> str | None:
    return f"{value:.2f} s" if isinstance(value, int | float) else None
