"""Validation during training: the network goes through the same perceiver and the same scoring as a deployed engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from perception.network import PanopticDepthLab
from perception.perceiver import Perceiver
from perception.scoring import HEADLINES, Scores, score_frames
from perception.torch_engine import TorchEngine
from sim.dataset import Dataset
from sim.frame import Frame


def make_validation(path: Path, count: int) -> Callable[[PanopticDepthLab], dict[str, float]]:
    """Reads at most `count` frames, spread evenly over the data set, and returns the function that scores a network on them."""
    dataset = Dataset.open(path)
    chosen = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int))
    frames = [dataset[int(i)] for i in chosen]
    return lambda network: headlines(score_network(network, frames))


def score_network(network: PanopticDepthLab, frames: list[Frame]) -> Scores:
    """Scores a network in float32 on frames of any size; about 0.1 s per frame on 2 cores."""
    perceiver = Perceiver(TorchEngine(network))
    cameras = [frame.camera for frame in frames]
    predictions = (
        perceiver.perceive(f.rgb, fx=c.fx, fy=c.fy, cx=c.cx, cy=c.cy, distortion=c.distortion)
        for f, c in zip(frames, cameras, strict=True)
    )
    return score_frames(zip(frames, predictions, strict=True))


def headlines(scores: Scores) -> dict[str, float]:
    """Returns the values of the headline figures by name; a figure that could not be computed is left out."""
    figures = {name: scores.figures[name].value for name in HEADLINES}
    return {name: float(value) for name, value in figures.items() if value is not None}
