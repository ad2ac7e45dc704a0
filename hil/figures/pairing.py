"""Which answer is held against which truth: for every column of quality its ticks, and the answer that counts at each.

Every distinct pair of an answer and a truth is scored once, and every distinct pair of consecutive answers compared once, so
the cost grows with the data set, not with the run. All choices are numbers in arrays, which a recording keeps to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hil.figures.streaming import NOTHING, Tick, answers_at, streaming_answers, ticks_between
from hil.host.camera import EveryNth
from hil.session import Session
from perception.scoring.clips import follows, has_clips

if TYPE_CHECKING:
    from hil.host.runner import FrameSource
    from perception.prediction import Prediction
    from perception.scoring.frame_score import FrameScore

COLUMNS = ("offline", "deadline", "streaming", "streaming_1")
LEFT_OUT = -1
NEW = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """What counts at each tick of a column, arrays (ticks,): `score` int32, LEFT_OUT where none does; `link` int32, which
    link leads from its answer to the newest one before, -1 where every segment is new; `begins`, whether a clip begins there.

    `step` is how many ticks make a period of the camera, which is the step of a window of frames.
    """

    score: NDArray[np.int32]
    link: NDArray[np.int32]
    begins: NDArray[np.bool_]
    step: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A column before it is scored: its ticks, and the seq that counts at each (NOTHING for none, None where left out)."""

    name: str
    ticks: Sequence[Tick]
    chosen: Sequence[int | None]
    step: int = 1


def plan_columns(session: Session, dataset: FrameSource) -> list[Plan]:
    """Returns the columns of a session, over the frames whose answers were all kept.

    Raises ValueError where it holds no predictions, as one that was read from disk.
    """
    end_ns = _end_ns(session)
    if any(f.return_ns is not None and f.due_ns < end_ns and f.seq not in session.predictions for f in session.due):
        raise ValueError("This session has no predictions (they are not in its files); score it where it ran.")
    names = session.images or [""] * (1 + max(frame.image for frame in session.frames))
    camera = dataset if isinstance(dataset, EveryNth) else None
    truth = range(len(names)) if camera is None else camera.places
    ticks = [Tick(at_ns=f.due_ns, truth=truth[f.image], name=names[f.image]) for f in session.due]
    offline = [f.seq if f.seq in session.predictions else NOTHING for f in session.due]
    deadline = [f.seq if f.outcome == "on_time" else NOTHING for f in session.due]
    plans = [Plan(name="offline", ticks=ticks, chosen=offline), Plan(name="deadline", ticks=ticks, chosen=deadline)]
    for grace, name in enumerate(COLUMNS[2:]):
        there = has_clips(session.images)
        chosen = streaming_answers(session, grace=grace) if there else [None] * len(ticks)
        plans.append(Plan(name=name, ticks=ticks, chosen=chosen))
    if camera is not None and camera.every > 1:
        between = ticks_between(session, camera)
        name = f"streaming_{session.rate_hz * camera.every:g}"
        plans.append(Plan(name=name, ticks=between, chosen=answers_at(session, between), step=camera.every))
    return [_before(plan, end_ns) for plan in plans]


def _end_ns(session: Session) -> float:
    """Returns when the first frame was due whose answer found no room; inf where all did."""
    return next((frame.due_ns for frame in session.frames if frame.seq == session.scored_until), math.inf)


def _before(plan: Plan, end_ns: float) -> Plan:
    """Leaves out the ticks from then on. A tick before it has no answer to a frame after it: none comes before it is due."""
    chosen = [seq if tick.at_ns < end_ns else None for tick, seq in zip(plan.ticks, plan.chosen, strict=True)]
    return replace(plan, chosen=chosen)


def score_plans(
    session: Session, dataset: FrameSource, plans: Sequence[Plan]
) -> tuple[list[FrameScore], dict[str, NDArray[np.int32]]]:
    """Returns the distinct scores, and for each plan which of them counts at each tick; one truth is in memory at a time."""
    from perception.scoring.frame_score import score_frame

    places = {plan.name: np.full(len(plan.ticks), LEFT_OUT, dtype=np.int32) for plan in plans}
    by_truth: dict[int, list[tuple[str, int, int]]] = {}
    for plan in plans:
        for at, (tick, seq) in enumerate(zip(plan.ticks, plan.chosen, strict=True)):
            if seq is not None and tick.truth is not None:
                by_truth.setdefault(tick.truth, []).append((plan.name, at, seq))
    whole = dataset.whole if isinstance(dataset, EveryNth) else dataset
    scores: list[FrameScore] = []
    for truth in sorted(by_truth):
        frame, known = whole[truth], dict[int, int]()
        for name, at, seq in by_truth[truth]:
            prediction = session.predictions.get(seq)
            if id(prediction) not in known:
                known[id(prediction)] = len(scores)
                scores.append(score_frame(frame, prediction))
            places[name][at] = known[id(prediction)]
    return scores, places


class Linker:
    """Finds what joins the answers of consecutive ticks; the same two answers are compared once."""

    def __init__(self) -> None:
        self.links: list[NDArray[np.int32]] = []
        self._known: dict[tuple[int, int], int] = {}

    def column(self, plan: Plan, predictions: Mapping[int, Prediction], score: NDArray[np.int32]) -> Column:
        """Returns a plan's column; an answer that is missing leaves the one before it to be continued."""
        link, begins = np.full(len(score), NEW, dtype=np.int32), np.ones(len(score), dtype=bool)
        newest: Prediction | None = None
        for at, seq in enumerate(plan.chosen):
            after = at > 0 and score[at - 1] >= 0 and follows(plan.ticks[at].name, plan.ticks[at - 1].name)
            begins[at] = not after
            newest = newest if after else None
            answer = None if seq is None else predictions.get(seq)
            if answer is not None:
                link[at] = NEW if newest is None else self._link(newest, answer)
                newest = answer
        return Column(score=score, link=link, begins=begins, step=plan.step)

    def _link(self, before: Prediction, after: Prediction) -> int:
        from perception.scoring.tracks import link_segments

        key = id(before), id(after)
        if key not in self._known:
            self._known[key] = len(self.links)
            self.links.append(link_segments(before, after))
        return self._known[key]
