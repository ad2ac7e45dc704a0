"""Answers are packed in a thread of their own: neither the engine nor the agent's link waits for a codec.

Only results of a session that agreed on packing come here; all else is sent by the link at once.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from hil.link.answer import repack_answer
from hil.link.codec import RAW
from hil.link.packer import Packer, Terms
from hil.link.protocol import Body, Kind

# A host with more answers than this in flight gets the rest raw.
_MOST_WAITING = 4


class _Answered(Protocol):
    @property
    def body(self) -> Body: ...


_Done = TypeVar("_Done", bound=_Answered)


class Packing(Generic[_Done]):
    """Packs the bodies of finished jobs; all but the thread's own work is called by the link's thread.

    `wake` becomes readable when `take` has something.
    """

    def __init__(self) -> None:
        self.wake, self._signal = socket.socketpair()
        self.wake.setblocking(False)
        self._signal.setblocking(False)
        self._packer = Packer()
        self._waiting: queue.SimpleQueue[tuple[_Done, Packer] | None] = queue.SimpleQueue()
        self._ready: deque[_Done] = deque()
        self._thread: threading.Thread | None = None

    def agree(self, terms: Terms | None) -> None:
        """Begins a session: raw until the host said what it wants."""
        self._packer = Packer(terms)

    def facts(self) -> dict[str, Any]:
        """Returns what was chosen for this session, why, and what it came to."""
        return self._packer.facts()

    def submit(self, done: _Done) -> bool:
        """Takes a result to pack; False where it is to be sent as it is."""
        if done.body.kind is not Kind.RESULT or self._waiting.qsize() >= _MOST_WAITING:
            return False
        if self._packer.codec == RAW:
            self._packer.passed(done.body.array_bytes)
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="rehearse-packing", daemon=True)
            self._thread.start()
        self._waiting.put((done, self._packer))
        return True

    def take(self) -> _Done | None:
        """Returns the next packed answer without waiting."""
        with suppress(BlockingIOError):
            self.wake.recv(4096)
        return self._ready.popleft() if self._ready else None

    def close(self, timeout_s: float = 2.0) -> None:
        """Ends the thread after its running answer."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout_s)
        self.wake.close()
        self._signal.close()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            done, packer = item
            self._ready.append(replace(done, body=repack_answer(done.body, packer)))  # type: ignore[type-var]
            with suppress(BlockingIOError, OSError):  # full: the link is awake already; closed: nobody waits
                self._signal.send(b"\0")
