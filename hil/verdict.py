"""A verdict is PASS, FAIL or INVALID by rules that were fixed before the run, with the reason in one sentence.

INVALID says nothing about the device: the host could not keep its own clock, or the run is too short to claim anything.
FAIL: a frame was lost, dropped, rejected or failed, or the 95th percentile of latency over all due frames is above the
deadline. PASS otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hil.latency import summarize
from hil.session import Session

# 90 frames without a miss are the fewest that show P(on time) >= 0.95 with 99 % confidence (0.95**90 < 0.01).
MIN_FRAMES = 90
# A generator that is later than this share of a period no longer is the camera that it plays.
LATENESS_P99_PERIODS = 0.05
LATENESS_MAX_PERIODS = 0.25
QUANTILE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of a session against its rate and deadline."""

    status: Literal["PASS", "FAIL", "INVALID"]
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Returns plain JSON values."""
        return {"status": self.status, "reason": self.reason}


def judge(session: Session) -> Verdict:
    """Returns the verdict on a session. A fault of the agent is a FAIL, whatever else happened."""
    if session.fault is not None:
        return Verdict(status="FAIL", reason=session.fault)
    if invalid := _invalid_reason(session):
        return Verdict(status="INVALID", reason=invalid)
    return _judge_frames(session)


def _invalid_reason(session: Session) -> str | None:
    if len(session.due) < MIN_FRAMES:
        return (
            f"{len(session.due)} frames are too few for a claim about p95; at least {MIN_FRAMES} are needed "
            f"({math.ceil(MIN_FRAMES / session.rate_hz)} s at {session.rate_hz:g} FPS)."
        )
    period_s = 1 / session.rate_hz
    lateness = summarize(session).lateness_s
    limits = {"p99": LATENESS_P99_PERIODS, "max": LATENESS_MAX_PERIODS}
    for name, share in limits.items():
        if lateness is not None and lateness[name] > share * period_s:
            return (
                f"The host could not keep the clock: frames left up to {lateness[name] * 1e3:.1f} ms late ({name}), more "
                f"than {share:.0%} of the {period_s * 1e3:.1f} ms period; free a core on the host and run again."
            )
    return None


def _judge_frames(session: Session) -> Verdict:
    report, outcomes = summarize(session), session.outcomes()
    missing = {name: outcomes[name] for name in ("dropped", "lost", "error", "rejected") if outcomes[name]}
    p95_ms, deadline_ms = report.quantile(QUANTILE).value_s * 1e3, session.deadline_s * 1e3
    goal = f"at {session.rate_hz:g} FPS over {report.frames} frames"
    if missing:
        counted = ", ".join(f"{count} {name}" for name, count in missing.items())
        return Verdict(status="FAIL", reason=f"Of the frames due {goal}, {counted}; none may be.")
    claim = f"p95 end-to-end latency is {p95_ms:.1f} ms {goal}, the deadline {deadline_ms:.1f} ms"
    if p95_ms > deadline_ms:
        return Verdict(status="FAIL", reason=f"{claim}; {report.misses} frames missed it.")
    return Verdict(status="PASS", reason=f"{claim}; {report.misses} frames missed it, none was dropped or lost.")
