"""Quality under time as a picture: the same figures in every column, from every answer to what the robot had in hand."""

from __future__ import annotations

from benchmarks._page import card
from benchmarks._row_charts import Bar, bar_rows
from hil.figures.quality import Quality
from perception.scoring.score import Scores
from perception.scoring.statistics import Estimate

_FIGURES = (
    ("pq", "PQ"), ("dvpq", "DVPQ"), ("pq_things", "PQ of objects"), ("miou", "mIoU"), ("delta1_image_mean", "depth within 25 %"),
    ("box_ap25", "3D box AP25"),
)  # fmt: skip
_SAID = {
    "offline": "every answer", "deadline": "in time", "streaming": "streaming", "streaming_1": "streaming, a period later",
}  # fmt: skip


def columns_card(quality: Quality) -> str:
    """Returns the card; columns without scores are left out, and figures that no column has."""
    columns = {name: scores for name, scores in quality.columns.items() if scores is not None}
    rows = {}
    for key, label in _FIGURES:
        bars = {_said(name): bar for name, scores in columns.items() if (bar := _bar(scores, key)) is not None}
        if bars:
            rows[label] = bars
    if not rows:
        return ""
    names = [_said(name) for name in columns]
    said = "; ".join(f"{label}: {', '.join(f'{n} {b.value:.1f} %' for n, b in bars.items())}" for label, bars in rows.items())
    note = "The same run, column by column; lines are 95 % intervals. An answer that is missing in a column is an empty one."
    return card("Quality under time", bar_rows(rows, names, title=said), f'<p class="lead">{note}</p>')


def _bar(scores: Scores, key: str) -> Bar | None:
    figure: Estimate | None = scores.figures.get(key)
    if figure is None or figure.value is None:
        return None
    low, high = (None if end is None else 100 * end for end in (figure.low, figure.high))
    return Bar(value=100 * figure.value, low=low, high=high)


def _said(name: str) -> str:
    rate = name.rpartition("_")[2]
    return _SAID.get(name, f"streaming, {rate} times a second" if rate.isdecimal() else name.replace("_", " "))
