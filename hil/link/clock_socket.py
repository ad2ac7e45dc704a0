"""The clocks are compared on a small socket of their own, so that no frame stands in the way of four time stamps.

The agent answers each PING with the times of its clock at receiving and at sending; the host asks twenty times a second from
a thread of its own, and more often just before and after a run, so that every frame lies between two comparisons.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import zmq

from hil.block_thread import BlockThread
from hil.figures.clock import ClockFit, Exchange, minima
from hil.link.keys import AgentKeys, HostKeys
from hil.link.protocol import SESSION_BYTES, Kind, ProtocolError, is_stamp, open_message, pack, seal
from hil.link.sockets import beside, endpoint, open_dealer, open_router
from scenes.errors import LinkError

EVERY_S = 0.05
BURST = 64
_ANSWER_WITHIN_S = 0.04
_CONNECT_MS = 100
# So many exchanges without an answer take a second or more; the connection is then taken for dead.
_REDIAL_AFTER = 10
_POLL_MS = 100
# Longer than any part of a PING or PONG.
_MOST_BYTES = 1024

Now = Callable[[], int]


class ClockServer(BlockThread):
    """The agent's end, in a thread while the block lasts; `where` is what a host has to know to find it."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        frames_address: str,
        *,
        insecure: bool,
        keys: AgentKeys | None = None,
        now: Now | None = None,
    ) -> None:
        super().__init__("rehearse-clock")
        self._now = now or time.monotonic_ns
        self._socket = _open_beside(context, frames_address, insecure, keys)
        self.where: dict[str, Any] = {"port": int(endpoint(self._socket).rpartition(":")[2])} if self._is_tcp() else {}

    def _is_tcp(self) -> bool:
        return endpoint(self._socket).startswith("tcp:")

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._socket.poll(_POLL_MS):
                peer, *parts = self._socket.recv_multipart()
                self._answer(peer, parts, self._now())
        self._socket.close(0)

    def _answer(self, peer: bytes, parts: list[bytes], received_ns: int) -> None:
        try:
            ping = open_message(parts)
            if ping.kind is Kind.PING:
                pong = pack(Kind.PONG, {"received_ns": received_ns, "sent_ns": self._now()})
                self._socket.send_multipart([peer, *seal(pong, session=ping.session, seq=ping.seq)], zmq.NOBLOCK)
        except (ProtocolError, zmq.ZMQError):  # foreign bytes, or a host that went away: its next ping will tell
            return


class ClockProbe(BlockThread):
    """The host's end, in a thread while the block lasts. `exchanges` holds what came back; an agent without it gives none."""

    def __init__(
        self,
        device: str,
        facts: dict[str, Any],
        *,
        keys: HostKeys | None = None,
        now: Now | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        super().__init__("rehearse-clock-probe")
        self.exchanges: list[Exchange] = []
        self._now, self._every_s = now or time.monotonic_ns, every_s
        self._session, self._keys = os.urandom(SESSION_BYTES), keys
        self._asked = 0
        self._address = _address(device, facts.get("clock"))
        self._primed = threading.Event()

    def __enter__(self) -> ClockProbe:  # noqa: PYI034  # Self needs Python 3.11
        if self._address is not None:
            super().__enter__()
            self._primed.wait(2.0)
        return self

    def fit(self) -> ClockFit:
        """Returns what the exchanges so far say of the device's clock."""
        return ClockFit(minima(tuple(self.exchanges)))

    def _run(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            socket = self._dial(context)
            self._burst(socket, patience=10)
            self._primed.set()
            silent = 0
            while not self._stop.wait(self._every_s):
                silent = 0 if self._exchange(socket) else silent + 1
                if silent == _REDIAL_AFTER:
                    socket.close(0)
                    socket, silent = self._dial(context), 0
            self._burst(socket, patience=2)
        except (LinkError, zmq.ZMQError):
            return  # without exchanges there is no split, and the session says so
        finally:
            self._primed.set()
            context.destroy(linger=0)

    def _dial(self, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
        return open_dealer(context, self._address or "", self._session, self._keys, most_bytes=_MOST_BYTES)

    def _burst(self, socket: zmq.Socket[bytes], patience: int) -> None:
        """Fills whole windows, so that the ends of a run are known as well as its middle; gives up on a silent agent."""
        wanted, silent = len(self.exchanges) + BURST + -len(self.exchanges) % BURST, 0
        while len(self.exchanges) < wanted and silent < patience:
            silent = 0 if self._exchange(socket) else silent + 1

    def _exchange(self, socket: zmq.Socket[bytes]) -> bool:
        # A number is used once: an answer that comes after its time must not pass for that of the next question.
        seq = self._asked = self._asked + 1
        parts = seal(pack(Kind.PING, {}), session=self._session, seq=seq)
        if not socket.poll(_CONNECT_MS, zmq.POLLOUT):
            return False
        sent_ns = self._now()
        try:
            socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            return False
        while socket.poll(round(_ANSWER_WITHIN_S * 1e3)):
            answer = socket.recv_multipart()
            received_ns = self._now()
            stamps = self._open(answer, seq)
            if stamps is not None:
                self.exchanges.append(Exchange(t0=sent_ns, t1=stamps[0], t2=stamps[1], t3=received_ns))
                return True
        return False

    def _open(self, parts: list[bytes], seq: int) -> tuple[int, int] | None:
        try:
            message = open_message(parts)
        except ProtocolError:
            return None
        received, sent = message.meta.get("received_ns"), message.meta.get("sent_ns")
        mine = message.kind is Kind.PONG and message.session == self._session and message.seq == seq
        return (received, sent) if mine and is_stamp(received) and is_stamp(sent) else None


def _open_beside(
    context: zmq.Context[zmq.Socket[bytes]], frames_address: str, insecure: bool, keys: AgentKeys | None
) -> zmq.Socket[bytes]:
    """Binds the port after that of the frames, so that a tunnel can name it, or any where that one is taken."""
    try:
        return open_router(context, beside(frames_address), insecure=insecure, keys=keys, most_bytes=_MOST_BYTES)
    except LinkError:
        address = beside(frames_address, port="*")
        return open_router(context, address, insecure=insecure, keys=keys, most_bytes=_MOST_BYTES)


def _address(device: str, clock: object) -> str | None:
    """Returns where the agent's clock answers; None for an agent of before, which has none."""
    if not isinstance(clock, dict):
        return None
    port = clock.get("port")
    try:
        return beside(device, port=str(port)) if type(port) is int and 0 < port < 2**16 else beside(device)
    except LinkError:
        return None
