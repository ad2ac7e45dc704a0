"""Whatever becomes of the engine's process, the agent goes on, says so, and never perceives what is stale."""

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from hil.host.client import Client
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.link.protocol import Kind
from hil.link.request import pack_frame
from hil.verdict import judge
from tests.hil.agent.test_serve import frame_body, wait_for
from tests.hil.conftest import make_frame
from tests.hil.engine_faults import image_that

HANG_AFTER_S = 0.5
ROOT = Path(__file__).resolve().parents[3]


def body_that(fault, value=0):
    return pack_frame(image_that(fault, value=value), fx=60.0, fy=60.0, cx=31.5, cy=23.5)


@pytest.fixture
def start(start_agent):
    def start_process(delay_s=0.0, hang_after_s=HANG_AFTER_S, maker="make", argument=None):
        return start_agent(mode=f"process:{hang_after_s}:{maker}:{delay_s if argument is None else argument}")

    return start_process


def engine_of(agent):
    (engine,) = psutil.Process(agent.process.pid).children()
    return engine


def ended(process, within_s=1.0):
    """Whether it has ended; an orphan may stay a zombie where nobody collects it."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def answers_until_result(client, seq, seconds=20.0):
    """Sends good frames 50 ms apart until one has a result; returns everything that came."""
    came, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        client.send_frame(body_that("plain"), seq=seq, due_ns=0)
        came.append(wait_for(client))
        if came[-1].kind is Kind.RESULT:
            return came
        seq += 1
        time.sleep(0.05)
    raise AssertionError(f"no result within {seconds} s, but {came[-1].meta} after {len(came)} answers")


def counts(client):
    client.ping(9)
    while (pong := wait_for(client)).kind is not Kind.PONG:
        pass
    return pong.meta


SAYS = {
    "crash": r"the engine's process was ended by SIGSEGV and was restarted",
    "kill": r"the engine's process was ended by SIGKILL and was restarted",
    "exit": r"the engine's process ended with status 7 and was restarted",
    "loop": r"the engine hung for [01]\.\d s and was restarted",
    "sleep": r"the engine hung for [01]\.\d s and was restarted",
}


@pytest.mark.parametrize("fault", SAYS)
def test_an_engine_that_dies_or_hangs_is_replaced(start, fault):
    agent = start()
    with Client(agent.address) as client:
        assert answers_until_result(client, 0)
        failed_ns = time.monotonic_ns()
        client.send_frame(body_that(fault), seq=10, due_ns=0)
        client.ping(7)
        came = [wait_for(client), wait_for(client)]
        if fault in ("loop", "sleep"):  # the transport does not share the engine's fate
            assert came[0].kind is Kind.PONG
        pong, error = sorted(came, key=lambda message: message.kind is Kind.ERROR)
        assert (pong.kind, pong.seq) == (Kind.PONG, 7)
        assert (error.kind, error.seq, error.meta["code"]) == (Kind.ERROR, 10, "engine")
        assert re.fullmatch(SAYS[fault], error.meta["reason"]), error.meta
        assert time.monotonic_ns() - failed_ns < (HANG_AFTER_S + 1.0) * 1e9
        came = answers_until_result(client, 11)
        assert all("is starting again" in m.meta["reason"] and m.meta["code"] == "engine" for m in came[:-1])
        meta = counts(client)
        assert meta["counters"]["engine_restarts"] == 1
        assert [event["what"] for event in meta["events"]] == ["failed", "ready"]
        assert all(failed_ns < event["at_ns"] < time.monotonic_ns() for event in meta["events"])
        assert meta["events"][0]["why"] in error.meta["reason"]


def test_an_engine_whose_device_is_lost_says_so_and_is_replaced(start):
    agent = start()
    with Client(agent.address) as client:
        assert answers_until_result(client, 0)
        first = engine_of(agent)
        client.send_frame(body_that("lost"), seq=10, due_ns=0)
        error = wait_for(client)
        assert (error.kind, error.seq) == (Kind.ERROR, 10)
        assert error.meta["reason"] == "The GPU failed; this process must be started anew."
        assert ended(first, within_s=5.0)
        assert answers_until_result(client, 11)
        assert counts(client)["counters"]["engine_restarts"] == 1


def test_a_stopped_engine_is_a_hung_one(start):
    agent = start()
    with Client(agent.address) as client:
        answers_until_result(client, 0)
        engine = engine_of(agent)
        engine.send_signal(signal.SIGSTOP)
        client.send_frame(body_that("plain"), seq=1, due_ns=0)
        assert "hung" in wait_for(client).meta["reason"]
        answers_until_result(client, 2)
        assert not engine.is_running()
        assert engine_of(agent).pid != engine.pid


def test_an_engine_that_dies_while_it_is_idle_is_replaced_at_once(start):
    agent = start()
    with Client(agent.address) as client:
        answers_until_result(client, 0)
        engine_of(agent).kill()
        end = time.monotonic() + 3
        while [e["what"] for e in counts(client)["events"]] != ["failed", "ready"] and time.monotonic() < end:
            time.sleep(0.05)
        assert len(answers_until_result(client, 1)) == 1


def test_a_frame_that_fails_is_no_failure_of_the_engine(start):
    agent = start()
    with Client(agent.address) as client:
        client.send_frame(body_that("raise"), seq=0, due_ns=0)
        assert wait_for(client).meta["reason"] == "RuntimeError: the engine tripped"
        assert len(answers_until_result(client, 1)) == 1
        assert counts(client)["counters"]["engine_restarts"] == 0


def test_what_waited_for_a_hung_engine_is_not_perceived_afterwards(start):
    """Half a second later the waiting frame is stale: it is answered, and no result ever comes of it."""
    agent = start()
    with Client(agent.address) as client:
        for seq, fault in enumerate(("sleep", "plain", "plain")):
            client.send_frame(body_that(fault), seq=seq, due_ns=0)
        messages = {m.seq: m for m in (wait_for(client) for _ in range(3))}
        assert messages[1].meta["code"] == "dropped"
        assert {messages[0].meta["code"], messages[2].meta["code"]} == {"engine"}
        assert "while this frame waited" in messages[2].meta["reason"]
        came = answers_until_result(client, 3)
        assert sum(m.kind is Kind.RESULT for m in came) == 1


def test_the_mailbox_is_that_of_the_thread(start):
    agent = start(delay_s=0.2)
    with Client(agent.address) as client:
        for seq in range(4):
            client.send_frame(frame_body(), seq=seq, due_ns=0)
            time.sleep(0.02)
        messages = [wait_for(client) for _ in range(4)]
    assert {m.seq for m in messages if m.kind is Kind.ERROR and m.meta["code"] == "dropped"} == {1, 2}
    assert [m.seq for m in messages if m.kind is Kind.RESULT] == [0, 3]


def test_every_due_frame_is_accounted_for_and_none_is_stale(start):
    """An engine that dies twice in a run: no fault of the session, every frame has its outcome, no answer is of an old frame."""
    agent = start(delay_s=0.01)
    frames = [make_frame(i) for i in range(60)]
    for index, fault in ((8, "crash"), (55, "loop")):
        frames[index] = replace(frames[index], rgb=image_that(fault))
    session = run_session(
        frames, device=agent.address, rate_hz=15.0, duration_s=4.0, claim=0.9, warm_up=WarmUp(frames=0, seconds=0.0, windows=0)
    )
    assert session.fault is None
    assert len(session.due) == 60
    by_seq = {f.seq: f for f in session.due}
    assert [by_seq[seq].outcome for seq in (8, 55)] == ["error", "error"]
    assert "SIGSEGV" in by_seq[8].reason
    assert session.outcomes()["lost"] == 0
    assert session.counters["agent_engine_restarts"] >= 1
    assert any(by_seq[seq].outcome in ("on_time", "late") for seq in range(9, 55))  # it was back before the next one
    (mark,) = (mark for mark in judge(session).marks if mark.startswith("ENGINE RESTARTED"))
    assert "ended by SIGSEGV" in mark
    period_ns = 1e9 / 15
    for frame in session.due:
        if frame.agent_preprocess_start_ns is not None and frame.seq > 8:
            assert frame.agent_preprocess_start_ns - frame.due_ns < period_ns + 0.25e9, frame


def test_an_agent_that_is_killed_takes_its_engine_with_it(start):
    agent = start()
    engine = engine_of(agent)
    agent.process.kill()
    assert ended(engine)


@pytest.mark.parametrize("name", [signal.SIGKILL, signal.SIGTERM])
def test_even_one_that_hangs_with_the_interpreter_s_lock(start, name):
    agent = start(hang_after_s=60.0)
    engine = engine_of(agent)
    with Client(agent.address) as client:
        client.send_frame(body_that("loop"), seq=0, due_ns=0)
        time.sleep(0.2)
        agent.process.send_signal(name)
        assert agent.process.wait(4) == (0 if name is signal.SIGTERM else -name)
    assert ended(engine)


def test_ctrl_c_goes_to_both_and_ends_both_without_a_word(start):
    agent = start()
    engine = engine_of(agent)
    with Client(agent.address):
        for process in (engine, psutil.Process(agent.process.pid)):
            process.send_signal(signal.SIGINT)  # as a terminal does
        assert agent.process.wait(4) == 0
    assert not agent.process.stderr.read()
    assert not engine.is_running()


@pytest.mark.slow
def test_an_engine_that_does_not_come_back_ends_the_agent_with_a_reason(start, tmp_path):
    agent = start(maker="make_once", argument=tmp_path / "marker")
    with Client(agent.address) as client:
        client.send_frame(body_that("kill"), seq=0, due_ns=0)
        while (message := wait_for(client, 20.0)).kind is not Kind.BYE:
            assert message.meta["code"] == "engine"
        assert re.fullmatch(
            r"The engine failed 6 times within \d+ s, so the agent stopped; the last time, the engine's process was ended by "
            r"SIGKILL\.",
            message.meta["reason"],
        )
    assert agent.process.wait(4) == 1
    assert agent.process.stderr.read().strip() == f"rehearse: {message.meta['reason']}"


@pytest.mark.parametrize(
    ("maker", "argument", "sentence"),
    [
        ("die", "9", "The engine's process was ended by SIGKILL while it opened tests.hil.engine_faults:die."),
        ("die", "6", "The engine's process was ended by SIGABRT while it opened tests.hil.engine_faults:die."),
        ("refuse", "it is too old", "Cannot make a perceiver with 'tests.hil.engine_faults:refuse': it is too old."),
        ("nothing", "", "Cannot make a perceiver with 'tests.hil.engine_faults:nothing': module"),
    ],
)
def test_an_engine_that_does_not_open_is_one_sentence(maker, argument, sentence):
    script = ROOT / "tests" / "hil" / "agent_process.py"
    command = [sys.executable, str(script), "0", f"process:1:{maker}:{argument}", "tcp://127.0.0.1:*"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert f"rehearse: {sentence}" in done.stderr.splitlines()[-1]
    assert not done.stdout


def test_the_memory_that_both_share_has_no_name_that_could_be_left_behind(start):
    agent = start()
    with Client(agent.address) as client:
        answers_until_result(client, 0)
        for pid in (agent.process.pid, engine_of(agent).pid):
            mapped = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
            assert "/memfd:rehearse-engine (deleted)" in mapped
            assert "/dev/shm" not in mapped


@pytest.mark.slow
def test_the_command_ends_with_status_2_and_one_sentence(tmp_path):
    """A real engine whose process is killed again and again."""
    from tests.perception.tiny_engine import write_tiny

    engine = write_tiny(tmp_path / "tiny.onnx")
    command = [sys.executable, str(ROOT / "rehearse.py"), "agent", str(engine), "--bind", "tcp://127.0.0.1:*", "--threads", "1"]
    agent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert agent.stdout.readline().startswith("READY ")
        end = time.monotonic() + 60
        while agent.poll() is None and time.monotonic() < end:
            for process in psutil.Process(agent.pid).children():
                process.kill()
            time.sleep(0.05)
        assert agent.wait(5) == 2
        said = agent.stderr.read()
        assert re.fullmatch(r"rehearse: The engine failed 6 times within \d+ s, so the agent stopped; .*SIGKILL\.\n", said), said
    finally:
        agent.kill()
        agent.wait()
        agent.stdout.close()
        agent.stderr.close()
