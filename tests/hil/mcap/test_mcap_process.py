"""An MCAP recording is written by a process of its own: slow, full or dead, it changes no outcome, and its loss is told."""

import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("foxglove")

from hil.figures.replay import replay
from hil.host.recorder import Recorder
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.mcap.check import check_recording
from hil.mcap.keep import keep_figures_in_mcap
from hil.mcap.load import load_run
from hil.mcap.scan import MAGIC
from hil.mcap.sink import McapSink, RecordingError, Watched
from hil.mcap.source import McapFrames
from hil.recordings.table import TableWriter, head_of, load_recording, tail_of
from hil.verdict import judge
from perception.prediction import Prediction
from scenes.errors import DatasetError
from tests.hil.mcap_runs import FRAMES, figures, made

SHORT = WarmUp(frames=2, seconds=0.0, windows=0)


def run(frames, agent, *sinks, duration_s=2.0):
    return run_session(frames, device=agent.address, duration_s=duration_s, warm_up=SHORT, sinks=sinks)


def test_a_run_is_recorded_as_it_was_and_streamed_again(start_agent, frames, tmp_path):
    path, agent = tmp_path / "deep" / "r.mcap", start_agent(0.002)
    with McapSink(path) as sink:
        session = run(Watched(frames, sink), agent, sink)
    assert session.recording_faults == ()
    read = load_run(path, maps=True)
    assert read.session.to_dict() == session.to_dict()
    assert read.maps_lost == 0
    assert_same_answers(read.session.predictions, session.predictions)
    assert len({id(p) for p in read.session.predictions.values()}) == len(frames)

    live, scores = figures(session, frames)
    keep_figures_in_mcap(path, session, live, scores)
    again, reported = replay(path)
    assert again == reported
    assert [f.name for f in check_recording(path) if f.holds is not True] == []

    second = run(McapFrames(path), agent, duration_s=1.0)
    assert second.images == session.images
    first_of = {f.image: session.predictions[f.seq] for f in session.frames if f.return_ns is not None}
    shown = {f.seq: first_of[f.image] for f in second.frames if f.return_ns is not None}
    assert_same_answers(second.predictions, shown)


def assert_same_answers(ones, others):
    assert set(ones) == set(others)
    for seq, one in ones.items():
        assert one.segments == others[seq].segments
        assert np.array_equal(one.segment_id, others[seq].segment_id)
        assert np.array_equal(one.depth_m, others[seq].depth_m)


def begun(path, **asked):
    sink = McapSink(path, **asked)
    for index, frame in enumerate(FRAMES):
        sink.image(index, frame, len(FRAMES))
    sink.begin(head_of(made()))
    return sink


def copy(prediction):
    return Prediction(segment_id=prediction.segment_id, segments=prediction.segments, depth_m=prediction.depth_m)


def test_a_slow_disk_costs_maps_and_no_time(tmp_path):
    """The writer is stopped altogether: what it misses are maps, each counted; every outcome is there when it goes on."""
    some = made()
    with begun(tmp_path / "r.mcap", pending_bytes=100_000) as sink:
        os.kill(sink.process.pid, signal.SIGSTOP)
        started = time.monotonic()
        for record in some.frames:
            prediction = some.predictions.get(record.seq)
            sink.frame(record, None if prediction is None else copy(prediction))
        assert time.monotonic() - started < 0.5
        os.kill(sink.process.pid, signal.SIGCONT)
        with pytest.raises(RecordingError, match=r"the maps of \d+ answers came faster than they were written; all frames"):
            sink.end(tail_of(some))
        lost = sink.maps_lost
    read = load_run(tmp_path / "r.mcap", maps=True)
    assert read.session.frames == some.frames
    assert 20 < lost == read.maps_lost < len(some.predictions)
    assert len(read.session.predictions) == len(some.predictions) - lost


def test_a_writer_that_falls_behind_leaves_out_what_is_there_already(tmp_path):
    some = made()
    with begun(tmp_path / "r.mcap") as sink:
        os.kill(sink.process.pid, signal.SIGSTOP)
        for record in some.frames:
            sink.frame(record, some.predictions.get(record.seq))
        time.sleep(1.2)
        os.kill(sink.process.pid, signal.SIGCONT)
        with pytest.raises(RecordingError, match=r"pictures of \d+ frames, which are in the file once, came faster"):
            sink.end(tail_of(some))
        assert sink.left_out > 90
    read = load_run(tmp_path / "r.mcap", maps=True)
    assert read.session.frames == some.frames
    assert_same_answers(read.session.predictions, some.predictions)


def test_a_writer_that_stands_still_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("hil.mcap.sink._END_WITHIN_S", 0.5)
    monkeypatch.setattr("hil.mcap.sink._CLOSE_WITHIN_S", 0.5)
    sink = begun(tmp_path / "r.mcap")
    os.kill(sink.process.pid, signal.SIGSTOP)
    for record in made(10).frames:
        sink.frame(record, None)
    with pytest.raises(RecordingError, match=r"within \d\.\d s|within 0.5 s"):
        sink.end(tail_of(made(10)))
    sink.close()
    assert not sink.process.is_alive()


class FillingUp:
    """Lets the writer's file grow by little more, once the run has gone on for three seconds."""

    def __init__(self, pid, path):
        self.pid, self.path = pid, path

    def begin(self, head): ...
    def end(self, tail): ...
    def close(self): ...

    def frame(self, record, _):
        if record.seq == 45:
            limit = self.path.stat().st_size + 2000
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (limit, limit))


def test_a_full_disk_ends_the_recording_and_not_the_run(start_agent, frames, tmp_path):
    path = tmp_path / "r.mcap"
    with McapSink(path) as sink:
        sinks = sink, TableWriter(tmp_path / "r.rhil"), FillingUp(sink.process.pid, path)
        session = run(Watched(frames, sink), start_agent(0.002), *sinks, duration_s=5.0)
    assert sum(session.outcomes().values()) == len(session.due) == 75
    assert session.fault is None
    assert session.recording_faults == ("McapSink: File too large",)
    assert "RECORDING INCOMPLETE: McapSink" in judge(session).marks[0]
    assert load_recording(tmp_path / "r.rhil")[0].frames == session.frames
    read = load_run(path)
    assert 0 < len(read.session.frames) < len(session.frames)
    assert replay(path)[0]["verdict"]["status"] == "FAIL"


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_no_space_left_is_told(small_disk):
    some = made()
    sink = begun(small_disk / "r.mcap")
    recorder = Recorder([sink])
    for record in some.frames:
        recorder.put(record, None if record.seq not in some.predictions else copy(some.predictions[record.seq]))
    recorder.end(tail_of(some))
    assert recorder.faults == ["McapSink: No space left on device"]


def test_a_writer_that_is_killed_is_told(start_agent, frames, tmp_path):
    sink = McapSink(tmp_path / "r.mcap")
    agent = start_agent(0.002)
    watched = Watched(frames, sink)
    watched[0]
    sink.process.kill()
    session = run(watched, agent, sink)
    sink.close()
    assert session.recording_faults == ("McapSink: the process that writes it died",)
    assert session.fault is None
    assert session.outcomes()["on_time"] > 20


def test_a_host_that_is_killed_leaves_a_file_that_can_be_read(tmp_path):
    path = tmp_path / "r.mcap"
    code = (
        "import os, signal, sys, time; from pathlib import Path\n"
        "from tests.hil.mcap.test_mcap_process import begun, made\n"
        "if __name__ == '__main__':\n"
        "    sink = begun(Path(sys.argv[1])); some = made(30)\n"
        "    [sink.frame(r, some.predictions.get(r.seq)) for r in some.frames]\n"
        "    time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = tmp_path / "host.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["."])}
    assert subprocess.run([sys.executable, script, path], env=environment, check=False, timeout=60).returncode == -9
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and path.read_bytes()[-8:] != MAGIC:
        time.sleep(0.05)
    read = load_run(path)
    assert read.session.frames == made(30).frames
    assert "was not closed" in read.session.fault


def test_a_run_that_never_begins_leaves_an_older_recording(frames, tmp_path):
    from scenes.errors import LinkError

    (tmp_path / "r.mcap").write_bytes(b"of yesterday")
    with McapSink(tmp_path / "r.mcap") as sink, pytest.raises(LinkError):
        run_session(Watched(frames, sink), device="tcp://127.0.0.1:9", connect_timeout_s=0.2, sinks=[sink])
    assert [p.name for p in tmp_path.iterdir()] == ["r.mcap"]
    assert (tmp_path / "r.mcap").read_bytes() == b"of yesterday"


def test_a_file_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"Cannot record to .*r\.mcap: (Not a directory|File exists)"):
        McapSink(tmp_path / "file" / "r.mcap")


def test_the_figures_do_not_join_a_file_that_broke_off(tmp_path):
    from benchmarks.recorded import keep_in_mcap

    (tmp_path / "recording.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    said = []
    keep_in_mcap(tmp_path, made(), *figures(made()), said.append)
    assert "not a closed MCAP file" in said[0]


def test_a_recording_that_lost_maps_still_replays_to_the_bit(tmp_path):
    """What was lost is known only after the run, so the session in the file is the one that was judged."""
    some = made(10, recording_faults=("McapSink: the maps of 3 answers came faster",))
    from tests.hil.mcap_runs import write

    write(tmp_path / "r.mcap", made(10))
    live, scores = figures(some)
    keep_figures_in_mcap(tmp_path / "r.mcap", some, live, scores)
    again, reported = replay(tmp_path / "r.mcap")
    assert again == reported
    assert "RECORDING INCOMPLETE" in again["verdict"]["marks"][0]
