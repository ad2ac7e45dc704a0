"""While a block runs, the interpreter keeps out of its way: short thread switches, and no garbage collection pauses."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
