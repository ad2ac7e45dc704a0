"""Answers are kept once each and never beyond the room; what found none is known by its number."""

import math

import numpy as np
import pytest

from hil.figures.quality import score_session
from hil.host.answers import Answers, room_for_answers
from hil.verdict import judge
from perception.prediction import Prediction, Segment
from tests.hil.conftest import make_frame
from tests.hil.records import answered, missed, session

PIXELS = 6 * 8
ANSWER_BYTES = PIXELS * (4 + 4)


def answer(depth_m):
    segments = (Segment(id=1, category_id=3, score=1.0, depth_m=depth_m),)
    return Prediction(
        segment_id=np.ones((6, 8), np.int32), segments=segments, depth_m=np.full((6, 8), depth_m, np.float32)
    )


def test_equal_answers_to_an_image_are_one_object():
    answers = Answers(room_bytes=2 * ANSWER_BYTES)
    first = answers.keep(0, 0, answer(1.0))
    assert answers.keep(1, 1, answer(1.0)) is not first
    assert answers.keep(2, 0, answer(1.0)) is first
    assert answers.kept[2] is first
    assert answers.full_from is None


def test_a_kept_answer_has_memory_of_its_own():
    received = answer(1.0)
    kept = Answers(room_bytes=math.inf).keep(0, 0, received)
    assert np.array_equal(kept.segment_id, received.segment_id)
    assert np.array_equal(kept.depth_m, received.depth_m)
    assert kept.segments == received.segments
    assert not np.shares_memory(kept.segment_id, received.segment_id)
    assert not np.shares_memory(kept.depth_m, received.depth_m)


def test_what_differs_and_finds_no_room_is_named_and_not_kept():
    answers = Answers(room_bytes=2 * ANSWER_BYTES)
    for seq in range(2):
        answers.keep(seq, 0, answer(1.0 + seq))
    late = answer(9.0)
    assert answers.keep(3, 0, late) is late  # a recording still gets it
    assert answers.keep(2, 0, answer(8.0)).depth_m[0, 0] == 8.0
    assert answers.full_from == 2
    assert set(answers.kept) == {0, 1}
    answers.keep(4, 0, answer(2.0))
    assert set(answers.kept) == {0, 1, 4}  # the same as one that is there needs no room


def test_room_is_a_part_of_the_free_memory():
    assert 0 < room_for_answers() < math.inf


def test_quality_is_of_the_frames_before_the_first_answer_without_room():
    frames = [make_frame(i) for i in range(3)]
    records = [answered(0, 0.01), answered(1, 0.01, image=1), missed(2, "dropped", image=2)]
    later = [answered(3, 0.01), answered(4, 0.01, image=1)]
    shape = frames[0].truth.depth_m.shape
    right = Prediction(
        segment_id=np.ones(shape, np.int32), segments=(Segment(id=1, category_id=3, score=1.0, depth_m=2.0),),
        depth_m=np.full(shape, 2.0, np.float32),
    )  # fmt: skip
    names = [f.name for f in frames]
    full = session([*records, *later], predictions={0: right, 1: right, 4: right}, images=names, scored_until=3)
    quality = score_session(full, frames)
    assert quality.offline.frame_count == quality.deadline.frame_count == 3
    first = session(records, predictions={0: right, 1: right}, images=names)
    assert quality.to_dict() == score_session(first, frames).to_dict()
    (mark,) = (mark for mark in judge(full).marks if mark.startswith("QUALITY"))
    assert mark.startswith("QUALITY OF THE FIRST 3 FRAMES: of 5;")
    with pytest.raises(ValueError, match="no predictions"):
        score_session(session([*records, *later], predictions={0: right, 1: right}, images=names), frames)
