"""Turns category, confidence, centres and offsets into panoptic ids at the network's resolution, deterministically."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.centers import Peaks
from scenes.taxonomy import TAXONOMY

# Only thing pixels are grouped, in chunks that stay in the cache; categories are voted for by one bincount.

_CHUNK = 8192
_COUNT = len(TAXONOMY)
_IS_THING = np.zeros(256, dtype=bool)
_IS_THING[[c.id for c in TAXONOMY.things]] = True
_STUFF_IDS = tuple(c.id for c in TAXONOMY.stuff)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingSpec:
    """The settings of the post-processing; lengths in network-input pixels, areas in pixels of that image.

    A thing pixel whose voted centre is farther than `max_miss_px` from every peak is an orphan; connected orphans of
    one category that cover at least `min_orphan_px` become an instance of their own, the others join the nearest peak.
    """

    center_threshold: float = 0.1
    nms_window: int = 7
    top_k: int = 200
    max_miss_px: float = 24.0
    min_orphan_px: int = 48
    min_thing_px: int = 12
    min_stuff_px: int = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouping:
    """Panoptic ids uint16 (h, w), 0 = void, and per id 1..n its category and score (index 0 is unused)."""

    ids: NDArray[np.uint16]
    category: NDArray[np.uint8]
    score: NDArray[np.float64]


def group(
    category: NDArray[np.uint8],
    confidence: NDArray[np.float32],
    offset: NDArray[np.float32],
    peaks: Peaks,
    spec: GroupingSpec,
) -> Grouping:
    """Returns the panoptic ids of taxonomy categories (h, w) with offsets (2, h/2, w/2) and the peaks of one image.

    Thing instances come first, by falling peak value; then orphans, then stuff by category.
    """
    where = np.flatnonzero(_IS_THING.take(category))
    instance, miss2 = nearest_peak(*_voted_yx(where, offset, category.shape), peaks)
    weight = np.minimum(peaks.value, 1.0).astype(np.float64)
    orphans = miss2 > spec.max_miss_px**2
    if orphans.any():
        weight = _adopt(instance, orphans, where, category, weight, spec)
    ids = np.zeros(category.size, dtype=np.int64)
    ids[where] = instance + 1
    votes = np.bincount(ids[where] * _COUNT + category.reshape(-1)[where], minlength=(len(weight) + 1) * _COUNT)
    votes = votes.reshape(-1, _COUNT)
    kept = votes.sum(axis=1) >= max(spec.min_thing_px, 1)
    kept[0] = False
    stuff_of = _stuff_ids(category, spec, first=len(kept))
    ids += stuff_of[category.reshape(-1)]
    kept = np.append(kept, np.ones(int((stuff_of > 0).sum()), dtype=bool))
    majority = np.append(votes.argmax(axis=1), np.flatnonzero(stuff_of))
    weight = np.concatenate([[0.0], weight, np.ones(len(kept) - 1 - len(weight))])
    return _compact(ids, kept, majority, weight, confidence)


def nearest_peak(
    y: NDArray[np.float32], x: NDArray[np.float32], peaks: Peaks
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns per point the index of the nearest peak (-1 where there is none) and its squared distance; first on a tie."""
    best = np.full(len(y), -1, dtype=np.int64)
    best2 = np.full(len(y), np.inf, dtype=np.float32)
    for start in range(0, len(y), _CHUNK):
        part = slice(start, start + _CHUNK)
        for k, (cy, cx) in enumerate(peaks.yx):
            dy, dx = y[part] - cy, x[part] - cx
            dy *= dy
            dx *= dx
            dy += dx
            closer = dy < best2[part]
            np.minimum(best2[part], dy, out=best2[part])
            best[part][closer] = k
    return best, best2


def _voted_yx(
    where: NDArray[np.int64], offset: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns, for each flat pixel index, the point that its offset points to."""
    h, w = shape
    rows, columns = np.divmod(where, w)
    dy, dx = (cv2.resize(plane, (w, h), interpolation=cv2.INTER_LINEAR).reshape(-1)[where] for plane in offset)
    return (rows + dy).astype(np.float32), (columns + dx).astype(np.float32)


def _adopt(
    instance: NDArray[np.int64],
    orphans: NDArray[np.bool_],
    where: NDArray[np.int64],
    category: NDArray[np.uint8],
    weight: NDArray[np.float64],
    spec: GroupingSpec,
) -> NDArray[np.float64]:
    """Gives connected orphans of one category new instance numbers, in place; returns the weights with theirs added.

    A new instance weighs what the weakest peak could weigh, since no centre was seen.
    """
    lost = np.zeros(category.shape, dtype=np.uint8)
    lost.reshape(-1)[where[orphans]] = category.reshape(-1)[where[orphans]]
    added = 0
    for category_id in np.unique(lost[lost > 0]):
        mask = (lost == category_id).astype(np.uint8)
        _, label, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
        large = stats[:, cv2.CC_STAT_AREA] >= spec.min_orphan_px
        large[0] = False
        number = np.where(large, len(weight) + added + np.cumsum(large) - 1, -1)
        found = number[label.reshape(-1)[where]]
        np.copyto(instance, found, where=found >= 0)
        added += int(large.sum())
    return np.append(weight, np.full(added, spec.center_threshold))


def _stuff_ids(category: NDArray[np.uint8], spec: GroupingSpec, *, first: int) -> NDArray[np.int64]:
    """Returns a table from category to the id of its stuff segment, 0 for things, void and stuff that is too small."""
    area = np.bincount(category.reshape(-1), minlength=256)
    table = np.zeros(256, dtype=np.int64)
    large = [category_id for category_id in _STUFF_IDS if area[category_id] >= max(spec.min_stuff_px, 1)]
    table[large] = np.arange(first, first + len(large))
    return table


def _compact(
    ids: NDArray[np.int64],
    kept: NDArray[np.bool_],
    category: NDArray[np.int64],
    weight: NDArray[np.float64],
    confidence: NDArray[np.float32],
) -> Grouping:
    """Renumbers the kept ids 1..n in their order and scores each by mean confidence times its weight."""
    number = np.where(kept, np.cumsum(kept), 0).astype(np.uint16)
    area = np.bincount(ids, minlength=len(kept))[kept]
    total = np.bincount(ids, weights=confidence.reshape(-1), minlength=len(kept))[kept]
    score = np.clip(total / area * weight[kept], 0.0, 1.0)
    shaped = number[ids].reshape(confidence.shape)
    return Grouping(
        ids=shaped, category=np.append(0, category[kept]).astype(np.uint8), score=np.append(0.0, score)
    )
