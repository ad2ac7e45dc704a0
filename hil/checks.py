"""Every rule of a verdict by itself, with what was found: a run is invalid, failed or passed by its first rule that says so.

The rules and their limits are fixed here, before any run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hil.figures.claims import frames_needed
from hil.figures.condition import GROWTH_LEAST_S, growth
from hil.figures.latency import LatencyReport
from hil.figures.sustained import DRIFT, LEAST_S
from hil.outage import Outage
from hil.session import Session

# A generator that is later than this no longer is the camera that it plays.
LATENESS_P99_S = 0.001
LATENESS_MAX_PERIODS = 0.25
# What never may happen, however seldom: these are no matter of time.
NEVER = ("lost", "error", "rejected")

# In the order in which a verdict looks at them; a test holds this against what `run_checks` returns.
RULES = (
    "the agent stays", "enough frames for the claim", "the host keeps the clock", "no answer is lost or wrong",
    "the claim is shown", "the rate is sustained", "the agent's memory is bounded",
)  # fmt: skip

Status = Literal["pass", "fail", "invalid", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule: `found` is the sentence of what was found, or why it was skipped."""

    name: str
    status: Status
    found: str

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)


def run_checks(sessions: Sequence[Session], figures: LatencyReport) -> tuple[Check, ...]:
    """Returns all checks of a session or of repeated runs together, in the order in which a verdict looks at them."""
    rules = (_agent_stayed, _enough_frames, _clock_kept, _nothing_lost, _claim_shown, _rate_sustained, _memory_bounded)
    return tuple(rule(sessions, figures) for rule in rules)


def headline(sessions: Sequence[Session], figures: LatencyReport) -> str:
    """Returns the sentence that has the headline figure: misses, their bound, and what was claimed."""
    session = sessions[0]
    computed = "By computation from service times in lockstep, " if session.lockstep else ""
    return (
        f"{computed}{figures.misses} of {figures.frames} due frames missed the deadline of {session.deadline_s * 1e3:.1f} ms at "
        f"{session.rate_hz:g} FPS: at most {_percent(figures.miss_bound_99)} with 99 % confidence, "
        f"where the claim allows {_percent(1 - session.claim)}."
    )


def _agent_stayed(sessions: Sequence[Session], _: LatencyReport) -> Check:
    fault = next((session.fault for session in sessions if session.fault is not None), None)
    fault = fault or next((said for session in sessions if (said := _outages(session)) is not None), None)
    found = "The agent was there all the time of every run." if fault is None else fault
    return Check(name="the agent stays", status="pass" if fault is None else "fail", found=found)


def _outages(session: Session) -> str | None:
    """Returns the sentence of what a run went through without its agent, None for nothing."""
    if not session.outages:
        return None
    first = Outage.from_dict(session.outages[0]).describe(session.frames[0].due_ns)
    more = len(session.outages) - 1
    rest = f"; {more} more outage{'s' if more > 1 else ''} followed" if more else ""
    return f"The agent was gone during the run: {first}{rest}."


def _enough_frames(sessions: Sequence[Session], figures: LatencyReport) -> Check:
    session, needed = sessions[0], frames_needed(sessions[0].claim)
    enough = figures.frames >= needed
    found = (
        f"{figures.frames} frames are {'enough' if enough else 'too few'} for the claim that {_percent(session.claim)} are on "
        f"time; at least {needed} are needed ({needed / session.rate_hz:.0f} s at {session.rate_hz:g} FPS)."
    )
    return Check(name="enough frames for the claim", status="pass" if enough else "invalid", found=found)


def _clock_kept(sessions: Sequence[Session], figures: LatencyReport) -> Check:
    name, late = "the host keeps the clock", figures.lateness_s
    fault = next((f"The frames ended: {f}" for s in sessions if (f := s.dataset.get("source_fault")) is not None), None)
    if fault is not None:
        return Check(name=name, status="invalid", found=fault)
    if sessions[0].lockstep:
        return Check(name=name, status="skipped", found="In lockstep no camera ran, so the frame clock was not tried.")
    if late is None:
        return Check(name=name, status="skipped", found="No frame left, so the frame clock was not tried.")
    limits_s = {"p99": LATENESS_P99_S, "max": LATENESS_MAX_PERIODS / sessions[0].rate_hz}
    for which, limit_s in limits_s.items():
        if late[which] > limit_s:
            found = (
                f"The host could not keep the clock: frames left {late[which] * 1e3:.1f} ms late ({which}), more than the "
                f"{limit_s * 1e3:.1f} ms that a camera may be; {_way_out(sessions)}."
            )
            return Check(name=name, status="invalid", found=found)
    return Check(name=name, status="pass", found=f"Frames left {late['p99'] * 1e3:.2f} ms late at p99.")


def _way_out(sessions: Sequence[Session]) -> str:
    behind = sum(session.dataset.get("frames_late", 0) for session in sessions)
    if not behind:
        return "free a core on the host and run again"
    return f"the renderer was behind for {behind} frames: render more of them --ahead, or a smaller --size"


def _nothing_lost(sessions: Sequence[Session], figures: LatencyReport) -> Check:
    counted = {outcome: sum(session.outcomes()[outcome] for session in sessions) for outcome in NEVER}
    missing = ", ".join(f"{count} {outcome}" for outcome, count in counted.items() if count)
    said = f"{missing}; none may be" if missing else "none was lost, refused or wrong"
    found = f"Of {figures.frames} due frames at {sessions[0].rate_hz:g} FPS, {said}."
    return Check(name="no answer is lost or wrong", status="fail" if missing else "pass", found=found)


def _claim_shown(sessions: Sequence[Session], figures: LatencyReport) -> Check:
    shown = figures.miss_bound_99 <= 1 - sessions[0].claim + 1e-12
    return Check(
        name="the claim is shown", status="pass" if shown else "fail", found=headline(sessions, figures)
    )


def _rate_sustained(_: Sequence[Session], figures: LatencyReport) -> Check:
    name, found = "the rate is sustained", figures.sustained
    if found is None:
        said = f"The run is shorter than {LEAST_S / 60:g} minutes, so nothing is claimed."
        return Check(name=name, status="skipped", found=said)
    said = (
        f"The rate is {'' if found.holds else 'not '}sustained: p50 was {found.first.p50_s * 1e3:.1f} ms in the first minute "
        f"and {found.last.p50_s * 1e3:.1f} ms in the last, a change of {found.drift:+.0%}; at most {DRIFT:.0%} is allowed."
    )
    return Check(name=name, status="pass" if found.holds else "fail", found=said)


def _memory_bounded(sessions: Sequence[Session], _: LatencyReport) -> Check:
    name, found = "the agent's memory is bounded", [made for s in sessions if (made := growth(s)) is not None]
    if not found:
        said = f"The run is shorter than {GROWTH_LEAST_S / 3600:g} h, or the agent's memory was not measured."
        return Check(name=name, status="skipped", found=said)
    worst = max(found, key=lambda made: made.last_bytes - made.first_bytes)
    said = (
        f"The agent's memory went from {worst.first_bytes / 2**20:.0f} MiB in the first quarter to "
        f"{worst.last_bytes / 2**20:.0f} MiB in the last."
    )
    return Check(name=name, status="pass" if all(made.bounded for made in found) else "fail", found=said)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


