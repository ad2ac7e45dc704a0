"""Measures the depth calibration of an engine on frames that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from perception.calibration import DepthCalibration, fit_calibration
from perception.engine import Engine
from perception.perceiver import Perceiver
from scenes.errors import TrainingError
from sim.dataset import Dataset


def measure_calibration(
    engine: Engine, dataset: Path, *, progress: Callable[[int, int], None] | None = None
) -> DepthCalibration:
    """Runs a not yet calibrated engine over a data set of the train split, whose scenes the training must not have used.

    Raises TrainingError where the data set is of another split, which is for judging, is too small, or where depth
    is off by more than a factor of two; DatasetError.
    """
    source = Dataset.open(dataset)
    if source.manifest.split != "train":
        raise TrainingError(
            f"Calibration needs frames of the split train, with a seed that training has not used; {dataset} is of "
            f"{source.manifest.split}, which is for judging."
        )
    perceiver = Perceiver(engine)
    width = engine.metadata.input_size[1]
    focal, ratio = [], []
    for number, frame in enumerate(source):
        c, truth_m = frame.camera, frame.truth.depth_m
        depth_m = perceiver.perceive(frame.rgb, fx=c.fx, fy=c.fy, cx=c.cx, cy=c.cy).depth_m
        at_input_px = c.fx * width / c.width
        known = np.isfinite(truth_m)
        focal.append(at_input_px)
        scale = engine.metadata.calibration.scale(at_input_px, engine.metadata.reference_focal_px)
        ratio.append(scale * float(np.median(truth_m[known] / depth_m[known])))
        if progress is not None:
            progress(number + 1, len(source))
    try:
        return fit_calibration(np.array(focal), np.array(ratio), engine.metadata.reference_focal_px)
    except ValueError as error:
        raise TrainingError(f"{dataset} gives no depth calibration: {error}.") from error
