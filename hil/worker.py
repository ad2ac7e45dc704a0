"""The engine runs in one thread behind a one-slot mailbox: a newer frame replaces a waiting one, never a running one."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import zmq
from numpy.typing import NDArray

from hil.answer import pack_answer
from hil.protocol import Body, Kind, pack
from perception.prediction import Prediction
from scenes.distortion import Distortion
from scenes.errors import RehearseError


class Times(Protocol):
    """The seconds of each stage, as `perception.perceiver.StageTimes` has them."""

    @property
    def preprocess_s(self) -> float: ...
    @property
    def infer_s(self) -> float: ...
    @property
    def postprocess_s(self) -> float: ...
    @property
    def boxes_s(self) -> float: ...


class TimedPerceiver(Protocol):
    """What the agent needs of perception: one image in, one prediction and its stage times out."""

    def perceive_timed(
        self,
        rgb: NDArray[np.uint8],
        *,
        fx: float,
        fy: float,
        cx: float,
        cy: float,
        distortion: Distortion | None = None,
    ) -> tuple[Prediction, Times]:
        """Perceives rgb (H, W, 3) with intrinsics in pixels, through a lens where there is one."""


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


class Worker:
    """Owns the engine thread; `offer` and `take` are called by the link thread only.

    `wake` is a socket to poll: it becomes readable when `take` has something.
    """

    def __init__(self, perceiver: TimedPerceiver, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.finished = 0
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

    def clear(self) -> None:
        """Empties the mailbox; the running frame, if any, still finishes."""
        with self._changed:
            self._waiting = None

    def take(self) -> Done | None:
        """Returns the next finished frame without waiting."""
        while int(self.wake.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            self.wake.recv(zmq.NOBLOCK)
        return self._done.popleft() if self._done else None

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
            body = self._perceive(job)
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

    def _perceive(self, job: Job) -> Body:
        try:
            start_ns = time.monotonic_ns()
            prediction, times = self._perceiver.perceive_timed(job.rgb, **job.intrinsics)
            return pack_answer(prediction, _stamps(job, start_ns, times))
        except Exception as error:  # whatever an engine raises fails this frame, not the agent
            reason = str(error) if isinstance(error, RehearseError) else f"{type(error).__name__}: {error}"
            return error_body("engine", reason)


def error_body(code: str, reason: str) -> Body:
    """Packs an ERROR: `code` is for the host's program, `reason` is a sentence for its user."""
    return pack(Kind.ERROR, {"code": code, "reason": reason[:1000]})


def _stamps(job: Job, start_ns: int, times: Times) -> dict[str, int]:
    """Lays the durations of the stages, which follow each other without a gap, on the agent's clock."""
    infer_start_ns = start_ns + round(times.preprocess_s * 1e9)
    infer_end_ns = infer_start_ns + round(times.infer_s * 1e9)
    return {
        "receive_ns": job.receive_ns,
        "preprocess_start_ns": start_ns,
        "infer_start_ns": infer_start_ns,
        "infer_end_ns": infer_end_ns,
        "post_end_ns": infer_end_ns + round((times.postprocess_s + times.boxes_s) * 1e9),
        "send_ns": time.monotonic_ns(),
    }
