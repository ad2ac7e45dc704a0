"""An agent without a device: it takes as long for a frame as a model says, one frame at a time, and always says so.

With an engine inside, the answers are the engine's own, held back until the model's time is over; a frame for which this
machine itself was slower is counted (`overruns`), because there the emulation is not what it says. Without an engine the
answers are empty: the latency means something then, the scores do not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.agent.perceiving import TimedPerceiver, Times
from hil.agent.service import ServiceModel
from perception.prediction import Prediction

# A sleep wakes a little late; the rest of the time is waited for by looking at the clock.
_SPIN_S = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedTimes:
    """The stage times of an emulated frame: where no engine ran, all of it is inference."""

    preprocess_s: float = 0.0
    infer_s: float = 0.0
    postprocess_s: float = 0.0
    boxes_s: float = 0.0


class Emulator:
    """A perceiver whose time is drawn from `model`; `seed` fixes the draws, frame by frame in the order of serving."""

    def __init__(self, model: ServiceModel, *, seed: int, perceiver: TimedPerceiver | None = None) -> None:
        self.overruns = 0
        self.served = 0
        self._model, self._perceiver = model, perceiver
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def describe(self) -> str:
        """Returns what stands in every report of it."""
        answers = "its answers are empty" if self._perceiver is None else "its answers are a real engine's, held back"
        return f"an emulated device ({self._model.text}; {answers})"

    def facts(self) -> dict[str, Any]:
        """Returns the facts of an engine that is none."""
        return {"name": "emulated", "emulates": self.describe()}

    def counters(self) -> dict[str, int]:
        """Returns how many frames it served, and for how many this machine was slower than the model."""
        return {"emulated": self.served, "overruns": self.overruns}

    def perceive_timed(self, rgb: NDArray[np.uint8], **camera: Any) -> tuple[Prediction, Times]:
        """Answers after the drawn time; stage times add up to it."""
        started = time.monotonic()
        service_s = float(self._model.times_s(1, rng=self._rng, first=self.served)[0])
        self.served += 1
        if self._perceiver is None:
            _wait_until(started + service_s)
            return _empty(rgb), EmulatedTimes(infer_s=time.monotonic() - started)
        prediction, real = self._perceiver.perceive_timed(rgb, **camera)
        self.overruns += time.monotonic() - started > service_s
        _wait_until(started + service_s)
        beside_s = real.preprocess_s + real.postprocess_s + real.boxes_s
        infer_s = max(time.monotonic() - started - beside_s, real.infer_s)
        times = EmulatedTimes(
            preprocess_s=real.preprocess_s, infer_s=infer_s, postprocess_s=real.postprocess_s, boxes_s=real.boxes_s
        )
        return prediction, times


def _wait_until(end: float) -> None:
    while (left := end - time.monotonic()) > 0:
        if left > _SPIN_S:
            time.sleep(left - _SPIN_S)


def _empty(rgb: NDArray[np.uint8]) -> Prediction:
    """Returns a prediction that the link carries and that claims nothing: all void, one metre everywhere."""
    shape = rgb.shape[:2]
    return Prediction(segment_id=np.zeros(shape, np.int32), segments=(), depth_m=np.ones(shape, np.float32))
