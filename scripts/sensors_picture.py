"""Draws docs/sensors.png: for every shipped profile the ideal picture, the camera's, the true depth and the measured one.

python scripts/sensors_picture.py [--out docs/sensors.png] [--times]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sim.backend import Backend, open_backend
from sim.frame import Frame
from sim.pictures import Image, contact_sheet, depth_colours, depth_range, png_bytes
from sim.realize import realize
from sim.sensors import load_profile, profile_names
from sim.sensors.apply import sense

SCENE = {"suite": "tabletop", "split": "test", "seed": 0, "index": 5}
ORDER = ("webcam", "stereo_d435", "structured_light", "time_of_flight")


def main() -> None:
    """Draws the picture, or prints the seconds that each profile takes for one frame."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/sensors.png"))
    parser.add_argument("--times", action="store_true", help="print seconds per frame at 640x480 instead")
    arguments = parser.parse_args()
    backend = open_backend()
    try:
        if arguments.times:
            _print_times(backend)
        else:
            arguments.out.write_bytes(png_bytes(_sheet(backend)))
    finally:
        backend.close()


def _sheet(backend: Backend) -> Image:
    scene, _ = realize(backend, SCENE["suite"], split=SCENE["split"], seed=SCENE["seed"], index=SCENE["index"])
    camera = scene.cameras[1].resized(480, 360)
    cells: list[Image] = []
    labels: list[str] = []
    for name in ORDER:
        frame = sense(backend, scene, camera, load_profile(name), name=f"{scene.id}/{camera.name}")
        cells += _cells(frame)
        labels += [f"{name}: ideal", f"{name}: picture", "true depth", "measured depth"]
    return contact_sheet(cells, columns=4, labels=labels, cell_width=256)


def _cells(frame: Frame) -> list[Image]:
    sensed = frame.sensed
    assert sensed is not None
    span = depth_range(frame.truth.depth_m)
    ideal = frame.rgb if sensed.rgb_ideal is None else sensed.rgb_ideal
    measured = np.full_like(frame.rgb, 24)
    if sensed.depth_m is not None:
        measured = depth_colours(np.where(sensed.depth_m > 0, sensed.depth_m, np.inf), span)
    return [ideal, frame.rgb, depth_colours(frame.truth.depth_m, span), measured]


def _print_times(backend: Backend) -> None:
    scene, _ = realize(backend, SCENE["suite"], split=SCENE["split"], seed=SCENE["seed"], index=SCENE["index"])
    for name in profile_names():
        profile, seconds = load_profile(name), []
        for camera in scene.cameras:
            started = time.process_time()
            sense(backend, scene, camera.resized(640, 480), profile, name="time")
            seconds.append(time.process_time() - started)
        print(f"{name:18} {np.median(seconds):.2f} s of CPU a frame, the first one {seconds[0]:.2f} s")


if __name__ == "__main__":
    main()
