"""Scores of predictions against the truth of their frames, each figure with its sample size and 95 % interval."""

from __future__ import annotations

from scenes.lazy import lazy_names

_HOME = {
    "CategoryScores": "perception.scoring.score",
    "Estimate": "perception.scoring.statistics",
    "FrameScore": "perception.scoring.frame_score",
    "HEADLINES": "perception.scoring.score",
    "QUANTITIES": "perception.scoring.slices",
    "Scores": "perception.scoring.score",
    "Slices": "perception.scoring.slices",
    "combine": "perception.scoring.score",
    "link_segments": "perception.scoring.tracks",
    "score_folder": "perception.scoring.folder",
    "score_frame": "perception.scoring.frame_score",
    "score_frames": "perception.scoring.score",
    "slice_folder": "perception.scoring.slices",
    "slice_scores": "perception.scoring.slices",
}

__all__ = [
    "HEADLINES",
    "QUANTITIES",
    "CategoryScores",
    "Estimate",
    "FrameScore",
    "Scores",
    "Slices",
    "combine",
    "link_segments",
    "score_folder",
    "score_frame",
    "score_frames",
    "slice_folder",
    "slice_scores",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
