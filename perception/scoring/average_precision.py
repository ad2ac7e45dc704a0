"""COCO's average precision: greedy matching in the image, 101-point interpolation, stable order of equal scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.scoring.statistics import Resamples, distinct

MAX_DETECTIONS = 100
RECALL_POINTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """What one image adds to AP at T IoU thresholds: its detections, best score first per category, and its truth count.

    category int64 (D,); score float64 (D,); hit, ignored bool (D, T); truth_count int64 (C,), ignored truth left out.
    An ignored detection is neither right nor wrong.
    """

    category: NDArray[np.int64]
    score: NDArray[np.float64]
    hit: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truth_count: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Detections (D) and truth (G) of one image before matching: `iou` float64 (D, G) and what each one is.

    `truth_ignored` truth may be hit without reward or penalty; `truth_crowd` truth, also ignored, may be hit many times.
    """

    iou: NDArray[np.float64]
    category: NDArray[np.int64]
    score: NDArray[np.float64]
    truth_category: NDArray[np.int64]
    truth_ignored: NDArray[np.bool_]
    truth_crowd: NDArray[np.bool_]


def match_detections(candidates: Candidates, thresholds: NDArray[np.float64], category_count: int) -> Detections:
    """Matches every detection to the free truth of its category with the largest IoU, best score first, at each threshold."""
    order: list[int] = []
    hits: list[NDArray[np.bool_]] = []
    ignored: list[NDArray[np.bool_]] = []
    for category in np.unique(candidates.category):
        rows = np.flatnonzero(candidates.category == category)
        rows = rows[np.argsort(-candidates.score[rows], kind="stable")][:MAX_DETECTIONS]
        columns = np.flatnonzero(candidates.truth_category == category)
        columns = columns[np.argsort(candidates.truth_ignored[columns], kind="stable")]
        taken = np.stack([_match_greedily(candidates, rows, columns, t) for t in thresholds], axis=1)
        order.extend(rows.tolist())
        hits.append(taken >= 0)
        ignored.append((taken >= 0) & candidates.truth_ignored[taken] if len(columns) else taken >= 0)
    empty = np.zeros((0, len(thresholds)), dtype=bool)
    counted = candidates.truth_category[~candidates.truth_ignored]
    return Detections(
        category=candidates.category[order],
        score=candidates.score[order],
        hit=np.concatenate([empty, *hits]),
        ignored=np.concatenate([empty, *ignored]),
        truth_count=np.bincount(counted, minlength=category_count),
    )


def _match_greedily(
    candidates: Candidates, rows: NDArray[np.int64], columns: NDArray[np.int64], threshold: float
) -> NDArray[np.int64]:
    """Returns for every detection in `rows` (best first) the truth it takes of `columns` (ignored last), or -1."""
    free = set(columns.tolist())
    taken = np.full(len(rows), -1, dtype=np.int64)
    for k, row in enumerate(rows):
        best, chosen = min(float(threshold), 1 - 1e-10), -1
        for column in columns.tolist():
            if column not in free:
                continue
            if chosen >= 0 and candidates.truth_ignored[column] and not candidates.truth_ignored[chosen]:
                break
            if candidates.iou[row, column] >= best:
                best, chosen = float(candidates.iou[row, column]), column
        taken[k] = chosen
        if chosen >= 0 and not candidates.truth_crowd[chosen]:
            free.remove(chosen)
    return taken


def average_precision(frames: list[Detections], resamples: Resamples) -> NDArray[np.float64]:
    """Returns AP, float64 (1 + replicates, C, T), over the frames of every resample; nan for categories without truth.

    The same object more than once is one image that counts so often, to the bit as if it stood there again and again.
    """
    category_count = len(frames[0].truth_count)
    truth = resamples.sums(np.array([f.truth_count for f in frames], dtype=np.float64))
    tied = {id(f) for f in distinct(frames)[0] if _has_ties(f)}
    # Equal scores of one image take turns where it is repeated, so such an image stays what it is: several.
    frames, which = distinct(frames, key=lambda f: object() if id(f) in tied else id(f))
    category = np.concatenate([f.category for f in frames])
    score = np.concatenate([f.score for f in frames])
    hit, ignored = np.concatenate([f.hit for f in frames]), np.concatenate([f.ignored for f in frames])
    sizes = [len(f.category) for f in frames]
    scene, times = np.repeat(resamples.of_distinct(which).scene_of_frame, sizes), np.repeat(np.bincount(which), sizes)
    result = np.full((len(resamples.weights), category_count, hit.shape[1]), np.nan)
    for c in np.flatnonzero(truth[0] > 0):
        rows = np.flatnonzero(category == c)
        rows = rows[np.argsort(-score[rows], kind="stable")]
        weight = resamples.weights[:, scene[rows]] * times[rows]
        for t in range(hit.shape[1]):
            right = weight * (hit[rows, t] & ~ignored[rows, t])
            wrong = weight * (~hit[rows, t] & ~ignored[rows, t])
            result[:, c, t] = _interpolated(right, wrong, truth[:, c])
    return result


def _has_ties(detections: Detections) -> bool:
    pairs = np.stack([detections.category, detections.score])
    return bool(np.unique(pairs, axis=1).shape[1] < pairs.shape[1])


def _interpolated(
    right: NDArray[np.float64], wrong: NDArray[np.float64], truth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns 101-point AP (R,) of weighted detections (R, D) in score order; nan where `truth` (R,) is zero."""
    count = right.shape[1]
    defined = truth > 0
    if count == 0:
        return np.where(defined, 0.0, np.nan)
    tp, fp = np.cumsum(right, axis=1), np.cumsum(wrong, axis=1)
    recall = np.where(defined[:, None], tp / np.maximum(truth, 1)[:, None], 0.0)
    precision = tp / np.maximum(tp + fp, np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    position = np.stack([np.searchsorted(row, RECALL_POINTS) for row in recall])
    reached = position < count
    sampled = np.take_along_axis(envelope, np.minimum(position, count - 1), axis=1)
    return np.where(defined, np.where(reached, sampled, 0.0).mean(axis=1), np.nan)
