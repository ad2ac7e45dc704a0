"""Colliders of round things with a piece cut out: a sector as boxes, and rings of capsules."""

from __future__ import annotations

import math

from scenes.scene import Collider
from scenes.transforms import Pose, Vec3, quaternion_about

_WIDEST_RAD = math.pi / 4
_STEPS = 5


def sector_boxes(
    radius_m: float, start_rad: float, end_rad: float, bottom_m: float, top_m: float, shift_m: Vec3 = (0.0, 0.0, 0.0)
) -> tuple[Collider, ...]:
    """Covers the sector of a disc about z, moved by `shift_m`, with boxes along the middle line of each eighth or less."""
    count = max(1, math.ceil((end_rad - start_rad) / _WIDEST_RAD - 1e-6))
    step = (end_rad - start_rad) / count
    colliders = []
    for k in range(count):
        turn = start_rad + (k + 0.5) * step
        rotation = quaternion_about((0.0, 0.0, 1.0), turn)
        for i in range(_STEPS):
            near, far = radius_m * i / _STEPS, radius_m * (i + 1) / _STEPS
            # The last box ends between the chord and the arc, so that it covers the rim and sticks out little.
            far = far if i < _STEPS - 1 else radius_m * (1 + math.cos(step / 2)) / 2
            half_width = (near + far) / 2 * math.tan(step / 2)
            middle, height = (near + far) / 2, (bottom_m + top_m) / 2
            position = (shift_m[0] + middle * math.cos(turn), shift_m[1] + middle * math.sin(turn), shift_m[2] + height)
            size = ((far - near) / 2, half_width, (top_m - bottom_m) / 2)
            colliders.append(Collider(kind="box", size_m=size, body_from_collider=Pose(position, rotation)))
    return tuple(colliders)
