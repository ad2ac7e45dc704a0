"""All files of one frame, in one place: what a worker writes is what a replay compares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sim.basicwriter import encode_frame, in_folder, numbered, sensed_files
from sim.difficulty.measure import encode_difficulty, measure
from sim.frame import Frame

if TYPE_CHECKING:
    from sim.annotators.view import View
    from sim.capture import Capture

Clearance = Mapping[str, float | None]

_IDEAL = "rgb_ideal.png"


def frame_files(frame: Frame, number: int, clearance_m: Clearance) -> dict[str, bytes]:
    """Returns every file of a frame by its name; `clearance_m` is that of its scene, by body name."""
    return encode_frame(frame, number) | encode_difficulty(measure(frame, clearance_m), number)


def view_files(view: View, capture: Capture, eye: str, clearance_m: Clearance) -> dict[str, bytes]:
    """Returns every file of a frame of a capture by its path; `clearance_m` is that of the scene as it settled."""
    from sim.annotators.registry import encode
    from sim.difficulty.clearance import clearances_m

    files = encode(view, capture.annotators)
    # The ideal picture stands beside the camera's, not in its place.
    beside = {name: data for name, data in sensed_files(view.frame).items() if name != _IDEAL or "rgb" in capture.annotators}
    files |= {numbered(name, view.number): data for name, data in beside.items()}
    if "objects" in capture.annotators:
        now = clearance_m if capture.sequence == 1 else clearances_m(view.scene)
        files |= encode_difficulty(measure(view.frame, now), view.number)
    return {in_folder(name, eye): data for name, data in files.items()}
