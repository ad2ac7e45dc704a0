"""What a peer does that knows ZMTP and wants harm: parts without end, connections without end."""

import os
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from hil.host.client import Client
from hil.link.protocol import Kind

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)


def property_(name, value):
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


def connect(address):
    """A raw connection that has shaken hands as a DEALER."""
    host, port = address.removeprefix("tcp://").split(":")
    link = socket.create_connection((host, int(port)), timeout=5)
    link.sendall(GREETING)
    ready = b"\x05READY" + property_(b"Socket-Type", b"DEALER") + property_(b"Identity", os.urandom(4))
    link.sendall(b"\x04" + bytes([len(ready)]) + ready)
    return link


def resident_bytes(pid):
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def ended(link):
    """Whether the other side closes the connection."""
    try:
        while link.recv(4096):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def serves(client, seq):
    client.ping(seq=seq)
    return client.wait_for(Kind.PONG, seq, 2.0) is not None


@pytest.mark.parametrize("size", [8 * 2**20 + 1, 2**40, 2**63 - 1])
def test_a_part_that_is_too_long_ends_its_connection_before_it_is_received(start_agent, size):
    agent = start_agent()
    before = resident_bytes(agent.process.pid)
    with Client(agent.address) as client, connect(agent.address) as link:
        link.sendall(b"\x02" + struct.pack(">Q", size) + b"x" * 1000)
        assert ended(link)
        assert serves(client, 1)
    assert resident_bytes(agent.process.pid) - before < 2 * 2**20


def test_a_flood_of_reconnections_leaves_the_host_its_agent(start_agent):
    agent = start_agent()
    stop, made = threading.Event(), []

    def flood():
        while not stop.is_set():
            with connect(agent.address) as link:
                link.sendall(b"\x02" + struct.pack(">Q", 2**62))
                ended(link)
            made.append(1)

    with Client(agent.address) as client:
        before = resident_bytes(agent.process.pid)
        thread = threading.Thread(target=flood)
        thread.start()
        times_s = []
        try:
            end = time.monotonic() + 2
            while time.monotonic() < end:
                began = time.monotonic()
                assert serves(client, len(times_s))
                times_s.append(time.monotonic() - began)
        finally:
            stop.set()
            thread.join()
        assert len(made) > 20
        assert sorted(times_s)[len(times_s) // 2] < 0.05
        assert resident_bytes(agent.process.pid) - before < 16 * 2**20
