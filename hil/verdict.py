"""A verdict is PASS, FAIL or INVALID by rules that were fixed before the run, with the reason in one sentence.

INVALID says nothing about the device: the host could not keep its own clock, or the run is too short for its claim.
FAIL: the agent failed, an answer was wrong or never came, the 99 % bound on the ratio of missed deadlines is above what the
claim allows, or a rate was not sustained over ten minutes. A dropped frame is a missed deadline. PASS otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    marks: list[str] = []
    for session in sessions:
        if session.lockstep:
            marks.append(
                f"LOCKSTEP: simulated time waited for the engine. Quality is measured; latency, drops and misses are computed "
                f"for {session.rate_hz:g} FPS from how long each frame was served."
            )
        if session.emulated is not None:
            overruns = session.counters.get("agent_overruns", 0)
            slow = f" This machine was slower than it for {overruns} frames." if overruns else ""
            marks.append(f"EMULATED: no device was measured; the agent is {session.emulated}.{slow}")
        if session.warm_up.get("settled") is False:
            cap_s = session.warm_up["rule"]["cap_s"]
            marks.append(f"UNSETTLED: the warm-up ended at its cap of {cap_s:g} s, still changing.")
        broken = link_mark(session)
        if broken is not None:
            marks.append(broken)
        if (failed := restarts(session.telemetry.get("engine_events", ()))) is not None:
            marks.append(f"ENGINE RESTARTED: {failed}.")
        reasons = throttled(session)
        if reasons:
            marks.append(f"THROTTLED: {'; '.join(reasons)}.")
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
