"""Scoring what is on disk: the same figures as in memory, frames without a prediction, and folders that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from perception.prediction import Prediction
from perception.scoring import score_folder, score_frames
from perception.store import write_predictions
from scenes.errors import DatasetError
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from tests.perception.scoring.label_maps import perfect_prediction
