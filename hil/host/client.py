"""The host's end of the link: it shakes hands or says why not, and never waits for anything without a limit."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from hil.link.keys import HostKeys
from hil.link.protocol import (
    SESSION_BYTES,
    VERSION,
    Body,
    Buffer,
    Kind,
    Message,
    ProtocolError,
    open_message,
    pack,
    printable,
    seal,
)
from hil.link.transport import HostTransport, ZmqHost
from scenes.errors import LinkError

_HELLO_EVERY_S = 0.5


class Client:
    """One session with one agent; a context manager. `facts` is what the agent said of itself.

    Encrypted where there are `keys`; a `transport` of another kind takes the place of ZeroMQ. The agent is asked to drop frames
    that are older than `stale_after_s` when they come. `stale` counts answers to sessions that were left. Raises LinkError at
    opening where nobody answers within `timeout_s`, or the agent refuses.
    """

    def __init__(
        self,
        device: str,
        *,
        timeout_s: float = 3.0,
        stale_after_s: float | None = None,
        keys: HostKeys | None = None,
        transport: Callable[[str, bytes], HostTransport] | None = None,
    ) -> None:
        self.device = device
        self.session = os.urandom(SESSION_BYTES)
        self.protocol_errors = 0
        self.stale = 0
        self._stale_after_s = stale_after_s
        self._left: set[bytes] = set()
        self._ping = pack(Kind.PING, {})
        self._hello = self._pack_hello(None)
        self._link = ZmqHost(device, self.session, keys) if transport is None else transport(device, self.session)
        self.link_facts = dict(self._link.facts)
        self._terms: Body | None = None
        self._closed = False
        try:
            self.facts = self._shake_hands(timeout_s)
        except BaseException:
            self._link.close()
            raise

    def __enter__(self) -> Client:  # noqa: PYI034  # Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the lease back if the agent is still there; waits at most 0.1 s."""
        if not self._closed:
            self._closed = True
            self.send(pack(Kind.BYE, {}))
            self._link.close()

    def fileno(self) -> int:
        """The descriptor to wait on. It tells of a change only: call `receive` until it returns None before waiting."""
        return self._link.fileno()

    def send_frame(self, body: Body, *, seq: int, due_ns: int) -> bool:
        """Sends a packed FRAME without waiting; False where the link cannot take it now."""
        return self.send(body, seq=seq, due_ns=due_ns)

    def ping(self, seq: int = 0) -> bool:
        """Sends a PING without waiting; its PONG has the same `seq`."""
        return self.send(self._ping, seq=seq)

    def begin_session(self) -> None:
        """Leaves the session for a new one, after an outage; `knock` then asks the agent to take it up."""
        self._left.add(self.session)
        self.session, follows = os.urandom(SESSION_BYTES), self.session
        self._hello = self._pack_hello(follows)
        self.reconnect()

    def reconnect(self) -> None:
        """Leaves the connection, with all that waits in it, for a new one; no wait. `fileno` is another one then."""
        self._link.reconnect(self.session)

    def knock(self) -> bool:
        """Sends a HELLO without waiting; a WELCOME of this session answers it."""
        return self.send(self._hello)

    def readable(self) -> bool:
        """Whether `receive` would find something now."""
        return self._link.readable()

    def receive(self) -> Message | None:
        """Returns the next message of this session, or None where there is none yet; counts what cannot be read."""
        while (parts := self._link.receive()) is not None:
            try:
                message = open_message(parts)
            except ProtocolError:
                self.protocol_errors += 1
                continue
            if message.session == self.session:
                return message
            if message.session in self._left:
                self.stale += 1
            else:
                self.protocol_errors += 1
        return None

    def send(self, body: Body, *, seq: int = 0, due_ns: int = 0) -> bool:
        """Sends any message of this session without waiting; False where the link cannot take it now."""
        return self._link.send(seal(body, session=self.session, seq=seq, due_ns=due_ns, sent_ns=time.monotonic_ns()))

    def settle(self, terms: Body | None = None) -> bool:
        """Sends the TERMS of this session; without an argument the last ones again, to an agent that was lost."""
        self._terms = terms or self._terms
        return self._terms is not None and self.send(self._terms)

    def wait_for(self, kind: Kind, seq: int, timeout_s: float) -> Message | None:
        """Returns the message of that kind and number, passing over all others; None where it did not come in time."""
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            if (message := self.receive()) is None:
                self._link.wait(left_s)
            elif message.kind is kind and message.seq == seq:
                return message
        return None

    def _pack_hello(self, follows: bytes | None) -> Body:
        said: dict[str, Any] = {"host": platform.node(), "process": os.getpid()}
        if self._stale_after_s is not None:
            said["stale_after_s"] = float(self._stale_after_s)
        if follows is not None:
            said["follows"] = follows
        return pack(Kind.HELLO, said)

    def _shake_hands(self, timeout_s: float) -> dict[str, Any]:
        deadline, next_hello = time.monotonic() + timeout_s, 0.0
        while (now := time.monotonic()) < deadline:
            if now >= next_hello and self.knock():
                next_hello = now + _HELLO_EVERY_S
            self._link.wait(0.05)
            if (trouble := self._link.trouble()) is not None:
                raise LinkError(trouble)
            parts = self._link.receive()
            facts = None if parts is None else self._open_welcome(parts)
            if facts is not None:
                self._link.settled()
                return facts
        nobody = f"No agent answered at {self.device} within {timeout_s:g} s; start one there with `rehearse agent ENGINE`."
        raise LinkError(self._link.trouble(final=True) or nobody)

    def _open_welcome(self, parts: list[Buffer]) -> dict[str, Any] | None:
        try:
            message = open_message(parts)
        except ProtocolError as error:
            if error.peer_version is not None:
                raise self._version_error(error.peer_version) from error
            self.protocol_errors += 1
            return None
        if message.kind is Kind.WELCOME and message.session == self.session:
            return self._plain(message.meta)
        if message.kind is Kind.ERROR and message.meta.get("code") in ("busy", "version"):
            reason = printable(message.meta.get("reason"))
            raise LinkError(f"The agent at {self.device} refused this host: {reason}.")
        return None

    def _plain(self, facts: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(facts, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise LinkError(
                f"The agent at {self.device} describes itself with values that are not JSON: {error}."
            ) from error
        return facts

    def _version_error(self, peer_version: int) -> LinkError:
        return LinkError(
            f"The agent at {self.device} speaks version {peer_version} of the link and this host version {VERSION}; "
            "install the same release of rehearse on both."
        )
