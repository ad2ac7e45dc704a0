"""Which bodies a settled scene lost, by the rule that every backend's physics is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Scene, Support
from scenes.transforms import Pose, transform_points

if TYPE_CHECKING:
    from sim.backend import SettleRule


def lost_bodies(
    scene: Scene, before: Mapping[str, Pose], after: Mapping[str, Pose], rule: SettleRule
) -> tuple[str, ...]:
    """Returns the dynamic bodies that left their support or went too far, as `SettleRule` has it."""
    lost = []
    for body in scene.bodies:
        if not body.dynamic:
            continue
        low, high = body.bounds_m()
        middle = (low + high) / 2
        start = transform_points(before[body.name].matrix(), middle)
        end = transform_points(after[body.name].matrix(), middle)
        moved = float(np.linalg.norm(end - start)) > rule.max_move_m
        held = not scene.supports or _is_held(scene.supports, start, end, rule)
        if moved or not held:
            lost.append(body.name)
    return tuple(lost)


def _is_held(supports: Sequence[Support], start: NDArray[np.float64], end: NDArray[np.float64], rule: SettleRule) -> bool:
    """Tells whether a body is over a support as high as the highest one that it was let go over."""
    first = [s.center_m[2] for s in supports if _holds(s, start, rule)]
    floor = max(first, default=-np.inf) - rule.max_drop_m
    return any(s.center_m[2] >= floor and _holds(s, end, rule) for s in supports)


def _holds(support: Support, point: NDArray[np.float64], rule: SettleRule) -> bool:
    return bool(support.is_under(point)) and bool(point[2] >= support.center_m[2] - rule.max_drop_m)
