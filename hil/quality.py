"""Quality under time: the same session scored as if answers had all the time in the world, and as the robot got them.

offline      every answer counts, however late; frames without an answer count as empty
deadline     an answer counts only if it came within the deadline of its due time; otherwise the frame is empty
streaming    the newest answer at each due time, against the truth of that moment (`hil.streaming`); of sequences only
streaming_1  the same a period later: what an engine that is always on time can reach
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hil.session import Session
from hil.streaming import NOTHING, has_clips, streaming_answers

if TYPE_CHECKING:
    from hil.runner import FrameSource
    from perception.scoring.frame_score import FrameScore
    from perception.scoring.score import Scores

COLUMNS = ("offline", "deadline", "streaming", "streaming_1")
LEFT_OUT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The columns over the same due frames; the streaming ones are None where the images are stills."""

    offline: Scores
    deadline: Scores
    streaming: Scores | None = None
    streaming_1: Scores | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        return {name: None if scores is None else scores.to_dict() for name, scores in columns.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerScores:
    """The distinct scores of a run, and int32 (columns, due frames): which of them counts, LEFT_OUT where none does."""

    scores: tuple[FrameScore, ...]
    columns: NDArray[np.int32]

    def quality(self) -> Quality:
        """Returns the figures."""
        from perception.scoring.score import combine

        made = [combine(self.scores[i] for i in kept) if len(kept) else None for kept in (c[c >= 0] for c in self.columns)]
        offline, deadline, streaming, streaming_1 = made
        if offline is None or deadline is None:
            raise ValueError("No frame of this run was scored.")
        return Quality(offline=offline, deadline=deadline, streaming=streaming, streaming_1=streaming_1)


def score_session(session: Session, dataset: FrameSource) -> Quality:
    """Scores the measured frames of a session against the data set that it streamed; raises ValueError as `score_answers`."""
    return score_answers(session, dataset).quality()


def score_answers(session: Session, dataset: FrameSource) -> AnswerScores:
    """Scores every distinct answer of a session against the truth that it is held against in any column.

    Equal answers to one image are scored once, so the cost grows with the data set, not with the run. Raises ValueError
    where the session holds no predictions, as one that was read from disk.
    """
    from perception.scoring.frame_score import score_frame

    chosen, due = _choose(session), session.due
    scores: list[FrameScore] = []
    columns = np.full((len(COLUMNS), len(due)), LEFT_OUT, dtype=np.int32)
    by_image: dict[int, list[int]] = {}
    for at, record in enumerate(due):
        by_image.setdefault(record.image, []).append(at)
    for image, places in by_image.items():
        frame, known = dataset[image], dict[int, int]()
        for column, at in ((c, at) for at in places for c in range(len(COLUMNS)) if chosen[c][at] is not None):
            seq = chosen[column][at]
            prediction = None if seq is None else session.predictions.get(seq)
            if id(prediction) not in known:
                known[id(prediction)] = len(scores)
                scores.append(score_frame(frame, prediction))
            columns[column, at] = known[id(prediction)]
    return AnswerScores(scores=tuple(scores), columns=columns)


def _choose(session: Session) -> list[list[int | None]]:
    """Returns for each column and due frame the seq of the answer that counts, NOTHING for none, None for left out."""
    answered = [frame for frame in session.due if frame.return_ns is not None]
    if any(frame.seq not in session.predictions for frame in answered):
        raise ValueError("This session has no predictions (they are not in its files); score it where it ran.")
    offline: list[int | None] = [f.seq if f.return_ns is not None else NOTHING for f in session.due]
    deadline: list[int | None] = [f.seq if f.outcome == "on_time" else NOTHING for f in session.due]
    if not has_clips(session.images):
        nowhere: list[int | None] = [None] * len(session.due)
        return [offline, deadline, nowhere, nowhere]
    return [offline, deadline, streaming_answers(session, grace=0), streaming_answers(session, grace=1)]
