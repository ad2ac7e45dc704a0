"""Measures the depth calibration of an engine on frames that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.calibration import DepthCalibration, fit_calibration
from perception.engine import Engine
from perception.perceiver import Perceiver
from scenes.errors import TrainingError
from sim.dataset import Dataset
from sim.frame import Frame

_PIXELS = 2000
_FAR_OFF = 3.0  # a pixel whose depth is off by more than this factor is of another surface


def measure_calibration(
    engine: Engine, dataset: Path, *, progress: Callable[[int, int], None] | None = None
) -> DepthCalibration:
    """Runs an engine, as if not calibrated, over a data set of the train split whose scenes its training has not used.

    Raises TrainingError where the data set is of another split, which is for judging, is too small, or where depth
    is off by more than a factor of two; DatasetError.
    """
    source = Dataset.open(dataset)
    if source.manifest.split != "train":
        raise TrainingError(
            f"Calibration needs frames of the split train, with a seed that training has not used; {dataset} is of "
            f"{source.manifest.split}, which is for judging."
        )
    perceiver = Perceiver(engine, calibration=DepthCalibration())
    reference_px = engine.metadata.reference_focal_px
    focal, rows, ratios = [], [], []
    for number, frame in enumerate(source):
        scale = engine.metadata.input_size[1] / frame.camera.width
        row, ratio = _ratios(frame, perceiver)
        focal.append(frame.camera.fx * scale)
        rows.append(row * scale)
        ratios.append(ratio * frame.camera.fx * scale / reference_px)
        if progress is not None:
            progress(number + 1, len(source))
    try:
        return fit_calibration(np.array(focal), np.array(rows), np.array(ratios), reference_px)
    except ValueError as error:
        raise TrainingError(f"{dataset} gives no depth calibration: {error}.") from error


def _ratios(frame: Frame, perceiver: Perceiver) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns rows v - cy in pixels and true / predicted depth of an even spread of 2000 pixels, float64 (2000,) each."""
    c, truth_m = frame.camera, frame.truth.depth_m
    depth_m = perceiver.perceive(frame.rgb, fx=c.fx, fy=c.fy, cx=c.cx, cy=c.cy, distortion=c.distortion).depth_m
    known = np.flatnonzero(np.isfinite(truth_m))
    if not len(known):
        raise TrainingError(f"Frame {frame.name} has no depth to calibrate on; leave its data set out.")
    chosen = known[np.linspace(0, len(known) - 1, _PIXELS).astype(np.intp)]
    ratio = truth_m.reshape(-1)[chosen].astype(np.float64) / depth_m.reshape(-1)[chosen]
    row: NDArray[np.float64] = (chosen // c.width).astype(np.float64) - c.cy
    return row, np.clip(ratio, 1 / _FAR_OFF, _FAR_OFF)
