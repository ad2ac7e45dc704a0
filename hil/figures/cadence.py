"""The rhythm of a run: how late the generator was, how evenly answers came, and how old the newest one was at each tick."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hil.session import FrameRecord


def lateness_s(due: Sequence[FrameRecord]) -> NDArray[np.float64]:
    """Returns how late the generator handed each frame over: a fault of the host, in no way of the device."""
    return np.array([(f.capture_ns - f.due_ns) / 1e9 for f in due if f.capture_ns is not None], dtype=np.float64)


def jitter_s(due: Sequence[FrameRecord], rate_hz: float) -> NDArray[np.float64]:
    """Returns (time between two answers - period), signed, in the order in which answers came; a drop is a long gap."""
    returned = np.sort(np.array([f.return_ns for f in due if f.return_ns is not None], dtype=np.float64))
    return np.diff(returned) / 1e9 - 1 / rate_hz


def ages_s(frames: Sequence[FrameRecord]) -> NDArray[np.float64]:
    """Returns the age of the newest result at the due time of every measured frame; inf before the first result.

    The age of a result is the time since its image was due. Answers to warm-up frames are results as well.
    """
    ticks = [f.due_ns for f in frames if not f.warm_up]
    due_ns = {f.seq: f.due_ns for f in frames}
    newest = newest_at(frames, ticks).tolist()
    return np.array([(t - due_ns[seq]) / 1e9 if seq in due_ns else np.inf for t, seq in zip(ticks, newest, strict=True)])


def newest_at(frames: Sequence[FrameRecord], ticks_ns: Sequence[int]) -> NDArray[np.int64]:
    """Returns the seq of the newest frame whose answer was there at each of those times, -1 before the first answer.

    An older frame whose answer comes later does not replace a newer one.
    """
    answered = sorted((f.return_ns, f.seq) for f in frames if f.return_ns is not None)
    returned = np.array([return_ns for return_ns, _ in answered], dtype=np.int64)
    newest = np.maximum.accumulate(np.array([-1, *(seq for _, seq in answered)], dtype=np.int64))
    return np.asarray(newest[np.searchsorted(returned, np.array(ticks_ns, dtype=np.int64), side="right")])
