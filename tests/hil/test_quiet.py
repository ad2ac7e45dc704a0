import os
import struct
import sys
import time
from pathlib import Path

import pytest
import zmq

from hil.quiet import AS_IT_IS, awake, hurry_transport, real_time

IDLE = Path("/sys/devices/system/cpu/cpu0/cpuidle")


def sleeps():
    """How often the first core has gone to sleep in each of its idle states."""
    return {state.name: int((state / "usage").read_text()) for state in sorted(IDLE.glob("state*"))}


def test_no_core_goes_to_sleep_while_the_block_runs():
    with awake() as idle:
        if idle != "held off" or len(sleeps()) < 2:
            pytest.skip(f"this system has no idle states to hold off: {idle}")
        before = sleeps()
        time.sleep(0.3)
        during = sleeps()
    deepest = list(before)[-1]
    assert during[deepest] == before[deepest]  # the first state is a loop


def test_the_request_is_for_a_wake_up_within_no_time(tmp_path):
    request = tmp_path / "cpu_dma_latency"
    request.touch()
    with awake(request) as idle:
        assert idle == "held off"
        assert request.read_bytes() == struct.pack("<i", 0)


def test_a_system_that_refuses_is_named(tmp_path):
    with awake(tmp_path / "not" / "there") as idle:
        assert idle.startswith(AS_IT_IS)
        assert "No such file" in idle


@pytest.mark.skipif(sys.platform != "linux", reason="threads have numbers of their own on Linux")
def test_the_transport_s_threads_go_first_and_no_others():
    with real_time() as priority:
        if not priority.startswith("SCHED_FIFO"):
            pytest.skip(f"the system refuses it: {priority}")
    with zmq.Context() as context, context.socket(zmq.PULL) as receiver, context.socket(zmq.PUSH) as sender:
        sender.connect(f"tcp://127.0.0.1:{receiver.bind_to_random_port('tcp://127.0.0.1')}")
        sender.send(b"")
        receiver.recv()  # a thread that has carried a message has given itself its name, a new one may not have yet
        assert hurry_transport() >= 1
        threads = {(task / "comm").read_text().strip(): int(task.name) for task in Path("/proc/self/task").iterdir()}
        policies = {name: os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK for name, thread in threads.items()}
    assert [name for name, policy in policies.items() if policy == os.SCHED_FIFO] == ["ZMQbg/IO/0"]


def test_a_process_without_a_transport_has_nothing_to_hurry(tmp_path):
    assert hurry_transport(tmp_path) == 0
