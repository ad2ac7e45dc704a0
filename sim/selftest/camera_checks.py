"""The camera against paper: which way the image runs, where pixel centres are, how wide the view is, what is said of it."""

from __future__ import annotations

import numpy as np

from scenes.camera import points_in_camera
from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Bools, Expected
from sim.selftest.outline import Moments, farthest_wrong_px, hull_of, mask_moments, polygon_moments
from sim.selftest.solids import Floats
from sim.selftest.verdict import Outcome, all_of, within

_OUTLINE_PX, _CENTRE_PX, _FOCAL_PERCENT, _PARAMS_PX = 0.5, 0.1, 0.4, 0.01
_LEAST_OVERLAP = 0.5


def image_x(seen: Evidence, expected: Expected) -> Outcome:
    """What stands to the right is seen on the right."""
    return _axis(seen, expected, axis=1, words=("u grows to the right", "u grows to the left (mirrored)"))


def image_y(seen: Evidence, expected: Expected) -> Outcome:
    """What stands above is seen above."""
    return _axis(seen, expected, axis=0, words=("v grows downwards", "v grows upwards (upside down)"))


def outline(seen: Evidence, expected: Expected) -> Outcome:
    """The block's corners, projected through the intrinsics, enclose exactly the pixels of its mask."""
    worst = farthest_wrong_px(seen.mask("block"), hull_of(_corners_px(expected, "block")))
    return within("the mask inside the projected corners", worst, _OUTLINE_PX, "px", what="wrong pixels at most off by")


def pixel_centres(seen: Evidence, expected: Expected) -> Outcome:
    """The mask's middle is the silhouette's: pixel (0, 0) has its centre at the camera's (0, 0)."""
    known, found = _block(seen, expected)
    shift = found.middle - known.middle
    return Outcome(
        expected="shifted by (0, 0) px",
        got=f"shifted by ({shift[0]:+.3f}, {shift[1]:+.3f}) px",
        tolerance=f"{_CENTRE_PX} px",
        holds=bool(np.abs(shift).max() <= _CENTRE_PX),
    )


def focal_length(seen: Evidence, expected: Expected) -> Outcome:
    """The mask is as wide and as high as the focal lengths say: apertures agree with the image's size."""
    known, found = _block(seen, expected)
    scale = found.spread / known.spread
    return Outcome(
        expected="scale 1.0000 along u and v",
        got=f"scale {scale[0]:.4f} along u, {scale[1]:.4f} along v",
        tolerance=f"{_FOCAL_PERCENT} %",
        holds=bool(np.abs(scale - 1).max() <= _FOCAL_PERCENT / 100),
    )


def camera_record(seen: Evidence, expected: Expected) -> Outcome:
    """The frame carries the camera that was asked for."""
    a, b = seen.frame.camera, expected.camera
    pose = np.abs(a.world_from_camera.matrix() - b.world_from_camera.matrix()).max()
    lens = np.abs(a.matrix - b.matrix).max() if (a.width, a.height) == (b.width, b.height) else np.inf
    return all_of(
        within("the pose asked for", 1e3 * float(pose), 0.01, "mm"),
        within("the intrinsics asked for", float(lens), _PARAMS_PX, "px"),
    )


def camera_params(seen: Evidence, expected: Expected) -> Outcome:
    """camera_params takes world points to pixels as row vectors, OpenGL axes, pixel centres at one half."""
    params = seen.annotation("camera_params")
    view, projection = (np.reshape(params[key], (4, 4)) for key in ("cameraViewTransform", "cameraProjection"))
    corners = expected.corners_world("block")
    clip = np.concatenate([corners, np.ones((8, 1))], axis=1) @ view @ projection
    width, height = params["renderProductResolution"]
    with np.errstate(divide="ignore", invalid="ignore"):
        ndc = clip[:, :2] / clip[:, 3:]
    pixels = (np.array([1, 1]) + ndc * np.array([1, -1])) * (width / 2, height / 2) - 0.5
    error = np.abs(pixels - _corners_px(expected, "block"))
    return within("corners at their pixels", float(np.nan_to_num(error, nan=np.inf).max()), _PARAMS_PX, "px")


def _axis(seen: Evidence, expected: Expected, *, axis: int, words: tuple[str, str]) -> Outcome:
    """Compares the foreground with the expected one as it is, mirrored, upside down and both: the best says which axes run."""
    known, found = expected.shown >= 0, seen.frame.truth.instance > 0
    flips: dict[tuple[int, ...], float] = {way: _overlap(np.flip(found, way), known) for way in ((), (0,), (1,), (0, 1))}
    best = max(flips, key=lambda way: flips[way])
    if flips[best] < _LEAST_OVERLAP:
        return Outcome(expected=words[0], got=f"markers elsewhere (overlap {flips[best]:.2f} at best)", holds=False)
    return Outcome(expected=words[0], got=f"{words[axis in best]}, overlap {flips[best]:.2f}", holds=axis not in best)


def _overlap(a: Bools, b: Bools) -> float:
    return float((a & b).sum() / max(int((a | b).sum()), 1))


def _corners_px(expected: Expected, name: str) -> Floats:
    return expected.camera.project(points_in_camera(expected.camera, expected.corners_world(name)))


def _block(seen: Evidence, expected: Expected) -> tuple[Moments, Moments]:
    return polygon_moments(hull_of(_corners_px(expected, "block"))), mask_moments(seen.mask("block"))
