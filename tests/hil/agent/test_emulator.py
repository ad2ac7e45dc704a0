"""An emulated device takes the time that it says, and no report can take it for a device."""

import threading
import time

import numpy as np
import pytest

from hil.agent.emulator import Emulator
from hil.agent.serve import serve
from hil.agent.service import parse_service
from hil.figures.rules import rules_of
from hil.host.client import Client
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.link.protocol import Kind
from hil.verdict import judge
from perception.prediction import Prediction
from tests.hil.agent.test_serve import frame_body, wait_for
from tests.hil.agent_process import Perceiver
from tests.hil.conftest import make_frame

RGB = np.zeros((12, 16, 3), np.uint8)


def emulator(text, perceiver=None, seed=0):
    return Emulator(parse_service(text), seed=seed, perceiver=perceiver)


def test_it_never_answers_before_its_time():
    made = emulator("p50=20ms")
    for _ in range(5):
        started = time.monotonic()
        _, times = made.perceive_timed(RGB)
        assert time.monotonic() - started >= 0.020
        assert times.infer_s >= 0.020
    assert made.counters() == {"emulated": 5, "overruns": 0}


def test_an_empty_answer_claims_nothing():
    prediction, _ = emulator("p50=1ms").perceive_timed(RGB)
    assert isinstance(prediction, Prediction)
    assert prediction.segments == ()
    assert not prediction.segment_id.any()
    assert prediction.segment_id.shape == prediction.depth_m.shape == (12, 16)


def test_an_engine_inside_answers_itself_and_is_held_back():
    inner = Perceiver(0.002, "plain")
    made = emulator("p50=20ms", inner)
    started = time.monotonic()
    prediction, times = made.perceive_timed(RGB, fx=60.0, fy=60.0, cx=7.5, cy=5.5)
    assert time.monotonic() - started >= 0.020
    assert prediction.segments == inner.perceive_timed(RGB, fx=60.0)[0].segments
    assert times.preprocess_s + times.infer_s + times.postprocess_s + times.boxes_s >= 0.0195
    assert "a real engine's, held back" in made.describe()


def test_an_engine_that_is_slower_than_the_model_is_counted():
    made = emulator("p50=1ms", Perceiver(0.010, "plain"))
    made.perceive_timed(RGB, fx=60.0)
    assert made.counters() == {"emulated": 1, "overruns": 1}


@pytest.mark.parametrize("in_process", [False, True])
def test_both_layouts_take_their_time_and_count(in_process):
    addresses = []
    thread = threading.Thread(
        target=serve, args=(None, "tcp://127.0.0.1:*"),
        kwargs={"emulate": "p50=30ms", "max_frames": 3, "ready": addresses.append, "in_process": in_process},
    )  # fmt: skip
    thread.start()
    while not addresses:
        time.sleep(0.01)
    with Client(addresses[0]) as client:
        assert client.facts["engine"]["emulates"].startswith("an emulated device (p50=30ms")
        for seq in range(2):
            sent = time.monotonic()
            client.send_frame(frame_body(), seq=seq, due_ns=0)
            assert wait_for(client).kind is Kind.RESULT
            assert time.monotonic() - sent >= 0.030
        client.ping()
        assert wait_for(client).meta["counters"]["emulated"] == 3 + 2  # the warm-up is three frames
        client.send_frame(frame_body(), seq=2, due_ns=0)
        assert wait_for(client).kind is Kind.RESULT
    thread.join(5)
    assert not thread.is_alive()


def test_a_stall_that_is_emulated_is_not_taken_for_a_hang(start_agent):
    """The model stalls for 2.5 s, longer than the watchdog's 2 s: it is told, and waits."""
    agent = start_agent(mode="emulate:p50=5ms,stall=2500ms/8")
    with Client(agent.address) as client:
        client.send_frame(frame_body(), seq=0, due_ns=0)  # the fourth after three of the warm-up; the stall is frame 4 of 8
        assert wait_for(client).kind is Kind.RESULT
        client.send_frame(frame_body(), seq=1, due_ns=0)
        sent = time.monotonic()
        assert wait_for(client, 5.0).kind is Kind.RESULT
        assert time.monotonic() - sent > 2.2
        client.ping()
        assert wait_for(client).meta["counters"]["engine_restarts"] == 0


def run_stalled(start_agent):
    agent = start_agent(mode="emulate:p50=5ms,stall=500ms/60")
    return run_session(
        [make_frame(0)], device=agent.address, rate_hz=30.0, duration_s=8.0, deadline_s=1 / 30, claim=0.9, credit=1,
        warm_up=WarmUp(frames=5, seconds=0.0, windows=0),
    )  # fmt: skip


def test_a_stall_over_the_link_is_seen_by_us_hidden_by_others_and_named_an_emulation(start_agent):
    """A device that stalls for 0.5 s every 60 frames, at 30 FPS, over the real link.

    In a cycle of 60 answers the stalled frame is late, about 14 are replaced: a closed loop would say 1 of 60.
    """
    stalled = run_stalled(start_agent)
    closed, reanchored, _, answered, latest, age = rules_of(stalled)
    assert stalled.outcomes()["dropped"] >= 25
    assert latest.miss_ratio == sum(f.outcome != "on_time" for f in stalled.due) / 240
    assert latest.miss_ratio > 0.12
    assert closed.miss_ratio < latest.miss_ratio / 3
    assert reanchored.miss_ratio == closed.miss_ratio
    assert answered.miss_ratio < latest.miss_ratio / 2
    assert age.quantiles_s[1] > 0.4
    assert sum(stalled.outcomes().values()) == 240
    verdict = judge(stalled)
    assert verdict.status != "PASS"
    assert verdict.marks[0].startswith("EMULATED: no device was measured; the agent is an emulated device (p50=5ms")
    assert stalled.counters["agent_emulated"] >= len(stalled.predictions)
