"""`rehearse hil proxy` from its command line: it says where it is, passes messages, and at its end what it did."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hil.faults import FaultProxy, Faults
from hil.host.client import Client
from scenes.errors import LinkError
from tests.hil.agent.test_serve import frame_body, wait_for

ROOT = Path(__file__).resolve().parents[3]


def test_it_serves_until_it_is_stopped_and_says_what_it_did(agent):
    command = [sys.executable, "rehearse.py", "hil", "proxy", "--json", "--listen", "tcp://127.0.0.1:*", "--to", agent.address]
    command += ["--up", "nan=100%", "--seed", "3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ready, address = process.stdout.readline().split()
        assert ready == "READY"
        with Client(address) as client:
            client.send_frame(frame_body(), seq=0, due_ns=0)
            message = wait_for(client)
            assert (message.kind.name, message.meta["code"]) == ("ERROR", "rejected")
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=10)
    counts = json.loads(out)
    assert process.returncode == 0
    assert counts["up"]["nan"] == 1
    assert counts["up"]["messages"] == counts["up"]["delivered"]
    assert "to the agent: nan=1; back: nothing" in error


def test_an_occupied_port_is_one_sentence(agent):
    with pytest.raises(LinkError, match="occupied"), FaultProxy(agent.address, listen=agent.address):
        pass


def test_hosts_are_told_apart(agent):
    """Each host has a connection of its own to the agent, so the second one is refused and the first one is not."""
    with FaultProxy(agent.address, up=Faults(delay_s=0.01)) as proxy, Client(proxy.address) as first:
        with pytest.raises(LinkError, match="refused this host"):
            Client(proxy.address)
        first.ping()
        assert wait_for(first).kind.name == "PONG"


def test_without_an_agent_it_holds_nobody_up():
    with FaultProxy("tcp://127.0.0.1:9") as proxy:
        with pytest.raises(LinkError, match="No agent answered"):
            Client(proxy.address, timeout_s=0.6)
        assert proxy.counts()["up"]["messages"] > 0
        assert "delivered" not in proxy.counts()["up"]
