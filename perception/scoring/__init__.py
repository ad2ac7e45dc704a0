"""Scores of predictions against the truth of their frames, each figure with its sample size and 95 % interval."""

from __future__ import annotations

from scenes.lazy import lazy_names

_HOME = {
    "CategoryScores": "perception.scoring.score",
    "Estimate": "perception.scoring.statistics",
    "FrameScore": "perception.scoring.frame_score",
    "HEADLINES": "perception.scoring.score",
    "Scores": "perception.scoring.score",
    "combine": "perception.scoring.score",
    "score_folder": "perception.scoring.folder",
    "score_frame": "perception.scoring.frame_score",
    "score_frames": "perception.scoring.score",
}

__all__ = [
    "HEADLINES",
    "CategoryScores",
    "Estimate",
    "FrameScore",
    "Scores",
    "combine",
    "score_folder",
    "score_frame",
    "score_frames",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
