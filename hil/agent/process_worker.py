"""The engine runs in a process of its own, and whatever becomes of that process, the link goes on and every frame is answered.

The mailbox is on this side: one frame runs, one waits, a newer one replaces the waiting one. The waiting one is handed over as
soon as the engine is free, while the answer of the one before is packed. An engine that died, or whose
frame runs for longer than the watchdog allows, is killed and started again. Then the running frame and the waiting one,
and every frame until the engine is warm again, get an ERROR at once: none of them is kept, so nothing stale is perceived.
No thread, no lock and no wait: everything happens in `offer` and `take`, which the link's thread calls at least ten times
a second.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from hil.agent.engine_channel import Channel, ChannelClosed
from hil.agent.engine_child import EngineChild
from hil.agent.engine_order import EngineOrder
from hil.agent.perceiving import error_body
from hil.agent.watchdog import RestartRule, Watchdog
from hil.agent.worker import Done, Job
from scenes.errors import EngineError, RehearseError

# A network may be built for minutes on the device, once; nothing runs for longer than this.
_OPEN_WITHIN_S = 900.0
# A process that waits for its device may outlive SIGKILL; the next one does not wait for it longer than this.
_GONE_WITHIN_S = 2.0
_EVENTS = 16


class ProcessWorker:
    """Keeps one engine process; see hil.agent.worker.FrameWorker. `facts` is what the engine said of itself.

    Opening waits until the engine is warm; raises EngineError, or RehearseError, with the one sentence of why it is not.
    """

    def __init__(self, order: EngineOrder, watchdog: Watchdog | None = None, rule: RestartRule | None = None) -> None:
        self.finished = self.restarts = 0
        self.fault: str | None = None
        self._order, self._watchdog, self._rule = order, watchdog or Watchdog(), rule or RestartRule()
        self._running: Job | None = None
        self._packed: Job | None = None
        self._waiting: Job | None = None
        self._slot = self._jobs = 0
        self._done: deque[Done] = deque()
        self._events: deque[dict[str, Any]] = deque(maxlen=_EVENTS)
        self._counters: dict[str, int] = {}
        self._why, self._start_at_ns = "", 0
        self._silence, self._unused = socket.socketpair()
        self._dying: EngineChild | None = None
        self._child: EngineChild | None = EngineChild(order)
        self._ready = False
        try:
            self.facts = self._first_facts()
        except BaseException:
            self.close(timeout_s=0.2)
            raise

    @property
    def wake(self) -> Channel | socket.socket:
        """What to wait on; another one after each restart."""
        return self._silence if self._child is None else self._child.channel

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """The latest failures and recoveries, oldest first: at_ns on this machine's monotonic clock, what, why."""
        return tuple(self._events)

    def offer(self, job: Job) -> Job | None:
        """Puts a frame into the mailbox and returns the one that it replaced, if any."""
        if self._child is None or not self._ready:
            hope = "it is starting again" if self.fault is None else "it does not start again"
            self._done.append(Done(job=job, body=error_body("engine", f"{self._why}; {hope}")))
            return None
        if self._running is None:
            self._slot = 1 - self._slot
            self._child.memory.put_image(self._slot, job.rgb)
            self._run(job)
            return None
        replaced, self._waiting = self._waiting, job
        self._child.memory.put_image(1 - self._slot, job.rgb)
        return replaced

    def take(self) -> Done | None:
        """Returns the next finished frame without waiting; looks after the engine."""
        self._tend(time.monotonic_ns())
        return self._done.popleft() if self._done else None

    def clear(self) -> Job | None:
        """Empties the mailbox and returns the frame that was in it; the running frame, if any, still finishes."""
        waiting, self._waiting = self._waiting, None
        return waiting

    def counters(self) -> dict[str, int]:
        """Returns how often the engine was started again, and what the perceiver counts."""
        return {"engine_restarts": self.restarts, **self._counters}

    def pid(self) -> int | None:
        """Returns the process of the engine, None while there is none."""
        return None if self._child is None else self._child.process.pid

    def close(self, timeout_s: float = 2.0) -> None:
        """Ends the engine after its running frame, waiting at most `timeout_s`; may be called twice."""
        child, self._child = self._child, None
        if child is not None:
            child.close(timeout_s)
        if self._dying is not None:
            self._dying.close(timeout_s)
        self._silence.close()
        self._unused.close()

    def _first_facts(self) -> dict[str, Any]:
        child, until_ns = self._child, time.monotonic_ns() + _OPEN_WITHIN_S * 1e9
        assert child is not None
        try:
            while (message := child.channel.receive()) is None:
                if time.monotonic_ns() > until_ns:
                    raise EngineError(f"The engine {self._order.what} did not open within {_OPEN_WITHIN_S / 60:.0f} minutes.")
                select.select([child.channel], [], [], 0.1)
        except ChannelClosed:
            how = child.ended()
            raise EngineError(f"{how[0].upper()}{how[1:]} while it opened {self._order.what}.") from None
        if "failed" in message:
            kind = RehearseError if message.get("kind") == "RehearseError" else EngineError
            raise kind(str(message["failed"]))
        self._open(message)
        return dict(message["ready"])

    def _open(self, message: Mapping[str, Any]) -> None:
        self._ready = True
        self._watchdog.learn(message["warm_up_s"][1:])
        self._counters = message["counters"]

    def _tend(self, now_ns: int) -> None:
        child = self._child
        if child is None:
            self._start_again(now_ns)
            return
        try:
            while (message := child.channel.receive()) is not None:
                self._hear(child, message, now_ns)
        except ChannelClosed:
            self._failed(child, child.ended(), now_ns)
        except ValueError as error:
            self._failed(child, str(error), now_ns)
        else:
            self._look(child, now_ns)

    def _look(self, child: EngineChild, now_ns: int) -> None:
        if not self._ready and now_ns - child.started_ns > _OPEN_WITHIN_S * 1e9:
            self._failed(child, "the engine did not open again", now_ns)
        elif (silent_s := self._watchdog.hung_s(now_ns)) is not None:
            self._failed(child, f"the engine hung for {silent_s:.1f} s", now_ns)

    def _hear(self, child: EngineChild, message: Mapping[str, Any], now_ns: int) -> None:
        if "failed" in message:
            raise ValueError(f"the engine could not be opened again: {message['failed']}")
        if "ready" in message:
            self._recovered(child, message, now_ns)
            return
        if "free" in message:
            self._follow(message["free"], now_ns)
            return
        if self._packed is None or message.get("done") != self._jobs - (self._running is not None):
            raise ValueError("the engine's process answered what it was not asked")
        done, self._packed = Done(job=self._packed, body=child.answer(dict(message))), None
        if self._running is None:
            self._watchdog.stop()
        self._rule.progressed()
        self.finished += 1
        self._counters = message["counters"]
        self._done.append(done)

    def _follow(self, freed: object, now_ns: int) -> None:
        """Starts the waiting frame: before the answer leaves, as the frame that the answer makes room for must not replace it."""
        if self._running is None or self._packed is not None or freed != self._jobs:
            raise ValueError("the engine's process finished what it was not asked")
        self._watchdog.finished(now_ns)
        self._watchdog.began(now_ns)  # packing can hang too
        self._packed, self._running, following, self._waiting = self._running, None, self._waiting, None
        if following is not None:
            self._slot = 1 - self._slot
            self._run(following)

    def _run(self, job: Job) -> None:
        """Starts the image that lies in the slot; one that finds the process gone is answered when that is seen."""
        child = self._child
        assert child is not None
        self._running = job
        self._jobs += 1
        self._watchdog.began(time.monotonic_ns())
        with suppress(ChannelClosed):
            child.submit(self._jobs, self._slot, job.rgb.shape, job.intrinsics, job.receive_ns)

    def _failed(self, child: EngineChild, why: str, now_ns: int) -> None:
        """Ends the process, answers what it leaves behind, and plans the next one or gives up."""
        child.kill()
        self._dying, self._child, self._ready, self._why = child, None, False, why
        self._watchdog.stop()
        self._events.append({"at_ns": now_ns, "what": "failed", "why": why[:200]})
        delay_s = self._rule.failed(now_ns)
        if delay_s is None:
            self.fault = f"{self._rule.verdict()}, so the agent stopped; the last time, {why}."
        self._start_at_ns = now_ns + round((delay_s or 0.0) * 1e9)
        end = "was not restarted again" if self.fault else "was restarted"
        begun, waited = f"{why} and {end}", f"{why} while this frame waited"
        for job, reason in ((self._packed, begun), (self._running, begun), (self._waiting, waited)):
            if job is not None:
                self._done.append(Done(job=job, body=error_body("engine", reason)))
        self._packed = self._running = self._waiting = None

    def _start_again(self, now_ns: int) -> None:
        if self.fault is not None or now_ns < self._start_at_ns:
            return
        if self._dying is not None and not self._dying.gone() and now_ns < self._start_at_ns + _GONE_WITHIN_S * 1e9:
            return
        self._dying = None
        self.restarts += 1
        self._child = EngineChild(self._order)

    def _recovered(self, child: EngineChild, message: Mapping[str, Any], now_ns: int) -> None:
        before, now = self.facts.get("digest"), message["ready"].get("digest")
        if before != now:
            self.fault = f"The engine file {self._order.what} was exchanged while it was served: its sha256 is another one."
            raise ValueError("the engine file was exchanged")
        self._open(message)
        seconds = (now_ns - child.started_ns) / 1e9
        self._events.append({"at_ns": now_ns, "what": "ready", "why": f"{seconds:.1f} s after its start"})
