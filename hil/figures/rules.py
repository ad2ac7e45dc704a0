"""What each way of measuring says of the same device: most of them hide the frames that a stall costs.

closed loop       the next frame leaves when the answer has come; latency from its sending
re-anchored       paced, but the pacing starts anew after a whole period was missed (as `rclcpp::Rate` does); from sending
FIFO              every frame leaves on the schedule and waits its turn; from its due time
keep-latest       a newer frame replaces a waiting one; from its due time; counted without the replaced ones, and with them
age               how old the newest answer is at every tick
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.agent.service import service_times_s
from hil.figures.cadence import ages_s
from hil.figures.quantiles import in_ms, quantile_s
from hil.session import Session, latencies_s

QUANTILES = (0.50, 0.99, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one rule says: quantiles of latency in seconds at QUANTILES (inf = no answer), misses as a share, frames per s.

    None stands for what a rule does not say. `simulated` tells a figure that was computed from service times from one
    that was measured.
    """

    rule: str
    quantiles_s: tuple[float, ...]
    miss_ratio: float | None
    frames: int
    rate_hz: float | None
    simulated: bool

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        named = {f"p{100 * p:g}_ms": in_ms(v) for p, v in zip(QUANTILES, self.quantiles_s, strict=True)}
        return {
            "rule": self.rule, **named, "miss_ratio": self.miss_ratio, "frames": self.frames, "rate_hz": self.rate_hz,
            "simulated": self.simulated,
        }  # fmt: skip


def compare_rules(service_s: NDArray[np.float64], *, rate_hz: float, deadline_s: float) -> tuple[Row, ...]:
    """Returns the table for a device whose frame i takes service_s[i], (n,) seconds, one frame at a time; no clock is read."""
    period_s = 1 / rate_hz
    due_s = np.arange(len(service_s), dtype=np.float64) * period_s
    latest, age = keep_latest(service_s, due_s)
    answered = latest[np.isfinite(latest)]
    rows = [
        *_from_sending(service_s, period_s, deadline_s),
        _row("open loop FIFO, from the schedule", _fifo(service_s, due_s), deadline_s, rate_hz),
        _row("keep-latest, answered frames only", answered, deadline_s, rate_hz * len(answered) / len(latest)),
        _row("keep-latest, every due frame counted", latest, deadline_s, rate_hz),
    ]
    return (*rows, _age_row(age, simulated=True))


def rules_of(session: Session) -> tuple[Row, ...] | None:
    """Returns the table for the device of a session: what other rules would have said of its own service times.

    The keep-latest rows and the age are measured; the others are computed from how long each frame was served. A frame
    without an answer is given the median service time. None where no measured frame was answered.
    """
    served = service_times_s(session.frames)
    known = [served[f.seq] for f in session.due if f.seq in served]
    if not known:
        return None
    typical_s = quantile_s(np.array(known), 0.5)
    service_s = np.array([served.get(f.seq, typical_s) for f in session.due])
    latencies = latencies_s(session.due)
    answered, share = latencies[np.isfinite(latencies)], len(known) / len(session.due)
    deadline_s, rate_hz, computed = session.deadline_s, session.rate_hz, bool(session.lockstep)
    due_s = np.arange(len(service_s), dtype=np.float64) / rate_hz
    return (
        *_from_sending(service_s, 1 / rate_hz, deadline_s),
        _row("open loop FIFO, from the schedule", _fifo(service_s, due_s), deadline_s, rate_hz),
        _row("keep-latest, answered frames only", answered, deadline_s, rate_hz * share, simulated=computed),
        _row("keep-latest, every due frame counted", latencies, deadline_s, rate_hz, simulated=computed),
        _age_row(ages_s(session.frames), simulated=computed),
    )


def _from_sending(service_s: NDArray[np.float64], period_s: float, deadline_s: float) -> tuple[Row, Row]:
    """Returns the two rules that count from sending: to them the latency is the service time, whatever was due."""
    closed_hz = len(service_s) / float(service_s.sum())
    paced_hz = len(service_s) / _reanchored_end_s(service_s, period_s)
    return (
        _row("closed loop", service_s, deadline_s, closed_hz),
        _row("paced, re-anchored after an overrun", service_s, deadline_s, paced_hz),
    )


def _reanchored_end_s(service_s: NDArray[np.float64], period_s: float) -> float:
    """Returns when the last frame of a paced loop has ended: an overrun of a whole period moves all that follow."""
    now_s = anchor_s = 0.0
    for service in service_s:
        now_s += service
        anchor_s += period_s
        if now_s < anchor_s:
            now_s = anchor_s
        elif now_s > anchor_s + period_s:
            anchor_s = now_s
    return now_s


def _fifo(service_s: NDArray[np.float64], due_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns latencies from the due time where no frame is dropped."""
    latencies, free_s = np.empty(len(service_s)), 0.0
    for i, due in enumerate(due_s):
        free_s = max(free_s, due) + service_s[i]
        latencies[i] = free_s - due
    return latencies


def keep_latest(
    service_s: NDArray[np.float64], due_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns latencies from the due time, inf for a replaced frame, and the age of the newest answer at each due time.

    All are in the unit of the arguments; whole numbers stay whole.
    """
    latencies, ages = np.full(len(service_s), np.inf), np.full(len(service_s), np.inf)
    newest, running, mailbox, free_s = -1, -1, -1, 0.0
    for i in range(len(service_s) + 1):
        now_s = due_s[i] if i < len(service_s) else np.inf
        while running >= 0 and free_s <= now_s:  # all that ends before this tick
            newest, running, mailbox = running, mailbox, -1
            if running >= 0:
                free_s += service_s[running]
                latencies[running] = free_s - due_s[running]
        if i == len(service_s):
            break
        ages[i] = now_s - due_s[newest] if newest >= 0 else np.inf
        if running >= 0:
            mailbox = i
            continue
        running, free_s = i, now_s + service_s[i]
        latencies[i] = service_s[i]
    return latencies, ages


def _row(
    rule: str, latencies: NDArray[np.float64], deadline_s: float, rate_hz: float, *, simulated: bool = True
) -> Row:
    quantiles = tuple(quantile_s(latencies, p) for p in QUANTILES)
    missed = float((latencies > deadline_s).mean())
    return Row(
        rule=rule, quantiles_s=quantiles, miss_ratio=missed, frames=len(latencies), rate_hz=rate_hz, simulated=simulated
    )


def _age_row(ages: NDArray[np.float64], *, simulated: bool) -> Row:
    """Returns the row of ages; ticks before the first answer have none and are left out."""
    seen = ages[np.isfinite(ages)]
    quantiles = tuple(quantile_s(seen, p) if len(seen) else float("inf") for p in QUANTILES)
    return Row(
        rule="age of the newest answer at each tick", quantiles_s=quantiles, miss_ratio=None, frames=len(seen), rate_hz=None,
        simulated=simulated,
    )  # fmt: skip


def rule_table(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns heads and cells of the table as text."""
    heads = ("rule", *(f"p{100 * p:g} ms" for p in QUANTILES), "missed", "frames", "frames/s", "from")
    return heads, [
        (
            row.rule,
            *("inf" if np.isinf(v) else f"{v * 1e3:.0f}" for v in row.quantiles_s),
            "-" if row.miss_ratio is None else f"{100 * row.miss_ratio:.2f} %",
            str(row.frames),
            "-" if row.rate_hz is None else f"{row.rate_hz:.1f}",
            "service times" if row.simulated else "this run",
        )
        for row in rows
    ]
