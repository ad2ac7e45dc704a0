"""Every key that knocks at the agent is looked up before a single byte of its messages is read: known, or turned away.

libzmq asks over inproc (ZAP, rfc.zeromq.org/spec/27). The sockets are told to insist on an answer (ZAP_ENFORCE_DOMAIN), so
without this thread nobody gets in; a CURVE server without it would let in anyone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import zmq
from zmq.utils import z85

from hil.block_thread import BlockThread
from hil.link.keys import AgentKeys

DOMAIN = b"rehearse"
_ADDRESS = "inproc://zeromq.zap.01"
_POLL_MS = 100
_MOST_TOLD = 20


class Authenticator(BlockThread):
    """Lets in the public keys (Z85) that it was given, in a thread while the block lasts; start it before any bind."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], hosts: Mapping[bytes, str]) -> None:
        super().__init__("rehearse-authenticator")
        self.refused = 0
        self._hosts = {z85.decode(key): name for key, name in hosts.items()}
        self._told: set[tuple[bytes, bytes]] = set()
        self._socket = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(_ADDRESS)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._socket.poll(_POLL_MS):
                self._socket.send_multipart(self._answer(self._socket.recv_multipart()))
        self._socket.close(0)

    def _answer(self, request: list[bytes]) -> list[bytes]:
        """Returns what libzmq wants to know: version, request id, status, its text, user and metadata."""
        version, number, domain, address, _, mechanism, *credentials = [*request, *[b""] * 7][: max(len(request), 7)]
        name = self._hosts.get(credentials[0]) if len(credentials) == 1 else None
        if (version, domain, mechanism) == (b"1.0", DOMAIN, b"CURVE") and name is not None:
            return [version, number, b"200", b"OK", name.encode(), b""]
        self.refused += 1
        self._tell(address, credentials[0] if credentials else b"")
        return [version, number, b"400", b"unknown key", b"", b""]

    def _tell(self, address: bytes, key: bytes) -> None:
        """Says once who was turned away, so that its user can be helped; a flood is not repeated."""
        if (address, key) not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add((address, key))
            shown = z85.encode(key).decode() if len(key) == 32 else "none"
            where = address.decode(errors="replace")
            print(f"rehearse: a host at {where} was refused: its key {shown} is not known here.", file=sys.stderr)


def guarded(
    context: zmq.Context[zmq.Socket[bytes]], keys: AgentKeys | None
) -> AbstractContextManager[Authenticator | None]:
    """Returns the block in which sockets with those keys may be bound; without keys it does nothing."""
    return nullcontext() if keys is None else Authenticator(context, keys.hosts)
