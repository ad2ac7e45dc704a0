"""Every figure under its key, each from the counts of the frames and of their resamples by one formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.scoring.average_precision import average_precision
from perception.scoring.box_ap import BOX_AP25, BOX_AP50
from perception.scoring.depth import DEPTH_UNITS, depth_metrics
from perception.scoring.frame_score import FrameScore
from perception.scoring.mask_ap import MASK_AP50, MASK_AP75
from perception.scoring.panoptic import panoptic_quality
from perception.scoring.semantic import pixel_accuracy, semantic_iou
from perception.scoring.statistics import Estimate, Resamples, distinct, estimate, mean_defined, ratio
from scenes.taxonomy import TAXONOMY, Category

_AP_REPLICATES = 200  # AP is swept again for each replicate

_THINGS = [category.id for category in TAXONOMY.things]
_STUFF = [category.id for category in TAXONOMY.stuff]
_GROUPS = {"": _THINGS + _STUFF, "_things": _THINGS, "_stuff": _STUFF}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Totals:
    """The frames, their resamples, and what both tables need of them; row 0 of every array is the data as it is.

    counts (1 + R, C, 4); quality (1 + R, C, 3) = PQ, SQ, RQ; confusion (1 + R, C, C); masks, boxes (1 + 200, C, 10) = AP.
    """

    frames: list[FrameScore]
    resamples: Resamples
    counts: NDArray[np.float64]
    quality: NDArray[np.float64]
    confusion: NDArray[np.float64]
    masks: NDArray[np.float64]
    boxes: NDArray[np.float64]

    def fraction(self, values: NDArray[np.float64], absent: str, n: int | None = None) -> Estimate:
        """Makes an Estimate of a fraction; its sample is the frames unless `n` says otherwise."""
        return self.figure(values, "fraction", absent, n)

    def figure(self, values: NDArray[np.float64], unit: str, absent: str, n: int | None = None) -> Estimate:
        """Makes an Estimate; its sample is the frames unless `n` says otherwise."""
        n = len(self.frames) if n is None else n
        return estimate(values, scene_count=self.resamples.scene_count, n=n, unit=unit, absent=absent)


def aggregate(frames: list[FrameScore], resamples: Resamples) -> Totals:
    """Sums the frames of every resample; the costly part, once for both tables."""
    counts = resamples.sums(np.array([f.panoptic for f in frames]))
    few = resamples.first(_AP_REPLICATES)
    return Totals(
        frames=frames,
        resamples=resamples,
        counts=counts,
        quality=panoptic_quality(counts),
        confusion=_confusion(frames, resamples),
        masks=average_precision([f.masks for f in frames], few),
        boxes=average_precision([f.boxes for f in frames], few),
    )


def _confusion(frames: list[FrameScore], resamples: Resamples) -> NDArray[np.float64]:
    """Returns the pixels of every resample by category, to (1 + R, C, C); a score that counts often is in memory once."""
    once, which = distinct(frames)
    times = np.bincount(which)[:, None, None]
    return resamples.of_distinct(which).sums(np.array([f.confusion for f in once]) * times)


def overall_figures(totals: Totals) -> dict[str, Estimate]:
    """Returns the figures of the whole set by key, in the order in which docs/metrics.md lists them."""
    return {
        **_panoptic_figures(totals),
        **_semantic_figures(totals),
        **_precision_figures(totals),
        **_depth_figures(totals),
        **_found_figures(totals),
    }


def category_figures(totals: Totals) -> Iterator[tuple[Category, NDArray[np.float64], dict[str, Estimate]]]:
    """Yields every category that has a segment with its counts (TP, FP, FN, sum of IoU) and its figures."""
    iou = semantic_iou(totals.confusion)
    for category in TAXONOMY:
        c = category.id
        tp, fp, fn = (int(totals.counts[0, c, k]) for k in range(3))
        if tp + fp + fn == 0:
            continue
        columns = {"pq": totals.quality[:, c, 0], "sq": totals.quality[:, c, 1], "rq": totals.quality[:, c, 2]}
        columns |= {"iou": iou[:, c]}
        if category.is_thing:
            columns |= {"mask_ap": totals.masks[:, c].mean(axis=-1)}
            columns |= {"box_ap25": totals.boxes[:, c, BOX_AP25], "box_ap50": totals.boxes[:, c, BOX_AP50]}
        absent = f"no {category.name} to be found in the truth"
        yield category, totals.counts[0, c], {k: totals.fraction(v, absent, tp + fn) for k, v in columns.items()}


def _panoptic_figures(totals: Totals) -> dict[str, Estimate]:
    figures = {}
    for group, ids in _GROUPS.items():
        absent = f"no {group.strip('_') or 'segments'} in truth or prediction"
        for k, name in enumerate(("pq", "sq", "rq")):
            figures[name + group] = totals.fraction(mean_defined(totals.quality[:, ids, k]), absent)
    return figures


def _semantic_figures(totals: Totals) -> dict[str, Estimate]:
    once, which = distinct(totals.frames)
    per_image = mean_defined(semantic_iou(np.array([f.confusion for f in once])))[which]
    absent = "no labelled pixel in the truth"
    return {
        "miou": totals.fraction(mean_defined(semantic_iou(totals.confusion)), absent),
        "pixel_accuracy": totals.fraction(pixel_accuracy(totals.confusion), absent),
        "miou_image_mean": totals.fraction(
            totals.resamples.means(per_image), absent, int((~np.isnan(per_image)).sum())
        ),
    }


def _precision_figures(totals: Totals) -> dict[str, Estimate]:
    masks, boxes = totals.masks, totals.boxes
    values = {
        "mask_ap": masks.mean(axis=-1), "mask_ap50": masks[:, :, MASK_AP50], "mask_ap75": masks[:, :, MASK_AP75],
        "box_ap": boxes.mean(axis=-1), "box_ap25": boxes[:, :, BOX_AP25], "box_ap50": boxes[:, :, BOX_AP50],
    }  # fmt: skip
    return {key: totals.fraction(mean_defined(value), "no things in the truth") for key, value in values.items()}


def _depth_figures(totals: Totals) -> dict[str, Estimate]:
    sums = np.array([f.depth for f in totals.frames])
    pooled, per_image = depth_metrics(totals.resamples.sums(sums)), depth_metrics(sums)
    absent = "no pixel with a true depth and a valid prediction"
    figures = {}
    for key, unit in DEPTH_UNITS.items():
        images = int(np.count_nonzero(~np.isnan(per_image[key])))
        figures[f"{key}_image_mean"] = totals.figure(totals.resamples.means(per_image[key]), unit, absent, images)
        figures[f"{key}_pooled"] = totals.figure(pooled[key], unit, absent)
    return figures


def _found_figures(totals: Totals) -> dict[str, Estimate]:
    iou = [f.found.box_iou for f in totals.frames]
    known = [values[np.isfinite(values)] for values in iou]
    total = totals.resamples.sums(np.array([[values.sum(), len(values)] for values in known]))
    found = int(total[0, 1])
    absent = "no matched thing has a true box" if any(len(values) for values in iou) else "no thing was matched"
    figures = {"box_iou_mean": totals.fraction(ratio(total[:, 0], total[:, 1]), absent, found)}
    absent = "no matched thing has one"
    for key, field, unit in (
        ("box_center_error_m_median", "center_error_m", "m"),
        ("segment_depth_error_m_median", "depth_error_m", "m"),
        ("segment_depth_absrel_median", "depth_absrel", "fraction"),
    ):
        values = np.concatenate([getattr(f.found, field) for f in totals.frames])
        owner = np.repeat(np.arange(len(totals.frames)), [len(v) for v in iou])
        kept = np.isfinite(values)
        median = totals.resamples.medians(values[kept], owner[kept])
        figures[key] = totals.figure(median, unit, absent, int(kept.sum()))
    return figures
