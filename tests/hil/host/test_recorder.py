"""Recording never changes the run: a slow sink loses frames and counts them, a broken one is left out and named."""

import threading
import time

import pytest

from hil.host.recorder import Recorder
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.recordings.table import TableWriter, load_recording
from hil.verdict import judge
from tests.hil.records import answered

SHORT = WarmUp(frames=2, seconds=0.0, windows=0)


class Memory:
    """A sink that remembers; it can be slow or fail."""

    def __init__(self, *, gate=None, fails_at=None):
        self.told, self.gate, self.fails_at, self.closed = [], gate, fails_at, 0

    def begin(self, head):
        self.told.append(("begin", head))

    def frame(self, record, prediction):
        if self.gate is not None:
            self.gate.wait(5)
        if self.fails_at == record.seq:
            raise OSError(28, "No space left on device")
        self.told.append(("frame", record.seq, prediction))

    def end(self, tail):
        self.told.append(("end", tail))

    def close(self):
        self.closed += 1


def test_every_sink_is_told_in_order():
    sinks = [Memory(), Memory()]
    recorder = Recorder(sinks)
    recorder.begin({"a": 1})
    for i in range(100):
        recorder.put(answered(i, 0.03))
    recorder.end({"b": 2})
    for sink in sinks:
        assert sink.told == [("begin", {"a": 1}), *(("frame", i, None) for i in range(100)), ("end", {"b": 2})]
        assert sink.closed == 1
    assert (recorder.lost, recorder.faults) == (0, [])


def test_a_slow_sink_never_holds_up_the_run():
    gate = threading.Event()
    recorder = Recorder([Memory(gate=gate)], capacity=10)
    started = time.monotonic()
    for i in range(100):
        recorder.put(answered(i, 0.03))
    assert time.monotonic() - started < 1.0
    assert 88 <= recorder.lost <= 90
    gate.set()
    recorder.close()


def test_a_full_disk_ends_one_recording_and_not_the_other():
    full, other = Memory(fails_at=3), Memory()
    recorder = Recorder([full, other])
    recorder.begin({})
    for i in range(6):
        recorder.put(answered(i, 0.03))
    recorder.end({})
    assert [entry[1] for entry in full.told if entry[0] == "frame"] == [0, 1, 2]
    assert full.closed == 1
    assert len(other.told) == 8
    assert recorder.faults == ["Memory: [Errno 28] No space left on device"]


def run(frames, agent, *sinks):
    return run_session(frames, device=agent.address, duration_s=1.5, warm_up=SHORT, sinks=sinks, about={"suite": "made up"})


def test_a_run_is_recorded_as_it_was(start_agent, frames, tmp_path):
    memory, path = Memory(), tmp_path / "deep" / "recording.rhil"
    session = run(frames, start_agent(0.02), memory, TableWriter(path))
    read, _ = load_recording(path)
    assert read.to_dict() == session.to_dict()
    assert read.dataset["suite"] == "made up"
    told = {entry[1]: entry[2] for entry in memory.told if entry[0] == "frame"}
    assert sorted(told) == [frame.seq for frame in session.frames]
    assert all((told[f.seq] is not None) == (f.return_ns is not None) for f in session.frames)


def test_a_disk_that_fills_up_changes_no_outcome_and_is_told(start_agent, frames):
    session = run(frames, start_agent(0.002), Memory(fails_at=5))
    assert sum(session.outcomes().values()) == len(session.due)
    assert session.fault is None
    assert session.recording_faults == ("Memory: [Errno 28] No space left on device",)
    assert "RECORDING INCOMPLETE" in judge(session).marks[0]


def test_no_file_is_left_where_no_session_began(frames, tmp_path):
    from scenes.errors import LinkError

    with pytest.raises(LinkError):
        run_session(frames, device="tcp://127.0.0.1:9", connect_timeout_s=0.2, sinks=[TableWriter(tmp_path / "r")])
    assert list(tmp_path.iterdir()) == []
