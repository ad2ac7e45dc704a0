"""The silhouette of a box as a convex polygon in the image, with its exact area, middle and spread, and a mask against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.selftest.oracle import Bools
from sim.selftest.solids import Floats

# A mask is a set of unit squares: its second moment is larger than that of its centres by that of one square.
_OF_ONE_PIXEL = 1 / 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """The area in square pixels, the middle (u, v) and the standard deviations (u, v) in pixels."""

    area: float
    middle: Floats
    spread: Floats


def hull_of(points_px: Floats) -> Floats:
    """Returns the convex hull of points (N, 2), counter-clockwise in a frame whose y points up (Andrew's chain)."""
    points = sorted(map(tuple, points_px.tolist()))
    chains = []
    for run in (points, points[::-1]):
        chain: list[tuple[float, ...]] = []
        for point in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1]
    return np.array(chains)


def polygon_moments(hull: Floats) -> Moments:
    """Returns the moments of a polygon's area by Green's theorem."""
    a, b = hull, np.roll(hull, -1, axis=0)
    cross = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    area = float(cross.sum() / 2)
    middle = ((a + b) * cross[:, None]).sum(axis=0) / (6 * area)
    second = ((a**2 + a * b + b**2) * cross[:, None]).sum(axis=0) / (12 * area)
    return Moments(area=area, middle=middle, spread=np.sqrt(second - middle**2))


def mask_moments(mask: Bools) -> Moments:
    """Returns the moments of a mask's pixels taken as unit squares about their centres; raises ValueError for none."""
    v, u = np.nonzero(mask)
    if len(u) < 2:
        raise ValueError("no pixel shows it")
    points = np.stack([u, v], axis=1).astype(np.float64)
    return Moments(area=len(u), middle=points.mean(axis=0), spread=np.sqrt(points.var(axis=0) + _OF_ONE_PIXEL))


def farthest_wrong_px(mask: Bools, hull: Floats) -> float:
    """Returns how far from the outline the farthest pixel lies whose centre is on the wrong side of it, 0 for none."""
    v, u = np.mgrid[: mask.shape[0], : mask.shape[1]]
    inside_by = np.full(mask.shape, np.inf)
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        along = (end - start) / np.linalg.norm(end - start)
        np.minimum(inside_by, along[0] * (v - start[1]) - along[1] * (u - start[0]), out=inside_by)
    wrong: NDArray[np.bool_] = mask != (inside_by > 0)
    return float(np.abs(inside_by[wrong]).max(initial=0.0))


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
