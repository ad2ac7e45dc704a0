import numpy as np
import pytest

from hil.figures.quality import score_session
from perception.prediction import Prediction, Segment
from perception.scoring import score_frames
from tests.hil.conftest import make_frame
from tests.hil.records import answered, missed, session
from tests.perception.scoring.test_dvpq import answer_of, moving_clip


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


@pytest.fixture
def film(rng):
    return moving_clip(rng, 8)


def test_every_column_is_the_score_of_the_pairs_that_it_stands_for(film, rng):
    """Frames are late, dropped and lost; each column is scored again from its definition, frame by frame."""
    records = [
        answered(0, 0.03), answered(1, 0.1, late=True, image=1), missed(2, "dropped", image=2), answered(3, 0.02, image=3),
        missed(4, "lost", image=4), answered(5, 0.15, late=True, image=5), answered(6, 0.06, image=6), answered(7, 0.01, image=7),
    ]  # fmt: skip
    answers = {r.seq: answer_of(film[r.image], rng) for r in records if r.return_ns is not None}
    quality = score_session(session(records, predictions=answers, images=[f.name for f in film]), film)
    period_ns = records[1].due_ns - records[0].due_ns

    def newest(at_ns):
        there = [r.seq for r in records if r.return_ns is not None and r.return_ns <= at_ns]
        return answers[max(there)] if there else None

    expected = {
        "offline": [answers.get(r.seq) for r in records],
        "deadline": [answers[r.seq] if r.outcome == "on_time" else None for r in records],
        "streaming": [newest(r.due_ns) for r in records],
        "streaming_1": [newest(r.due_ns + period_ns) for r in records],
    }
    for name, chosen in expected.items():
        scores = score_frames(zip(film, chosen, strict=True))
        assert scores["dvpq"].value is not None
        assert quality[name].to_dict() == scores.to_dict(), name


def test_a_film_that_begins_again_is_not_one_clip(film):
    records = [answered(i, 0.01, image=i % 8) for i in range(16)]
    answers = {r.seq: right_answer(film[r.image]) for r in records}
    quality = score_session(session(records, predictions=answers, images=[f.name for f in film]), film)
    assert [quality.offline[f"vpq_k{k}"].n for k in (1, 2, 3, 4)] == [16, 14, 12, 10]


def test_a_session_from_disk_cannot_be_scored():
    with pytest.raises(ValueError, match="no predictions"):
        score_session(session([answered(0, 0.01)]), [make_frame(0)])
