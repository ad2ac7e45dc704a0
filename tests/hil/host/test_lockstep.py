"""Lockstep: every frame is answered, and the schedule of a real camera follows from the service times, to the nanosecond."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from hil.figures.clock import ClockFit, minima
from hil.figures.latency import summarize
from hil.figures.quality import score_answers
from hil.figures.replay import differences, figures_of, keep_figures, replay
from hil.figures.rules import rules_of
from hil.figures.score_table import pack_scores
from hil.figures.stages import STAGES, stage_table_s
from hil.host.lockstep import as_scheduled, run_lockstep, scheduled_frames
from hil.junit import junit_xml
from hil.recordings.table import MAGIC, TableWriter, load_recording, pack_chunk, read_chunks, record_session
from hil.session import FrameRecord
from hil.verdict import judge
from scenes.errors import DatasetError
from tests.hil.figures.test_clock import Device, exchanges
from tests.hil.records import session

MS = 1_000_000
PERIOD_NS = 1e9 / 15


def served(services_ms, outcomes=None):
    """Frames as lockstep measures them: each leaves 3 ms after the answer before it, and takes its service time."""
    records, now = [], 10**12
    for seq, service in enumerate(services_ms):
        outcome = (outcomes or {}).get(seq, "on_time")
        send, end = now + MS, now + MS + round(service * MS)
        steps = {name: send + (end - send) * k // 9 for k, name in enumerate(NAMES, start=1)}
        stamps = {**steps, "return_ns": end} if outcome == "on_time" else {}
        reason = None if outcome == "on_time" else "because"
        records.append(
            FrameRecord(
                seq=seq, image=seq % 3, warm_up=seq < 2, outcome=outcome, due_ns=now, capture_ns=now, send_ns=send,
                reason=reason, **stamps,
            )
        )  # fmt: skip
        now = end + 3 * MS
    return tuple(records)


NAMES = (
    "agent_receive_ns", "agent_preprocess_start_ns", "agent_infer_start_ns", "agent_infer_end_ns", "agent_post_end_ns",
    "agent_send_ns", "host_receive_ns",
)  # fmt: skip


def literal(measured, rate_hz):
    """Keep-latest as one would play it by hand: an idle engine takes the newest frame that is due; {seq: (begin, end)} in ns."""
    due = [measured[0].due_ns + round(k * 1e9 / rate_hz) for k in range(len(measured))]
    service = {f.seq: f.return_ns - f.send_ns for f in measured}
    played, now, newest = {}, due[0], -1
    while True:
        waiting = [k for k, at in enumerate(due) if at <= now and k > newest]
        if not waiting:
            later = [k for k in range(len(due)) if k > newest]
            if not later:
                return due, played
            now = due[later[0]]
            continue
        newest = waiting[-1]
        played[newest] = now, now + service[newest]
        now += service[newest]


@pytest.mark.parametrize("typical_ms", [20, 60, 66.7, 90, 150, 400])
def test_the_schedule_is_the_one_played_by_hand(rng, typical_ms):
    measured = served((typical_ms * rng.lognormal(0, 0.3, 60)).tolist())
    due, played = literal(measured, 15.0)
    frames = scheduled_frames(measured, rate_hz=15.0, deadline_s=1 / 15)
    assert [f.due_ns for f in frames] == due
    for frame in frames:
        assert (frame.seq, frame.image, frame.warm_up) == (frame.seq, measured[frame.seq].image, frame.seq < 2)
        if frame.seq not in played:
            assert (frame.outcome, frame.return_ns, frame.send_ns) == ("dropped", None, None)
            continue
        begin, end = played[frame.seq]
        assert (frame.send_ns, frame.return_ns) == (begin, end)
        assert frame.outcome == ("on_time" if end - frame.due_ns <= round(1e9 / 15) else "late")
        stamps = [getattr(frame, name) for name in ("due_ns", "capture_ns", "send_ns", *NAMES, "return_ns")]
        assert stamps == sorted(stamps)


def test_an_engine_faster_than_the_camera_drops_nothing():
    frames = scheduled_frames(served([50.0] * 20), rate_hz=15.0, deadline_s=1 / 15)
    assert {f.return_ns - f.due_ns for f in frames} == {50 * MS}
    assert {f.outcome for f in frames} == {"on_time"}


def test_an_engine_that_takes_two_and_a_half_periods_answers_two_frames_of_five():
    """Forty periods hold sixteen services; the one in flight at the end is answered too."""
    frames = scheduled_frames(served([2.5 * PERIOD_NS / MS] * 40), rate_hz=15.0, deadline_s=1 / 15)
    assert sum(f.return_ns is not None for f in frames) == 17
    assert not any(f.outcome == "on_time" for f in frames)


def test_a_frame_that_failed_takes_the_median_time_and_stays_what_it_was():
    measured = served([50.0] * 10, {4: "error", 6: "lost"})
    frames = scheduled_frames(measured, rate_hz=15.0, deadline_s=1 / 15)
    assert [f.outcome for f in frames[3:8]] == ["on_time", "error", "on_time", "lost", "on_time"]
    assert frames[4].reason == "because"


def made(**changes):
    measured = session(served([20.0] * 60 + [150.0] * 60), images=["a-0000", "a-0001", "a-0002"], **changes)
    return as_scheduled(measured)


def test_verdict_and_junit_say_lockstep():
    some = made()
    verdict = judge(some)
    assert verdict.marks[0].startswith("LOCKSTEP: simulated time waited")
    assert verdict.reason.startswith("By computation from service times in lockstep, ")
    assert b"LOCKSTEP" in junit_xml(verdict, some)
    assert next(c for c in verdict.checks if c.name == "the host keeps the clock").status == "skipped"
    assert all(row.simulated for row in rules_of(some))
    assert not any(mark.startswith("LOCKSTEP") for mark in judge(dataclasses.replace(some, lockstep={})).marks)


def test_the_stages_are_those_that_were_measured_but_for_waiting():
    measured = session(served([20.0] * 30))
    one, other = stage_table_s(measured), stage_table_s(as_scheduled(measured))
    waiting = [STAGES.index("capture"), STAGES.index("mailbox")]
    assert np.delete(one, waiting, axis=1) == pytest.approx(np.delete(other, waiting, axis=1), abs=1e-12)
    assert other[:, waiting] == pytest.approx(0)  # 20 ms of 66.7: nothing waits


def test_another_clock_is_moved_to_the_hosts_before_its_stamps_move_in_time(rng):
    """Eighteen seconds of lockstep become two: a drift of 300 ppm would put 5 ms into the crossings."""
    device = Device(start_ns=10**12, offset_ns=7 * 10**15, drift=300e-6)
    measured = served([600.0] * 30)
    theirs = [
        dataclasses.replace(f, **{name: device.read(getattr(f, name)) for name in NAMES[:6]}) for f in measured
    ]
    fit = ClockFit(minima(exchanges(device, rng, count=640, start_ns=10**12), window=16))
    some = as_scheduled(session(theirs, same_clock=False, clock=fit.to_dict(), clock_note="known"))
    assert some.same_clock
    expected = stage_table_s(session(measured))
    kept = [f.seq - 2 for f in some.due if f.return_ns is not None]
    assert len(kept) > 2
    assert stage_table_s(some)[:, 2:] == pytest.approx(expected[kept, 2:], abs=fit.bound_ns / 1e9)


def recorded(tmp_path, some):
    record_session(some, tmp_path / "recording.rhil")
    return tmp_path / "recording.rhil"


def test_a_recording_is_believed_only_where_the_stamps_follow_from_the_measured_ones(tmp_path):
    some = made()
    read, _ = load_recording(recorded(tmp_path, some))
    assert read.frames == some.frames
    assert json.dumps(read.lockstep) == json.dumps(some.lockstep)
    replay(tmp_path / "recording.rhil")
    frames = list(some.frames)
    frames[5] = dataclasses.replace(frames[5], return_ns=frames[5].return_ns - 1)
    with pytest.raises(DatasetError, match="computed stamps are not those"):
        replay(recorded(tmp_path, dataclasses.replace(some, frames=tuple(frames))))


def test_over_the_link_every_frame_is_answered_and_scored(start_agent, frames, tmp_path):
    clip = [dataclasses.replace(frame, name=f"scene/camera_0-{k:04d}") for k, frame in enumerate(frames)]
    some = run_lockstep(clip, device=start_agent(delay_s=0.1).address, rate_hz=15.0, duration_s=1.0)
    assert len(some.frames) == 10 + 15
    assert set(some.predictions) == set(range(25))
    assert 0 < some.outcomes()["dropped"] < 15
    assert some.outcomes()["on_time"] == 0
    rows = [dict(zip(some.lockstep["columns"], row, strict=True)) for row in some.lockstep["frames"]]
    assert all(row["return_ns"] - row["send_ns"] > 0.1e9 for row in rows)
    assert all(b["send_ns"] > a["return_ns"] for a, b in itertools.pairwise(rows))
    answers = score_answers(some, clip)
    quality = answers.quality()
    assert quality.offline.missing == ()  # every answer counts offline, though most frames were dropped
    assert len(quality.deadline.missing) == 15
    path = recorded(tmp_path, some)
    latency = summarize(some)
    figures = figures_of(some, latency, judge(some, report=latency), quality)
    keep_figures(path, figures, pack_scores(answers))
    assert list(differences(*replay(path))) == []


def test_what_was_recorded_of_a_killed_run_is_read_as_what_follows_from_it(start_agent, frames, tmp_path):
    path = tmp_path / "recording.rhil"
    agent = start_agent(delay_s=0.1).address
    some = run_lockstep(frames, device=agent, rate_hz=15.0, duration_s=1.0, sinks=[TableWriter(path)])
    whole, _ = load_recording(path)
    assert whole.frames == some.frames
    assert json.dumps(whole.to_dict()) == json.dumps(some.to_dict())
    chunks = [pack_chunk(*chunk) for chunk in read_chunks(path.read_bytes())]
    rows = [at for at, chunk in enumerate(chunks) if chunk.startswith(b"ROWS")]
    path.write_bytes(MAGIC + b"".join(chunks[: rows[17] + 1]))
    killed, _ = load_recording(path)
    assert "was killed" in killed.fault
    assert len(killed.frames) == len(killed.lockstep["frames"]) == 18
    assert sum(frame.outcome == "dropped" for frame in killed.frames) > 3
    figures, _ = replay(path)
    assert figures["verdict"]["status"] == "FAIL"
    assert any(mark.startswith("LOCKSTEP") for mark in figures["verdict"]["marks"])


def test_an_agent_that_dies_ends_it(start_agent, frames):
    agent = start_agent(delay_s=0.02)

    def kill(progress):
        if progress.answered:
            agent.process.kill()

    some = run_lockstep(frames, device=agent.address, rate_hz=15.0, duration_s=20.0, progress=kill)
    assert some.fault is not None
    assert judge(some).status == "FAIL"
    assert np.isinf(summarize(some).max_s)


def test_a_camera_that_waits_for_nobody_is_refused():
    class Live:
        def start(self, count):
            raise AssertionError(f"{count} frames were begun")

        def __len__(self):
            return 1

        def __getitem__(self, index):
            raise IndexError(index)

    with pytest.raises(TypeError, match="film a Clip first"):
        run_lockstep(Live())
