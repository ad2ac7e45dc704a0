"""Scores by difficulty: how many of the true things of a bin were found, and how well, with counts and intervals.

A thing is found where a predicted mask matches it in the sense of panoptic quality (one category, IoU > 0.5). Slicing is
by the truth: a false positive belongs to no true thing and so to no bin, and no figure here counts any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from perception.scoring.frame_score import empty_prediction, scene_of
from perception.scoring.overlap import frame_overlap
from perception.scoring.panoptic import match_panoptic
from perception.scoring.statistics import Estimate, Resamples, estimate, ratio, resample_scenes
from scenes.errors import UnknownNameError
from scenes.taxonomy import TAXONOMY
from sim.difficulty.measure import ObjectDifficulty, figure_of
from sim.frame import Frame

_TRUE, _FOUND, _IOU_SUM = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What things are sliced by: its figure in sim.difficulty, its unit, and the edges of the bins, low <= value < high."""

    figure: str
    unit: str
    edges: tuple[float, ...]


QUANTITIES: dict[str, Quantity] = {
    "visible_fraction": Quantity(figure="visible_fraction", unit="fraction", edges=(0.0, 0.25, 0.5, 0.75, 0.95, 1.0)),
    "size": Quantity(figure="size_px", unit="px", edges=(0, 16**2, 32**2, 64**2, 96**2, np.inf)),
    "distance": Quantity(figure="distance_m", unit="m", edges=(0.0, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0, np.inf)),
    "clearance": Quantity(figure="clearance_m", unit="m", edges=(0.0, 0.001, 0.01, 0.03, 0.1, 0.3, np.inf)),
    "contrast": Quantity(figure="contrast", unit="CIEDE2000", edges=(0, 5, 10, 20, 40, np.inf)),
    "truncation": Quantity(figure="truncation", unit="fraction", edges=(0.0, 1e-6, 0.25, 0.5, 1.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameThings:
    """The true things of one image that show a pixel: their difficulty, and the IoU of the mask that found each, 0 if none."""

    name: str
    difficulties: tuple[ObjectDifficulty, ...]
    iou: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The things with low <= value < high (the last bin has its upper edge too): how many were found, and how well."""

    low: float
    high: float
    things: int
    recall: Estimate
    sq: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values; an open end is null."""
        return {
            "low": self.low, "high": self.high if np.isfinite(self.high) else None, "things": self.things,
            "figures": {"recall": self.recall.to_dict(), "sq": self.sq.to_dict()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Scores by one quantity; `unmeasured` counts the things whose quantity is not known and that are in no bin."""

    by: str
    unit: str
    bins: tuple[Bin, ...]
    unmeasured: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "by": self.by, "unit": self.unit, "unmeasured": self.unmeasured, "false_positives": "not attributable",
            "bins": [b.to_dict() for b in self.bins],
        }  # fmt: skip

    def rows(self) -> list[tuple[str, ...]]:
        """Returns a header and a row of text per bin that holds a thing."""
        rows: list[tuple[str, ...]] = [(f"{self.by} ({self.unit})", "things", "recall", "SQ of those found")]
        for b in self.bins:
            if b.things:
                high = f"{b.high:g}" if np.isfinite(b.high) else "more"
                rows.append((f"{b.low:g} to {high}", str(b.things), str(b.recall), str(b.sq)))
        if self.unmeasured:
            rows.append(("not measured", str(self.unmeasured), "-", "-"))
        return rows


def match_things(frame: Frame, prediction: Prediction | None, difficulties: Sequence[ObjectDifficulty]) -> FrameThings:
    """Finds which true things of a frame a prediction found; None is a prediction that never came.

    `difficulties` are those of the frame, in the order of its records. Raises ValueError where sizes differ.
    """
    answer = empty_prediction(frame.truth.semantic.shape) if prediction is None else prediction
    overlap = frame_overlap(frame.truth, answer)
    match = match_panoptic(overlap)
    iou = np.zeros(len(overlap.truth_category))
    iou[match.row] = match.iou
    shows = overlap.truth_area[len(TAXONOMY) :] > 0
    kept = tuple(d for d, shown in zip(difficulties, shows, strict=True) if shown)
    return FrameThings(name=frame.name, difficulties=kept, iou=iou[len(TAXONOMY) :][shows])


def slice_scores(frames: Iterable[FrameThings], by: Sequence[str], *, seed: int = 0) -> tuple[Slices, ...]:
    """Makes the table of every quantity in `by`; the order of the frames does not matter.

    `seed` draws the resamples behind the intervals. Raises UnknownNameError for a quantity that does not exist and
    ValueError where there is no frame.
    """
    for name in by:
        if name not in QUANTITIES:
            raise UnknownNameError("quantity to slice by", name, QUANTITIES)
    ordered = sorted(frames, key=lambda frame: frame.name)
    if not ordered:
        raise ValueError("There is no frame to score; give at least one frame with truth.")
    resamples = resample_scenes([scene_of(f.name) for f in ordered], rng=np.random.default_rng(seed))
    return tuple(_sliced(ordered, resamples, name) for name in by)


def slice_folder(
    predictions: Path | str, dataset: Path | str, by: Sequence[str], *, seed: int = 0, labels: Path | None = None
) -> tuple[Slices, ...]:
    """Slices the scores of what `rehearse predict` wrote; frames without a prediction count as all missed."""
    return slice_scores(_pairs(predictions, dataset, labels), by, seed=seed)


def _pairs(predictions: Path | str, dataset: Path | str, labels: Path | None) -> Iterator[FrameThings]:
    from perception.store import read_predictions
    from sim.dataset import Dataset

    truth, stored = Dataset.open(dataset, labels=labels), read_predictions(predictions)
    index_of = {name: index for index, name in enumerate(stored.names)}
    for k, name in enumerate(truth.names):
        prediction = stored[index_of[name]] if name in index_of else None
        yield match_things(truth[k], prediction, truth.difficulties(k))


def _sliced(frames: list[FrameThings], resamples: Resamples, name: str) -> Slices:
    quantity = QUANTITIES[name]
    count = len(quantity.edges) - 1
    table = np.zeros((len(frames), count, 3))
    unmeasured = 0
    for k, frame in enumerate(frames):
        values = [figure_of(d, quantity.figure) for d in frame.difficulties]
        known = np.array([value is not None for value in values], dtype=bool)
        unmeasured += int((~known).sum())
        which = bins_of(np.array([v for v in values if v is not None], dtype=np.float64), quantity.edges)
        iou = frame.iou[known]
        np.add.at(table[k], which, np.stack([np.ones(len(iou)), iou > 0, iou], axis=1))
    total = resamples.sums(table)
    bins = tuple(
        _bin(quantity.edges[b], quantity.edges[b + 1], total[:, b], resamples.scene_count) for b in range(count)
    )
    return Slices(by=name, unit=quantity.unit, bins=bins, unmeasured=unmeasured)


def bins_of(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.int64]:
    """Returns the bin of each value; what lies on or beyond the last edge is in the last bin."""
    found = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="right") - 1
    return np.clip(found, 0, len(edges) - 2).astype(np.int64)


def _bin(low: float, high: float, total: NDArray[np.float64], scene_count: int) -> Bin:
    things, found = int(total[0, _TRUE]), int(total[0, _FOUND])
    recall, sq = ratio(total[:, _FOUND], total[:, _TRUE]), ratio(total[:, _IOU_SUM], total[:, _FOUND])
    return Bin(
        low=low,
        high=high,
        things=things,
        recall=estimate(recall, scene_count=scene_count, n=things, unit="fraction", absent="no thing in this bin"),
        sq=estimate(sq, scene_count=scene_count, n=found, unit="fraction", absent="no thing was found in this bin"),
    )
