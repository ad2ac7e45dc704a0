"""The keeper of an engine process, without a link: its mailbox, its limits and what it says of itself."""

import os
import select
import time

import numpy as np
import psutil
import pytest

from hil.agent.engine_order import EngineOrder
from hil.agent.process_worker import ProcessWorker
from hil.agent.watchdog import RestartRule, Watchdog
from hil.agent.worker import Job
from hil.link.protocol import Kind, open_message, seal
from scenes.distortion import Distortion
from scenes.errors import EngineError
from tests.hil.engine_faults import image_that

MAKE = EngineOrder(maker="tests.hil.engine_faults:make", arguments=("0.05",))
CAMERA = {"fx": 60.0, "fy": 60.0, "cx": 31.5, "cy": 23.5}


def job(seq, fault=None, **more):
    rgb = np.full((48, 64, 3), seq, np.uint8) if fault is None else image_that(fault)
    return Job(
        peer=b"p", session=bytes(8), seq=seq, rgb=rgb, intrinsics={**CAMERA, **more}, receive_ns=time.monotonic_ns()
    )


def take(worker, seconds=3.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        select.select([worker.wake], [], [], 0.05)
        if (done := worker.take()) is not None:
            return done, open_message([bytes(part) for part in seal(done.body, seq=done.job.seq)])
    raise AssertionError("nothing was done")


@pytest.fixture
def worker():
    made = ProcessWorker(MAKE, Watchdog(limit_s=0.5), RestartRule(most=1))
    yield made
    made.close()


def test_a_newer_frame_replaces_the_waiting_one_never_the_running_one(worker):
    jobs = [job(seq) for seq in range(4)]
    assert [worker.offer(j) for j in jobs] == [None, None, jobs[1], jobs[2]]
    for expected in (jobs[0], jobs[3]):
        done, message = take(worker)
        assert done.job is expected
        # the answer is of this image and no other: depth is 1 + red / 64
        assert np.allclose(message.arrays[1], 1 + expected.seq / 64)
    assert worker.finished == 2


def test_the_following_frame_runs_before_the_answer_leaves(worker):
    first, second, third = (job(seq) for seq in range(3))
    worker.offer(first)
    worker.offer(second)
    assert take(worker)[0].job is first
    assert worker.offer(third) is None  # the second one runs already
    assert [take(worker)[0].job for _ in range(2)] == [second, third]


def test_a_cleared_mailbox_still_answers_what_runs(worker):
    worker.offer(first := job(0))
    worker.offer(job(1))
    worker.clear()
    assert take(worker)[0].job is first
    time.sleep(0.1)
    assert worker.take() is None
    assert worker.offer(third := job(2)) is None
    assert take(worker)[0].job is third


def test_a_lens_reaches_the_engine(worker):
    worker.offer(job(1, distortion=Distortion(coefficients=(-0.1, 0.01, 0.0, 0.0, 0.0))))
    assert take(worker)[1].kind is Kind.RESULT


def test_it_knows_its_process_and_ends_it():
    made = ProcessWorker(MAKE)
    process = psutil.Process(made.pid())
    assert process.ppid() == os.getpid()
    assert made.facts["start"]["open_s"] >= 0
    assert made.facts["start"]["first_s"] >= 0.05
    made.close()
    made.close()
    assert not process.is_running()
    assert made.pid() is None


def test_enough_restarts_are_enough(worker):
    for restarts in (1, 1):
        worker.offer(job(0, "kill"))
        assert "SIGKILL" in take(worker)[1].meta["reason"]
        end = time.monotonic() + 3
        while worker.fault is None and not (worker.restarts == restarts and worker.events[-1]["what"] == "ready"):
            worker.take()
            assert time.monotonic() < end
            time.sleep(0.02)
        if worker.fault is None:
            worker.offer(job(1))
            assert take(worker)[1].kind is Kind.RESULT
    assert worker.fault.startswith("The engine failed 2 times within")
    worker.offer(job(2))
    assert "it does not start again" in take(worker)[1].meta["reason"]
    assert worker.pid() is None


def test_events_are_bounded(worker):
    worker._events.extend({"at_ns": k, "what": "failed", "why": ""} for k in range(1000))
    assert len(worker.events) == 16


def test_an_engine_file_that_was_exchanged_is_not_taken(tmp_path):
    from tests.perception.tiny_engine import write_tiny

    path = write_tiny(tmp_path / "tiny.onnx")
    made = ProcessWorker(EngineOrder(path=str(path), backend="onnxruntime", threads=1))
    try:
        path.write_bytes(path.read_bytes() + b"\x9a\x01\x02hi")  # a field that no reader knows: it still loads
        psutil.Process(made.pid()).kill()
        end = time.monotonic() + 10
        while made.fault is None and time.monotonic() < end:
            made.take()
            time.sleep(0.02)
        assert "its sha256 is another one" in made.fault
    finally:
        made.close()


def test_nothing_ordered_is_a_mistake():
    with pytest.raises(ValueError, match="needs an engine file"):
        EngineOrder()


def test_a_file_that_is_no_engine_keeps_its_sentence(tmp_path):
    (tmp_path / "engine.onnx").write_bytes(b"not an engine")
    with pytest.raises(EngineError, match=r"engine\.onnx is not an engine: expected an ONNX file"):
        ProcessWorker(EngineOrder(path=str(tmp_path / "engine.onnx")))
