"""An MCAP recording gives back every frame, map and figure to the bit; others can read what it holds."""

import json

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("foxglove")

from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import SeekingReader, make_reader

from hil.agent.service import parse_service
from hil.figures.replay import differences, replay
from hil.mcap.append import append_attachments
from hil.mcap.check import check_recording
from hil.mcap.keep import keep_figures_in_mcap, record_session_as_mcap
from hil.mcap.load import load_run
from hil.mcap.notes import open_outcome, pack_outcome
from hil.mcap.source import McapFrames
from hil.mcap.topics import GROUPS, TOPICS, Selection, parse_selection
from hil.mcap.wire import fields, stamp_field, varint
from hil.recordings.any_recording import open_recording
from hil.recordings.table import record_session, tail_of
from hil.session import OUTCOMES, FrameRecord, save_session
from scenes.errors import DatasetError, UnknownNameError
from tests.hil.mcap_runs import FRAMES, OPENED_NS, answer, figures, made, reported, write
from tests.hil.records import answered

LIMIT = 64 * 2**20


def plain(some):
    return {k: v for k, v in some.to_dict().items() if k != "predictions"}


def read(path, **asked):
    with path.open("rb") as file:
        reader = SeekingReader(file, validate_crcs=True, record_size_limit=LIMIT)
        return [(schema, channel, message) for schema, channel, message in reader.iter_messages(**asked)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("mcap") / "recording.mcap"
    figures = reported(path, made())
    return path, figures


def test_a_session_comes_back_whole(tmp_path):
    some = made(fault="The agent died.", dataset={"suite": "x", "size": [64, 48]})
    write(tmp_path / "r.mcap", some)
    assert json.dumps(plain(load_run(tmp_path / "r.mcap").session)) == json.dumps(plain(some))


def test_every_figure_is_recomputed_to_the_bit(whole):
    path, figures = whole
    again, live = replay(path)
    assert json.dumps(again) == json.dumps(live) == json.dumps(figures)
    assert again["quality"]["offline"]["figures"]["pq"]["value"] is not None
    assert list(differences(again, live)) == []


def test_the_compact_table_says_the_same(whole, tmp_path):
    record_session(made(), tmp_path / "r.rhil")
    table, _ = open_recording(tmp_path / "r.rhil")
    ours, later = open_recording(whole[0])
    assert ours.to_dict() == table.to_dict()
    assert sorted(later) == [b"FIGS", b"SCOR"]


def test_every_map_comes_back_bit_for_bit(whole):
    some, run = made(), load_run(whole[0], maps=True)
    assert set(run.session.predictions) == set(some.predictions)
    for seq, one in some.predictions.items():
        other = run.session.predictions[seq]
        assert other.segments == one.segments
        assert np.array_equal(other.segment_id, one.segment_id)
        assert np.array_equal(other.depth_m, one.depth_m)


def test_every_rule_holds_after_a_run(whole):
    assert [(f.name, f.holds) for f in check_recording(whole[0]) if f.holds is not True] == []


def test_the_counts_are_those_of_the_run(whole):
    some = made()
    with whole[0].open("rb") as file:
        summary = make_reader(file, validate_crcs=True).get_summary()
    topics = {channel.topic: summary.statistics.channel_message_counts[i] for i, channel in summary.channels.items()}
    assert set(topics) == set(TOPICS)
    answered_frames = sum(f.return_ns is not None for f in some.frames)
    assert topics["/outcome"] == topics["/camera/preview"] == len(some.frames)
    assert topics["/answer/ids"] == topics["/answer/boxes"] == answered_frames
    assert topics["/camera/image"] == topics["/truth/depth"] == len(FRAMES)
    distinct = sum(1 for seq, of in load_run(whole[0]).answers.items() if seq == of)
    assert topics["/answer/depth"] == distinct < answered_frames / 4
    assert summary.statistics.attachment_count == len(summary.attachment_indexes) == 5


def test_repeats_are_written_again_when_asked_for(tmp_path):
    write(tmp_path / "r.mcap", made(20), selection=Selection(every=True))
    count = sum(f.return_ns is not None for f in made(20).frames)
    assert len(read(tmp_path / "r.mcap", topics=["/answer/depth"])) == count
    assert len(read(tmp_path / "r.mcap", topics=["/camera/image"])) == len(FRAMES) + len(made(20).frames)
    assert len(read(tmp_path / "r.mcap", topics=["/truth/depth"])) == len(FRAMES)
    assert len(McapFrames(tmp_path / "r.mcap")) == len(FRAMES)


def test_only_what_was_asked_for_is_there(tmp_path):
    write(tmp_path / "r.mcap", made(5), selection=parse_selection("depth"))
    topics = {channel.topic for _, channel, _ in read(tmp_path / "r.mcap")}
    always = {name for name, topic in TOPICS.items() if topic.group is None}
    assert topics == always | {"/answer/depth"}
    write(tmp_path / "n.mcap", made(5), selection=parse_selection("none"))
    assert replay(tmp_path / "n.mcap")[0]["outcomes"] == made(5).outcomes()
    with pytest.raises(DatasetError, match="--mcap-topics"):
        McapFrames(tmp_path / "n.mcap")


def test_a_selection_is_read_from_words():
    assert parse_selection("all,every") == Selection(groups=GROUPS, every=True)
    assert parse_selection("depth,image").groups == ("image", "depth")
    assert parse_selection("every").groups == GROUPS
    with pytest.raises(UnknownNameError, match="Did you mean 'depth'"):
        parse_selection("dept")


def test_times_are_due_times_under_the_date_of_the_run(whole):
    some = made()
    label_ns, first_ns = 1_704_067_200 * 10**9, some.frames[0].due_ns
    for _, channel, message in read(whole[0]):
        if channel.topic in ("/log", "/telemetry"):
            continue
        if message.log_time < label_ns:  # the data set, just before the run was opened
            assert message.log_time == OPENED_NS - (len(FRAMES) - message.sequence) * 10**6
            continue
        record = some.frames[message.sequence]
        assert message.log_time == label_ns + record.due_ns - first_ns
        if channel.topic.startswith("/answer/"):
            assert message.publish_time == label_ns + record.return_ns - first_ns
        elif channel.topic.startswith("/camera/"):
            assert message.publish_time == label_ns + record.capture_ns - first_ns


def test_the_images_come_back_with_their_truth(whole):
    frames = McapFrames(whole[0])
    assert len(frames) == len(FRAMES)
    assert frames.has_truth
    for one, other in zip(FRAMES, (frames[i] for i in range(3)), strict=True):
        assert (one.name, one.time_s, one.camera) == (other.name, other.time_s, other.camera)
        assert np.array_equal(one.rgb, other.rgb)
        for name in ("depth_m", "semantic", "instance"):
            assert np.array_equal(getattr(one.truth, name), getattr(other.truth, name))
    with pytest.raises(IndexError):
        frames[3]


def test_without_truth_frames_are_void(tmp_path):
    write(tmp_path / "r.mcap", made(3), selection=parse_selection("image"))
    frames = McapFrames(tmp_path / "r.mcap")
    assert not frames.has_truth
    assert not frames[0].truth.semantic.any()


stamps = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**31 - 1), st.booleans(), st.sampled_from(OUTCOMES),
    st.integers(-(2**62), 2**62), stamps, st.none() | st.text(max_size=20), st.none() | st.integers(0, 2**32), st.booleans(),
)  # fmt: skip
@settings(max_examples=200)
def test_an_outcome_is_a_record(seq, image, warm_up, outcome, due_ns, stamp, reason, answer, lost):
    record = FrameRecord(
        seq=seq, image=image, warm_up=warm_up, outcome=outcome, due_ns=due_ns, reason=reason, agent_infer_end_ns=stamp,
        return_ns=due_ns + 5 if outcome in ("on_time", "late") else None,
    )  # fmt: skip
    assert open_outcome(pack_outcome(record, answer=answer, maps_lost=lost)) == (record, answer, lost)


@given(st.integers(1, 2**29 - 1), st.integers(0, 2**62))
def test_the_wire_format_reads_what_it_wrote(number, at_ns):
    ((found, stamp),) = fields(stamp_field(number, at_ns))
    seconds, nanos = (value for _, value in fields(stamp))
    assert (found, seconds * 10**9 + nanos) == (number, at_ns)
    assert list(fields(varint(number << 3) + varint(at_ns))) == [(number, at_ns)]


def test_a_segment_id_beyond_16_bits_is_kept(tmp_path):
    some = made(0)
    wide = some.predictions[1]
    wide.segment_id[wide.segment_id == 1] = 70_000
    segments = (type(wide.segments[0])(id=70_000, category_id=6, score=0.5, depth_m=1.0), wide.segments[1])
    some.predictions[1] = type(wide)(segment_id=wide.segment_id, segments=segments, depth_m=wide.depth_m)
    write(tmp_path / "r.mcap", some)
    assert np.array_equal(load_run(tmp_path / "r.mcap", maps=True).session.predictions[1].segment_id, wide.segment_id)


def test_a_session_is_recorded_after_it_ran(tmp_path):
    record_session_as_mcap(made(), tmp_path / "r.mcap")
    assert load_run(tmp_path / "r.mcap").session.frames == made().frames


def test_attachments_are_added_to_a_closed_file_again_and_again(tmp_path):
    path = tmp_path / "r.mcap"
    write(path, made(5))
    for k in range(3):
        append_attachments(path, {"note": b"%d" % k, "other": bytes(1000)}, at_ns=k, media_types={})
    assert load_run(path).contents.attachments["note"] == b"2"
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert [a.data for a in reader.iter_attachments() if a.name == "note"] == [b"0", b"1", b"2"]
        assert reader.get_summary().statistics.attachment_count == 2 + 6
    assert len(read(path, topics=["/outcome"])) == len(made(5).frames)
    (tmp_path / "x").write_bytes(b"something else, and long enough to have a footer " * 3)
    with pytest.raises(DatasetError, match="not a closed MCAP file"):
        append_attachments(tmp_path / "x", {"note": b""}, at_ns=0, media_types={})


def test_an_emulator_draws_from_any_recording(tmp_path, whole):
    some = made()
    record_session(some, tmp_path / "r.rhil")
    save_session(some, tmp_path / "session.json")
    paths = (whole[0], tmp_path / "r.rhil", tmp_path / "session.json")
    drawn = [parse_service(f"recording={path}").recorded_s for path in paths]
    assert np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[0], drawn[2])
    assert len(drawn[0]) == sum(f.return_ns is not None for f in some.due)


def test_frames_may_end_in_any_order(tmp_path):
    some = made(30)
    turned = made(30)
    object.__setattr__(turned, "frames", tuple(reversed(some.frames)))
    write(tmp_path / "r.mcap", turned)
    assert load_run(tmp_path / "r.mcap").session.frames == some.frames
    assert all(f.holds is not False for f in check_recording(tmp_path / "r.mcap"))


def test_a_rule_that_is_broken_is_named(tmp_path):
    some = made(5)
    path = tmp_path / "r.mcap"
    figures = reported(path, some)
    figures["latency"]["max_ms"] = 1.0
    append_attachments(path, {"figures.json": json.dumps(figures).encode()}, at_ns=0, media_types={})
    broken = [f for f in check_recording(path) if f.holds is False]
    assert [f.name for f in broken] == ["figures"]
    assert "latency.max_ms" in broken[0].found


def test_log_times_that_do_not_fit_are_found(tmp_path, monkeypatch):
    from hil.mcap.file import McapFile

    plainly = McapFile._log_ns
    monkeypatch.setattr(McapFile, "_log_ns", lambda self, ns: plainly(self, ns) + (ns == answered(9, 0.0).due_ns))
    write(tmp_path / "r.mcap", made(5))
    assert [f.name for f in check_recording(tmp_path / "r.mcap") if f.holds is False] == ["log times"]


def test_scores_that_are_not_those_of_the_maps_are_found(tmp_path):
    """A score table of other answers, with figures that fit it: only the maps in the file can tell."""
    path, some = tmp_path / "r.mcap", made(5)
    write(path, some)
    others = made(5)
    others.predictions.update({seq: answer(FRAMES[i % 3], 9) for i, seq in enumerate(others.predictions)})
    live, scores = figures(others)
    keep_figures_in_mcap(path, some, live, scores)
    again, reported_live = replay(path)
    assert again == reported_live
    assert [f.name for f in check_recording(path) if f.holds is False] == ["scores from maps"]


def test_a_frame_that_never_ends_holds_up_a_bounded_number(tmp_path):
    some = made(400)
    turned = made(400)
    object.__setattr__(turned, "frames", (*some.frames[1:], some.frames[0]))
    file = write(tmp_path / "r.mcap", turned, close=False, end=False)
    assert file._waiting == {}
    file.end(tail_of(some))
    file.close()
    assert load_run(tmp_path / "r.mcap").session.frames == some.frames
