"""The engine's own process: it opens what it is told, answers one frame after another, and ends with its agent.

Started by `hil.agent.engine_child` alone. It opens no socket to anyone else, and what it says goes to the agent's stderr.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from hil.agent.engine_channel import Channel, ChannelClosed
from hil.agent.engine_memory import EngineMemory
from hil.agent.engine_order import EngineOrder, open_ordered
from hil.agent.perceiving import TimedPerceiver, counters_of, perceive_frame, warm_up
from hil.link.protocol import Body
from hil.quiet import short_switch_interval
from scenes.distortion import Distortion
from scenes.errors import RehearseError

_PR_SET_PDEATHSIG = 1
_LOST_STATUS = 69  # EX_UNAVAILABLE of sysexits.h


def main(agent_pid: int, channel_descriptor: int, memory_descriptor: int) -> None:
    """Serves until the agent closes the channel or is gone."""
    _die_with(agent_pid)
    faulthandler.enable()  # a crash in a library says where it was
    channel = Channel(socket.socket(fileno=channel_descriptor), blocking=True)
    memory = EngineMemory(memory_descriptor)
    try:
        perceiver = _open(channel, EngineOrder.from_dict(channel.wait()))
        if perceiver is not None:
            with short_switch_interval():
                _serve(channel, memory, perceiver)
    except ChannelClosed:
        return


def _open(channel: Channel, order: EngineOrder) -> TimedPerceiver | None:
    """Opens and warms the engine, and says so; None where that failed, with the sentence said."""
    started = time.monotonic()
    try:
        perceiver, facts = open_ordered(order)
        open_s = time.monotonic() - started
        warm_up_s = warm_up(perceiver)
    except RehearseError as error:
        channel.send({"failed": str(error), "kind": type(error).__name__})
        return None
    except Exception as error:  # a defect: the trace is for its author, the sentence for the user
        traceback.print_exc()
        channel.send({"failed": f"The engine cannot be opened: {type(error).__name__}: {error}", "kind": "EngineError"})
        return None
    facts = {**facts, "start": {"open_s": open_s, "first_s": warm_up_s[0]}}
    channel.send({"ready": facts, "warm_up_s": warm_up_s, "counters": counters_of(perceiver)})
    return perceiver


def _serve(channel: Channel, memory: EngineMemory, perceiver: TimedPerceiver) -> None:
    """Answers frames; the answer of one is packed in a second thread while the engine is at the next."""
    lost: list[str] = []
    with ThreadPoolExecutor(1, "rehearse-packing") as packer:
        packing: Future[None] | None = None
        while not lost:  # a device that is lost needs a new process, which the agent starts
            job = channel.wait()
            rgb = memory.image(job["slot"], job["shape"])
            packed = perceive_frame(perceiver, rgb, _camera(job["camera"]), receive_ns=job["receive_ns"], lost=lost)
            if packing is not None:
                packing.result()  # one at a time, so that a channel has one writer
            channel.send({"free": job["job"]})
            packing = packer.submit(_answer, channel, memory, job, packed, counters_of(perceiver))
    sys.exit(_LOST_STATUS)


def _answer(
    channel: Channel, memory: EngineMemory, job: dict[str, Any], packed: Callable[[], Body], counters: dict[str, int]
) -> None:
    body = packed()
    sizes = memory.put_answer(job["answer"], body)
    channel.send({
        "done": job["job"], "kind": int(body.kind), "sizes": sizes, "checksum": body.checksum, "counters": counters,
    })  # fmt: skip


def _camera(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of perceive_timed: the lens travels as its coefficients."""
    lens = values.get("distortion")
    return values if lens is None else {**values, "distortion": Distortion(coefficients=tuple(lens))}


def _die_with(agent_pid: int) -> None:
    """Lets the kernel end this process with the agent, even while it hangs; elsewhere than on Linux an end of file does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != agent_pid:  # it was quicker
        os._exit(1)
