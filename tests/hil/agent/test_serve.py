import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from hil.agent.serve import serve
from hil.host.client import Client
from hil.link.answer import open_answer
from hil.link.protocol import VERSION, Kind, open_message, pack, seal
from hil.link.sockets import is_loopback
from scenes.errors import EngineError, LinkError
from scenes.taxonomy import TAXONOMY
from tests.hil.agent_process import Perceiver

ROOT = Path(__file__).resolve().parents[3]
FRAME = {"intrinsics": [60.0, 60.0, 31.5, 23.5]}


def frame_body(meta=FRAME, shape=(48, 64, 3), dtype=np.uint8):
    return pack(Kind.FRAME, meta, (np.zeros(shape, dtype),))


def wait_for(client, seconds=2.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (message := client.receive()) is not None:
            return message
        time.sleep(0.005)
    raise AssertionError(f"nothing came within {seconds} s")


@pytest.fixture
def raw_socket():
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    yield socket
    context.destroy(linger=0)


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(start_agent, name):
    agent = start_agent()
    with Client(agent.address):
        agent.process.send_signal(name)
        assert agent.process.wait(3) == 0
    assert not agent.process.stderr.read()


def test_it_stops_after_the_frames_it_was_given():
    addresses = []
    thread = threading.Thread(
        target=serve, args=(None, "tcp://127.0.0.1:*"),
        kwargs={"perceiver": Perceiver(0.0, "plain"), "max_frames": 2, "ready": addresses.append},
    )  # fmt: skip
    thread.start()
    while not addresses:
        time.sleep(0.01)
    with Client(addresses[0]) as client:
        for seq in range(2):
            client.send_frame(frame_body(), seq=seq, due_ns=0)
            assert wait_for(client).seq == seq
        thread.join(3)
    assert not thread.is_alive()


def test_an_occupied_port_is_one_sentence(start_agent):
    agent = start_agent()
    with pytest.raises(LinkError, match="occupied"):
        serve(None, agent.address, perceiver=Perceiver(0.0, "plain"))


@pytest.mark.parametrize("bind", ["tcp://*:0", "tcp://0.0.0.0:0", "tcp://192.0.2.1:5555", "tcp://example.org:1"])
def test_only_loopback_without_insecure(bind):
    with pytest.raises(LinkError, match="--insecure"):
        serve(None, bind, perceiver=Perceiver(0.0, "plain"))


@pytest.mark.parametrize(
    "bind",
    [
        "127.0.0.1:5555",
        "http://127.0.0.1",
        "",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1",
        "tcp://nowhere.invalid:5555",
    ],
)
def test_what_is_not_an_address_is_said(bind):
    with pytest.raises(LinkError, match=r"Expected an address|Cannot listen"):
        serve(None, bind, insecure=True, perceiver=Perceiver(0.0, "plain"))


@pytest.mark.parametrize(
    ("address", "local"),
    [("tcp://127.0.0.1:1", True), ("tcp://127.8.8.8:1", True), ("tcp://[::1]:1", True), ("tcp://localhost:1", True),
     ("ipc:///tmp/a", True), ("tcp://10.0.0.1:1", False), ("tcp://[::]:1", False), ("tcp://localhost.example.org:1", False)],
)  # fmt: skip
def test_loopback(address, local):
    assert is_loopback(address) is local


def test_a_file_that_is_no_engine(tmp_path):
    (tmp_path / "engine.onnx").write_bytes(b"not an engine")
    with pytest.raises(EngineError, match=r"engine\.onnx"):
        serve(tmp_path / "engine.onnx", "tcp://127.0.0.1:*")


def test_the_second_host_is_refused_and_the_first_goes_on(start_agent):
    agent = start_agent()
    with Client(agent.address) as first:
        with pytest.raises(LinkError, match="refused this host: it is serving the host"):
            Client(agent.address)
        first.send_frame(frame_body(), seq=1, due_ns=0)
        assert wait_for(first).kind is Kind.RESULT
    with Client(agent.address) as second:
        assert second.facts["engine"]["name"] == "injected"


def test_a_silent_host_loses_its_lease(start_agent):
    agent = start_agent()
    with Client(agent.address) as first:
        time.sleep(2.2)
        with Client(agent.address):
            first.ping()
            message = wait_for(first)
            assert (message.kind, message.meta["code"]) == (Kind.ERROR, "no_lease")


MALFORMED = {
    "two dimensions": frame_body(shape=(48, 64)),
    "four channels": frame_body(shape=(48, 64, 4)),
    "floats": frame_body(dtype=np.float32),
    "no intrinsics": frame_body(meta={}),
    "no focal length": frame_body(meta={"intrinsics": [0.0, 1.0, 1.0, 1.0]}),
    "not a number": frame_body(meta={"intrinsics": [float("nan")] * 4}),
    "text": frame_body(meta={"intrinsics": ["1"] * 4}),
}


def test_a_malformed_frame_is_rejected_with_a_reason(start_agent):
    agent = start_agent()
    with Client(agent.address) as client:
        for seq, (name, body) in enumerate(MALFORMED.items()):
            client.send_frame(body, seq=seq, due_ns=0)
            message = wait_for(client)
            assert (message.kind, message.seq, message.meta["code"]) == (Kind.ERROR, seq, "rejected"), name
        client.send_frame(frame_body(), seq=0, due_ns=0)  # none of them counted as frame 0
        assert wait_for(client).kind is Kind.RESULT


def test_an_old_frame_is_rejected(start_agent):
    agent = start_agent()
    with Client(agent.address) as client:
        for seq, kind in ((5, Kind.RESULT), (5, Kind.ERROR), (4, Kind.ERROR), (6, Kind.RESULT)):
            client.send_frame(frame_body(), seq=seq, due_ns=0)
            assert wait_for(client).kind is kind


def test_only_the_newest_waiting_frame_is_kept(start_agent):
    agent = start_agent(0.2)
    with Client(agent.address) as client:
        for seq in range(4):
            client.send_frame(frame_body(), seq=seq, due_ns=0)
            time.sleep(0.02)
        messages = [wait_for(client) for _ in range(4)]
    assert {m.seq for m in messages if m.kind is Kind.ERROR and m.meta["code"] == "dropped"} == {1, 2}
    assert [m.seq for m in messages if m.kind is Kind.RESULT] == [0, 3]


def test_garbage_is_counted_and_changes_nothing(start_agent, raw_socket):
    agent = start_agent()
    rng = np.random.default_rng(0)
    raw_socket.connect(agent.address)
    with Client(agent.address) as client:
        for _ in range(300):
            raw_socket.send_multipart([rng.bytes(int(rng.integers(0, 80))) for _ in range(int(rng.integers(1, 6)))])
        good = [bytes(part) for part in seal(frame_body(), session=client.session, seq=1)]
        for _ in range(50):
            bad = [bytearray(part) for part in good]
            part = bad[int(rng.integers(len(bad)))]
            part[int(rng.integers(len(part)))] ^= 0x55
            raw_socket.send_multipart(bad)
        end, errors = time.monotonic() + 10, 0
        while errors < 350 and time.monotonic() < end:  # answers to pings overtake what waits in the other connection
            time.sleep(0.05)
            client.ping()
            pong = wait_for(client)
            assert pong.kind is Kind.PONG
            errors = pong.meta["counters"]["protocol_errors"]
        assert errors == 350
        client.send_frame(frame_body(), seq=2, due_ns=0)
        assert wait_for(client).kind is Kind.RESULT


def test_bytes_that_are_not_even_zeromq_change_nothing(start_agent):
    agent = start_agent()
    host, port = agent.address.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(1000))
        with Client(agent.address) as client:
            client.ping()
            assert wait_for(client).kind is Kind.PONG


def test_another_version_is_answered_with_both_versions(start_agent, raw_socket):
    agent = start_agent()
    raw_socket.connect(agent.address)
    hello = [bytes(part) for part in seal(pack(Kind.HELLO, {}))]
    hello[0] = hello[0][:4] + (VERSION + 1).to_bytes(2, "little") + hello[0][6:]
    raw_socket.send_multipart(hello)
    assert raw_socket.poll(2000)
    message = open_message(raw_socket.recv_multipart())
    assert message.meta["code"] == "version"
    assert f"version {VERSION} of the link, the other side {VERSION + 1}" in message.meta["reason"]


def test_a_host_names_the_version_of_a_newer_agent(raw_socket):
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")

    def answer():
        peer, *parts = router.recv_multipart()
        head = parts[0][:4] + (9).to_bytes(2, "little") + parts[0][6:]
        router.send_multipart([peer, head, *parts[1:]])

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(LinkError, match="speaks version 9 of the link and this host version"):
        Client(f"tcp://127.0.0.1:{port}")
    thread.join()
    context.destroy(linger=0)


def test_nobody_there_is_said_soon():
    start = time.monotonic()
    with pytest.raises(LinkError, match=r"No agent answered at tcp://127.0.0.1:9 within 0.5 s"):
        Client("tcp://127.0.0.1:9", timeout_s=0.5)
    assert time.monotonic() - start < 1.5


@pytest.mark.parametrize("layout", ["process", "thread"])
def test_a_real_engine_is_served_and_named(tmp_path, layout):
    from tests.perception.tiny_engine import write_tiny

    path = write_tiny(tmp_path / "tiny.onnx")
    code = (
        f"from hil.agent.serve import serve; "
        f"serve({str(path)!r}, 'tcp://127.0.0.1:*', threads=1, max_frames=1, in_process={layout == 'thread'})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        with Client(process.stdout.readline().split()[1]) as client:
            engine = client.facts["engine"]
            assert (engine["network"], engine["file"]) == ("tiny", "tiny.onnx")
            assert engine["digest"] == hashlib.sha256(path.read_bytes()).hexdigest()
            assert engine["settings"]
            assert engine["layout"] == layout
            assert engine["start"]["open_s"] > 0
            assert engine["start"]["first_s"] > 0
            client.send_frame(frame_body(), seq=0, due_ns=0)
            prediction, stamps = open_answer(wait_for(client), size=(48, 64), categories=len(TAXONOMY))
            assert prediction.depth_m.shape == (48, 64)
            assert stamps["infer_start_ns"] < stamps["infer_end_ns"] <= stamps["post_end_ns"]
        assert process.wait(3) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_agent_s_side_imports_no_simulator_and_no_trainer():
    code = (
        "import sys, hil.agent.serve, perception.engine, perception.perceiver\n"
        "heavy = {'torch', 'mujoco', 'pxr', 'scipy', 'onnx', 'trimesh', 'manifold3d', 'sim.backend', 'sim.mujoco.backend'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
