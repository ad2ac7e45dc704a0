"""Quality under time: the same session scored as if answers had all the time in the world, and as the robot got them.

offline    every answer counts, however late; frames without an answer count as empty
deadline   an answer counts only if it came within the deadline of its due time; otherwise the frame is empty
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hil.session import Session

if TYPE_CHECKING:
    from hil.runner import FrameSource
    from perception.scoring.frame_score import FrameScore
    from perception.scoring.score import Scores
    from sim.frame import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The two columns over the same due frames."""

    offline: Scores
    deadline: Scores

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {"offline": self.offline.to_dict(), "deadline": self.deadline.to_dict()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerScores:
    """The distinct scores of a run, and for each due frame (n,) int32 which of them counts in each column."""

    scores: tuple[FrameScore, ...]
    offline: NDArray[np.int32]
    deadline: NDArray[np.int32]

    def quality(self) -> Quality:
        """Returns the figures."""
        from perception.scoring.score import combine

        return Quality(
            offline=combine(self.scores[i] for i in self.offline),
            deadline=combine(self.scores[i] for i in self.deadline),
        )


def score_session(session: Session, dataset: FrameSource) -> Quality:
    """Scores the measured frames of a session against the data set that it streamed; raises ValueError as `score_answers`."""
    return score_answers(session, dataset).quality()


def score_answers(session: Session, dataset: FrameSource) -> AnswerScores:
    """Scores every distinct answer of a session against the truth of its image.

    Equal answers to one image are scored once, so the cost grows with the data set, not with the run. Raises ValueError
    where the session holds no predictions, as one that was read from disk.
    """
    answered = [frame for frame in session.due if frame.return_ns is not None]
    if any(frame.seq not in session.predictions for frame in answered):
        raise ValueError("This session has no predictions (they are not in its files); score it where it ran.")
    scores: list[FrameScore] = []
    columns = np.zeros((2, len(session.due)), dtype=np.int32)
    by_image: dict[int, list[int]] = {}
    for at, record in enumerate(session.due):
        by_image.setdefault(record.image, []).append(at)
    for image, places in by_image.items():
        columns[:, places] = _score_image(session, dataset[image], places, scores)
    return AnswerScores(scores=tuple(scores), offline=columns[0], deadline=columns[1])


def _score_image(
    session: Session, frame: Frame, places: Sequence[int], scores: list[FrameScore]
) -> NDArray[np.int32]:
    """Adds the scores of one image's answers to `scores`; returns int32 (2, places): offline and at the deadline."""
    from perception.scoring.frame_score import score_frame

    known, due = dict[int, int](), session.due
    found = np.zeros((2, len(places)), dtype=np.int32)
    for column, at in enumerate(places):
        offline = session.predictions.get(due[at].seq)
        for row, prediction in enumerate((offline, offline if due[at].outcome == "on_time" else None)):
            if id(prediction) not in known:
                known[id(prediction)] = len(scores)
                scores.append(score_frame(frame, prediction))
            found[row, column] = known[id(prediction)]
    return found
