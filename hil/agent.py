"""The device agent answers the newest frame of one host at a time, and says why whenever it does not.

It imports numpy, OpenCV, the transport and one engine: no torch, no simulator. Two threads: this one owns the socket and
never waits for the engine, so a ping is answered while a network runs; the other one (`hil.worker`) owns the engine.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zmq

from hil.clock_socket import ClockServer
from hil.device import device_facts
from hil.emulator import Emulator
from hil.link import DEFAULT_ADDRESS, endpoint, open_router
from hil.protocol import NO_SESSION, Body, Header, Kind, Message, ProtocolError, open_header, open_message, pack, seal
from hil.quiet import short_switch_interval
from hil.request import DISTORTION, open_frame
from hil.service import parse_service
from hil.staleness import Ages
from hil.telemetry import Telemetry
from hil.worker import Done, Job, TimedPerceiver, Worker, error_body

if TYPE_CHECKING:
    from types import FrameType

LEASE_S = 2.0
_WARM_UP = 3
_POLL_MS = 100
# Of this many frames the agent knows that it had them; with a credit of a few it needs no more.
_SEEN = 64
# A host with IMMEDIATE loses what it has not read when the connection closes, so it gets this long to read.
_FAREWELL_S = 0.1


def serve(
    engine_path: str | os.PathLike[str] | None,
    bind: str = DEFAULT_ADDRESS,
    *,
    backend: str = "auto",
    threads: int | None = None,
    ready: Callable[[str], None] | None = None,
    max_frames: int | None = None,
    insecure: bool = False,
    perceiver: TimedPerceiver | None = None,
    emulate: str | None = None,
    seed: int = 0,
) -> None:
    """Serves one engine until SIGINT, SIGTERM or `max_frames` answers; returns after a clean close.

    `ready` is called with the bound address once the engine is warm (default: prints "READY <address>"). A `perceiver`
    takes the place of the engine file. `emulate` is a line of `hil.service`: the agent then takes that long for a frame,
    with draws from `seed`, and needs no engine. Raises LinkError for the address, EngineError for the file and
    RehearseError for the model.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        router = open_router(context, bind, insecure=insecure)
        facts: dict[str, Any] = {"name": "injected"}
        started = time.monotonic()
        emulator: Emulator | None = None
        if perceiver is None and (engine_path is not None or emulate is None):
            perceiver, facts = _open(engine_path, backend, threads)
        if emulate is not None:
            emulator = Emulator(parse_service(emulate), seed=seed, perceiver=perceiver)
            perceiver, facts = emulator, {**facts, **emulator.facts()}
        if perceiver is None:
            raise ValueError("serve needs an engine file, a perceiver or a model to emulate.")
        facts["start"] = {"open_s": time.monotonic() - started, "first_s": _warm_up(perceiver)}
        telemetry = Telemetry()
        clock = ClockServer(context, endpoint(router), insecure=insecure)
        agent = _Agent(router, Worker(perceiver, context), facts, emulator, clock.where, telemetry)
        with telemetry, clock, _stop_on_signals(agent), short_switch_interval():
            agent.discard_early()
            (ready or _print_ready)(endpoint(router))
            agent.run(max_frames)
    finally:
        context.destroy(linger=100)


@dataclass(slots=True)
class Counters:
    """What the agent saw since it started; sent with every PONG."""

    answered: int = 0
    dropped: int = 0
    rejected: int = 0
    duplicates: int = 0
    stale: int = 0
    refused: int = 0
    undeliverable: int = 0
    protocol_errors: int = 0


@dataclass(slots=True, kw_only=True)
class _Lease:
    peer: bytes
    session: bytes
    host: str
    heard_ns: int
    stale_after_s: float = math.inf
    last_seq: int = -1
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=_SEEN))
    owes: set[int] = field(default_factory=set)
    ages: Ages = field(default_factory=Ages)


class _Agent:
    def __init__(
        self,
        router: zmq.Socket[bytes],
        worker: Worker,
        engine: dict[str, Any],
        emulator: Emulator | None,
        clock: dict[str, Any],
        telemetry: Telemetry,
    ) -> None:
        self.stopping = False
        self.counters = Counters()
        self._router = router
        self._worker = worker
        self._emulator = emulator
        self._telemetry = telemetry
        self._lease: _Lease | None = None
        instance = os.urandom(8).hex()
        facts = {
            "engine": engine, "device": device_facts(), "instance": instance, "takes": [DISTORTION], "clock": clock,
        }  # fmt: skip
        self._welcome = pack(Kind.WELCOME, facts)

    def discard_early(self) -> None:
        """Forgets what came while the engine was loading; hosts repeat their HELLO."""
        while self._router.poll(0):
            self._router.recv_multipart()

    def run(self, max_frames: int | None) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._worker.wake, zmq.POLLIN)
        while not self.stopping and (max_frames is None or self.counters.answered < max_frames):
            poller.poll(_POLL_MS)
            while (done := self._worker.take()) is not None:
                self._answer(done)
            if int(self._router.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                peer, *parts = self._router.recv_multipart(copy=False)
                self._receive(peer.bytes, [part.buffer for part in parts], time.monotonic_ns())
        if self._lease is not None:
            self._send(self._lease.peer, pack(Kind.BYE, self._counts()), session=self._lease.session)
            time.sleep(_FAREWELL_S)
        self._worker.close()

    def _receive(self, peer: bytes, parts: list[memoryview], now_ns: int) -> None:
        header: Header | None = None
        try:
            header = open_header(parts[0] if parts else b"")
            message = open_message(parts)
        except ProtocolError as error:
            self.counters.protocol_errors += 1
            if error.peer_version is not None:
                self._send(peer, error_body("version", str(error)))
            elif header is not None and header.kind is Kind.FRAME:
                self._reject(peer, header.session, header.seq, str(error))
            return
        if message.kind is Kind.HELLO:
            self._hello(peer, message, now_ns)
        elif message.kind in (Kind.FRAME, Kind.PING, Kind.BYE):
            self._from_host(peer, message, now_ns)
        else:
            self.counters.protocol_errors += 1

    def _hello(self, peer: bytes, message: Message, now_ns: int) -> None:
        lease = self._lease
        held = lease is not None and now_ns - lease.heard_ns < LEASE_S * 1e9
        # A host that lost the link comes back at once: it knows the session that the lease is for.
        if lease is not None and held and lease.session not in (message.session, message.meta.get("follows")):
            self.counters.refused += 1
            reason = f"it is serving the host {lease.host}, and one agent serves one host at a time"
            self._send(peer, error_body("busy", reason), session=message.session)
            return
        if lease is None or lease.session != message.session:
            self._worker.clear()
            host = str(message.meta.get("host", "unknown"))[:100]
            self._lease = _Lease(
                peer=peer, session=message.session, host=host, heard_ns=now_ns,
                stale_after_s=_stale_after_s(message.meta.get("stale_after_s")),
            )  # fmt: skip
            self._lease.ages.heard(message.due_ns, now_ns)
        self._send(peer, self._welcome, session=message.session)

    def _from_host(self, peer: bytes, message: Message, now_ns: int) -> None:
        lease = self._lease
        if lease is None or lease.session != message.session or lease.peer != peer:
            self.counters.refused += 1
            reason = "it does not know this session: it was restarted, or the host was silent for too long"
            self._send(peer, error_body("no_lease", reason), session=message.session, seq=message.seq)
            return
        lease.heard_ns = now_ns
        if message.kind is Kind.FRAME:
            self._frame(lease, message, now_ns)
        elif message.kind is Kind.PING:
            lease.ages.heard(message.due_ns, now_ns)
            counts = {**self._counts(), "owes": sorted(lease.owes)}
            self._send(peer, pack(Kind.PONG, counts), session=message.session, seq=message.seq)
        else:
            self._send(peer, pack(Kind.BYE, self._counts()), session=message.session)
            self._worker.clear()
            self._lease = None

    def _frame(self, lease: _Lease, message: Message, now_ns: int) -> None:
        if (said := self._not_taken(lease, message, now_ns)) is not None:
            self._send(lease.peer, error_body(*said), session=message.session, seq=message.seq)
            return
        try:
            rgb, intrinsics = open_frame(message, lease.last_seq)
        except ProtocolError as error:
            self._reject(lease.peer, message.session, message.seq, str(error))
            return
        lease.last_seq = message.seq
        lease.seen.append(message.seq)
        lease.owes.add(message.seq)
        replaced = self._worker.offer(
            Job(
                peer=lease.peer,
                session=message.session,
                seq=message.seq,
                rgb=rgb,
                intrinsics=intrinsics,
                receive_ns=now_ns,
            )
        )
        if replaced is not None:
            self.counters.dropped += 1
            lease.owes.discard(replaced.seq)
            body = error_body("dropped", "a newer frame replaced it before the engine was free")
            self._send(replaced.peer, body, session=replaced.session, seq=replaced.seq)

    def _not_taken(self, lease: _Lease, message: Message, now_ns: int) -> tuple[str, str] | None:
        """Returns code and reason for a frame that came twice, out of order or too old; None for one to take."""
        if message.seq in lease.seen:
            self.counters.duplicates += 1
            return "duplicate", "it came before"
        if message.seq < lease.last_seq:
            self.counters.dropped += 1
            return "dropped", "a newer frame came before it"
        age_s = lease.ages.age_s(message.due_ns, now_ns)
        if age_s > lease.stale_after_s:
            self.counters.dropped += 1
            self.counters.stale += 1
            return "dropped", f"it was {age_s:.1f} s old when it came: the link or the agent had stalled"
        return None

    def _reject(self, peer: bytes, session: bytes, seq: int, reason: str) -> None:
        self.counters.rejected += 1
        self._send(peer, error_body("rejected", reason), session=session, seq=seq)

    def _answer(self, done: Done) -> None:
        self._send(done.job.peer, done.body, session=done.job.session, seq=done.job.seq)
        self.counters.answered += 1
        if self._lease is not None and self._lease.session == done.job.session:
            self._lease.owes.discard(done.job.seq)

    def _send(self, peer: bytes, body: Body, *, session: bytes = NO_SESSION, seq: int = 0) -> None:
        try:
            self._router.send_multipart([peer, *seal(body, session=session, seq=seq)], zmq.NOBLOCK, copy=False)
        except zmq.ZMQError:  # the host is gone, or it no longer reads; it finds the silence itself
            self.counters.undeliverable += 1

    def _counts(self) -> dict[str, Any]:
        emulated = {} if self._emulator is None else self._emulator.counters()
        return {
            "counters": {**asdict(self.counters), **emulated},
            "finished": self._worker.finished,
            "telemetry": self._telemetry.latest(),
        }


def _open(
    path: str | os.PathLike[str] | None, backend: str, threads: int | None
) -> tuple[TimedPerceiver, dict[str, Any]]:
    from perception.engine import open_engine
    from perception.perceiver import Perceiver

    if path is None:
        raise ValueError("serve needs an engine file or a perceiver.")
    engine = open_engine(path, backend=backend, threads=threads)
    metadata = engine.metadata
    facts = {
        "name": engine.name, "digest": engine.digest, "network": metadata.network, "file": Path(path).name,
        "input_size": list(metadata.input_size), "categories": list(metadata.categories),
        "settings": {str(key): str(value)[:200] for key, value in engine.settings.items()},
    }  # fmt: skip
    return Perceiver(engine), facts


def _warm_up(perceiver: TimedPerceiver) -> float:
    """Runs the engine a few times; returns the seconds of the first time, which builds and allocates."""
    grey = np.full((480, 640, 3), 127, dtype=np.uint8)
    ends = [time.monotonic()]
    for _ in range(_WARM_UP):
        perceiver.perceive_timed(grey, fx=500.0, fy=500.0, cx=319.5, cy=239.5)
        ends.append(time.monotonic())
    return ends[1] - ends[0]


def _stale_after_s(said: object) -> float:
    """Returns the age at which a host wants its frames dropped; one that says nothing wants none dropped."""
    return float(said) if isinstance(said, float) and said > 0 else math.inf


def _print_ready(address: str) -> None:
    print(f"READY {address}", flush=True)


@contextmanager
def _stop_on_signals(agent: _Agent) -> Iterator[None]:
    """Turns SIGINT and SIGTERM into a clean stop; signals belong to the main thread, so elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signum: int, _frame: FrameType | None) -> None:
        agent.stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
