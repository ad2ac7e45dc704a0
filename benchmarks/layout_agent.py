"""An agent for the benchmark of the two layouts: `python -m benchmarks.layout_agent LAYOUT BUSY SWITCH`.

LAYOUT is `thread` or `process`, BUSY where a pure-Python thread computes (`nowhere`, `engine`, `transport`) and SWITCH whether
threads are switched every 0.5 ms as the agent does it (`short`) or every 5 ms as Python does (`default`).
"""

from __future__ import annotations

import sys
import threading
from contextlib import nullcontext

from hil.agent import engine_process
from hil.agent import serve as agent
from hil.agent.emulator import Emulator
from hil.agent.service import parse_service

SERVICE_S = 0.005


def make(busy: str, switch: str) -> Emulator:
    """Returns a perceiver that takes 5 ms without computing, with a busy thread in its process where that is asked for."""
    if switch == "default":
        vars(engine_process)["short_switch_interval"] = nullcontext
    if busy == "engine":
        start_busy_thread()
    return Emulator(parse_service(f"p50={SERVICE_S * 1e3:g}ms"), seed=0)


def start_busy_thread() -> None:
    """Starts a thread that never gives the interpreter's lock away by itself."""

    def count() -> None:
        number = 0
        while True:
            number += 1

    threading.Thread(target=count, daemon=True).start()


def main(layout: str, busy: str, switch: str) -> None:
    """Serves on a free port until it is stopped."""
    if switch == "default":
        vars(agent)["short_switch_interval"] = nullcontext
    if busy == "transport":
        start_busy_thread()
    agent.serve(
        None, "tcp://127.0.0.1:*", maker="benchmarks.layout_agent:make", arguments=(busy, switch),
        in_process=layout == "thread",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
