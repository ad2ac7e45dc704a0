"""What happened in a run, and when: times without the agent, engine restarts, throttling, clock steps, stretches of misses.

Times are seconds since the first measured frame was due. An event on a device whose clock is not comparable with the host's
has no time, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.figures.clock import ClockFit
from hil.figures.condition import BUSY, CLOCK_SHARE, samples_of
from hil.session import FrameRecord, Session

# A stretch of fewer missed frames is no event of its own; every one of them is a bar of the timeline.
_STRETCH_FRAMES = 3
_MOST = 24
_NAMES = {
    "outage": "agent gone", "engine": "engine", "throttled": "throttled", "clock": "clock stepped", "misses": "deadlines missed",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: its kind, when it began and ended (None: not known, or a moment), and a phrase on it."""

    kind: str
    at_s: float | None
    until_s: float | None
    said: str

    @property
    def name(self) -> str:
        """Its kind in words."""
        return _NAMES[self.kind]


def events_of(session: Session) -> tuple[list[Event], int]:
    """Returns the events in the order in which they began, the gravest kinds first where there are too many, and how many not."""
    if not session.due:
        return [], 0
    found = [*_outages(session), *_engine(session), *_throttling(session), *_clock_steps(session), *_stretches(session)]
    kept = sorted(found[:_MOST], key=lambda event: math.inf if event.at_s is None else event.at_s)
    return kept, len(found) - len(kept)


def _outages(session: Session) -> Iterator[Event]:
    for outage in session.outages:
        came_back = outage.get("to_ns")
        end = "it never came back" if came_back is None else f"back after {(came_back - outage['from_ns']) / 1e9:.1f} s"
        other = ", as another process" if outage.get("agent_changed") else ""
        said = f"{outage.get('reason')}: {end}{other}, {outage.get('frames')} frames without it"
        until = session.due[-1].due_ns if came_back is None else came_back
        yield Event(kind="outage", at_s=_since(session, outage["from_ns"]), until_s=_since(session, until), said=said)
    if session.fault is not None and not session.outages:
        heard = max((f.host_receive_ns for f in session.frames if f.host_receive_ns is not None), default=None)
        at_s = None if heard is None else _since(session, heard)
        yield Event(kind="outage", at_s=at_s, until_s=_since(session, session.due[-1].due_ns), said=session.fault)


def _engine(session: Session) -> Iterator[Event]:
    for event in session.telemetry.get("engine_events", ()):
        said = f"{event['what']}: {event['why']}" if event["why"] else event["what"]
        yield Event(kind="engine", at_s=_of_device(session, event["at_ns"]), until_s=None, said=said)


def _throttling(session: Session) -> Iterator[Event]:
    """Yields each stretch of samples in which the same thing slowed the device down, from the first to the last of them."""
    open_since: dict[str, tuple[float | None, float | None]] = {}
    before: Mapping[str, Any] = {}
    for sample in samples_of(session):
        at_s, slowed = _of_device(session, sample["at_ns"]), set(_slowed(before, sample))
        for said in [said for said in open_since if said not in slowed]:
            start, until = open_since.pop(said)
            yield Event(kind="throttled", at_s=start, until_s=until, said=said)
        for said in slowed:
            open_since[said] = (open_since.get(said, (at_s, None))[0], at_s)
        before = sample
    for said, (start, until) in open_since.items():
        yield Event(kind="throttled", at_s=start, until_s=until, said=said)


def _slowed(before: Mapping[str, Any], sample: Mapping[str, Any]) -> Iterator[str]:
    earlier = before.get("events", {})
    for name, count in sample.get("events", {}).items():
        if before and count > earlier.get(name, 0):
            yield f"{name} counted events"
    temperatures = sample.get("temperatures_c", {})
    for name, limit in sample.get("limits_c", {}).items():
        if temperatures.get(name, limit - 1) >= limit:
            yield f"{name} at or above {limit:.0f} C"
    for name, load in sample.get("loads", {}).items():
        if load >= BUSY and sample.get("clock_shares", {}).get(name, 1.0) < CLOCK_SHARE:
            yield f"{name} below its highest clock under load"


def _clock_steps(session: Session) -> Iterator[Event]:
    for at_ns in session.clock.get("steps_ns", ()):
        said = "the device's clock and the host's no longer agree: no split into uplink and downlink"
        yield Event(kind="clock", at_s=_since(session, at_ns), until_s=None, said=said)


def _stretches(session: Session) -> list[Event]:
    """Returns the stretches of missed deadlines, the longest first."""
    runs: list[list[FrameRecord]] = [[]]
    for frame in session.due:
        if frame.outcome == "on_time":
            runs.append([])
        else:
            runs[-1].append(frame)
    longest = sorted((run for run in runs if len(run) >= _STRETCH_FRAMES), key=len, reverse=True)
    return [_stretch(session, run) for run in longest]


def _stretch(session: Session, run: Sequence[FrameRecord]) -> Event:
    outcomes = {outcome: sum(f.outcome == outcome for f in run) for outcome in dict.fromkeys(f.outcome for f in run)}
    said = f"{len(run)} frames in a row: {', '.join(f'{n} {outcome}' for outcome, n in outcomes.items())}"
    until = _since(session, run[-1].due_ns) + 1 / session.rate_hz
    return Event(kind="misses", at_s=_since(session, run[0].due_ns), until_s=until, said=said)


def _since(session: Session, host_ns: int) -> float:
    return (host_ns - session.due[0].due_ns) / 1e9


def _of_device(session: Session, device_ns: int) -> float | None:
    """Returns when a stamp of the device was, None where its clock is not comparable with the host's."""
    if session.same_clock:
        return _since(session, device_ns)
    fit = ClockFit.from_dict(dict(session.clock)) if session.clock else None
    if fit is None or not fit.valid:
        return None
    return _since(session, int(fit.to_host_ns(np.array([device_ns], dtype=np.int64))[0]))
