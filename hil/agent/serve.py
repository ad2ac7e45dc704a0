"""The device agent answers the newest frame of one host at a time, and says why whenever it does not.

It imports numpy, OpenCV, the transport and one engine: no torch, no simulator. Its loop is `hil.agent.agent`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from hil.agent.agent import Agent
from hil.agent.engine_order import EngineOrder
from hil.agent.engine_start import serve_perceiver, start_engine
from hil.agent.perceiving import TimedPerceiver
from hil.agent.telemetry import Telemetry
from hil.agent.worker import FrameWorker
from hil.link.authenticator import guarded
from hil.link.clock_socket import ClockServer
from hil.link.sockets import DEFAULT_ADDRESS, is_loopback, keys_for_agent
from hil.link.transport import ZmqAgent
from hil.quiet import hurry_transport, real_time, short_switch_interval
from scenes.errors import EngineError

if TYPE_CHECKING:
    from types import FrameType


def serve(
    engine_path: str | os.PathLike[str] | None,
    bind: str = DEFAULT_ADDRESS,
    *,
    backend: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
    ready: Callable[[str], None] | None = None,
    max_frames: int | None = None,
    insecure: bool = False,
    keys: Path | None = None,
    sha256: str | None = None,
    perceiver: TimedPerceiver | None = None,
    maker: str | None = None,
    arguments: Sequence[str] = (),
    emulate: str | None = None,
    seed: int = 0,
    in_process: bool = False,
    hang_after_s: float | None = None,
) -> None:
    """Serves one engine until SIGINT, SIGTERM or `max_frames` answers; returns after a clean close.

    `ready` is called with the bound address once the engine is warm (default: prints "READY <address>"). The engine, whose
    file's digest may be pinned with `sha256`, runs in a process of its own, and is restarted where it dies or one frame
    runs for longer than `hang_after_s` (default: 2 s or 20 times the median frame, the longer); `in_process` runs it in a
    thread here, where nothing can restart it. A `maker` takes the place of the engine file: "package.module:function" is
    called with `arguments` there and returns a perceiver. A `perceiver` does so too, in a thread here. `emulate` is a line
    of `hil.agent.service`: the agent then takes that long for a frame, with draws from `seed`, and needs no engine. `keys` is a
    folder of `hil.link.keys`: the link is then encrypted and only the hosts in it get in; an address that other machines can
    reach needs it, or `insecure`. Raises LinkError for the address and the keys, EngineError for the file, or where the
    engine does not come back, and RehearseError for the model.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    worker: FrameWorker | None = None
    try:
        own = keys_for_agent(keys, bind, insecure=insecure)
        with guarded(context, own):
            link = ZmqAgent(context, bind, insecure=insecure, keys=own)
            if perceiver is None:
                order = EngineOrder(
                    path=None if engine_path is None else os.fspath(engine_path), backend=backend, threads=threads,
                    precision=precision, sha256=sha256, unsigned=is_loopback(bind), maker=maker, arguments=tuple(arguments),
                    emulate=emulate, seed=seed,
                )  # fmt: skip
                worker, facts = start_engine(order, context, in_process=in_process, hang_after_s=hang_after_s)
            else:
                worker, facts = serve_perceiver(perceiver, context, emulate=emulate, seed=seed)
            telemetry = Telemetry(beside=worker.pid)
            clock = ClockServer(context, link.address, insecure=insecure, keys=own)
            agent = Agent(link, worker, facts, clock.where, telemetry)
            with telemetry, clock, _stop_on_signals(agent), short_switch_interval(), real_time():
                hurry_transport()
                agent.discard_early()
                (ready or _print_ready)(link.address)
                agent.run(max_frames)
    finally:
        if worker is not None:
            worker.close()
        context.destroy(linger=100)
    if worker.fault is not None:
        raise EngineError(worker.fault)


def _print_ready(address: str) -> None:
    print(f"READY {address}", flush=True)


@contextmanager
def _stop_on_signals(agent: Agent) -> Iterator[None]:
    """Turns SIGINT and SIGTERM into a clean stop; signals belong to the main thread, so elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signum: int, _frame: FrameType | None) -> None:
        agent.stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
