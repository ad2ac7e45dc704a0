"""The engine runs in one thread behind a one-slot mailbox: a newer frame replaces a waiting one, never a running one.

This is the layout of an injected perceiver and of `rehearse agent --in-process`; the other one is `hil.agent.process_worker`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import zmq
from numpy.typing import NDArray

from hil.agent.perceiving import TimedPerceiver, counters_of, perceive_frame
from hil.link.protocol import Body


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """A frame that was accepted: where its answer goes, and what to perceive."""

    peer: bytes
    session: bytes
    seq: int
    rgb: NDArray[np.uint8]
    intrinsics: dict[str, Any]
    receive_ns: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Done:
    """A finished job with the message that answers it: a RESULT, or an ERROR with the reason."""

    job: Job
    body: Body


class FrameWorker(Protocol):
    """What the link needs of an engine, wherever it runs; called by the link's thread only.

    `wake` can be polled: it becomes readable when `take` may have something. `fault` is the sentence of why the engine
    will not come back, None while there is hope. `events` are the latest restarts and their times, plain values.
    """

    finished: int
    fault: str | None

    @property
    def wake(self) -> Any: ...
    @property
    def events(self) -> Sequence[Mapping[str, Any]]: ...
    def offer(self, job: Job) -> Job | None:
        """Puts a frame into the mailbox and returns the one that it replaced, if any."""

    def take(self) -> Done | None:
        """Returns the next finished frame without waiting."""

    def clear(self) -> Job | None:
        """Empties the mailbox and returns the frame that was in it; the running frame, if any, still finishes."""

    def counters(self) -> dict[str, int]:
        """Returns what the engine and its keeper count."""

    def pid(self) -> int | None:
        """Returns the process of the engine, None where it is this one."""

    def close(self, timeout_s: float = 2.0) -> None:
        """Ends the engine; may be called twice."""


class Worker:
    """Owns the engine thread; see FrameWorker. It cannot restart what hangs in its own process, so it has no fault."""

    def __init__(self, perceiver: TimedPerceiver, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.finished = 0
        self.fault: str | None = None
        self.events: Sequence[Mapping[str, Any]] = ()
        self._perceiver = perceiver
        self._waiting: Job | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._done: deque[Done] = deque()
        self.wake: zmq.Socket[bytes] = context.socket(zmq.PAIR)
        self._signal: zmq.Socket[bytes] = context.socket(zmq.PAIR)
        self.wake.bind("inproc://rehearse-worker")
        self._signal.connect("inproc://rehearse-worker")
        self._thread = threading.Thread(target=self._run, name="rehearse-engine", daemon=True)
        self._thread.start()

    def offer(self, job: Job) -> Job | None:
        """Puts a frame into the mailbox and returns the one that it replaced, if any."""
        with self._changed:
            replaced, self._waiting = self._waiting, job
            self._changed.notify()
        return replaced

    def clear(self) -> Job | None:
        """Empties the mailbox and returns the frame that was in it; the running frame, if any, still finishes."""
        return self._take_waiting()

    def take(self) -> Done | None:
        """Returns the next finished frame without waiting."""
        while int(self.wake.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            self.wake.recv(zmq.NOBLOCK)
        return self._done.popleft() if self._done else None

    def counters(self) -> dict[str, int]:
        """Returns what the perceiver counts."""
        return counters_of(self._perceiver)

    def pid(self) -> int | None:
        """The engine is in this process."""
        return None

    def close(self, timeout_s: float = 2.0) -> None:
        """Stops the thread after its running frame, waiting at most `timeout_s`, and closes the sockets."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)
        self.wake.close(0)
        if not self._thread.is_alive():
            self._signal.close(0)

    def _run(self) -> None:
        job = self._wait()
        while job is not None:
            body = perceive_frame(self._perceiver, job.rgb, job.intrinsics, receive_ns=job.receive_ns)()
            # Taken before the answer leaves: the frame that the answer makes room for must not replace this one.
            following = self._take_waiting()
            self.finished += 1
            self._done.append(Done(job=job, body=body))
            self._signal.send(b"", zmq.NOBLOCK)
            job = following or self._wait()

    def _wait(self) -> Job | None:
        with self._changed:
            while self._waiting is None and not self._stopping:
                self._changed.wait()
            return None if self._stopping else self._take_waiting()

    def _take_waiting(self) -> Job | None:
        with self._changed:
            job, self._waiting = self._waiting, None
            return job
