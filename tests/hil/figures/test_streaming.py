"""The newest answer against the truth of now: an engine that is always on time is one frame behind, and a still says nothing."""

import pytest

from hil.figures.quality import score_session
from hil.figures.streaming import NOTHING, streaming_answers
from tests.hil.figures.test_quality import right_answer
from tests.hil.recordings.test_table import FRAMES
from tests.hil.records import answered, missed, session

CLIP = tuple(f"scene/camera_0-{i:04}" for i in range(6))


def clip(records, names=CLIP, **changes):
    return session(records, images=names, **changes)


def on_time(count):
    return [answered(i, 0.030, image=i) for i in range(count)]


def test_an_engine_that_is_on_time_is_a_frame_behind():
    assert streaming_answers(clip(on_time(6)), grace=0) == [NOTHING, 0, 1, 2, 3, 4]


def test_a_period_later_it_has_caught_up():
    assert streaming_answers(clip(on_time(6)), grace=1) == [0, 1, 2, 3, 4, 5]


def test_an_engine_that_is_late_is_further_behind():
    records = [answered(i, 0.080, image=i, late=True) for i in range(6)]
    assert streaming_answers(clip(records), grace=0) == [NOTHING, NOTHING, 0, 1, 2, 3]


def test_drops_leave_the_last_answer_in_hand():
    records = [answered(0, 0.03), *(missed(i, "dropped", image=i) for i in range(1, 5)), answered(5, 0.03, image=5)]
    assert streaming_answers(clip(records), grace=0) == [NOTHING, 0, 0, 0, 0, 0]


def test_an_answer_of_the_warm_up_is_in_hand():
    records = [answered(0, 0.03, warm_up=True), answered(1, 0.03, image=1)]
    assert streaming_answers(clip(records), grace=0) == [0]


def test_a_cut_is_left_out():
    names = (*CLIP[:3], *(name.replace("camera_0", "camera_1") for name in CLIP[:3]))
    assert streaming_answers(clip(on_time(6), names), grace=0) == [NOTHING, 0, 1, None, 3, 4]
    again = [answered(i, 0.03, image=i % 3) for i in range(6)]  # the same clip from its beginning
    assert streaming_answers(clip(again, CLIP[:3]), grace=0) == [NOTHING, 0, 1, None, 3, 4]


def test_the_columns_of_a_still_world_agree():
    """All images have the same truth here, so an old answer is as good as a new one, but for the first tick."""
    names = tuple(f"clip-{i:04}" for i in range(3))
    answers = {i: right_answer(FRAMES[i]) for i in range(3)}
    quality = score_session(clip([answered(i, 0.03, image=i) for i in range(3)], names, predictions=answers), FRAMES)
    assert quality.offline["miou"].value == quality.streaming_1["miou"].value == pytest.approx(1.0)
    assert quality.streaming["miou"].value == pytest.approx(2 / 3)
    assert len(quality.streaming.missing) == 1
    assert quality.streaming.frame_count == 3


def test_stills_have_no_streaming_figure():
    answers = {0: right_answer(FRAMES[0])}
    quality = score_session(session([answered(0, 0.03)], predictions=answers, images=("a", "b")), FRAMES)
    assert quality.streaming is None
    assert quality.to_dict()["streaming"] is None
