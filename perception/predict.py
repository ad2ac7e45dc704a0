"""Runs an engine over every frame of a data set and leaves a finished folder of predictions, also after being killed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perception.engine import Engine, Precision, open_engine
from perception.perceiver import Perceiver, StageTimes
from perception.store import PredictionWriter

if TYPE_CHECKING:
    from sim.dataset import Dataset

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictSummary:
    """What one run did: frames in all and skipped because they were there, and the median seconds of each stage.

    `stages` is None where every frame was there already, so nothing was timed.
    """

    folder: Path
    frames: int
    skipped: int
    seconds: float
    stages: StageTimes | None
    engine: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        names = StageTimes.__dataclass_fields__
        return {
            "folder": str(self.folder), "frames": self.frames, "skipped": self.skipped, "seconds": self.seconds,
            "median_stage_s": None if self.stages is None else {name: getattr(self.stages, name) for name in names},
            "engine": dict(self.engine),
        }  # fmt: skip


def predict_dataset(
    engine_path: str | os.PathLike[str],
    dataset_path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    backend: str = "auto",
    threads: int | None = None,
    precision: Precision = "auto",
    limit: int | None = None,
    progress: Progress | None = None,
) -> PredictSummary:
    """Predicts the first `limit` frames (all by default) of a data set into the folder `out`; an interrupted run goes on.

    `progress(done, total)` is called after every frame. Raises EngineError or DatasetError with what is wrong.
    """
    from sim.dataset import Dataset

    dataset = Dataset.open(Path(dataset_path))
    engine = open_engine(engine_path, backend, threads, precision)
    total = len(dataset) if limit is None else min(limit, len(dataset))
    writer = PredictionWriter(Path(out), {"engine": engine_facts(engine), "dataset": _first_and_last(dataset, total)})
    perceiver = Perceiver(engine)
    started = time.perf_counter()
    times = []
    for index, name in enumerate(dataset.names[:total]):
        if not writer.has(index, name):
            times.append(_predict_one(perceiver, dataset, index, name, writer))
        if progress is not None:
            progress(index + 1, total)
    writer.finish(total)
    return PredictSummary(
        folder=Path(out), frames=total, skipped=total - len(times), seconds=time.perf_counter() - started,
        stages=_median(times), engine=engine_facts(engine),
    )  # fmt: skip


def engine_facts(engine: Engine) -> dict[str, Any]:
    """Returns which engine this is, as plain JSON values: network, digest, backend and effective settings."""
    return {
        "network": engine.metadata.network, "sha256": engine.digest, "backend": engine.name,
        "settings": dict(engine.settings),
    }  # fmt: skip


def _predict_one(perceiver: Perceiver, dataset: Dataset, index: int, name: str, writer: PredictionWriter) -> StageTimes:
    camera = dataset.camera(index)
    prediction, times = perceiver.perceive_timed(
        dataset.rgb(index), fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy, distortion=camera.distortion
    )
    writer.add(index, name, prediction)
    return times


def _first_and_last(dataset: Dataset, total: int) -> dict[str, Any]:
    """Returns enough of a data set to tell it from another one."""
    return {"frames": total, "first": dataset.names[0], "last": dataset.names[total - 1] if total else None}


def _median(times: list[StageTimes]) -> StageTimes | None:
    if not times:
        return None
    names = StageTimes.__dataclass_fields__
    return StageTimes(**{name: float(np.median([getattr(t, name) for t in times])) for name in names})
