"""Images scored one after the other become the runs that figures over time need: stretches of one clip, segments in tracks."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from perception.scoring.clips import follows
from perception.scoring.dvpq import Moment
from perception.scoring.frame_score import FrameScore
from perception.scoring.tracks import extend_tracks, given_tracks, link_segments

Tracks = Literal["linked", "given"]


class Follower:
    """Collects `runs`; holds one answer in memory. `tracks` says what joins segments: scoring.tracks, or ids as `given`."""

    def __init__(self, tracks: Tracks = "linked") -> None:
        self.runs: list[list[Moment]] = []
        self._given = tracks == "given"
        self._newest: tuple[Prediction, NDArray[np.int64]] | None = None
        self._first = 0

    def add(self, score: FrameScore, prediction: Prediction | None) -> None:
        """Takes the next image and its answer; one that is missing leaves the answer before it to be continued."""
        if not self.runs or not follows(score.name, self.runs[-1][-1].score.name):
            self.runs.append([])
            self._newest = None
        tracks = np.empty(0, np.int64) if prediction is None else self._tracks(prediction)
        self.runs[-1].append(Moment(score=score, tracks=tracks))
        if prediction is not None:
            self._newest = prediction, tracks

    def _tracks(self, prediction: Prediction) -> NDArray[np.int64]:
        if self._given:
            return given_tracks(prediction)
        first, self._first = self._first, self._first + len(prediction.segments)
        if self._newest is None:
            return first + np.arange(len(prediction.segments), dtype=np.int64)
        before, tracks = self._newest
        return extend_tracks(tracks, link_segments(before, prediction), first=first)
