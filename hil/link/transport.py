"""What a session needs of whatever carries its messages; ZeroMQ is one transport, another is another class here.

A transport moves the parts of `hil.link.protocol.seal` whole and in order, or not at all, and never waits unless `wait`
is called. Nothing above it knows a socket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import zmq

from hil.link.handshake_watch import HandshakeWatch
from hil.link.keys import AgentKeys, HostKeys
from hil.link.protocol import Buffer
from hil.link.sockets import endpoint, open_dealer, open_router

_LINGER_MS = 100


class HostTransport(Protocol):
    """The host's end of a link to one agent, used by one thread."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What carries the messages, and whether it is encrypted; goes into the session."""

    def send(self, parts: Sequence[Buffer]) -> bool:
        """Hands over a message; False where it cannot be taken now. The buffers must not change afterwards."""

    def receive(self) -> list[Buffer] | None:
        """Returns the next message, None where there is none yet."""

    def readable(self) -> bool:
        """Whether `receive` would find something now."""

    def fileno(self) -> int:
        """The descriptor to select on. It tells of changes only: call `receive` until it returns None before waiting."""

    def wait(self, timeout_s: float) -> None:
        """Returns when something can be received, or after that time."""

    def trouble(self, *, final: bool = False) -> str | None:
        """The sentence of why no connection comes about, where the transport knows one; with `final` a suspicion too."""

    def settled(self) -> None:
        """Called once the agent has answered: nothing has to be watched any more."""

    def reconnect(self, identity: bytes) -> None:
        """Leaves the connection, with all that waits in it, for a new one as `identity`; no wait. `fileno` changes."""

    def close(self) -> None:
        """Lets go, after a moment for what was sent last; safe to call twice."""


class AgentTransport(Protocol):
    """The agent's end, which any number of hosts may reach; used by one thread. A `peer` names the way back to a host."""

    @property
    def address(self) -> str:
        """Where hosts reach it."""

    def receive(self) -> tuple[bytes, list[Buffer]] | None:
        """Returns the next message and whose it is, None where there is none yet."""

    def send(self, peer: bytes, parts: Sequence[Buffer]) -> bool:
        """Hands over a message; False where that host is gone or does not read. The buffers must not change afterwards."""

    def wait(self, others: Sequence[Any], timeout_s: float) -> None:
        """Returns when something can be received here or read from one of `others` (sockets), or after that time."""


class ZmqAgent:
    """A ROUTER in that context, which closes it. Raises LinkError where it cannot listen."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], bind: str, *, insecure: bool, keys: AgentKeys | None = None
    ) -> None:
        self._socket = open_router(context, bind, insecure=insecure, keys=keys)
        self.address = endpoint(self._socket)

    def receive(self) -> tuple[bytes, list[Buffer]] | None:
        if not int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            return None
        peer, *parts = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        return peer.bytes, [part.buffer for part in parts]

    def send(self, peer: bytes, parts: Sequence[Buffer]) -> bool:
        try:
            self._socket.send_multipart([peer, *parts], zmq.NOBLOCK, copy=False)
        except zmq.ZMQError:
            return False
        return True

    def wait(self, others: Sequence[Any], timeout_s: float) -> None:
        zmq.select([self._socket, *others], [], [], timeout_s)


class ZmqHost:
    """A DEALER, with CURVE where there are keys. Raises LinkError where `device` is not an address."""

    def __init__(self, device: str, identity: bytes, keys: HostKeys | None = None) -> None:
        self.facts: Mapping[str, Any] = {"transport": "zmq", "encrypted": keys is not None}
        self._device, self._keys = device, keys
        self._watch = HandshakeWatch(device, keys)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            self._socket = open_dealer(self._context, device, identity, keys, watch=self._watch)
        except BaseException:
            self._context.destroy(linger=0)
            raise

    def send(self, parts: Sequence[Buffer]) -> bool:
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        return True

    def receive(self) -> list[Buffer] | None:
        if not self.readable():
            return None
        return [part.buffer for part in self._socket.recv_multipart(zmq.NOBLOCK, copy=False)]

    def readable(self) -> bool:
        return bool(int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)

    def fileno(self) -> int:
        return int(self._socket.getsockopt(zmq.FD))

    def wait(self, timeout_s: float) -> None:
        self._socket.poll(round(timeout_s * 1e3))

    def trouble(self, *, final: bool = False) -> str | None:
        return self._watch.failure(final=final)

    def settled(self) -> None:
        self._watch.end()

    def reconnect(self, identity: bytes) -> None:
        self._watch.end()
        self._socket.close(0)
        self._socket = open_dealer(self._context, self._device, identity, self._keys)

    def close(self) -> None:
        if not self._socket.closed:
            self._watch.end()
            self._context.destroy(linger=_LINGER_MS)
