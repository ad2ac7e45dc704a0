import shutil
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import zmq

from hil.agent.serve import serve
from hil.host.client import Client
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.link.authenticator import Authenticator
from hil.link.clock_socket import ClockProbe
from hil.link.keys import load_agent_keys, load_host_keys, make_keys
from hil.link.protocol import Kind, pack, seal
from hil.link.sockets import endpoint, keys_for_agent, keys_for_host, open_dealer, open_router
from scenes.errors import LinkError
from tests.hil.agent_process import Perceiver

ADDRESS = "tcp://127.0.0.1:*"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    folder.chmod(0o700)
    make_keys(folder)
    return folder


@pytest.fixture(scope="module")
def stranger(tmp_path_factory, keys):
    """A folder whose host knows the agent, but which the agent does not know."""
    folder = tmp_path_factory.mktemp("stranger")
    folder.chmod(0o700)
    make_keys(folder)
    shutil.copy(keys / "agent.pub", folder / "agent.pub")
    return folder


@pytest.fixture
def no_keys_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("REHEARSE_KEYS", str(tmp_path / "none"))


def test_a_whole_run_is_encrypted_and_says_so(start_agent, frames, keys):
    agent = start_agent(0.002, keys=keys)
    rule = WarmUp(frames=5, seconds=0.0, windows=0)
    session = run_session(frames, device=agent.address, rate_hz=30.0, duration_s=1.0, warm_up=rule, keys=keys)
    assert session.fault is None
    assert session.outcomes()["lost"] == session.outcomes()["error"] == 0
    assert session.link["encrypted"] is True
    assert session.link["transport"] == "zmq"
    assert session.clock["minima"]  # the clocks are compared over an encrypted socket too
    depth_m = next(iter(session.predictions.values())).depth_m
    assert depth_m.min() >= 1


def test_a_plain_run_says_so(start_agent, frames):
    rule = WarmUp(frames=5, seconds=0.0, windows=0)
    session = run_session(frames, device=start_agent(0.002).address, rate_hz=30.0, duration_s=0.5, warm_up=rule)
    assert session.link["encrypted"] is False


def test_an_unknown_host_is_turned_away_and_told_why(start_agent, keys, stranger):
    agent = start_agent(keys=keys)
    began = time.monotonic()
    with pytest.raises(LinkError, match=r"does not know this host's key: copy .*host\.pub into the folder hosts/"):
        Client(agent.address, keys=load_host_keys(stranger))
    assert time.monotonic() - began < 2
    with Client(agent.address, keys=load_host_keys(keys)) as client:
        assert client.link_facts["encrypted"] is True
    agent.process.terminate()
    assert agent.process.wait(5) == 0
    said = agent.process.stderr.read()
    assert "127.0.0.1 was refused" in said
    assert load_host_keys(stranger).public.decode() in said
    assert load_host_keys(stranger).secret.decode() not in said


def test_a_host_is_added_by_copying_its_public_key(start_agent, keys, stranger, tmp_path):
    both = tmp_path / "both"
    shutil.copytree(keys, both)
    shutil.copy(stranger / "hosts" / "host.pub", both / "hosts" / "second.pub")
    agent = start_agent(keys=both)
    for folder in (keys, stranger):
        with Client(agent.address, keys=load_host_keys(folder)) as client:
            assert client.facts["engine"]["name"] == "injected"


def test_an_agent_with_another_key_is_not_believed(start_agent, keys, tmp_path):
    impostor = tmp_path / "impostor"
    make_keys(impostor)
    shutil.copy(keys / "hosts" / "host.pub", impostor / "hosts" / "host.pub")  # it would let the host in
    agent = start_agent(keys=impostor)
    with pytest.raises(LinkError, match=r"broke off the handshake: its key is not the one in .*agent\.pub"):
        Client(agent.address, keys=load_host_keys(keys))


def test_a_plain_host_is_told_that_the_agent_takes_keys(start_agent, keys):
    agent = start_agent(keys=keys)
    with pytest.raises(LinkError, match=r"takes encrypted links only.*pass --keys"):
        Client(agent.address)


def test_what_closes_every_connection_is_said_at_the_end():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def hang_up():
            while not stop.is_set():
                with suppress(TimeoutError):
                    server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            with pytest.raises(LinkError, match="breaks off every handshake: it is no agent, or"):
                Client(f"tcp://127.0.0.1:{server.getsockname()[1]}", timeout_s=1.5)
        finally:
            stop.set()
            thread.join()


def test_a_host_with_keys_does_not_talk_to_a_plain_agent(start_agent, keys):
    agent = start_agent()
    with pytest.raises(LinkError, match="or its link is not encrypted"):
        Client(agent.address, keys=load_host_keys(keys))


def test_the_clock_s_socket_is_locked_too(start_agent, keys, stranger):
    agent = start_agent(keys=keys)
    with Client(agent.address, keys=load_host_keys(keys)) as client:
        facts = client.facts
        for own, heard in ((None, False), (load_host_keys(stranger), False), (load_host_keys(keys), True)):
            with ClockProbe(agent.address, facts, keys=own) as probe:
                time.sleep(0.2)
            assert bool(probe.exchanges) is heard


def test_a_second_host_with_a_known_key_is_refused_with_a_reason(start_agent, keys):
    agent = start_agent(keys=keys)
    with Client(agent.address, keys=load_host_keys(keys)), pytest.raises(LinkError, match="it is serving the host"):
        Client(agent.address, keys=load_host_keys(keys))


def delivered(context, router, keys):
    """Whether a message of a host with those keys reaches the router."""
    host = zmq.Context()
    dealer = open_dealer(host, endpoint(router), b"x" * 8, keys)
    try:
        if not dealer.poll(500, zmq.POLLOUT):
            return False
        dealer.send_multipart(seal(pack(Kind.PING, {})))
        return bool(router.poll(500))
    finally:
        host.destroy(linger=0)


def test_without_its_authenticator_nobody_gets_in(keys):
    context = zmq.Context()
    own = load_agent_keys(keys)
    router = open_router(context, ADDRESS, insecure=False, keys=own)
    try:
        assert not delivered(context, router, load_host_keys(keys))
        with Authenticator(context, own.hosts):
            assert delivered(context, router, load_host_keys(keys))
        assert not any(thread.name == "rehearse-authenticator" for thread in threading.enumerate())
    finally:
        context.destroy(linger=0)


@pytest.mark.parametrize(
    "request_parts",
    [
        [],
        [b"1.0"],
        [b"1.0", b"1", b"rehearse", b"", b"", b"NULL"],
        [b"1.0", b"1", b"rehearse", b"", b"", b"PLAIN", b"user", b"password"],
        [b"1.0", b"1", b"other", b"", b"", b"CURVE", b"k" * 32],
        [b"9.9", b"1", b"rehearse", b"", b"", b"CURVE", b"k" * 32],
        [b"1.0", b"1", b"rehearse", b"", b"", b"CURVE", b"s" * 32],
        [b"1.0", b"1", b"rehearse", b"", b"", b"CURVE", b"k" * 32, b"more"],
        [b"1.0", b"1", b"rehearse", b"\xff", b"", b"CURVE", b"short"],
    ],
)
def test_what_the_authenticator_does_not_know_it_refuses(request_parts):
    from zmq.utils import z85

    context = zmq.Context()
    with Authenticator(context, {z85.encode(b"k" * 32): "known"}) as guard:
        assert guard._answer([b"1.0", b"1", b"rehearse", b"", b"", b"CURVE", b"k" * 32])[2:5] == [b"200", b"OK", b"known"]
        answer = guard._answer(request_parts)
        assert len(answer) == 6
        assert answer[2] == b"400"
    context.destroy(linger=0)


def test_a_connection_that_says_nothing_is_dropped(keys):
    context = zmq.Context()
    router = open_router(context, ADDRESS, insecure=False, keys=load_agent_keys(keys))
    port = int(endpoint(router).rpartition(":")[2])
    try:
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.settimeout(6)
            began = time.monotonic()
            while silent.recv(1000):
                pass
            assert time.monotonic() - began < 5
    finally:
        context.destroy(linger=0)


@pytest.mark.usefixtures("no_keys_of_the_user")
class TestElsewhere:
    """Addresses that other machines can reach."""

    def test_an_agent_needs_keys_or_insecure(self):
        with pytest.raises(LinkError, match=r"rehearse agent keys.*--insecure"):
            serve(None, "tcp://0.0.0.0:0", perceiver=Perceiver(0.0, "plain"))

    def test_a_host_needs_keys_or_insecure(self, frames):
        with pytest.raises(LinkError, match=r"rehearse agent keys.*--insecure"):
            run_session(frames, device="tcp://192.0.2.1:5555")
        with pytest.raises(LinkError, match="No agent answered"):
            run_session(frames, device="tcp://192.0.2.1:5555", insecure=True, connect_timeout_s=0.2)

    def test_the_user_s_own_keys_are_taken(self, monkeypatch, keys):
        monkeypatch.setenv("REHEARSE_KEYS", str(keys))
        assert keys_for_agent(None, "tcp://0.0.0.0:0", insecure=False) == load_agent_keys(keys)
        assert keys_for_host(None, "tcp://192.0.2.1:1", insecure=False) == load_host_keys(keys)
        for address in ("tcp://127.0.0.1:1", "ipc:///tmp/x"):
            assert keys_for_agent(None, address, insecure=False) is None
            assert keys_for_host(None, address, insecure=False) is None
        assert keys_for_agent(None, "tcp://0.0.0.0:0", insecure=True) is None
        assert keys_for_host(None, "tcp://192.0.2.1:1", insecure=True) is None

    def test_keys_that_were_asked_for_must_be_there(self):
        for load in (keys_for_agent, keys_for_host):
            with pytest.raises(LinkError, match="No such file"):
                load(Path("/nonexistent"), "tcp://127.0.0.1:1", insecure=False)

    def test_an_agent_with_keys_listens_everywhere(self, keys):
        context = zmq.Context()
        own = load_agent_keys(keys)
        with Authenticator(context, own.hosts):
            router = open_router(context, "tcp://0.0.0.0:*", insecure=False, keys=own)
            assert endpoint(router).startswith("tcp://0.0.0.0:")
        context.destroy(linger=0)
