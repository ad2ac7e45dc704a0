"""Where a depth camera gives nothing back, and why: shadows of the other imager, edges, grazing, dark, shiny, clear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.taxonomy import TAXONOMY
from sim.frame import Truth
from sim.sensors.profile import DepthSpec
from sim.sensors.randomness import stream, uniform_field
from sim.sensors.surface import inverse_depth

# Index 0 is a pixel with a return.
LOST = ("", "nothing there", "shadow", "edge", "surface", "too near", "too far")


def loss_map(
    truth: Truth,
    camera: Camera,
    spec: DepthSpec,
    edges: NDArray[np.bool_],
    angle_rad: NDArray[np.float64],
    light: NDArray[np.float32],
    shine: NDArray[np.float32],
    scale: float,
    key: tuple[object, ...],
) -> NDArray[np.uint8]:
    """Returns, uint8 (H, W), which of LOST takes a pixel's return, 0 for none; range is not judged here.

    Losses by edge and surface come in clumps of `hole_px`; the chance of each pixel is still the one that is stated.
    """
    shape = truth.depth_m.shape
    lost = np.where(np.isfinite(truth.depth_m), 0, LOST.index("nothing there")).astype(np.uint8)
    if spec.shadow:
        lost[(lost == 0) & shadowed(truth.depth_m, camera, spec.baseline_m)] = LOST.index("shadow")
    if spec.edge_loss > 0 and spec.edge_window_px > 0:
        chance = uniform_field(shape, spec.hole_px * scale / 2, rng=stream(*key, "edge loss"))
        near_edge = _widened(edges, round(spec.edge_window_px * scale))
        lost[(lost == 0) & near_edge & (chance < spec.edge_loss)] = LOST.index("edge")
    share = surface_loss(truth, spec, angle_rad, light, shine)
    if share.any():
        chance = uniform_field(shape, spec.hole_px * scale, rng=stream(*key, "surface loss"))
        lost[(lost == 0) & (chance < share)] = LOST.index("surface")
    return lost


def surface_loss(
    truth: Truth, spec: DepthSpec, angle_rad: NDArray[np.float64], light: NDArray[np.float32], shine: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Returns the probability, float64 (H, W), that a surface sends nothing back: independent causes, multiplied."""
    start, end = np.radians(spec.grazing_deg)
    ramp = np.clip((angle_rad - start) / max(end - start, 1e-9), 0, 1)
    kept = 1 - ramp * ramp * (3 - 2 * ramp)
    if spec.dark_loss > 0 and spec.dark_level > 0:
        kept = kept * (1 - spec.dark_loss * np.clip(1 - light / spec.dark_level, 0, 1))
    if spec.shiny_loss > 0:
        kept = kept * (1 - spec.shiny_loss * shine[truth.instance])
    if spec.lost_by_category:
        of_category = np.zeros(256)
        for name, share in spec.lost_by_category:
            of_category[TAXONOMY.named(name).id] = share
        kept = kept * (1 - of_category[truth.semantic])
    return np.asarray(1 - kept * (1 - spec.random_loss), dtype=np.float64)


def shadowed(depth_m: NDArray[np.float32], camera: Camera, baseline_m: float) -> NDArray[np.bool_]:
    """Returns the pixels whose surface the other imager, `baseline_m` to the right, cannot see.

    Every pixel's surface is drawn into the other image's row at u - f b / z, the nearest one wins, and a pixel that is
    more than one pixel of disparity behind the winner is hidden; so is one beyond the other image's left border. What
    this camera does not see hides nothing. The images are taken as rectified: a lens is left out.
    """
    height, width = depth_m.shape
    disparity = camera.fx * baseline_m * inverse_depth(depth_m)
    column = np.arange(width) - disparity
    shift = 2 * int(np.ceil(disparity.max(initial=0.0))) + 2
    bins = shift + 2 * width + 2
    start = np.arange(height)[:, None] * bins + shift
    nearest = np.zeros(height * bins)
    for part in (-0.5, 0.0, 0.5):
        where = start + np.rint(2 * (column + part)).astype(np.int64)
        np.maximum.at(nearest, where.reshape(-1), disparity.reshape(-1))
    seen = nearest[start + np.rint(2 * column).astype(np.int64)]
    hidden: NDArray[np.bool_] = (seen > disparity + 1.0) | (column < -0.5)
    return hidden & np.isfinite(depth_m)


def _widened(mask: NDArray[np.bool_], reach_px: int) -> NDArray[np.bool_]:
    if reach_px < 1:
        return mask
    import cv2

    square = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), square)) > 0
