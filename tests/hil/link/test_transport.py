import time

import numpy as np
import pytest

from hil.host.client import Client
from hil.link.protocol import Kind, pack
from hil.link.transport import ZmqHost
from scenes.errors import LinkError
from tests.hil.agent.test_serve import frame_body, wait_for


class Counted(ZmqHost):
    """A transport of another name: the session must not know that it is not ZeroMQ's own."""

    def __init__(self, device, identity):
        super().__init__(device, identity)
        self.facts = {"transport": "counted", "encrypted": False}
        self.sent = self.received = 0

    def send(self, parts):
        taken = super().send(parts)
        self.sent += taken
        return taken

    def receive(self):
        parts = super().receive()
        self.received += parts is not None
        return parts


def test_a_session_runs_over_any_transport(start_agent):
    made = []

    def transport(device, identity):
        made.append(Counted(device, identity))
        return made[0]

    with Client(start_agent().address, transport=transport) as client:
        client.send_frame(frame_body(), seq=0, due_ns=0)
        assert wait_for(client).kind is Kind.RESULT
        assert client.link_facts["transport"] == "counted"
        assert made[0].sent == 2  # HELLO and FRAME
        assert made[0].received == 2
    assert made[0].sent == 3  # BYE


def test_messages_come_whole_in_order_and_nothing_waits(start_agent):
    with Client(start_agent().address) as client:
        assert client.receive() is None
        assert not client.readable()
        for first in range(0, 12, 3):  # a queue has room for four
            numbers = range(first, first + 3)
            for seq in numbers:
                assert client.send(pack(Kind.PROBE, {"bytes": 1000 * seq}, (np.zeros(5000, np.uint8),)), seq=seq)
            answers = [client.wait_for(Kind.PROBE, seq, 2.0) for seq in numbers]
            assert [sum(a.nbytes for a in answer.arrays) for answer in answers] == [1000 * seq for seq in numbers]


def test_a_full_queue_is_said_and_not_waited_for():
    link = ZmqHost("tcp://127.0.0.1:9", b"x")  # nobody is there
    try:
        began = time.monotonic()
        assert not link.send([b"message"])
        assert time.monotonic() - began < 0.1
    finally:
        link.close()


def test_a_new_connection_leaves_what_waits(start_agent):
    agent = start_agent()
    link = ZmqHost(agent.address, b"first")
    try:
        before = link.fileno()
        link.reconnect(b"second")
        link.wait(0.2)
        assert link.receive() is None
        assert before is not None
        assert link.trouble() is None
    finally:
        link.close()
        link.close()


def test_closing_twice_is_closing_once(start_agent):
    client = Client(start_agent().address)
    client.close()
    client.close()


def test_what_is_no_address_leaves_nothing_open():
    with pytest.raises(LinkError, match="Expected an address"):
        ZmqHost("nowhere", b"x")
