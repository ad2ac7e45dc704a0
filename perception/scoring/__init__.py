"""Scores of predictions against the truth of their frames, each figure with its sample size and 95 % interval."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "CategoryScores": "score",
    "Estimate": "statistics",
    "FrameScore": "frame_score",
    "HEADLINES": "score",
    "Scores": "score",
    "combine": "score",
    "score_folder": "folder",
    "score_frame": "frame_score",
    "score_frames": "score",
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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'perception.scoring' has no attribute {name!r}")
    return getattr(importlib.import_module(f"perception.scoring.{_HOME[name]}"), name)
