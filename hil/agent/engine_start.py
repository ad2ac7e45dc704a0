"""An engine is opened and warm before anyone hears of it, in a process of its own or in a thread of this one."""

from __future__ import annotations

import time
from typing import Any

import zmq

from hil.agent.engine_order import EngineOrder, emulated, open_ordered
from hil.agent.perceiving import TimedPerceiver, warm_up
from hil.agent.process_worker import ProcessWorker
from hil.agent.service import parse_service
from hil.agent.watchdog import LEAST_S, Watchdog
from hil.agent.worker import FrameWorker, Worker


def start_engine(
    order: EngineOrder, context: zmq.Context[zmq.Socket[bytes]], *, in_process: bool, hang_after_s: float | None
) -> tuple[FrameWorker, dict[str, Any]]:
    """Opens what was ordered and returns its worker and its facts; raises EngineError or RehearseError in one sentence."""
    if in_process:
        started = time.monotonic()
        perceiver, facts = open_ordered(order)
        return _in_thread(perceiver, facts, context, open_s=time.monotonic() - started)
    # A stall that is emulated is no fault: the watchdog has to be more patient than the model.
    model = None if order.emulate is None else parse_service(order.emulate)
    least_s = LEAST_S if model is None else LEAST_S + 2 * model.longest_s
    worker = ProcessWorker(order, Watchdog(limit_s=hang_after_s, least_s=least_s))
    return worker, {**worker.facts, "layout": "process"}


def serve_perceiver(
    perceiver: TimedPerceiver, context: zmq.Context[zmq.Socket[bytes]], *, emulate: str | None, seed: int
) -> tuple[FrameWorker, dict[str, Any]]:
    """Returns the worker and the facts of a perceiver object, which cannot leave this process."""
    facts: dict[str, Any] = {"name": "injected"}
    if emulate is not None:
        perceiver, facts = emulated(perceiver, facts, emulate, seed)
    return _in_thread(perceiver, facts, context, open_s=0.0)


def _in_thread(
    perceiver: TimedPerceiver, facts: dict[str, Any], context: zmq.Context[zmq.Socket[bytes]], *, open_s: float
) -> tuple[FrameWorker, dict[str, Any]]:
    start = {"open_s": open_s, "first_s": warm_up(perceiver)[0]}
    return Worker(perceiver, context), {**facts, "start": start, "layout": "thread"}
