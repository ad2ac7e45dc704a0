import numpy as np
import pytest

from hil.quality import score_session
from perception.prediction import Prediction, Segment
from tests.hil.conftest import make_frame
from tests.hil.records import answered, missed, session


def right_answer(frame):
    """Everything is table, two metres away: the truth of `make_frame`."""
    shape = frame.truth.depth_m.shape
    segments = (Segment(id=1, category_id=3, score=1.0, depth_m=2.0),)
    return Prediction(segment_id=np.ones(shape, np.int32), segments=segments, depth_m=np.full(shape, 2.0, np.float32))


def test_late_answers_count_offline_and_not_at_the_deadline():
    frames = [make_frame(i) for i in range(4)]
    answers = [right_answer(frame) for frame in frames]
    records = [answered(0, 0.01, image=0), answered(1, 0.2, late=True, image=1), missed(2, "dropped", image=2)]
    records.append(answered(3, 0.01, image=3))
    quality = score_session(session(records, predictions={0: answers[0], 1: answers[1], 3: answers[3]}), frames)
    assert quality.offline.frame_count == quality.deadline.frame_count == 4
    assert quality.offline["miou"].value == pytest.approx(3 / 4)
    assert quality.deadline["miou"].value == pytest.approx(2 / 4)
    assert quality.offline.missing == ("scene_2/view_0",)
    assert set(quality.deadline.missing) == {"scene_1/view_0", "scene_2/view_0"}
    assert set(quality.to_dict()) == {"offline", "deadline", "streaming", "streaming_1"}


def test_a_session_from_disk_cannot_be_scored():
    with pytest.raises(ValueError, match="no predictions"):
        score_session(session([answered(0, 0.01)]), [make_frame(0)])
