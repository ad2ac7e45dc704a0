"""Where the time of single frames went: the stages of a few of them one below the other, from due time to decoded answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks._page import card
from benchmarks._row_charts import Waterfall, waterfall
from hil.figures.stages import CROSSINGS, STAGES, crossings_known, stage_table_s
from hil.session import FrameRecord, Session

_SLOWEST = 3
_MARKS = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))
_LINK = "uplink + downlink"


def waterfall_card(session: Session) -> str:
    """Returns the card: the frames at some quantiles of the answered ones, and the slowest."""
    answered = [frame for frame in session.due if frame.return_ns is not None]
    if not answered:
        return ""
    table_ms, names = _stages_ms(session)
    rows = [
        Waterfall(label=label, note=_note(session, answered[at]), stages_ms=dict(zip(names, table_ms[at].tolist(), strict=True)))
        for label, at in _chosen(answered)
    ]
    said = "; ".join(f"{row.label}: {sum(row.stages_ms.values()):.1f} ms" for row in rows)
    chart = waterfall(rows, deadline_ms=session.deadline_s * 1e3, title=f"Stages of single frames. {said}")
    lead = (
        "Each row is one frame, from the moment it was due (0) to its decoded answer: those at three quantiles of the "
        f"{len(answered)} answered ones, and the slowest."
    )
    return card("Waterfall of single frames", chart, f'<p class="lead">{lead}</p>')


def _stages_ms(session: Session) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Returns ms by frame and stage; both crossings together where only the host's clock can tell them."""
    table_ms = stage_table_s(session) * 1e3
    if crossings_known(session):
        return table_ms, STAGES
    up, down = (STAGES.index(name) for name in CROSSINGS)
    table_ms[:, up] += table_ms[:, down]  # the offset between the clocks cancels
    kept = [k for k in range(len(STAGES)) if k != down]
    return table_ms[:, kept], tuple(_LINK if k == up else STAGES[k] for k in kept)


def _chosen(answered: Sequence[FrameRecord]) -> list[tuple[str, int]]:
    """Returns labels with places in `answered`; nearest rank, each frame once."""
    order = np.argsort([frame.latency_s or 0.0 for frame in answered], kind="stable").tolist()
    ranks = {max(int(np.ceil(p * len(order))) - 1, 0): name for p, name in _MARKS}
    ranks |= {len(order) - 1 - k: "slowest" if k == 0 else f"slowest but {k}" for k in range(min(_SLOWEST, len(order)))}
    return [(name, order[rank]) for rank, name in sorted(ranks.items())]


def _note(session: Session, frame: FrameRecord) -> str:
    return f"{(frame.due_ns - session.due[0].due_ns) / 1e9:.1f} s"
