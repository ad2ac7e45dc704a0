"""What telemetry says of a run: whether the device was slowed down, what a frame cost in energy, whether memory grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.session import Session

# A clock below its cap throttles only while its device is busy: an idle one is slow by its own choice.
BUSY = 0.9
CLOCK_SHARE = 0.99
GROWTH_SHARE = 0.10
GROWTH_BYTES = 64 * 2**20
GROWTH_LEAST_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The agent's memory in the first and in the last quarter of a run, medians in bytes."""

    first_bytes: int
    last_bytes: int

    @property
    def bounded(self) -> bool:
        """Whether it grew by less than a tenth, or by less than 64 MiB."""
        grown = self.last_bytes - self.first_bytes
        return grown <= max(GROWTH_SHARE * self.first_bytes, GROWTH_BYTES)


def samples_of(session: Session) -> Sequence[Mapping[str, Any]]:
    """Returns what the device measured of itself, oldest first; empty where nothing was measured."""
    samples: Sequence[Mapping[str, Any]] = session.telemetry.get("samples", ())
    return samples


def throttled(session: Session) -> tuple[str, ...]:
    """Returns why the run has to be marked THROTTLED, in short phrases; empty where nothing says so."""
    samples = samples_of(session)
    if not samples:
        return ()
    reasons = [
        f"{name} counted {grown:g} events" for name, grown in _grown(samples, "events").items() if grown > 0
    ]
    limits = {name: limit for sample in samples for name, limit in sample.get("limits_c", {}).items()}
    for name, limit in sorted(limits.items()):
        hottest = max((s["temperatures_c"][name] for s in samples if name in s.get("temperatures_c", {})), default=limit - 1)
        if hottest >= limit:
            reasons.append(f"{name} reached {hottest:.0f} C, where it is slowed down at {limit:.0f} C")
    for name in sorted({name for sample in samples for name in sample.get("loads", {})}):
        busy = [s.get("clock_shares", {}).get(name, 1.0) for s in samples if s.get("loads", {}).get(name, 0.0) >= BUSY]
        if busy and min(busy) < CLOCK_SHARE:
            reasons.append(f"{name} ran at {min(busy):.0%} of its highest clock under load")
    return tuple(reasons)


def energy_j_per_frame(session: Session) -> dict[str, float] | None:
    """Returns the energy of each rail over the run, idle included, per answered frame; None where no rail was measured.

    In lockstep a run takes as long as it takes, so there is none either.
    """
    samples = samples_of(session)
    answered = sum(f.return_ns is not None for f in session.frames)
    if session.lockstep or len(samples) < 2 or not answered or not samples[-1].get("energy_j"):
        return None
    sampled_s = (samples[-1]["at_ns"] - samples[0]["at_ns"]) / 1e9
    answers_per_s = answered / (len(session.frames) / session.rate_hz)
    return {name: grown / sampled_s / answers_per_s for name, grown in _grown(samples, "energy_j").items()}


def growth(session: Session) -> Growth | None:
    """Returns how the agent's memory grew; None for less than an hour, or where it was not measured."""
    samples = [s for s in samples_of(session) if "rss_bytes" in s]
    if session.duration_s < GROWTH_LEAST_S or len(samples) < 8:
        return None
    rss = np.array([s["rss_bytes"] for s in samples], dtype=np.int64)
    quarter = len(rss) // 4
    return Growth(first_bytes=int(np.median(rss[:quarter])), last_bytes=int(np.median(rss[-quarter:])))


def _grown(samples: Sequence[Mapping[str, Any]], key: str) -> dict[str, float]:
    """Returns last minus first of counters that only grow; one that begins later began at zero."""
    first, last = samples[0].get(key, {}), samples[-1].get(key, {})
    return {name: last[name] - first.get(name, 0) for name in sorted(last)}
