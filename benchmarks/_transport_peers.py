"""The same exchange over the link, a raw TCP socket, bare ZeroMQ and gRPC: an image up, two maps down, without an engine.

Each side is a process of its own: `python -m benchmarks._transport_peers NAME` serves and prints `READY ADDRESS`. The peers
carry what the link carries, byte for byte as much, and do nothing that it does: no check of sizes or sums, no credit, no clock.
"""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import zmq
from numpy.typing import NDArray

from hil.agent.emulator import EmulatedTimes
from hil.agent.serve import serve
from hil.quiet import no_collection, real_time, short_switch_interval
from perception.prediction import Prediction, Segment

HEIGHT, WIDTH = 480, 640
ENGINE = "p50=20ms"
HEADER_BYTES = 64
UP_BYTES = HEADER_BYTES + HEIGHT * WIDTH * 3
DOWN_BYTES = HEADER_BYTES + HEIGHT * WIDTH * 5  # ids in one byte, depth in four
_METHOD = "/rehearse.Bench/Frame"
_GRPC_OPTIONS = (("grpc.max_receive_message_length", 2 * DOWN_BYTES), ("grpc.max_send_message_length", 2 * DOWN_BYTES))
_SPIN_S = 0.0004

_Exchange = Callable[[bytes], object]


class NoEngine:
    """A perceiver that takes no time: it answers with one scene of ten segments that it made beforehand."""

    def __init__(self) -> None:
        rng = np.random.Generator(np.random.PCG64(0))
        ids = np.repeat(np.arange(10, dtype=np.int32), HEIGHT // 10)[:, None] * np.ones((1, WIDTH), np.int32)
        depth_m = (1 + rng.random((HEIGHT, WIDTH))).astype(np.float32)
        segments = tuple(Segment(id=i, category_id=i, score=0.5, depth_m=1.0) for i in range(1, 10))
        self._answer = Prediction(segment_id=ids, segments=segments, depth_m=depth_m)

    def perceive_timed(self, rgb: NDArray[np.uint8], **camera: Any) -> tuple[Prediction, Any]:  # noqa: ARG002
        """Answers at once."""
        return self._answer, EmulatedTimes()


@contextmanager
def peer(name: str) -> Iterator[str]:
    """Starts a server, yields its address, and stops it: one of `_MAINS`; `thread` is the link with its engine in a thread."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks._transport_peers", name], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split()[1]
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()


def paced_peer_s(name: str, address: str, *, rate_hz: float, duration_s: float) -> list[float]:
    """Returns the latency of each exchange with a peer, from a process that keeps gRPC's threads to itself."""
    command = [sys.executable, "-m", "benchmarks._transport_peers", "paced", name, address, str(rate_hz), str(duration_s)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + duration_s, check=True)
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


@contextmanager
def _exchange_with(name: str, address: str) -> Iterator[_Exchange]:
    """Yields a function that sends a request and returns the answer when all of it is in this process's memory."""
    host, _, port = address.rpartition(":")
    if name == "tcp":
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield functools.partial(_exchange_tcp, connection, memoryview(bytearray(DOWN_BYTES)))
        return
    if name == "zmq":
        with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
            dealer.linger = 0
            dealer.connect(address)
            yield functools.partial(_exchange_zmq, dealer)
        return
    import grpc

    with grpc.insecure_channel(address, options=_GRPC_OPTIONS) as channel:
        yield channel.unary_unary(_METHOD)


def _paced_s(exchange: _Exchange, *, rate_hz: float, duration_s: float) -> list[float]:
    """Returns the latency of each exchange of an absolute schedule, from its due time to its answer, seconds."""
    request, count = bytes(UP_BYTES), round(rate_hz * duration_s)
    for _ in range(5):
        exchange(request)
    latencies = []
    with no_collection(), short_switch_interval(), real_time():
        start = time.monotonic() + 0.05
        for index in range(count):
            due = start + index / rate_hz
            while (left := due - time.monotonic()) > 0:
                if left > _SPIN_S:
                    time.sleep(left - _SPIN_S)
            exchange(request)
            latencies.append(time.monotonic() - due)
    return latencies


def _exchange_tcp(connection: socket.socket, answer: memoryview, request: bytes) -> memoryview:
    connection.sendall(request)
    _fill(connection, answer)
    return answer


def _exchange_zmq(dealer: zmq.Socket[bytes], request: bytes) -> object:
    dealer.send_multipart([request[:HEADER_BYTES], memoryview(request)[HEADER_BYTES:]], copy=False)
    return dealer.recv_multipart(copy=False)


def _fill(connection: socket.socket, into: memoryview) -> bool:
    """Receives until `into` is full; False where the other side has closed."""
    while len(into):
        received = connection.recv_into(into)
        if received == 0:
            return False
        into = into[received:]
    return True


def _serve_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"READY 127.0.0.1:{listening.getsockname()[1]}", flush=True)
        request, answer = memoryview(bytearray(UP_BYTES)), bytes(DOWN_BYTES)
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                while _fill(connection, request):
                    connection.sendall(answer)


def _serve_zmq() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.bind("tcp://127.0.0.1:*")
    print(f"READY {router.getsockopt_string(zmq.LAST_ENDPOINT)}", flush=True)
    answer = [bytes(HEADER_BYTES), bytes(HEIGHT * WIDTH), bytes(HEIGHT * WIDTH * 4)]
    while True:
        host, *_ = router.recv_multipart(copy=False)
        router.send_multipart([host, *answer], copy=False)


def _serve_grpc() -> None:
    import grpc

    answer = bytes(DOWN_BYTES)
    handler = grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer)
    service, method = _METHOD.strip("/").split("/")
    server = grpc.server(ThreadPoolExecutor(2), options=_GRPC_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"READY 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


def _serve_link(*, in_process: bool = False) -> None:
    serve(None, "tcp://127.0.0.1:*", maker="benchmarks._transport_peers:NoEngine", in_process=in_process)


def _serve_engine() -> None:
    serve(None, "tcp://127.0.0.1:*", emulate=ENGINE)


def _pace(name: str, address: str, rate_hz: str, duration_s: str) -> None:
    with _exchange_with(name, address) as exchange:
        print(json.dumps(_paced_s(exchange, rate_hz=float(rate_hz), duration_s=float(duration_s))))


_MAINS: dict[str, Callable[..., None]] = {
    "link": _serve_link, "thread": functools.partial(_serve_link, in_process=True), "engine": _serve_engine,
    "tcp": _serve_tcp, "zmq": _serve_zmq, "grpc": _serve_grpc, "paced": _pace,
}  # fmt: skip

if __name__ == "__main__":
    _MAINS[sys.argv[1]](*sys.argv[2:])
