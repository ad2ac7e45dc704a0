"""Targets of Panoptic-DepthLab at the stride of its outputs, in numpy: categories, weights, centres, offsets, log depth.

Conventions are those of Panoptic-DeepLab: the centre is the mass centre of the visible pixels, the heat map is a Gaussian
pasted with max at the rounded centre, the offset is the float centre minus the pixel, (dy, dx), in input pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.float32]
LabelMap = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec:
    """How targets are drawn: output stride, Gaussian sigma in output cells, and how much more small instances count.

    The weight of an instance is sqrt(`reference_area_px` / its area), clipped to 1..`max_weight`; area in input pixels.
    """

    stride: int = 2
    sigma_cells: float = 2.5
    reference_area_px: float = 1500.0
    max_weight: float = 3.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """Targets of one image, all (h, w) at the output stride.

    `category` uint8, 0 = ignored; `weight` float32 >= 1; `center` float32 0..1; `offset` float32 (2, h, w), 0 off things;
    `thing` uint8 0 or 1; `log_depth` float32, nan where unknown.
    """

    category: LabelMap
    weight: FloatMap
    center: FloatMap
    offset: FloatMap
    thing: LabelMap
    log_depth: FloatMap


def mass_centers(instance: LabelMap) -> tuple[FloatMap, NDArray[np.int64]]:
    """Returns the mean (y, x) of the pixels of every id 0..max as (n, 2), nan where the id has none, and the areas."""
    flat = instance.ravel()
    width = instance.shape[1]
    areas = np.bincount(flat)
    thing = np.flatnonzero(flat)
    ids = flat[thing]
    sums = np.empty((len(areas), 2))
    sums[:, 0] = np.bincount(ids, weights=thing // width, minlength=len(areas))
    sums[:, 1] = np.bincount(ids, weights=thing % width, minlength=len(areas))
    sums[0] = np.nan
    counts = np.where(areas > 0, areas, 1)[:, None]
    centers = np.where((areas > 0)[:, None], sums / counts, np.nan)
    return centers.astype(np.float32), areas


def center_heatmap(centers_yx: FloatMap, shape: tuple[int, int], sigma: float) -> FloatMap:
    """Pastes a Gaussian of height 1 at every rounded centre, by max, in a window of 6 sigma + 3; nan rows are skipped."""
    heat = np.zeros(shape, dtype=np.float32)
    reach = int(3 * sigma + 1)
    axis = np.arange(-reach, reach + 1)
    one = np.exp(-(axis**2) / (2 * sigma**2))
    patch = np.outer(one, one).astype(np.float32)
    for y, x in centers_yx[~np.isnan(centers_yx).any(axis=1)]:
        top, left = round(float(y)) - reach, round(float(x)) - reach
        rows = slice(max(top, 0), max(min(top + len(axis), shape[0]), 0))
        columns = slice(max(left, 0), max(min(left + len(axis), shape[1]), 0))
        part = patch[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        np.maximum(heat[rows, columns], part, out=heat[rows, columns])
    return heat


def make_targets(
    semantic: LabelMap,
    instance: LabelMap,
    depth_canonical: FloatMap,
    spec: TargetSpec,
    *,
    phase: tuple[int, int] = (0, 0),
) -> Targets:
    """Makes the targets of one image at input size (H, W); labels are taken at `phase` within each stride x stride cell.

    A phase drawn anew for each visit makes the expected label of a cell the mean over its pixels.
    """
    stride = spec.stride
    centers, areas = mass_centers(instance)
    cells = (slice(phase[0], None, stride), slice(phase[1], None, stride))
    ids = instance[cells]
    in_cells = ((centers - (stride - 1) / 2) / stride).astype(np.float32)
    weights = np.clip(np.sqrt(spec.reference_area_px / np.maximum(areas, 1)), 1.0, spec.max_weight).astype(np.float32)
    weights[0] = 1.0
    depth = depth_canonical[cells]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_depth = np.where(np.isfinite(depth) & (depth > 0), np.log(depth), np.nan).astype(np.float32)
    return Targets(
        category=np.ascontiguousarray(semantic[cells]),
        weight=weights[ids],
        center=center_heatmap(in_cells, (ids.shape[0], ids.shape[1]), spec.sigma_cells),
        offset=_offsets(ids, centers, stride),
        thing=(ids > 0).astype(np.uint8),
        log_depth=log_depth,
    )


def _offsets(ids: LabelMap, centers: FloatMap, stride: int) -> FloatMap:
    """Centre minus the middle of the cell, in input pixels."""
    middle = (stride - 1) / 2
    rows = (np.arange(ids.shape[0], dtype=np.float32) * stride + middle)[:, None]
    columns = np.arange(ids.shape[1], dtype=np.float32) * stride + middle
    thing = ids > 0
    table = np.nan_to_num(centers)
    return np.stack([(table[ids, 0] - rows) * thing, (table[ids, 1] - columns) * thing]).astype(np.float32)
