"""A recording gives back every frame and every figure, or says that it cannot: no damage goes unseen."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.figures.latency import summarize
from hil.figures.quality import score_answers
from hil.figures.replay import FIGURES, differences, figures_of, keep_figures, replay
from hil.figures.score_table import open_scores, pack_scores
from hil.recordings.rows import NEVER, ROW, from_rows, to_row
from hil.recordings.table import (
    MAGIC,
    TableWriter,
    append_chunk,
    head_of,
    load_recording,
    read_chunks,
    record_session,
    tail_of,
)
from hil.session import OUTCOMES, FrameRecord
from hil.verdict import judge
from perception.prediction import Prediction, Segment
from scenes.errors import DatasetError
from tests.hil.conftest import make_frame
from tests.hil.records import answered, missed, session

FRAMES = [make_frame(i) for i in range(3)]
NAMES = ["clip-0000", "clip-0001", "clip-0002"]


def answer(frame, shift=0):
    ids = np.where(np.roll(frame.rgb[..., 0], shift) > 100, 1, 2).astype(np.int32)
    segments = (Segment(id=1, category_id=3, score=1 / 3, depth_m=2.0), Segment(id=2, category_id=6, score=0.1, depth_m=1.9))
    depth = (1.9 + frame.rgb[..., 1].astype(np.float32) / 1000).astype(np.float32)
    return Prediction(segment_id=ids, segments=segments, depth_m=depth)


def made(**changes):
    """A run with every outcome and odd numbers everywhere."""
    records = [answered(0, 0.2, warm_up=True), answered(1, 1 / 30), answered(2, 0.1, late=True, image=1)]
    records += [missed(3 + i, outcome, image=i % 3) for i, outcome in enumerate(OUTCOMES[2:])]
    records += [answered(7 + i, 0.030 + i / 7e3, image=i % 3, lateness_s=i / 1e6) for i in range(90)]
    predictions = {r.seq: answer(FRAMES[r.image], r.seq % 2) for r in records[1:] if r.return_ns is not None}
    rule = {"rule": {"cap_s": 60.0, "windows": 3}, "frames": 1, "settled": True}
    return session(records, predictions=predictions, warm_up=rule, images=NAMES, **changes)


def plain(some):
    return {k: v for k, v in some.to_dict().items() if k != "predictions"}


def recorded(tmp_path, some):
    path = tmp_path / "recording.rhil"
    record_session(some, path)
    return path


def reported(tmp_path, some):
    path = recorded(tmp_path, some)
    answers, latency = score_answers(some, FRAMES), summarize(some)
    figures = figures_of(some, latency, judge(some, report=latency), answers.quality())
    keep_figures(path, figures, pack_scores(answers))
    return path, figures


def test_a_session_comes_back_whole(tmp_path):
    some = made(fault="The agent died.", telemetry={"oc_events": {"oc3": 2}}, dataset={"suite": "x", "size": [64, 48]})
    read, later = load_recording(recorded(tmp_path, some))
    assert json.dumps(plain(read)) == json.dumps(plain(some))
    assert later == {}


stamps = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)


@given(
    st.integers(0, 2**40), st.integers(0, 2**31 - 1), st.booleans(), st.sampled_from(OUTCOMES),
    st.integers(-(2**62), 2**62), st.lists(stamps, min_size=9, max_size=9), st.none() | st.text(max_size=20),
)  # fmt: skip
@settings(max_examples=200)
def test_a_row_is_a_record(seq, image, warm_up, outcome, due_ns, values, reason):
    names = [f.name for f in dataclasses.fields(FrameRecord) if f.name.endswith("_ns")][1:-1]
    record = FrameRecord(
        seq=seq, image=image, warm_up=warm_up, outcome=outcome, due_ns=due_ns, reason=reason,
        return_ns=due_ns + 5 if outcome in ("on_time", "late") else None, **dict(zip(names, values, strict=True)),
    )  # fmt: skip
    row = to_row(record, 0 if reason is None else 1)
    assert from_rows(np.frombuffer(row.tobytes(), ROW), [reason or ""]) == (record,)


def test_a_row_is_compact():
    assert ROW.itemsize == 8 + 4 + 1 + 1 + 2 + 11 * 8
    assert to_row(missed(0, "lost"), 0)["return_ns"] == NEVER


def test_every_figure_is_recomputed_to_the_bit(tmp_path):
    path, figures = reported(tmp_path, made())
    again, live = replay(path)
    assert json.dumps(again) == json.dumps(live) == json.dumps(figures)
    assert again["quality"]["offline"]["figures"]["pq"]["value"] is not None
    assert again["quality"]["streaming"]["figures"]["miou"]["value"] is not None
    assert again["quality"]["offline"]["figures"]["dvpq_k3_l25"]["value"] is not None
    assert list(differences(again, live)) == []


def test_a_changed_figure_is_found(tmp_path):
    path, figures = reported(tmp_path, made())
    figures["latency"]["max_ms"] = np.nextafter(1.0, 2.0)
    append_chunk(path, FIGURES, json.dumps(figures).encode())
    again, live = replay(path)
    assert [line.partition(":")[0] for line in differences(again, live)] == ["latency.max_ms"]


def test_differences_name_the_place():
    assert list(differences({"a": [1, {"b": 0.1}]}, {"a": [1, {"b": 0.2}]})) == ["a[1].b: 0.1, 0.2"]
    assert list(differences({"a": 1}, {})) == ["a: 1, None"]
    assert list(differences([1], [1, 2])) == [": [1], [1, 2]"]
    assert list(differences(0.0, -0.0)) == [": 0.0, -0.0"]


def test_without_scores_there_is_no_quality_and_no_report(tmp_path):
    figures, live = replay(recorded(tmp_path, made()))
    assert figures["quality"] is None
    assert figures["outcomes"] == made().outcomes()
    assert live is None


def test_the_scores_come_back_bit_for_bit():
    answers = score_answers(made(), FRAMES)
    again = open_scores(pack_scores(answers))
    assert len(again.scores) == len(answers.scores) > 5
    for one, other in zip(answers.scores, again.scores, strict=True):
        assert (one.name, one.scene, one.missing) == (other.name, other.scene, other.missing)
        for part in ("panoptic", "confusion", "depth"):
            assert np.array_equal(getattr(one, part), getattr(other, part), equal_nan=True)
        for part in ("masks", "boxes", "found", "tubes"):
            for field in dataclasses.fields(getattr(one, part)):
                values = [getattr(getattr(score, part), field.name) for score in (one, other)]
                assert values[0].shape == values[1].shape
                assert values[0].dtype == values[1].dtype
                assert np.array_equal(values[0], values[1], equal_nan=values[0].dtype.kind == "f")
    assert again.quality().to_dict() == answers.quality().to_dict()


def test_a_run_that_was_killed_is_read_as_far_as_it_goes(tmp_path):
    some, path = made(), tmp_path / "recording.rhil"
    writer = TableWriter(path)
    writer.begin(head_of(some))
    for record in some.frames[:50]:
        writer.frame(record)
    data = path.read_bytes()  # the file is never closed: what a killed process leaves
    read, _ = load_recording(path)
    assert read.frames == some.frames[:50]
    assert "was not closed" in read.fault
    path.write_bytes(data[:-7])
    read, _ = load_recording(path)
    assert read.frames == some.frames[:49]
    assert "breaks off" in read.fault
    assert replay(path)[0]["verdict"]["status"] == "FAIL"
    writer.close()


def test_frames_may_come_in_any_order(tmp_path):
    some = made()
    with TableWriter(tmp_path / "r") as writer:
        writer.begin(head_of(some))
        for record in reversed(some.frames):
            writer.frame(record)
        writer.end(tail_of(some))
    assert load_recording(tmp_path / "r")[0].frames == some.frames


def test_a_frame_that_is_missing_is_not_passed_over(tmp_path):
    some = made()
    with TableWriter(tmp_path / "r") as writer:
        writer.begin(head_of(some))
        for record in some.frames[:-1]:
            writer.frame(record)
        writer.end(tail_of(some))
    with pytest.raises(DatasetError, match="of its 97 frames 96 are there"):
        load_recording(tmp_path / "r")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path, _ = reported(tmp_path_factory.mktemp("recording"), made())
    return path.read_bytes()


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_one_changed_byte_is_always_seen(whole, data, tmp_path_factory):
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.integers(1, 255))
    damaged = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
    with pytest.raises(ValueError, match=r"damaged|breaks off|not a recording"):
        list(read_chunks(damaged))


@pytest.mark.parametrize("cut", [1, 5, 100, 5_000])
def test_a_closed_recording_that_breaks_off_is_refused(whole, tmp_path, cut):
    path = tmp_path / "cut.rhil"
    path.write_bytes(whole[:-cut])
    with pytest.raises(DatasetError, match="breaks off"):
        load_recording(path)


@pytest.mark.parametrize("data", [b"", MAGIC[:-1], b"PK\x03\x04 something else", MAGIC])
def test_other_files_are_refused(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(DatasetError, match="not a recording that can be trusted"):
        load_recording(tmp_path / "x")


def test_another_format_is_refused(tmp_path):
    with TableWriter(tmp_path / "r") as writer:
        writer.begin({**head_of(made()), "format": 99})
    with pytest.raises(DatasetError, match="its format is not 1"):
        load_recording(tmp_path / "r")


def test_a_table_begins_with_begin(tmp_path):
    with TableWriter(tmp_path / "r") as writer, pytest.raises(ValueError, match="begins with"):
        writer.frame(missed(0, "lost"))
    assert not (tmp_path / "r").exists()
