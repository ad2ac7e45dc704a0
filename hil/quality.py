"""Quality under time: the same session scored as if answers had all the time in the world, and as the robot got them.

offline    every answer counts, however late; frames without an answer count as empty
deadline   an answer counts only if it came within the deadline of its due time; otherwise the frame is empty
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.runner import FrameSource
from hil.session import FrameRecord, Session

if TYPE_CHECKING:
    from perception.scoring.frame_score import FrameScore
    from perception.scoring.score import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The two columns over the same due frames."""

    offline: Scores
    deadline: Scores

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {"offline": self.offline.to_dict(), "deadline": self.deadline.to_dict()}


def score_session(session: Session, dataset: FrameSource) -> Quality:
    """Scores the measured frames of a session against the data set that it streamed.

    Equal answers to one image are scored once, so the cost grows with the data set, not with the run. Raises ValueError
    where the session holds no predictions, as one that was read from disk.
    """
    answered = [frame for frame in session.due if frame.return_ns is not None]
    if any(frame.seq not in session.predictions for frame in answered):
        raise ValueError("This session has no predictions (they are not in session.json); score it where it ran.")
    from perception.scoring.score import combine

    pairs = list(_score_pairs(session, dataset))
    return Quality(
        offline=combine(offline for offline, _ in pairs),
        deadline=combine(deadline for _, deadline in pairs),
    )


def _score_pairs(session: Session, dataset: FrameSource) -> Iterator[tuple[FrameScore, FrameScore]]:
    from perception.scoring.frame_score import score_frame

    by_image: dict[int, list[FrameRecord]] = {}
    for record in session.due:
        by_image.setdefault(record.image, []).append(record)
    for image, records in by_image.items():
        frame, scored = dataset[image], dict[int, "FrameScore"]()
        for record in records:
            offline = session.predictions.get(record.seq)
            in_time = offline if record.outcome == "on_time" else None
            for prediction in (offline, in_time):
                if id(prediction) not in scored:
                    scored[id(prediction)] = score_frame(frame, prediction)
            yield scored[id(offline)], scored[id(in_time)]
