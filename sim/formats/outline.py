"""Outlines of a mask along the edges between pixels, so that filling them gives back the mask, pixel for pixel.

Coordinates are continuous: pixel (u, v) covers the square from (u, v) to (u + 1, v + 1), the image from (0, 0) to (W, H).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Loop = NDArray[np.float64]

# Directions as (du, dv): right, down, left, up; the inside lies on the right hand of a walk along an edge.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlines:
    """Closed loops of corners, float64 (n, 2) as (u, v), without the first one repeated: of the parts, and of holes.

    Parts are joined where they share an edge, not where only corners touch; largest part first.
    """

    parts: tuple[Loop, ...]
    holes: tuple[Loop, ...]


def outlines(mask: NDArray[np.bool_]) -> Outlines:
    """Returns the outlines of a mask (H, W); no loops for an empty one."""
    loops = _walk(_edges(mask))
    areas = [_signed_area(loop) for loop in loops]
    order = np.argsort([-abs(area) for area in areas], kind="stable")
    return Outlines(
        parts=tuple(loops[k] for k in order if areas[k] > 0), holes=tuple(loops[k] for k in order if areas[k] < 0)
    )


def simplified(loop: Loop, tolerance_px: float) -> Loop:
    """Returns a loop with fewer corners, none of the old ones farther than `tolerance_px` from it; at least three."""
    import cv2

    if tolerance_px <= 0:
        return loop
    fewer = cv2.approxPolyDP(loop.astype(np.float32)[:, None], tolerance_px, closed=True)[:, 0].astype(np.float64)
    return fewer if len(fewer) >= 3 else loop


def _edges(mask: NDArray[np.bool_]) -> dict[tuple[int, int], list[int]]:
    """Returns, by the corner where they start, the directions of all unit edges with the inside on their right."""
    inside = np.pad(mask, 1)
    core = inside[1:-1, 1:-1]
    # Direction, the neighbour that must be outside, and where in the pixel the edge starts.
    sides = (
        (0, inside[:-2, 1:-1], (0, 0)), (1, inside[1:-1, 2:], (1, 0)),
        (2, inside[2:, 1:-1], (1, 1)), (3, inside[1:-1, :-2], (0, 1)),
    )  # fmt: skip
    edges: dict[tuple[int, int], list[int]] = {}
    for direction, neighbour, (du, dv) in sides:
        v, u = np.nonzero(core & ~neighbour)
        for corner in zip((u + du).tolist(), (v + dv).tolist(), strict=True):
            edges.setdefault(corner, []).append(direction)
    return edges


def _walk(edges: dict[tuple[int, int], list[int]]) -> list[Loop]:
    """Links the edges to loops of corners where the direction changes; where two loops touch, each turns right."""
    loops = []
    for start in sorted(edges):
        while edges.get(start):
            direction = edges[start][0]
            corner = start
            corners: list[tuple[int, int]] = []
            while edges.get(corner):
                there = edges[corner]
                right, ahead = (direction + 1) % 4, direction
                turn = next((d for d in (right, ahead) if d in there), there[0])
                there.remove(turn)
                if turn != direction or not corners:
                    corners.append(corner)
                direction = turn
                corner = corner[0] + _STEPS[turn][0], corner[1] + _STEPS[turn][1]
            loops.append(np.array(corners, dtype=np.float64))
    return loops


def _signed_area(loop: Loop) -> float:
    """Returns the area in pixels, positive for a loop that is clockwise on the image: the outline of a part."""
    x, y = loop[:, 0], loop[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2
