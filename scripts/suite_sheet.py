"""Draws a contact sheet of a suite: three views of each of several scenes, settled, as docs/household.png has them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scenes.camera import Camera
from sim.backend import open_backend
from sim.realize import realize


def main() -> int:
    """Writes the sheet; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite")
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--scenes", default=None, help="numbers of the scenes, such as 0,1,2 (default: the first that differ)"
    )
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--views", type=int, default=1, help="views of each scene")
    parser.add_argument("--width", type=int, default=320)
    arguments = parser.parse_args()
    indices = [int(k) for k in (arguments.scenes or "0,1,2,3,4,5,6,7,8,9,10,11").split(",")]
    backend = open_backend("mujoco")
    cells = []
    for index in indices:
        scene, _ = realize(backend, arguments.suite, split="train", seed=0, index=index)
        for camera in scene.cameras[: arguments.views]:
            cells.append(_picture(backend.render(camera.resized(640, 480)).rgb, camera, arguments.width))
    backend.close()
    rows = [np.hstack(cells[k : k + arguments.columns]) for k in range(0, len(cells), arguments.columns)]
    whole = np.vstack([row for row in rows if row.shape == rows[0].shape])
    cv2.imwrite(str(arguments.out), whole[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{arguments.out}: {whole.shape[1]}x{whole.shape[0]}, {arguments.out.stat().st_size / 1e6:.2f} MB")
    return 0


def _picture(rgb: np.ndarray, camera: Camera, width: int) -> np.ndarray:  # type: ignore[type-arg]
    return cv2.resize(rgb, (width, width * camera.height // camera.width), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    sys.exit(main())
