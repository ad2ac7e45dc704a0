"""Scores of a set of images: every figure with its sample size and 95 % interval, and a table by category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perception.prediction import Prediction
from perception.scoring._figures import aggregate, category_figures, overall_figures
from perception.scoring.dvpq import Moment, still, tube_figures
from perception.scoring.follow import Follower
from perception.scoring.frame_score import FrameScore, score_frame
from perception.scoring.statistics import Estimate, resample_scenes
from sim.frame import Frame

# What a short table shows, in this order.
HEADLINES = (
    "pq", "pq_things", "pq_stuff", "sq", "rq", "dpq", "dvpq", "miou", "mask_ap",
    "absrel_image_mean", "rmse_m_image_mean", "delta1_image_mean", "invalid_pooled",
    "box_ap25", "box_ap50", "box_iou_mean", "box_center_error_m_median", "segment_depth_error_m_median",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryScores:
    """The figures of one category; the keys are pq, sq, rq, iou and, for things, mask_ap, box_ap25, box_ap50."""

    name: str
    kind: str
    true_positives: int
    false_positives: int
    false_negatives: int
    figures: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "name": self.name, "kind": self.kind, "true_positives": self.true_positives,
            "false_positives": self.false_positives, "false_negatives": self.false_negatives,
            "figures": {key: figure.to_dict() for key, figure in self.figures.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """All figures of a set of frames by key (docs/metrics.md defines each), and the same by category.

    `missing` names the frames that had no prediction and were scored as all missed; `unmatched` the predictions that
    belong to no frame and were not scored.
    """

    frame_count: int
    scene_count: int
    missing: tuple[str, ...]
    unmatched: tuple[str, ...]
    figures: Mapping[str, Estimate]
    categories: tuple[CategoryScores, ...]

    def __getitem__(self, key: str) -> Estimate:
        return self.figures[key]

    def rows(self, keys: Iterable[str] = HEADLINES) -> list[tuple[str, str, int]]:
        """Returns (key, value with interval as text, sample size) for a printed table."""
        return [(key, str(self.figures[key]), self.figures[key].n) for key in keys]

    def category_rows(self) -> list[tuple[str, ...]]:
        """Returns a header and one row of text per category that occurs."""
        keys = ("pq", "sq", "rq", "iou", "mask_ap", "box_ap25", "box_ap50")
        rows: list[tuple[str, ...]] = [("category", "kind", "TP", "FP", "FN", *keys)]
        for c in self.categories:
            counts = (str(c.true_positives), str(c.false_positives), str(c.false_negatives))
            rows.append((c.name, c.kind, *counts, *(_percent(c.figures.get(key)) for key in keys)))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "format": 1, "frames": self.frame_count, "scenes": self.scene_count,
            "missing": list(self.missing), "unmatched": list(self.unmatched),
            "figures": {key: figure.to_dict() for key, figure in self.figures.items()},
            "categories": [category.to_dict() for category in self.categories],
        }  # fmt: skip


def combine(
    frame_scores: Iterable[FrameScore],
    *,
    runs: Sequence[Sequence[Moment]] | None = None,
    step: int = 1,
    seed: int = 0,
    unmatched: Iterable[str] = (),
) -> Scores:
    """Makes the scores of a set of images from the scores of each; the order in which they come does not matter.

    `runs` are the stretches of images that follow each other, `step` of them in a window's step, for the figures over time;
    without them every image is a still. `seed` draws the resamples behind the intervals. Raises ValueError where there is no
    image.
    """
    frames = sorted(frame_scores, key=lambda score: score.name)
    if not frames:
        raise ValueError("There is no frame to score; give at least one frame with truth.")
    runs = [[still(f)] for f in frames] if runs is None else runs
    resamples = resample_scenes([f.scene for f in frames], rng=np.random.default_rng(seed))
    totals = aggregate(frames, resamples)
    categories = tuple(
        CategoryScores(
            name=category.name,
            kind=category.kind,
            true_positives=int(counts[0]),
            false_positives=int(counts[1]),
            false_negatives=int(counts[2]),
            figures=figures,
        )
        for category, counts, figures in category_figures(totals)
    )
    return Scores(
        frame_count=len(frames),
        scene_count=resamples.scene_count,
        missing=tuple(f.name for f in frames if f.missing),
        unmatched=tuple(unmatched),
        figures=overall_figures(totals) | tube_figures(runs, step=step, seed=seed),
        categories=categories,
    )


def score_frames(pairs: Iterable[tuple[Frame, Prediction | None]], *, seed: int = 0) -> Scores:
    """Scores predictions against the truth of their frames, one pair at a time; None is a prediction that never came.

    Frames of a clip that come one after the other are scored over time, too.
    """
    scores, follower = list[FrameScore](), Follower()
    for frame, prediction in pairs:
        scores.append(score_frame(frame, prediction))
        follower.add(scores[-1], prediction)
    return combine(scores, runs=follower.runs, seed=seed)


def _percent(figure: Estimate | None) -> str:
    return "-" if figure is None or figure.value is None else f"{100 * figure.value:.1f}"
