"""A camera slower than the truth: which frames it takes, and the newest answer against the truth between them."""

from dataclasses import replace

import numpy as np
import pytest

from hil.figures.quality import score_answers
from hil.figures.score_table import open_scores, pack_scores
from hil.figures.streaming import NOTHING, answers_at, ticks_between
from hil.host.camera import EveryNth, camera_every
from perception.prediction import Prediction, Segment
from scenes.errors import RehearseError
from tests.hil.conftest import make_frame
from tests.hil.figures.test_quality import right_answer
from tests.hil.records import answered, missed, session


class Film(list):
    """Two clips of eight frames each."""

    def __init__(self):
        names = [f"scene/camera_{clip}-{k:04d}" for clip in range(2) for k in range(8)]
        super().__init__(replace(make_frame(i), name=name) for i, name in enumerate(names))

    @property
    def names(self):
        return [frame.name for frame in self]


FILM = Film()
CAMERA = EveryNth(FILM, 4)


def test_the_camera_takes_every_nth_frame_of_each_clip():
    assert [CAMERA[i].name[-6:] for i in range(len(CAMERA))] == ["0-0000", "0-0004", "1-0000", "1-0004"]
    assert [CAMERA.between(1, k) for k in range(5)] == [4, 5, 6, 7, None]
    assert CAMERA.between(2, 3) == 11
    assert [frame.name for frame in (EveryNth(FILM, 1)[i] for i in range(16))] == FILM.names


def test_a_camera_that_leaves_no_clip_is_refused():
    with pytest.raises(RehearseError, match="more than 8 frames"):
        EveryNth(FILM, 8)
    with pytest.raises(RehearseError, match="every n-th"):
        EveryNth(FILM, 0)


@pytest.mark.parametrize(
    ("clip_hz", "rate_hz", "every"),
    [
        (60.0, 15.0, 4), (60.0, 60.0, 1), (59.94, 29.97, 2), (60.0, 25.0, 2), (60.0, 18.0, 3), (20.0, 15.0, 1), (15.0, 30.0, 1),
        (None, 15.0, 1), (120.0, 7.5, 16),
    ],
)
def test_as_many_frames_go_by_as_the_clips_own_rate_asks_for(clip_hz, rate_hz, every):
    assert camera_every(clip_hz, rate_hz) == every


def run(records, **changes):
    return session(records, images=[CAMERA[i].name for i in range(len(CAMERA))], **changes)


def literal(some):
    """The definition of streaming accuracy, tick by tick over all answers."""
    found = []
    for frame in some.due:
        for k in range(4):
            truth = CAMERA.between(frame.image, k)
            now_ns = frame.due_ns + round(k * 1e9 / 60)
            there = [f for f in some.frames if f.return_ns is not None and f.return_ns <= now_ns]
            newest = max(there, key=lambda f: f.seq, default=None)
            if truth is None:
                found.append(None)
            elif newest is None:
                found.append(NOTHING)
            else:
                same = CAMERA[newest.image].name[:-5] == FILM.names[truth][:-5] and newest.image <= frame.image
                found.append(newest.seq if same else None)
    return found


@pytest.mark.parametrize("latency_s", [0.010, 0.030, 0.060, 0.090])
def test_between_two_images_the_newest_answer_is_looked_at_too(latency_s):
    some = run([answered(i, latency_s, image=i % 4, late=latency_s > 0.067) for i in range(9)])
    ticks = ticks_between(some, CAMERA)
    assert len(ticks) == 4 * 9
    assert answers_at(some, ticks) == literal(some)
    assert [ticks[k].at_ns - ticks[0].at_ns for k in range(4)] == [0, 16_666_667, 33_333_333, 50_000_000]


def test_an_answer_in_30_ms_is_in_hand_half_of_the_time():
    some = run([answered(i, 0.030, image=i) for i in range(2)])
    assert answers_at(some, ticks_between(some, CAMERA)) == [NOTHING, NOTHING, 0, 0, 0, 0, 1, 1]
    quality = score_answers(replace(some, predictions={i: right_answer(CAMERA[i]) for i in range(2)}), CAMERA).quality()
    name, scores = quality.between
    assert name == "streaming_60"
    assert scores.frame_count == 8
    assert scores["miou"].value == pytest.approx(6 / 8)
    assert set(quality.to_dict()) == {"offline", "deadline", "streaming", "streaming_1", "streaming_60"}


def test_windows_of_ticks_step_by_the_cameras_period():
    """Two camera frames of a clip make eight ticks, so windows of two frames begin at four of them, and none has three."""
    some = run([answered(i, 0.010, image=i) for i in range(2)], predictions={i: right_answer(CAMERA[i]) for i in range(2)})
    scores = score_answers(some, CAMERA).quality()["streaming_60"]
    assert [scores[f"dvpq_k{k}_l10"].n for k in (1, 2, 3)] == [8, 4, 0]
    assert scores["dvpq"].value is None


def half_answer(frame, at):
    """The table in two parts, so that there is something to link."""
    ids = np.ones(frame.truth.depth_m.shape, np.int32)
    ids[:, at:] = 2
    segments = tuple(Segment(id=k, category_id=3, score=1.0, depth_m=2.0) for k in (1, 2))
    return Prediction(segment_id=ids, segments=segments, depth_m=np.full(ids.shape, 2.3, np.float32))


def test_columns_and_links_come_back_to_the_bit():
    records = [answered(0, 0.03), missed(1, "dropped", image=1), *(answered(i, 0.03, image=i % 4) for i in range(2, 9))]
    some = run(records, predictions={r.seq: half_answer(CAMERA[r.image], 20 + 3 * r.seq) for r in records if r.return_ns})
    answers = score_answers(some, CAMERA)
    again = open_scores(pack_scores(answers))
    assert len(answers.links) > 2
    assert list(again.columns) == list(answers.columns)
    assert again.columns["streaming_60"].step == 4
    for name, column in answers.columns.items():
        for field in ("score", "link", "begins"):
            one, other = getattr(column, field), getattr(again.columns[name], field)
            assert one.dtype == other.dtype
            assert one.tolist() == other.tolist()
    assert [link.tolist() for link in again.links] == [link.tolist() for link in answers.links]
    assert again.quality().to_dict() == answers.quality().to_dict()
    assert again.quality().offline["dvpq_k2_l25"].value is not None


def test_scores_of_another_release_are_refused(tmp_path):
    import io

    file = io.BytesIO()
    np.savez_compressed(file, columns=np.zeros((4, 3), np.int32))
    with pytest.raises(ValueError, match="another release"):
        open_scores(file.getvalue())


