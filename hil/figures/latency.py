"""Latency figures count every due frame: one without an answer is infinitely late, so no figure can hide a miss.

The headline is the ratio of missed deadlines with its one-sided 99 % bound. Every interval is the wider of two: an exact
one, which takes frames as independent, and a block bootstrap, which does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hil.figures.bootstrap import block_frames, bootstrap
from hil.figures.cadence import ages_s, jitter_s, lateness_s
from hil.figures.claims import CLAIMS, Claim, claim, miss_bound
from hil.figures.quantiles import QUANTILES, Quantile, in_ms, quantile_with_interval
from hil.figures.spread import spread_ms, spread_s
from hil.figures.stages import stage_spreads
from hil.figures.sustained import Sustained, sustained
from hil.session import Session, latencies_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyReport:
    """The latency of one session, or of several, over all due frames. Times in seconds, inf where no answer came.

    `misses` counts whatever was not on time; `miss_exact_99` and `miss_bootstrap_99` are one-sided 99 % upper bounds on
    its ratio. `jitter_s` is (time between answers - period), `age_s` the age of the newest result at every due time,
    `lateness_s` how late the generator itself was. `stages` is None, with `stages_note` saying why, where no frame was
    answered; `sustained` is None for less than ten minutes.
    """

    frames: int
    runs: int
    quantiles: tuple[Quantile, ...]
    max_s: float
    misses: int
    miss_exact_99: float
    miss_bootstrap_99: float
    claims: tuple[Claim, ...]
    jitter_s: dict[str, float] | None
    age_s: dict[str, float] | None
    lateness_s: dict[str, float] | None
    stages: dict[str, dict[str, float]] | None
    stages_note: str
    sustained: Sustained | None

    @property
    def miss_ratio(self) -> float:
        """The share of due frames that missed the deadline."""
        return self.misses / self.frames

    @property
    def miss_bound_99(self) -> float:
        """The higher of the two bounds, which is the one that a verdict uses."""
        return max(self.miss_exact_99, self.miss_bootstrap_99)

    def quantile(self, p: float) -> Quantile:
        """Returns the quantile at p, one of QUANTILES."""
        return next(q for q in self.quantiles if q.p == p)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values, times in milliseconds."""
        stages = None if self.stages is None else {name: spread_ms(row) for name, row in self.stages.items()}
        return {
            "frames": self.frames, "runs": self.runs, "deadline_misses": self.misses, "miss_ratio": self.miss_ratio,
            "miss_ratio_bound_99": self.miss_bound_99, "miss_ratio_exact_99": self.miss_exact_99,
            "miss_ratio_bootstrap_99": self.miss_bootstrap_99, "claims": [c.to_dict() for c in self.claims],
            "quantiles": [q.to_dict() for q in self.quantiles], "max_ms": in_ms(self.max_s),
            "jitter_ms": spread_ms(self.jitter_s), "age_ms": spread_ms(self.age_s),
            "generator_lateness_ms": spread_ms(self.lateness_s), "stages_ms": stages, "stages_note": self.stages_note,
            "sustained": self.sustained and self.sustained.to_dict(),
        }  # fmt: skip


def summarize(*sessions: Session) -> LatencyReport:
    """Returns the figures of one session, or of several that repeat the same run, taken together.

    Raises ValueError where no frame was due, or the sessions differ in rate or deadline.
    """
    if not sessions or any(not session.due for session in sessions):
        raise ValueError("Latency figures need at least one frame that was due, in every run.")
    if len({(session.rate_hz, session.deadline_s) for session in sessions}) > 1:
        raise ValueError("Runs of different rates or deadlines cannot be taken together.")
    rate_hz = sessions[0].rate_hz
    runs = [latencies_s(session.due) for session in sessions]
    missed = [np.array([f.outcome != "on_time" for f in session.due]) for session in sessions]
    latencies, misses, frames = np.concatenate(runs), int(sum(m.sum() for m in missed)), sum(map(len, runs))
    block = block_frames(rate_hz, min(map(len, runs)))
    drawn = bootstrap(runs, missed, quantiles=QUANTILES, block=block)
    quantiles = [quantile_with_interval(latencies, p) for p in QUANTILES]
    stages, note = stage_spreads(sessions)
    return LatencyReport(
        frames=frames, runs=len(runs), max_s=float(latencies.max()), misses=misses, stages=stages, stages_note=note,
        quantiles=tuple(replace(q, bootstrap=i) for q, i in zip(quantiles, drawn.intervals, strict=True)),
        miss_exact_99=miss_bound(misses, frames), miss_bootstrap_99=drawn.miss_bound_99,
        claims=tuple(claim(p, misses, frames) for p in CLAIMS),
        jitter_s=spread_s(np.concatenate([jitter_s(s.due, rate_hz) for s in sessions])),
        age_s=spread_s(np.concatenate([ages_s(s.frames) for s in sessions])),
        lateness_s=spread_s(np.concatenate([lateness_s(s.due) for s in sessions])),
        sustained=_least_sustained([sustained(session.due, rate_hz) for session in sessions]),
    )  # fmt: skip


def _least_sustained(found: Sequence[Sustained | None]) -> Sustained | None:
    """Returns the run that drifted most, None where any of them was too short to tell."""
    known = [one for one in found if one is not None]
    return max(known, key=lambda one: abs(one.drift)) if len(known) == len(found) else None


def report_rows(report: LatencyReport) -> Sequence[tuple[str, dict[str, float] | None]]:
    """Returns every spread of a report under the name that people read."""
    return (
        *(report.stages or {}).items(), ("jitter: answer interval - period", report.jitter_s),
        ("age of the newest result", report.age_s), ("lateness of the frame clock", report.lateness_s),
    )  # fmt: skip
