"""What the robot knows: networks, training, engines, predictions and their scores. Importing it starts nothing.

`train` and `export` are modules: `from perception.train import TrainSpec, train`, `from perception.export import export_run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenes.lazy import lazy_names

if TYPE_CHECKING:
    from perception.engine import Engine, EngineMetadata, RawOutput, open_engine
    from perception.grouping import GroupingSpec
    from perception.network import NetworkSpec
    from perception.perceiver import Perceiver, StageTimes
    from perception.predict import PredictSummary, predict_dataset
    from perception.prediction import Prediction, Segment
    from perception.scoring import Scores, score_folder, score_frames
    from perception.store import StoredPredictions, read_predictions, write_predictions
    from perception.train import TrainSpec, TrainSummary

__all__ = [
    "Engine",
    "EngineMetadata",
    "GroupingSpec",
    "NetworkSpec",
    "Perceiver",
    "PredictSummary",
    "Prediction",
    "RawOutput",
    "Scores",
    "Segment",
    "StageTimes",
    "StoredPredictions",
    "TrainSpec",
    "TrainSummary",
    "open_engine",
    "predict_dataset",
    "read_predictions",
    "score_folder",
    "score_frames",
    "write_predictions",
]

_HOME = {
    "Engine": "perception.engine",
    "EngineMetadata": "perception.engine",
    "GroupingSpec": "perception.grouping",
    "NetworkSpec": "perception.network",
    "Perceiver": "perception.perceiver",
    "PredictSummary": "perception.predict",
    "Prediction": "perception.prediction",
    "RawOutput": "perception.engine",
    "Scores": "perception.scoring",
    "Segment": "perception.prediction",
    "StageTimes": "perception.perceiver",
    "StoredPredictions": "perception.store",
    "TrainSpec": "perception.train",
    "TrainSummary": "perception.train",
    "open_engine": "perception.engine",
    "predict_dataset": "perception.predict",
    "read_predictions": "perception.store",
    "score_folder": "perception.scoring",
    "score_frames": "perception.scoring",
    "write_predictions": "perception.store",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
