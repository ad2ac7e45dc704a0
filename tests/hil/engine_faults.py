"""Perceivers that an engine's process makes by name, and that fail in the way that the image's first pixel says."""

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np

from scenes.errors import EngineLostError
from tests.hil.agent_process import Perceiver

FAULTS = ("plain", "crash", "kill", "exit", "loop", "sleep", "raise", "lost")


def image_that(fault, shape=(48, 64, 3), value=0):
    """Returns an image of one value whose first pixel orders a fault."""
    rgb = np.full(shape, value, np.uint8)
    rgb[0, 0] = (251, FAULTS.index(fault), 151)
    return rgb


class Faulty(Perceiver):
    def perceive_timed(self, rgb, **camera):
        red, order, blue = (int(v) for v in rgb[0, 0])
        if (red, blue) == (251, 151):
            fail(FAULTS[order])
        return super().perceive_timed(rgb, **camera)


def fail(fault):
    if fault == "crash":
        ctypes.string_at(0)  # a library reads where nothing is
    elif fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "exit":
        os._exit(7)
    elif fault == "loop":
        while True:  # and never gives the interpreter's lock away
            pass
    elif fault == "sleep":
        time.sleep(60)
    elif fault == "raise":
        raise RuntimeError("the engine tripped")
    elif fault == "lost":
        raise EngineLostError("The GPU failed; this process must be started anew.")


def make(delay_s="0"):
    return Faulty(float(delay_s), "plain")


def make_noted(log):
    """Makes a slow perceiver that notes what it looks at, so that a frame always waits for it."""
    return Perceiver(0.15, f"log:{log}")


def make_once(marker):
    """Makes a perceiver once; afterwards the process dies while it opens."""
    if Path(marker).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    Path(marker).touch()
    return make()


def die(number):
    os.kill(os.getpid(), int(number))


def refuse(sentence):
    raise ValueError(sentence)
