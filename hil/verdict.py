"""A verdict is PASS, FAIL or INVALID by rules that were fixed before the run, with the reason in one sentence.

INVALID says nothing about the device: the host could not keep its own clock, or the run is too short for its claim.
FAIL: the agent failed, an answer was wrong or never came, the 99 % bound on the ratio of missed deadlines is above what the
claim allows, or a rate was not sustained over ten minutes. A dropped frame is a missed deadline. PASS otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hil.agent.engine_events import restarts
from hil.checks import Check, headline, run_checks
from hil.figures.condition import throttled
from hil.figures.latency import LatencyReport, summarize
from hil.figures.link_condition import link_mark
from hil.session import Session

_STATUS: dict[str, Literal["FAIL", "INVALID"]] = {"fail": "FAIL", "invalid": "INVALID"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of one session or several against their rate, deadline and claim.

    `marks` are sentences that stand beside the status and do not change it; `checks` are the rules one by one.
    """

    status: Literal["PASS", "FAIL", "INVALID"]
    reason: str
    marks: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        checks = [check.to_dict() for check in self.checks]
        return {"status": self.status, "reason": self.reason, "marks": list(self.marks), "checks": checks}


def judge(*sessions: Session, report: LatencyReport | None = None) -> Verdict:
    """Returns the verdict on a session, or on repeated runs together, of which none is left out.

    `report` spares the figures a second making. A fault of the agent in any run is a FAIL, whatever else happened.
    """
    figures = report or summarize(*sessions)
    checks, marks = run_checks(sessions, figures), _marks(sessions)
    for check in checks:
        if check.status in _STATUS:
            return Verdict(status=_STATUS[check.status], reason=check.found, marks=marks, checks=checks)
    return Verdict(status="PASS", reason=headline(sessions, figures), marks=marks, checks=checks)


def _marks(sessions: Sequence[Session]) -> tuple[str, ...]:
    marks = [mark for session in sessions for mark in (*_marks_of_run(session), *_marks_of_device(session))]
    if any("frames_late" in session.dataset and session.same_clock for session in sessions):
        marks.append(
            "RENDERED BESIDE: frames were rendered on the agent's own machine while it ran, which slows the agent down; a data "
            "set or --clip does not."
        )
    marks += [f"RECORDING INCOMPLETE: {fault}" for session in sessions for fault in session.recording_faults]
    known = [instance for session in sessions if (instance := session.agent.get("instance")) is not None]
    if len(set(known)) < len(known):
        marks.append("SAME PROCESS: the agent was not started anew between runs, so they are less than independent.")
    return tuple(dict.fromkeys(marks))


def _marks_of_run(session: Session) -> Iterator[str]:
    """Yields what was computed, left unsettled, or not scored."""
    if session.lockstep:
        yield (
            f"LOCKSTEP: simulated time waited for the engine. Quality is measured; latency, drops and misses are computed for "
            f"{session.rate_hz:g} FPS from how long each frame was served."
        )
    if session.warm_up.get("settled") is False:
        cap_s = session.warm_up["rule"]["cap_s"]
        yield f"UNSETTLED: the warm-up ended at its cap of {cap_s:g} s, still changing."
    if session.scored_until is not None:
        scored = sum(frame.seq < session.scored_until for frame in session.due)
        yield (
            f"QUALITY OF THE FIRST {scored} FRAMES: of {len(session.due)}; the answers to later ones found no room in memory. "
            "Latency and misses are of all."
        )


def _marks_of_device(session: Session) -> Iterator[str]:
    """Yields what the device emulates, and what slowed or stopped it or its link."""
    if session.emulated is not None:
        overruns = session.counters.get("agent_overruns", 0)
        slow = f" This machine was slower than it for {overruns} frames." if overruns else ""
        yield f"EMULATED: no device was measured; the agent is {session.emulated}.{slow}"
    if (broken := link_mark(session)) is not None:
        yield broken
    if (failed := restarts(session.telemetry.get("engine_events", ()))) is not None:
        yield f"ENGINE RESTARTED: {failed}."
    if reasons := throttled(session):
        yield f"THROTTLED: {'; '.join(reasons)}."
