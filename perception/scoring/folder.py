"""Scores of a folder of predictions against a data set: every frame of the data set counts, found or not."""

from __future__ import annotations

from pathlib import Path

from perception.scoring.follow import Follower, Tracks
from perception.scoring.frame_score import FrameScore, score_frame
from perception.scoring.score import Scores, combine
from perception.store import read_predictions
from scenes.errors import DatasetError
from sim.dataset import Dataset


def score_folder(
    predictions: Path | str,
    dataset: Path | str,
    *,
    seed: int = 0,
    labels: Path | None = None,
    tracks: Tracks = "linked",
) -> Scores:
    """Scores what `rehearse predict` wrote, matched by frame name; frames without a prediction count as all missed.

    `labels` maps the labels of another tool's data set, see Dataset.open. `tracks` says what joins the segments of a clip's
    frames: the rule of scoring.tracks, or the ids of the segments as `given`.

    Raises DatasetError where either folder cannot be read, where a prediction does not fit its frame, and where no
    prediction belongs to the data set at all.
    """
    truth, stored = Dataset.open(dataset, labels=labels), read_predictions(predictions)
    index_of = {name: index for index, name in enumerate(stored.names)}
    if len(index_of) != len(stored.names):
        raise DatasetError(f"{predictions} holds two predictions for one frame; predict again into an empty folder.")
    names = set(truth.names)
    if not names & index_of.keys():
        raise DatasetError(
            f"No prediction in {predictions} belongs to a frame of {dataset} "
            f"(first names: {stored.names[:1]} and {truth.names[:1]}); give the data set that was predicted."
        )
    scores: list[FrameScore] = []
    follower = Follower(tracks)
    for k, name in enumerate(truth.names):
        prediction = stored[index_of[name]] if name in index_of else None
        try:
            scores.append(score_frame(truth[k], prediction))
        except DatasetError:
            raise
        except ValueError as error:
            raise DatasetError(f"{predictions} does not fit {dataset}: {error}") from error
        follower.add(scores[-1], prediction)
    return combine(scores, runs=follower.runs, seed=seed, unmatched=(name for name in stored.names if name not in names))
