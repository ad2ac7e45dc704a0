"""An agent in a process of its own with a deterministic perceiver: python agent_process.py DELAY_S MODE BIND [KEYS]."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from hil.agent.serve import serve
from hil.link.sockets import is_loopback
from perception.prediction import Prediction, Segment
from scenes.box import OrientedBox
from scenes.errors import EngineError
from scenes.transforms import Pose

WARM_UP = 3  # the calls that the agent makes before it is ready


class Times:
    preprocess_s = 0.0
    boxes_s = 0.0
    postprocess_s = 0.0

    def __init__(self, infer_s):
        self.infer_s = infer_s


class Perceiver:
    """Depth is 1 + red / 64 and segment 1 is where green > 127, so a host can check every answer against its image."""

    def __init__(self, delay_s, mode):
        self.delay_s, self.mode, self.calls = delay_s, mode, 0
        self.log = Path(mode.removeprefix("log:")).open("a") if mode.startswith("log:") else None  # noqa: SIM115

    def perceive_timed(self, rgb, *, fx, **_intrinsics):
        self.calls += 1
        if self.log is not None:  # which image is looked at when: what an engine really processed
            self.log.write(f"{time.monotonic_ns()} {fx}\n")
            self.log.flush()
        time.sleep(self.delay_s)
        if self.mode == "raise" and self.calls > WARM_UP and self.calls % 3 == 0:
            raise RuntimeError("the engine tripped")
        if self.mode == "hang" and self.calls > 3 * WARM_UP:
            time.sleep(60)
        if self.mode == "nan" and self.calls > WARM_UP and self.calls % 3 == 0:
            rgb = np.zeros_like(rgb)
            depth = np.full(rgb.shape[:2], np.nan, np.float32)
        else:
            depth = (1 + rgb[..., 0].astype(np.float32) / 64).astype(np.float32)
        box = OrientedBox(Pose((0.1, 0.2, fx / 1000)), (0.1, 0.2, 0.3))
        segments = (
            Segment(id=1, category_id=6, score=0.5, depth_m=1.0, box_camera=box),
            Segment(id=2, category_id=3, score=1 / 3, depth_m=2.0),
        )
        ids = np.where(rgb[..., 1] > 127, 1, 2).astype(np.int32)
        return Prediction(segment_id=ids, segments=segments, depth_m=depth), Times(self.delay_s)


def bend_clock(offset_s, drift_ppm, step_s, at_s):
    """Gives this process a clock of its own, as another machine has one, stepped `at_s` seconds after its start."""
    real = time.monotonic_ns
    start = real()

    def bent():
        elapsed = real() - start
        step = step_s if elapsed >= at_s * 1e9 else 0.0
        return real() + round((offset_s + step) * 1e9 + elapsed * drift_ppm * 1e-6)

    time.monotonic_ns = bent


if __name__ == "__main__":
    delay, mode, bind, *keys = sys.argv[1:]
    if mode.startswith("clock:"):
        bend_clock(*(float(v) for v in mode.removeprefix("clock:").split(",")))
    if mode.startswith("emulate:"):
        serve(None, bind, emulate=mode.removeprefix("emulate:"))
        sys.exit()
    if mode.startswith("process:"):  # process:HANG_AFTER_S:MAKER:ARGUMENT, made by tests/hil/engine_faults.py elsewhere
        _, hang_after, maker, argument = mode.split(":", 3)
        try:
            serve(
                None, bind, maker=f"tests.hil.engine_faults:{maker}", arguments=(argument,), hang_after_s=float(hang_after)
            )
        except EngineError as error:
            sys.exit(f"rehearse: {error}")
        sys.exit()
    insecure = not keys and not is_loopback(bind)
    serve(None, bind, perceiver=Perceiver(float(delay), mode), keys=Path(keys[0]) if keys else None, insecure=insecure)
