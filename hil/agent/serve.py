"""The device agent answers the newest frame of one host at a time, and says why whenever it does not.

It imports numpy, OpenCV, the transport and one engine: no torch, no simulator. This thread owns the socket and never waits
for the engine, which runs in a process of its own (`hil.agent.process_worker`), or in a thread (`hil.agent.worker`) where that
is asked for: a ping is answered while a network runs, hangs or crashes.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

from hil.agent.engine_order import EngineOrder
from hil.agent.engine_start import serve_perceiver, start_engine
from hil.agent.perceiving import TimedPerceiver, error_body
from hil.agent.staleness import STALL_S, Ages
from hil.agent.telemetry import Telemetry
from hil.agent.worker import Done, FrameWorker, Job
from hil.device import device_facts
from hil.link.authenticator import guarded
from hil.link.clock_socket import ClockServer
from hil.link.packer import Terms
from hil.link.packing import Packing
from hil.link.probe import asked_for, probe_body
from hil.link.protocol import (
    NO_SESSION,
    Body,
    Buffer,
    Header,
    Kind,
    Message,
    ProtocolError,
    open_header,
    open_message,
    pack,
    printable,
    seal,
)
from hil.link.request import DISTORTION, open_frame
from hil.link.sockets import DEFAULT_ADDRESS, is_loopback, keys_for_agent
from hil.link.transport import AgentTransport, ZmqAgent
from hil.quiet import hurry_transport, real_time, short_switch_interval
from scenes.errors import EngineError

if TYPE_CHECKING:
    from types import FrameType

LEASE_S = 2.0
_POLL_S = 0.1
# Of what came early no more than this is thrown away before the agent is ready.
_MOST_EARLY = 10_000
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
    precision: str = "auto",
    ready: Callable[[str], None] | None = None,
    max_frames: int | None = None,
    insecure: bool = False,
    keys: Path | None = None,
    sha256: str | None = None,
    perceiver: TimedPerceiver | None = None,
    maker: str | None = None,
    arguments: Sequence[str] = (),
    emulate: str | None = None,
    seed: int = 0,
    in_process: bool = False,
    hang_after_s: float | None = None,
) -> None:
    """Serves one engine until SIGINT, SIGTERM or `max_frames` answers; returns after a clean close.

    `ready` is called with the bound address once the engine is warm (default: prints "READY <address>"). The engine, whose
    file's digest may be pinned with `sha256`, runs in a process of its own, and is restarted where it dies or one frame
    runs for longer than `hang_after_s` (default: 2 s or 20 times the median frame, the longer); `in_process` runs it in a
    thread here, where nothing can restart it. A `maker` takes the place of the engine file: "package.module:function" is
    called with `arguments` there and returns a perceiver. A `perceiver` does so too, in a thread here. `emulate` is a line
    of `hil.agent.service`: the agent then takes that long for a frame, with draws from `seed`, and needs no engine. `keys` is a
    folder of `hil.link.keys`: the link is then encrypted and only the hosts in it get in; an address that other machines can
    reach needs it, or `insecure`. Raises LinkError for the address and the keys, EngineError for the file, or where the
    engine does not come back, and RehearseError for the model.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    worker: FrameWorker | None = None
    try:
        own = keys_for_agent(keys, bind, insecure=insecure)
        with guarded(context, own):
            link = ZmqAgent(context, bind, insecure=insecure, keys=own)
            if perceiver is None:
                order = EngineOrder(
                    path=None if engine_path is None else os.fspath(engine_path), backend=backend, threads=threads,
                    precision=precision, sha256=sha256, unsigned=is_loopback(bind), maker=maker, arguments=tuple(arguments),
                    emulate=emulate, seed=seed,
                )  # fmt: skip
                worker, facts = start_engine(order, context, in_process=in_process, hang_after_s=hang_after_s)
            else:
                worker, facts = serve_perceiver(perceiver, context, emulate=emulate, seed=seed)
            telemetry = Telemetry(beside=worker.pid)
            clock = ClockServer(context, link.address, insecure=insecure, keys=own)
            agent = _Agent(link, worker, facts, clock.where, telemetry)
            with telemetry, clock, _stop_on_signals(agent), short_switch_interval(), real_time():
                hurry_transport()
                agent.discard_early()
                (ready or _print_ready)(link.address)
                agent.run(max_frames)
    finally:
        if worker is not None:
            worker.close()
        context.destroy(linger=100)
    if worker.fault is not None:
        raise EngineError(worker.fault)


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
    since_ns: int
    heard_ns: int
    stale_after_s: float = math.inf
    last_seq: int = -1
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=_SEEN))
    owes: set[int] = field(default_factory=set)
    ages: Ages = field(default_factory=Ages)


class _Agent:
    def __init__(
        self,
        link: AgentTransport,
        worker: FrameWorker,
        engine: dict[str, Any],
        clock: dict[str, Any],
        telemetry: Telemetry,
    ) -> None:
        self.stopping = False
        self.counters = Counters()
        self._link = link
        self._worker = worker
        self._telemetry = telemetry
        self._packing: Packing[Done] = Packing()
        self._lease: _Lease | None = None
        self._awake_ns = time.monotonic_ns()
        instance = os.urandom(8).hex()
        facts = {
            "engine": engine, "device": device_facts(), "instance": instance, "takes": [DISTORTION], "clock": clock,
        }  # fmt: skip
        self._welcome = pack(Kind.WELCOME, facts)

    def discard_early(self) -> None:
        """Forgets what came while the engine was loading, but for a flood; hosts repeat their HELLO."""
        for _ in range(_MOST_EARLY):
            if self._link.receive() is None:
                return

    def run(self, max_frames: int | None) -> None:
        while not self.stopping and self._worker.fault is None and (max_frames is None or self.counters.answered < max_frames):
            self._link.wait([self._worker.wake, self._packing.wake], _POLL_S)
            self._drop_stale(time.monotonic_ns())
            self._answer_finished()
            if (came := self._link.receive()) is not None:
                self._receive(*came, time.monotonic_ns())
                self._answer_finished()
        if self._lease is not None:
            why = {} if self._worker.fault is None else {"reason": self._worker.fault}
            self._send(self._lease.peer, pack(Kind.BYE, {**self._counts(), **why}), session=self._lease.session)
            time.sleep(_FAREWELL_S)
        self._packing.close()

    def _answer_finished(self) -> None:
        while (done := self._worker.take()) is not None:
            self._answer(done)
        while (done := self._packing.take()) is not None:
            self._send_answer(done)

    def _drop_stale(self, now_ns: int) -> None:
        """Empties the mailbox where this process itself stood still: what waited in it is as old as that."""
        slept_ns, self._awake_ns = now_ns - self._awake_ns, now_ns
        if slept_ns > STALL_S * 1e9 and (waiting := self._worker.clear()) is not None and self._lease is not None:
            self.counters.dropped += 1
            self.counters.stale += 1
            self._lease.owes.discard(waiting.seq)
            body = error_body("dropped", "the agent had stood still while it waited")
            self._send(waiting.peer, body, session=waiting.session, seq=waiting.seq)

    def _receive(self, peer: bytes, parts: list[Buffer], now_ns: int) -> None:
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
        elif message.kind in (Kind.FRAME, Kind.PING, Kind.PROBE, Kind.TERMS, Kind.BYE):
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
            self._packing.agree(None)
            host = printable(message.meta.get("host", "unknown"))[:100]
            self._lease = _Lease(
                peer=peer, session=message.session, host=host, since_ns=now_ns, heard_ns=now_ns,
                stale_after_s=_stale_after_s(message.meta.get("stale_after_s")),
            )  # fmt: skip
            self._lease.ages.heard(message.sent_ns, now_ns)
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
            lease.ages.heard(message.sent_ns, now_ns)
            counts = {**self._counts(), "owes": sorted(lease.owes)}
            self._send(peer, pack(Kind.PONG, counts), session=message.session, seq=message.seq)
        elif message.kind in (Kind.PROBE, Kind.TERMS):
            self._about_link(peer, message)
        else:
            self._send(peer, pack(Kind.BYE, self._counts()), session=message.session)
            self._worker.clear()
            self._lease = None

    def _about_link(self, peer: bytes, message: Message) -> None:
        """Answers a measurement of the link, or takes what its host concludes from it."""
        try:
            if message.kind is Kind.TERMS:
                self._packing.agree(Terms.of(message))
                return
            asked = asked_for(message.meta.get("bytes"))
        except ProtocolError:
            self.counters.protocol_errors += 1
            return
        self._send(peer, probe_body(asked), session=message.session, seq=message.seq)

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
        if not self._packing.submit(done):
            self._send_answer(done)

    def _send_answer(self, done: Done) -> None:
        self._send(done.job.peer, done.body, session=done.job.session, seq=done.job.seq)
        self.counters.answered += 1
        if self._lease is not None and self._lease.session == done.job.session:
            self._lease.owes.discard(done.job.seq)

    def _send(self, peer: bytes, body: Body, *, session: bytes = NO_SESSION, seq: int = 0) -> None:
        # A host that is gone, or no longer reads, finds the silence itself.
        if not self._link.send(peer, seal(body, session=session, seq=seq, sent_ns=time.monotonic_ns())):
            self.counters.undeliverable += 1

    def _counts(self) -> dict[str, Any]:
        return {
            "counters": {**asdict(self.counters), **self._worker.counters()},
            "finished": self._worker.finished,
            "events": [event for event in self._worker.events if self._lease and event["at_ns"] >= self._lease.since_ns],
            "telemetry": self._telemetry.latest(),
            "packing": self._packing.facts(),
        }


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
