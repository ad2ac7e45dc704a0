"""Where the time went, stage by stage, from the stamps of both clocks; only the two crossings compare host with device.

The durations on one machine need one clock alone. Uplink and downlink are differences between clocks, so they are given
only where the clocks are the same one or their offset is known with its bound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hil.figures.clock import ClockFit
from hil.figures.spread import spread_s
from hil.session import FrameRecord, Session

STAGES = ("capture", "mailbox", "uplink", "queue", "preprocess", "inference", "postprocess", "downlink", "decode")
CROSSINGS = ("uplink", "downlink")
_STAMPS = (
    "due_ns", "capture_ns", "send_ns", "agent_receive_ns", "agent_preprocess_start_ns", "agent_infer_start_ns",
    "agent_infer_end_ns", "agent_post_end_ns", "host_receive_ns", "return_ns",
)  # fmt: skip
_OF_DEVICE = [i for i, name in enumerate(_STAMPS) if name.startswith("agent_")]


def stage_spreads(sessions: Sequence[Session]) -> tuple[dict[str, dict[str, float]] | None, str]:
    """Returns the spread of each stage over the answered measured frames, seconds, and a sentence on the clocks.

    None where no frame was answered; without the crossings where any of the sessions cannot compare its clocks.
    """
    tables = [stage_table_s(session) for session in sessions]
    table = np.concatenate(tables)
    if len(table) == 0:
        return None, "not available: no frame was answered"
    crossing = all(crossings_known(session) for session in sessions)
    spreads = {name: spread_s(column) for name, column in zip(STAGES, table.T, strict=True)}
    kept = {name: row for name, row in spreads.items() if row is not None and (crossing or name not in CROSSINGS)}
    return kept, next((s.clock_note for s in sessions if not s.same_clock), sessions[0].clock_note)


def crossings_known(session: Session) -> bool:
    """Whether the clocks of host and device can be compared, so that uplink and downlink are told apart."""
    return session.same_clock or _fit(session) is not None


def _fit(session: Session) -> ClockFit | None:
    """Returns the offset between the clocks where it is needed and known."""
    if session.same_clock or not session.clock:
        return None
    fit = ClockFit.from_dict(dict(session.clock))
    return fit if fit.valid else None


def stage_table_s(session: Session) -> NDArray[np.float64]:
    """Returns the duration of each of STAGES, float64 (answered frames, 9), seconds; a row adds up to the latency."""
    answered: Sequence[FrameRecord] = [f for f in session.due if f.return_ns is not None]
    rows = [[getattr(f, name) for name in _STAMPS] for f in answered]
    stamps = np.array(rows, dtype=np.int64).reshape(-1, len(_STAMPS))
    if (fit := _fit(session)) is not None and len(stamps):
        stamps[:, _OF_DEVICE] = fit.to_host_ns(stamps[:, _OF_DEVICE])
    return np.diff(stamps, axis=1) / 1e9
