"""A frame becomes the message that answers it, whatever happens inside the engine; nothing here knows of a socket.

Both layouts of the agent run this: the engine's thread (`hil.agent.worker`) and its process (`hil.agent.engine_process`).
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hil.link.answer import pack_answer
from hil.link.protocol import Body, Kind, pack
from perception.prediction import Prediction
from scenes.distortion import Distortion
from scenes.errors import EngineLostError, RehearseError

_WARM_UP = 3


class Times(Protocol):
    """The seconds of each stage, as `perception.perceiver.StageTimes` has them."""

    @property
    def preprocess_s(self) -> float: ...
    @property
    def infer_s(self) -> float: ...
    @property
    def postprocess_s(self) -> float: ...
    @property
    def boxes_s(self) -> float: ...


class TimedPerceiver(Protocol):
    """What the agent needs of perception: one image in, one prediction and its stage times out."""

    def perceive_timed(
        self,
        rgb: NDArray[np.uint8],
        *,
        fx: float,
        fy: float,
        cx: float,
        cy: float,
        distortion: Distortion | None = None,
    ) -> tuple[Prediction, Times]:
        """Perceives rgb (H, W, 3) with intrinsics in pixels, through a lens where there is one.

        The prediction is the caller's: it does not change when the next image is perceived.
        """


def perceive_frame(
    perceiver: TimedPerceiver,
    rgb: NDArray[np.uint8],
    camera: dict[str, Any],
    *,
    receive_ns: int,
    lost: list[str] | None = None,
) -> Callable[[], Body]:
    """Perceives, and returns what packs the answer: a RESULT, or an ERROR with the reason. Neither of both raises.

    Whatever an engine raises fails this frame and nothing else; `lost` gets the reason where no later frame can succeed in this
    process either. The engine is free before the answer is packed, which another thread may do.
    """
    start_ns = time.monotonic_ns()
    try:
        prediction, times = perceiver.perceive_timed(rgb, **camera)
        stamps = _stamps(receive_ns, start_ns, times)
    except Exception as error:
        reason = str(error) if isinstance(error, RehearseError) else f"{type(error).__name__}: {error}"
        if isinstance(error, EngineLostError) and lost is not None:
            lost.append(reason)
        return functools.partial(error_body, "engine", reason)
    return functools.partial(_packed, prediction, stamps)


def _packed(prediction: Prediction, stamps: dict[str, int]) -> Body:
    try:
        return pack_answer(prediction, stamps)
    except Exception as error:
        return error_body("engine", f"its answer cannot be packed: {error}")


def error_body(code: str, reason: str) -> Body:
    """Packs an ERROR: `code` is for the host's program, `reason` is a sentence for its user."""
    return pack(Kind.ERROR, {"code": code, "reason": reason[:1000]})


def warm_up(perceiver: TimedPerceiver) -> list[float]:
    """Runs the engine a few times; returns the seconds of each, the first of which builds and allocates."""
    grey = np.full((480, 640, 3), 127, dtype=np.uint8)
    ends = [time.monotonic()]
    for _ in range(_WARM_UP):
        perceiver.perceive_timed(grey, fx=500.0, fy=500.0, cx=319.5, cy=239.5)
        ends.append(time.monotonic())
    return [after - before for before, after in itertools.pairwise(ends)]


def counters_of(perceiver: TimedPerceiver) -> dict[str, int]:
    """Returns what a perceiver counts of itself, such as an emulator its overruns; most count nothing."""
    counters = getattr(perceiver, "counters", None)
    return {} if counters is None else dict(counters())


def _stamps(receive_ns: int, start_ns: int, times: Times) -> dict[str, int]:
    """Lays the durations of the stages, which follow each other without a gap, on the agent's clock."""
    infer_start_ns = start_ns + round(times.preprocess_s * 1e9)
    infer_end_ns = infer_start_ns + round(times.infer_s * 1e9)
    return {
        "receive_ns": receive_ns,
        "preprocess_start_ns": start_ns,
        "infer_start_ns": infer_start_ns,
        "infer_end_ns": infer_end_ns,
        "post_end_ns": infer_end_ns + round((times.postprocess_s + times.boxes_s) * 1e9),
        "send_ns": time.monotonic_ns(),
    }
