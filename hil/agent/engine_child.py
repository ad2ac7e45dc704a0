"""One engine process as the agent sees it: started from a list, spoken to by a doorbell and shared memory, ended for certain.

It is a new interpreter, never a fork: engines start threads and hold devices, and neither survives a fork.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hil.agent.engine_channel import Channel
from hil.agent.engine_memory import EngineMemory
from hil.agent.engine_order import EngineOrder
from hil.link.protocol import Body

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from hil.agent.engine_process import main; main(*map(int, sys.argv[2:]))"
)
_REAP_S = 0.2


class EngineChild:
    """A process that opens `order`; starting takes milliseconds, and its first message comes when the engine is warm."""

    def __init__(self, order: EngineOrder) -> None:
        self.started_ns = time.monotonic_ns()
        self.memory = EngineMemory()
        self._slots: dict[int, int] = {}
        ours, theirs = socket.socketpair()
        with theirs, _no_interrupts():
            descriptors = theirs.fileno(), self.memory.descriptor
            command = [sys.executable, "-c", _BOOT, json.dumps(sys.path), *map(str, (os.getpid(), *descriptors))]
            self.process = subprocess.Popen(command, pass_fds=descriptors, stdin=subprocess.DEVNULL)
        self.channel = Channel(ours, blocking=False)
        self.channel.send(order.to_dict())

    def submit(self, job: int, slot: int, shape: tuple[int, ...], camera: dict[str, Any], receive_ns: int) -> None:
        """Tells it to answer the image in `slot`, once it is free of the one before. Raises ChannelClosed where it is gone."""
        lens = camera.get("distortion")
        plain = camera if lens is None else {**camera, "distortion": list(lens.coefficients)}
        self._slots[job] = self.memory.free_slot(beside=self._slots.values())
        self.channel.send({
            "job": job, "slot": slot, "answer": self._slots[job], "shape": list(shape), "camera": plain,
            "receive_ns": receive_ns,
        })  # fmt: skip

    def answer(self, done: dict[str, Any]) -> Body:
        """Returns the answer that a `done` message speaks of; raises ValueError where it cannot be one."""
        try:
            return self.memory.answer(self._slots.pop(done["done"]), done["kind"], done["sizes"], done["checksum"])
        except (KeyError, TypeError) as error:
            raise ValueError("the engine's process speaks another language") from error

    def ended(self) -> str:
        """Returns how it ended, in words, after its channel closed; waits at most a moment, then ends it."""
        try:
            status = self.process.wait(_REAP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return "the engine's process closed its channel"
        if status < 0:
            return f"the engine's process was ended by {signal.Signals(-status).name}"
        return f"the engine's process ended with status {status}"

    def kill(self) -> None:
        """Sends SIGKILL, which no loop, stop or lock keeps from working, and forgets the memory; does not wait."""
        self.process.kill()
        self.channel.close()
        self.memory.close()

    def gone(self) -> bool:
        """Whether the system has taken the process down; one that waits for a device may take its time."""
        return self.process.poll() is not None

    def close(self, timeout_s: float) -> None:
        """Lets it finish its frame and end; one that has not by then is killed. May be called twice."""
        self.channel.close()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout_s)
        self.memory.close()


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """A child that starts here never sees Ctrl-C, which a terminal sends to both: its agent tells it when to end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


