"""While a block runs, the machine keeps out of its way: short thread switches, no garbage collection, no core that sleeps."""

from __future__ import annotations

import gc
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def short_switch_interval(seconds: float = 0.0005) -> Iterator[None]:
    """Lets a thread that wakes for a message run within `seconds`, even while another computes in Python."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def no_collection() -> Iterator[None]:
    """Collects once, then freezes what is left and collects no more until the block ends."""
    enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()


_PRIORITY = 10
# For a thread that takes turns with the timed one: stopped by other work while it holds Python's lock, it would stop both.
BESIDE = 9


@contextmanager
def real_time(priority: int = _PRIORITY) -> Iterator[str]:
    """Gives this thread, and none that it starts, a real-time priority where the system allows it.

    Yields what it got, for the record: a loaded host without it may wake too late to play a camera.
    """
    if not hasattr(os, "sched_setscheduler"):
        yield "normal: this system has no real-time priority"
        return
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        yield f"normal: real time was refused ({error.strerror})"
        return
    try:
        yield f"SCHED_FIFO {priority}"
    finally:
        os.sched_setscheduler(0, before, parameters)


_TRANSPORT_THREADS = "ZMQbg/IO"


def hurry_transport(tasks: Path = Path("/proc/self/task")) -> int:
    """Gives the threads in which ZeroMQ sends and receives for this process `real_time`'s priority where the system allows it.

    Set from outside, as libzmq ends a process that asks for one and is refused it. A thread is known by the name that it gives
    itself, so once it has carried a message, not when its socket is made. Returns how many have it; they keep it.
    """
    hurried = 0
    for task in tasks.glob("*"):
        with suppress(OSError):  # refused, or the thread has ended meanwhile
            if (task / "comm").read_text().startswith(_TRANSPORT_THREADS):
                os.sched_setscheduler(int(task.name), os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
                hurried += 1
    return hurried


_LATENCY_REQUEST = Path("/dev/cpu_dma_latency")
AS_IT_IS = "left to the system"


@contextmanager
def awake(request: Path = _LATENCY_REQUEST) -> Iterator[str]:
    """Keeps the cores of this machine out of their idle states where the system allows it (root on Linux).

    The kernel's own request for it (PM QoS, a wake-up within 0 us), as cyclictest makes it; the kernel takes it back when the
    block ends, or this process. Yields what it got, for the record.
    """
    try:
        descriptor = os.open(request, os.O_WRONLY)
    except OSError as error:
        yield f"{AS_IT_IS}: {request} was refused ({error.strerror})"
        return
    try:
        os.write(descriptor, struct.pack("<i", 0))
        yield "held off"
    finally:
        os.close(descriptor)
