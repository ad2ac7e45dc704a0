"""Quality under time: the same session scored as if answers had all the time in the world, and as the robot got them.

offline       every answer counts, however late; frames without an answer count as empty
deadline      an answer counts only if it came within the deadline of its due time; otherwise the frame is empty
streaming     the newest answer at each due time, against the truth of that moment (`hil.figures.streaming`); of sequences only
streaming_1   the same a period later: what an engine that is always on time can reach
streaming_60  the same as `streaming`, 60 times a second or at whatever rate the truth is known between two images
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hil.figures.pairing import COLUMNS as COLUMNS  # noqa: PLC0414  # part of what this module offers
from hil.figures.pairing import NEW, Column, Linker, plan_columns, score_plans
from hil.session import Session

if TYPE_CHECKING:
    from hil.host.runner import FrameSource
    from perception.scoring.dvpq import Moment
    from perception.scoring.frame_score import FrameScore
    from perception.scoring.score import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The columns by name, over the same due frames; the streaming ones are None where the images are stills.

    Beside COLUMNS there is `streaming_R` where the truth is known R times a second, more often than images are taken.
    """

    columns: Mapping[str, Scores | None]

    def __getitem__(self, name: str) -> Scores | None:
        return self.columns[name]

    @property
    def offline(self) -> Scores:
        """The figures with every answer; there always are some."""
        return _there(self.columns["offline"])

    @property
    def deadline(self) -> Scores:
        """The figures with the answers that were on time; there always are some."""
        return _there(self.columns["deadline"])

    @property
    def streaming(self) -> Scores | None:
        """The figures of the newest answer at each due time, None for stills."""
        return self.columns["streaming"]

    @property
    def streaming_1(self) -> Scores | None:
        """The same a period later, None for stills."""
        return self.columns["streaming_1"]

    @property
    def between(self) -> tuple[str, Scores | None] | None:
        """The column of ticks between images with its name, None where there is none."""
        return next(((name, scores) for name, scores in self.columns.items() if name not in COLUMNS), None)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {name: None if scores is None else scores.to_dict() for name, scores in self.columns.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerScores:
    """The distinct scores of a run and the distinct links between answers (int32, `scoring.tracks`), and the columns of both."""

    scores: tuple[FrameScore, ...]
    links: tuple[NDArray[np.int32], ...]
    columns: Mapping[str, Column]

    def quality(self) -> Quality:
        """Returns the figures; raises ValueError where no frame was scored."""
        from perception.scoring.score import combine

        made: dict[str, Scores | None] = {}
        for name, column in self.columns.items():
            kept = column.score[column.score >= 0]
            runs = self._runs(column)
            made[name] = combine((self.scores[i] for i in kept), runs=runs, step=column.step) if len(kept) else None
        if made["offline"] is None or made["deadline"] is None:
            raise ValueError("No frame of this run was scored.")
        return Quality(columns=made)

    def _runs(self, column: Column) -> list[tuple[Moment, ...]]:
        """Returns the stretches of ticks that follow each other, with the segments of their answers in tracks."""
        from perception.scoring.dvpq import join_moments

        stretches: list[list[int]] = []
        for at, (score, begins) in enumerate(zip(column.score.tolist(), column.begins.tolist(), strict=True)):
            if score >= 0 and begins:
                stretches.append([])
            if score >= 0:
                stretches[-1].append(at)
        return [
            join_moments([self.scores[column.score[at]] for at in ticks], [self._link(column, at) for at in ticks])
            for ticks in stretches
        ]

    def _link(self, column: Column, at: int) -> NDArray[np.int32]:
        link = int(column.link[at])
        if link >= 0:
            return self.links[link]
        segments = len(self.scores[column.score[at]].tubes.predicted_category) - 1
        return np.full(segments, NEW, dtype=np.int32)


def score_session(session: Session, dataset: FrameSource) -> Quality:
    """Scores the measured frames of a session against the data set that it streamed; raises ValueError as `score_answers`."""
    return score_answers(session, dataset).quality()


def score_answers(session: Session, dataset: FrameSource) -> AnswerScores:
    """Scores every distinct answer of a session against the truth that it is held against in any column.

    Equal answers to one image are scored once, so the cost grows with the data set, not with the run. Raises ValueError
    where the session holds no predictions, as one that was read from disk.
    """
    plans = plan_columns(session, dataset)
    scores, places = score_plans(session, dataset, plans)
    linker = Linker()
    columns = {plan.name: linker.column(plan, session.predictions, places[plan.name]) for plan in plans}
    return AnswerScores(scores=tuple(scores), links=tuple(linker.links), columns=columns)


def _there(scores: Scores | None) -> Scores:
    if scores is None:
        raise ValueError("No frame of this run was scored.")
    return scores
