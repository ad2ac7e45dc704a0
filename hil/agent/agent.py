"""The agent's loop: it owns the socket, keeps one host's lease, and never waits for the engine.

The engine runs in a process of its own (`hil.agent.process_worker`), or in a thread (`hil.agent.worker`) where that is
asked for: a ping is answered while a network runs, hangs or crashes.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from typing import Any

from hil.agent.lease import Lease
from hil.agent.perceiving import error_body
from hil.agent.staleness import STALL_S
from hil.agent.telemetry import Telemetry
from hil.agent.worker import Done, FrameWorker, Job
from hil.device import device_facts
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
    seal,
)
from hil.link.request import DISTORTION, open_frame
from hil.link.transport import AgentTransport

_POLL_S = 0.1
# Of what came early no more than this is thrown away before the agent is ready.
_MOST_EARLY = 10_000
# A host with IMMEDIATE loses what it has not read when the connection closes, so it gets this long to read.
_FAREWELL_S = 0.1


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


class Agent:
    """Reads the link, gives frames to the worker, and sends what it made of them; its thread never waits for the engine.

    `stopping` ends `run` within a tenth of a second; it may be set from a signal handler.
    """

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
        self._lease: Lease | None = None
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
        """Serves until `stopping` is set, the worker gives up, or so many frames were answered; says BYE to its host."""
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
        if lease is not None and lease.holds_against(message, now_ns):
            self.counters.refused += 1
            reason = f"it is serving the host {lease.host}, and one agent serves one host at a time"
            self._send(peer, error_body("busy", reason), session=message.session)
            return
        if lease is None or lease.session != message.session:
            self._worker.clear()
            self._packing.agree(None)
            self._lease = Lease.of(peer, message, now_ns)
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

    def _frame(self, lease: Lease, message: Message, now_ns: int) -> None:
        if (said := self._not_taken(lease, message, now_ns)) is not None:
            self._send(lease.peer, error_body(*said), session=message.session, seq=message.seq)
            return
        try:
            rgb, intrinsics = open_frame(message, lease.last_seq)
        except ProtocolError as error:
            self._reject(lease.peer, message.session, message.seq, str(error))
            return
        lease.take(message.seq)
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

    def _not_taken(self, lease: Lease, message: Message, now_ns: int) -> tuple[str, str] | None:
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
