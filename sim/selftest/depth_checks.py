"""Depth against paper: planes square and tilted, a ball, nothing at all, and the distance to the camera's centre."""

from __future__ import annotations

import numpy as np

from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Bools, Expected
from sim.selftest.solids import Floats
from sim.selftest.verdict import Outcome, all_of, within

_LIMIT_MM = 1.0
# Away from its rim, where the sphere's facets and half a pixel cost much depth, a ball is judged like a plane.
_RIM_PX = 12


def plane_head_on(seen: Evidence, expected: Expected) -> Outcome:
    """The wall at a right angle to the view has one depth all over: to the image plane, not to the camera's centre."""
    depth_m = seen.frame.truth.depth_m
    known = float(expected.depth_m[expected.inside("wall")].mean())
    middle, corner = depth_m[depth_m.shape[0] // 2, depth_m.shape[1] // 2], depth_m[0, 0]
    worst = within(f"{known:.4f} m all over", _worst_mm(depth_m, expected, expected.inside("wall")), _LIMIT_MM, "mm")
    told = f"{worst.got} ({middle:.4f} m in the middle, {corner:.4f} m in the corner)"
    return Outcome(expected=worst.expected, got=told, tolerance=worst.tolerance, holds=worst.holds)


def plane_tilted(seen: Evidence, expected: Expected) -> Outcome:
    """The wall at an angle is where its plane is, in every pixel."""
    where = expected.inside("wall")
    near, far = float(expected.depth_m[where].min()), float(expected.depth_m[where].max())
    worst = _worst_mm(seen.frame.truth.depth_m, expected, where)
    return within(f"{near:.3f} to {far:.3f} m by the plane", worst, _LIMIT_MM, "mm")


def ball(seen: Evidence, expected: Expected) -> Outcome:
    """A ball is as deep as its equation says."""
    worst = _worst_mm(seen.frame.truth.depth_m, expected, expected.inside("ball", _RIM_PX))
    return within("a ball of 0.2 m", worst, _LIMIT_MM, "mm")


def background(seen: Evidence, expected: Expected) -> Outcome:
    """Where nothing is, depth is +inf and there is no label."""
    import cv2

    nothing = cv2.erode((expected.shown < 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    depth_m = np.asarray(seen.annotation("distance_to_image_plane"))
    truth = seen.frame.truth
    others = []
    for values in (truth.depth_m[nothing], depth_m[nothing]):
        others += [f"{v:g}" for v in np.unique(values[values != np.inf])[:3]]
    labelled = int((truth.semantic[nothing] > 0).sum() + (truth.instance[nothing] > 0).sum())
    got = f"depth {', '.join(dict.fromkeys(others)) or '+inf'}, {labelled} labelled pixels of {int(nothing.sum())}"
    return Outcome(expected="depth +inf, no label", got=got, tolerance="0 pixels", holds=not others and not labelled)


def distance_to_camera(seen: Evidence, expected: Expected) -> Outcome:
    """Replicator's distance_to_camera is Euclidean, and +inf where nothing is."""
    distance_m = np.asarray(seen.annotation("distance_to_camera"))
    v, u = np.mgrid[: expected.camera.height, : expected.camera.width]
    x, y = expected.camera.rays(u, v)
    known = expected.depth_m * np.sqrt(1 + x**2 + y**2)
    where = expected.inside("block")
    error = np.abs(distance_m[where] - known[where])
    inf = within("+inf behind", float(np.isfinite(distance_m[~np.isfinite(expected.depth_m)]).mean()), 0.01, "of pixels finite")
    return all_of(within("|point| on the block", 1e3 * float(error.max(initial=0.0)), 2 * _LIMIT_MM, "mm"), inf)


def _worst_mm(depth_m: Floats | np.ndarray, expected: Expected, where: Bools) -> float:
    """Returns the largest error in millimetres, inf where a pixel that must show something shows nothing."""
    error = np.abs(np.asarray(depth_m, dtype=np.float64)[where] - expected.depth_m[where])
    return 1e3 * float(np.nan_to_num(error, nan=np.inf).max()) if error.size else float("nan")
