"""A proxy between hosts and an agent that does faults to their messages, in a thread, and counts what it did.

It speaks the link's own transport on both sides, with a connection of its own to the agent for every host, so the agent
sees each host by its identity. A message passes as it came, byte for byte, where no fault is done to it. It works on links
that are not encrypted; an encrypted one can be cut, delayed and lose messages only at a proxy that has its keys.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import zmq

from hil.block_thread import BlockThread
from hil.faults.line import Line, Parcel
from hil.faults.spec import Faults
from hil.link.protocol import Buffer, Kind
from hil.link.sockets import endpoint, open_dealer, open_router
from scenes.errors import LinkError

UP, DOWN = 0, 1
_LONGEST_POLL_MS = 20
_TRY_AGAIN_NS = 5_000_000
_TRIES = 40
_PEER_IDLE_NS = 5_000_000_000
_KIND_AT = 6


class FaultProxy(BlockThread):
    """Listens at `listen` and connects to the agent at `to` while the block lasts; `address` is where hosts find it.

    `up` is done to what hosts send, `down` to what the agent answers; the same `seed` does the same to the n-th message.
    Raises LinkError where it cannot listen.
    """

    def __init__(
        self, to: str, *, listen: str = "tcp://127.0.0.1:*", up: Faults | None = None, down: Faults | None = None,
        seed: int = 0, insecure: bool = False,
    ) -> None:  # fmt: skip
        super().__init__("rehearse-faults")
        self.lines = (
            Line(up or Faults(), seed=seed, direction=UP), Line(down or Faults(), seed=seed, direction=DOWN),
        )  # fmt: skip
        self._to, self._insecure = to, insecure
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._poller = zmq.Poller()
        self._agents: dict[bytes, zmq.Socket[bytes]] = {}
        self._heard_ns: dict[bytes, int] = {}
        self._hosts: zmq.Socket[bytes] | None = self._listen(listen)
        self.address = "" if self._hosts is None else endpoint(self._hosts)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._context.destroy(linger=0)

    def counts(self) -> dict[str, dict[str, int]]:
        """Returns what was done to how many messages, by direction; what was not done is not there."""
        names = ("up", "down")
        return {name: {k: v for k, v in line.counts.items() if v} for name, line in zip(names, self.lines, strict=True)}

    def _listen(self, address: str) -> zmq.Socket[bytes]:
        try:
            socket = open_router(self._context, address, insecure=self._insecure)
        except BaseException:
            self._context.destroy(linger=0)
            raise
        self._poller.register(socket, zmq.POLLIN)
        return socket

    def _run(self) -> None:
        while not self._stop.is_set():
            ready = dict(self._poller.poll(self._wait_ms()))
            now_ns = time.monotonic_ns()
            self._open_or_close(now_ns)
            if self._hosts is not None and self._hosts in ready:
                self._from_hosts(self._hosts, now_ns)
            for peer, socket in list(self._agents.items()):
                if socket in ready:
                    self._from_agent(peer, socket, now_ns)
            self._deliver(time.monotonic_ns())

    def _wait_ms(self) -> int:
        times = [at_ns for line in self.lines if (at_ns := line.next_ns()) is not None]
        if not times:
            return _LONGEST_POLL_MS
        return max(min((min(times) - time.monotonic_ns()) // 1_000_000, _LONGEST_POLL_MS), 0)

    def _from_hosts(self, hosts: zmq.Socket[bytes], now_ns: int) -> None:
        peer, *parts = hosts.recv_multipart()
        if parts and len(parts[0]) > _KIND_AT and parts[0][_KIND_AT] == Kind.FRAME:
            for line in self.lines:
                line.begin(now_ns)
        self._heard_ns[peer] = now_ns
        if peer not in self._agents:
            self._agents[peer] = open_dealer(self._context, self._to, peer)
            self._poller.register(self._agents[peer], zmq.POLLIN)
        self.lines[UP].put(peer, parts, now_ns)

    def _from_agent(self, peer: bytes, socket: zmq.Socket[bytes], now_ns: int) -> None:
        self.lines[DOWN].put(peer, socket.recv_multipart(), now_ns)

    def _deliver(self, now_ns: int) -> None:
        for parcel in self.lines[UP].due(now_ns):
            self._send(self._agents.get(parcel.peer), parcel.parts, parcel, self.lines[UP], now_ns)
        for parcel in self.lines[DOWN].due(now_ns):
            self._send(self._hosts, [parcel.peer, *parcel.parts], parcel, self.lines[DOWN], now_ns)

    def _send(
        self, socket: zmq.Socket[bytes] | None, parts: Sequence[Buffer], parcel: Parcel, line: Line, now_ns: int
    ) -> None:
        try:
            if socket is not None:
                socket.send_multipart(parts, zmq.NOBLOCK)
                line.counts["delivered"] += 1
                return
        except zmq.ZMQError:  # not connected yet, or no more
            if parcel.tries < _TRIES:
                line.again(parcel, now_ns + _TRY_AGAIN_NS)
                return
        line.counts["undeliverable"] += 1

    def _open_or_close(self, now_ns: int) -> None:
        """Closes the connections for a cut of that kind and opens them after it; forgets hosts that went away."""
        closing = any((cut := line.cut(now_ns)) is not None and cut.mode == "close" for line in self.lines)
        if closing and self._hosts is not None:
            self.lines[UP].counts["closed"] += 1
            for peer in list(self._agents):
                self._forget(peer)
            self._close(self._hosts)
            self._hosts = None
        elif not closing and self._hosts is None:
            self._reopen()
        for peer, heard_ns in list(self._heard_ns.items()):
            if now_ns - heard_ns > _PEER_IDLE_NS:
                self._forget(peer)

    def _reopen(self) -> None:
        try:
            self._hosts = open_router(self._context, self.address, insecure=self._insecure)
            self._poller.register(self._hosts, zmq.POLLIN)
        except LinkError:  # the port is not free yet
            self.lines[UP].counts["not_reopened"] += 1

    def _forget(self, peer: bytes) -> None:
        self._heard_ns.pop(peer, None)
        socket: Any = self._agents.pop(peer, None)
        if socket is not None:
            self._close(socket)

    def _close(self, socket: zmq.Socket[bytes]) -> None:
        self._poller.unregister(socket)
        socket.close(0)
