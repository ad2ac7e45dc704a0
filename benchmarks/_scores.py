"""The tiles and tables of a report's scores: every figure with its 95 % interval and its sample size, or why it has none."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks._page import table, tile
from hil.figures.pairing import COLUMNS
from hil.figures.quality import Quality
from perception.scoring.dvpq import WINDOWS
from perception.scoring.score import CategoryScores, Scores
from perception.scoring.statistics import Estimate
from perception.scoring.tubes import LAMBDAS

_TILES = (
    ("pq", "Panoptic quality (PQ)"), ("pq_things", "PQ of objects"), ("miou", "mIoU"), ("delta1_image_mean", "Depth within 25 %"),
    ("absrel_image_mean", "Depth error (AbsRel)"), ("box_ap25", "3D box AP at 0.25"),
)  # fmt: skip
_TABLES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Panoptic segmentation", (
        ("pq", "PQ"), ("sq", "SQ"), ("rq", "RQ"), ("pq_things", "PQ, things"), ("sq_things", "SQ, things"),
        ("rq_things", "RQ, things"), ("pq_stuff", "PQ, stuff"), ("mask_ap", "Mask AP"),
    )),
    ("Panoptic, depth and time together", (
        ("dvpq", "DVPQ"), ("dvpq_things", "DVPQ, things"), ("dvpq_stuff", "DVPQ, stuff"), ("vpq", "VPQ: depth not judged"),
        ("dpq", "DPQ: single frames"),
    )),
    ("Semantic segmentation", (
        ("miou", "mIoU, pooled"), ("miou_image_mean", "mIoU, image mean"), ("pixel_accuracy", "Pixel accuracy"),
    )),
    ("Depth", (
        ("absrel_image_mean", "AbsRel, image mean"), ("rmse_m_image_mean", "RMSE, image mean"),
        ("delta1_image_mean", "delta1, image mean"), ("absrel_pooled", "AbsRel, pooled"),
        ("segment_depth_error_m_median", "Object depth error, median"), ("invalid_pooled", "Pixels without depth"),
    )),
    ("3D boxes", (
        ("box_ap25", "AP at IoU 0.25"), ("box_ap50", "AP at IoU 0.50"), ("box_iou_mean", "IoU of found objects, mean"),
        ("box_center_error_m_median", "Centre error, median"),
    )),
)  # fmt: skip
_STREAMING = {"streaming": "streaming", "streaming_1": "a period later"}
_CATEGORY_COLUMNS = {
    "pq": "PQ", "sq": "SQ", "rq": "RQ", "iou": "IoU", "mask_ap": "mask AP", "box_ap25": "3D AP25", "box_ap50": "3D AP50",
}  # fmt: skip


def headline_tiles(scores: Scores) -> str:
    """Returns the key numbers of quality as tiles."""
    return "".join(_tile(label, scores[key]) for key, label in _TILES)


def score_tables(quality: Quality) -> list[tuple[str, str]]:
    """Returns (title, markup) of each group of figures, with all answers and with those that came in time."""
    shown = [(name, scores) for name, scores in quality.columns.items() if name in _STREAMING or name not in COLUMNS]
    columns = [scores for _, scores in shown if scores is not None]
    streaming = (_STREAMING.get(name, f"at {name.rpartition('_')[2]} Hz") for name, scores in shown if scores is not None)
    headers = ("figure", "offline", "in time", *streaming, "95 % interval, offline", "n")
    groups = []
    for title, entries in _TABLES:
        rows = [
            _row(label, quality.offline[key], [scores[key] for scores in (quality.deadline, *columns)]) for key, label in entries
        ]
        groups.append((title, table(headers, rows)))
    return groups


def tube_table(scores: Scores) -> str:
    """Returns DVPQ by the frames of a window and the tolerance of depth."""
    headers = ("frames of a window", *(f"depth within {100 * limit:g} %" for limit in LAMBDAS), "depth not judged", "windows")
    keys = {k: [*(f"dvpq_k{k}_l{100 * limit:.0f}" for limit in LAMBDAS), f"vpq_k{k}"] for k in WINDOWS}
    rows = [(k, *(_with_unit(scores[key]) for key in names), scores[names[-1]].n) for k, names in keys.items()]
    caption = "Panoptic quality of tubes over so many frames; pixels whose depth is further off count as void."
    return table(headers, rows, caption=caption)


def category_table(scores: Scores) -> str:
    """Returns one row per category that occurs, with its counts; percent, a dash where a figure does not apply."""
    headers = ("category", "kind", "found", "false", "missed", *_CATEGORY_COLUMNS.values())
    rows = [_category_row(category) for category in scores.categories]
    caption = "Percent. found = true positives, false = false positives, missed = false negatives, at IoU above 0.5."
    return table(headers, rows, caption=caption)


def _tile(label: str, figure: Estimate) -> str:
    if figure.value is None:
        return tile(label, "not available", note=figure.reason or "")
    value, unit = _number(figure, figure.value), "%" if figure.unit == "fraction" else figure.unit
    note = _interval(figure) if figure.low is None else f"95 % interval {_interval(figure)}"
    return tile(label, value, unit=unit, note=f"{note}, n = {figure.n}")


def _row(label: str, figure: Estimate, others: Sequence[Estimate]) -> tuple[object, ...]:
    if figure.value is None:
        return (label, "not available", *("-" for _ in others), figure.reason, figure.n)
    return (label, _with_unit(figure), *(_with_unit(other) for other in others), _interval(figure), figure.n)


def _with_unit(figure: Estimate) -> str:
    if figure.value is None:
        return "not available"
    unit = "%" if figure.unit == "fraction" else figure.unit
    return f"{_number(figure, figure.value)} {unit}".rstrip()


def _category_row(category: CategoryScores) -> tuple[object, ...]:
    values = (category.figures.get(key) for key in _CATEGORY_COLUMNS)
    cells = ("-" if v is None or v.value is None else f"{100 * v.value:.1f}" for v in values)
    counts = (category.true_positives, category.false_positives, category.false_negatives)
    return (category.name, category.kind, *counts, *cells)


def _interval(figure: Estimate) -> str:
    if figure.low is None or figure.high is None:
        return (figure.reason or "none").removeprefix("no interval: ")
    return f"{_number(figure, figure.low)} to {_number(figure, figure.high)}"


def _number(figure: Estimate, value: float) -> str:
    return f"{100 * value:.1f}" if figure.unit == "fraction" else f"{value:.3f}"
