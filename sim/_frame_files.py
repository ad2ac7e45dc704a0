"""All files of one frame, in one place: what a worker writes is what a replay compares."""

from __future__ import annotations

from collections.abc import Mapping

from sim.basicwriter import encode_frame
from sim.difficulty.measure import encode_difficulty, measure
from sim.frame import Frame


def frame_files(frame: Frame, number: int, clearance_m: Mapping[str, float | None]) -> dict[str, bytes]:
    """Returns every file of a frame by its name; `clearance_m` is that of its scene, by body name."""
    return encode_frame(frame, number) | encode_difficulty(measure(frame, clearance_m), number)
