"""A verdict is PASS, FAIL or INVALID by rules that were fixed before the run, with the reason in one sentence.

INVALID says nothing about the device: the host could not keep its own clock, or the run is too short for its claim.
FAIL: the agent failed, an answer was wrong or never came, the 99 % bound on the ratio of missed deadlines is above what the
claim allows, or a rate was not sustained over ten minutes. A dropped frame is a missed deadline. PASS otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hil.claims import frames_needed
from hil.latency import LatencyReport, summarize
from hil.session import Session
from hil.sustained import DRIFT

# A generator that is later than this no longer is the camera that it plays.
LATENESS_P99_S = 0.001
LATENESS_MAX_PERIODS = 0.25
# What never may happen, however seldom: these are no matter of time.
_NEVER = ("lost", "error", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of one session or several against their rate, deadline and claim; `marks` do not change the status."""

    status: Literal["PASS", "FAIL", "INVALID"]
    reason: str
    marks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {"status": self.status, "reason": self.reason, "marks": list(self.marks)}


def judge(*sessions: Session, report: LatencyReport | None = None) -> Verdict:
    """Returns the verdict on a session, or on repeated runs together, of which none is left out.

    `report` spares the figures a second making. A fault of the agent in any run is a FAIL, whatever else happened.
    """
    marks = _marks(sessions)
    for session in sessions:
        if session.fault is not None:
            return Verdict(status="FAIL", reason=session.fault, marks=marks)
    figures = report or summarize(*sessions)
    if invalid := _invalid_reason(sessions, figures):
        return Verdict(status="INVALID", reason=invalid, marks=marks)
    if failed := _failed_reason(sessions, figures):
        return Verdict(status="FAIL", reason=failed, marks=marks)
    return Verdict(status="PASS", reason=f"{_headline(sessions[0], figures)}.", marks=marks)


def _invalid_reason(sessions: tuple[Session, ...], figures: LatencyReport) -> str | None:
    session = sessions[0]
    needed = frames_needed(session.claim)
    if figures.frames < needed:
        return (
            f"{figures.frames} frames are too few for the claim that {_percent(session.claim)} are on time; at least {needed} "
            f"are needed ({needed / session.rate_hz:.0f} s at {session.rate_hz:g} FPS)."
        )
    limits = {"p99": LATENESS_P99_S, "max": LATENESS_MAX_PERIODS / session.rate_hz}
    for name, limit_s in limits.items():
        late_s = 0.0 if figures.lateness_s is None else figures.lateness_s[name]
        if late_s > limit_s:
            return (
                f"The host could not keep the clock: frames left {late_s * 1e3:.1f} ms late ({name}), more than the "
                f"{limit_s * 1e3:.1f} ms that a camera may be; free a core on the host and run again."
            )
    return None


def _failed_reason(sessions: tuple[Session, ...], figures: LatencyReport) -> str | None:
    counted = {name: sum(session.outcomes()[name] for session in sessions) for name in _NEVER}
    missing = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
    if missing:
        return f"Of {figures.frames} due frames at {sessions[0].rate_hz:g} FPS, {missing}; none may be."
    if figures.miss_bound_99 > 1 - sessions[0].claim + 1e-12:
        return f"{_headline(sessions[0], figures)}."
    if figures.sustained is not None and not figures.sustained.holds:
        first, last = figures.sustained.first, figures.sustained.last
        return (
            f"The rate is not sustained: p50 was {first.p50_s * 1e3:.1f} ms in the first minute and {last.p50_s * 1e3:.1f} ms "
            f"in the last, a change of {figures.sustained.drift:+.0%}; at most {DRIFT:.0%} is allowed."
        )
    return None


def _headline(session: Session, figures: LatencyReport) -> str:
    """Returns the sentence that has the headline figure: misses, their bound, and what was claimed."""
    return (
        f"{figures.misses} of {figures.frames} due frames missed the deadline of {session.deadline_s * 1e3:.1f} ms at "
        f"{session.rate_hz:g} FPS: at most {_percent(figures.miss_bound_99)} with 99 % confidence, "
        f"where the claim allows {_percent(1 - session.claim)}"
    )


def _marks(sessions: tuple[Session, ...]) -> tuple[str, ...]:
    marks: list[str] = []
    for session in sessions:
        if session.emulated is not None:
            overruns = session.counters.get("agent_overruns", 0)
            slow = f" This machine was slower than it for {overruns} frames." if overruns else ""
            marks.append(f"EMULATED: no device was measured; the agent is {session.emulated}.{slow}")
        if session.warm_up.get("settled") is False:
            marks.append(f"UNSETTLED: the warm-up ended at its cap of {session.warm_up['rule']['cap_s']:g} s, still changing.")
    return tuple(dict.fromkeys(marks))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
