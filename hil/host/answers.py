"""The answers of a run stay in memory until they are scored: equal ones to an image once, and no more than there is room for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from perception.prediction import Prediction

# The rest is for the system, the recording and the scoring.
_MEMORY_SHARE = 0.6


class Answers:
    """Those that were kept, by seq in `kept`, in at most `room_bytes` (None: `room_for_answers`).

    An engine whose answers to the same image differ, or a camera that shows no image twice, would fill any memory: the run
    goes on then, and `full_from` is the seq of the first answer that found no room, None while all did.
    """

    def __init__(self, room_bytes: float | None = None) -> None:
        self.kept: dict[int, Prediction] = {}
        self.full_from: int | None = None
        self._latest: dict[int, Prediction] = {}
        self._room_bytes = room_for_answers() if room_bytes is None else room_bytes

    def keep(self, seq: int, image: int, prediction: Prediction) -> Prediction:
        """Takes the answer to an image; returns the equal one before it, or it."""
        before = self._latest.get(image)
        if before is not None and _equal(before, prediction):
            self.kept[seq] = before
            return before
        size = prediction.segment_id.nbytes + prediction.depth_m.nbytes
        if size > self._room_bytes:
            self.full_from = seq if self.full_from is None else min(seq, self.full_from)
            return prediction
        self._room_bytes -= size
        self.kept[seq] = self._latest[image] = _copy(prediction)
        return self.kept[seq]


def room_for_answers() -> float:
    """Returns the bytes of this machine's free memory that answers may take; inf where the system does not tell."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return math.inf
    found = [line.split()[1] for line in text.splitlines() if line.startswith("MemAvailable:")]
    return _MEMORY_SHARE * int(found[0]) * 1024 if found else math.inf


def _copy(prediction: Prediction) -> Prediction:
    """Returns it in memory of its own: what the next answer is received and decoded in is then what this one was, and warm.

    Pages that were never touched would be paid for on the clock, 1,000 for an answer of 640x480.
    """
    return Prediction(
        segment_id=prediction.segment_id.copy(), segments=prediction.segments, depth_m=prediction.depth_m.copy()
    )


def _equal(one: Prediction, other: Prediction) -> bool:
    return (
        one.segments == other.segments
        and np.array_equal(one.segment_id, other.segment_id)
        and np.array_equal(one.depth_m, other.depth_m)
    )
