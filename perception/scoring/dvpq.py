"""Depth-aware video panoptic quality: panoptic quality of tubes over k frames, where a wrong depth makes a pixel void.

DVPQ(k, lambda) of Qiao et al., ViP-DeepLab (CVPR 2021, arXiv 2012.05258): VPQ (Kim et al., CVPR 2020) of windows of k frames
at every place of every clip, after `scoring.tubes` made pixels with a wrong depth void. Counts of all windows add, then
panoptic quality is taken by category. DVPQ is the mean over WINDOWS and LAMBDAS, DPQ that over LAMBDAS for single frames,
VPQ that over WINDOWS without looking at depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.scoring.frame_score import FrameScore
from perception.scoring.overlap import Overlap
from perception.scoring.panoptic import count_panoptic, match_panoptic, panoptic_quality
from perception.scoring.statistics import MIN_SCENES, Estimate, estimate, mean_defined, resample_scenes
from perception.scoring.tracks import extend_tracks
from perception.scoring.tubes import LAMBDAS, TABLES
from scenes.taxonomy import TAXONOMY

WINDOWS = (1, 2, 3, 4)
_COUNT = len(TAXONOMY)
_GROUPS = {
    "": [c.id for c in TAXONOMY],
    "_things": [c.id for c in TAXONOMY.things],
    "_stuff": [c.id for c in TAXONOMY.stuff],
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """One image of a clip: the score of its answer, and the track of each of the answer's segments, int64 (P,)."""

    score: FrameScore
    tracks: NDArray[np.int64]


def still(score: FrameScore) -> Moment:
    """Returns a moment whose segments continue nothing."""
    return Moment(score=score, tracks=np.arange(len(score.tubes.predicted_category) - 1, dtype=np.int64))


def join_moments(scores: Sequence[FrameScore], links: Sequence[NDArray[np.int32]]) -> tuple[Moment, ...]:
    """Returns consecutive moments of one clip; links[i] leads from answer i to the newest one before it that was there."""
    moments, newest, first = list[Moment](), np.empty(0, np.int64), 0
    for score, link in zip(scores, links, strict=True):
        tracks = extend_tracks(newest, link, first=first)
        first += len(link)
        newest = newest if score.missing else tracks
        moments.append(Moment(score=score, tracks=tracks))
    return tuple(moments)


def tube_counts(
    runs: Iterable[Sequence[Moment]], *, step: int = 1
) -> Iterator[tuple[NDArray[np.float64], list[int]]]:
    """Yields for each run the counts (WINDOWS, TABLES, C, 4) of its windows, and how many there are of each of WINDOWS.

    A run is consecutive moments of one clip; the frames of a window are `step` moments apart. Equal windows are counted once.
    """
    known: dict[tuple[object, ...], NDArray[np.float64]] = {}
    for run in runs:
        total = np.zeros((len(WINDOWS), TABLES, _COUNT, 4))
        numbers = [max(len(run) - (k - 1) * step, 0) for k in WINDOWS]
        for at, (k, number) in enumerate(zip(WINDOWS, numbers, strict=True)):
            for begin in range(number):
                total[at] += _window(run[begin : begin + (k - 1) * step + 1 : step], known)
        yield total, numbers


def tube_figures(runs: Sequence[Sequence[Moment]], *, step: int = 1, seed: int = 0) -> dict[str, Estimate]:
    """Returns every figure of depth-aware video panoptic quality by key, in the order of docs/metrics.md.

    Intervals resample whole scenes, drawn from `seed`. A mean over windows is not defined where no clip is long enough for one.
    """
    runs = sorted((run for run in runs if len(run)), key=lambda run: run[0].score.name)
    scenes = sorted({run[0].score.scene for run in runs})
    place = {scene: at for at, scene in enumerate(scenes)}
    # Summed as they come: a run in a loop has a stretch for every time that it began again.
    per_scene, windows = np.zeros((len(scenes), len(WINDOWS), TABLES, _COUNT, 4)), np.zeros(len(WINDOWS), np.int64)
    for run, (total, numbers) in zip(runs, tube_counts(runs, step=step), strict=True):
        per_scene[place[run[0].score.scene]] += total
        windows += numbers
    resamples = resample_scenes(scenes, rng=np.random.default_rng(seed))
    if resamples.scene_count < MIN_SCENES:  # no interval can be given, so no replicate is needed
        resamples = resamples.first(0)
    # (1 + replicates, WINDOWS, TABLES, C), nan for a category that does not occur
    quality = panoptic_quality(resamples.sums(per_scene))[..., 0]
    means = {name: mean_defined(quality[..., ids]) for name, ids in _GROUPS.items()}

    def figure(values: NDArray[np.float64], group: str = "", k: int = 0) -> Estimate:
        """Makes an estimate of values (1 + replicates,) over windows of k frames; k = 0 is a mean over all of WINDOWS."""
        lacking = next((w for w, n in zip(WINDOWS, windows, strict=True) if not n and k in (0, w)), None)
        what = group.strip("_") or "segments"
        absent = f"no {what} in truth or prediction" if lacking is None else f"no {lacking} frames of a clip follow each other"
        n = int(windows[WINDOWS.index(k or 1)])
        return estimate(values, scene_count=resamples.scene_count, n=n, unit="fraction", absent=absent)

    figures = {f"dvpq{group}": figure(means[group][:, :, :-1].mean(axis=(1, 2)), group) for group in _GROUPS}
    every = means[""]
    figures |= {"vpq": figure(every[:, :, -1].mean(axis=1)), "dpq": figure(every[:, 0, :-1].mean(axis=1), k=1)}
    for at, k in enumerate(WINDOWS):
        figures[f"vpq_k{k}"] = figure(every[:, at, -1], k=k)
        for table, limit in enumerate(LAMBDAS):
            figures[f"dvpq_k{k}_l{100 * limit:.0f}"] = figure(every[:, at, table], k=k)
    return figures


def _window(moments: Sequence[Moment], known: dict[tuple[object, ...], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Returns the counts (TABLES, C, 4) of one window; tracks are told apart, their numbers mean nothing."""
    tracks, column = np.unique(np.concatenate([m.tracks for m in moments]), return_inverse=True)
    key = (*(id(m.score) for m in moments), column.tobytes())
    if key not in known:
        known[key] = _count_window([m.score for m in moments], column + 1, len(tracks) + 1)
    return known[key]


def _count_window(scores: Sequence[FrameScore], column: NDArray[np.int64], columns: int) -> NDArray[np.float64]:
    """Adds the histograms of all frames, rows by instance or stuff category, columns by track, and counts panoptic quality."""
    tubes = [score.tubes for score in scores]
    keys = np.concatenate([tube.truth_id * _COUNT + tube.truth_category for tube in tubes])
    unique, row = np.unique(keys, return_inverse=True)
    counts = np.zeros((TABLES, len(unique), columns), np.int64)
    predicted_category = np.zeros(columns, np.int64)
    row_at = column_at = 0
    for tube in tubes:
        rows, segments = len(tube.truth_id), len(tube.predicted_category) - 1
        these = column[column_at : column_at + segments]
        place = np.concatenate([[0], these])
        counts[np.ix_(np.arange(TABLES), row[row_at : row_at + rows], place)] += tube.counts
        predicted_category[these] = tube.predicted_category[1:]
        row_at, column_at = row_at + rows, column_at + segments
    return np.stack([_panoptic_counts(table, unique % _COUNT, predicted_category) for table in counts])


def _panoptic_counts(
    counts: NDArray[np.int64], truth_category: NDArray[np.int64], predicted_category: NDArray[np.int64]
) -> NDArray[np.float64]:
    overlap = Overlap(
        counts=counts, truth_category=truth_category, truth_crowd=np.zeros(len(truth_category), dtype=bool),
        predicted_category=predicted_category, predicted_score=np.zeros(len(predicted_category)),
    )  # fmt: skip
    return count_panoptic(overlap, match_panoptic(overlap), _COUNT)
