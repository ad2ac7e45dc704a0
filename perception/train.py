"""Training of Panoptic-DepthLab on data sets: a run is a folder that can be killed at any time and goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from perception.augment import AugmentSpec
from perception.checkpoint import FILE_NAME, load_checkpoint, save_checkpoint
from perception.data import BatchSpec, BatchStream, FrameArrays, load_frames
from perception.learner import Learner, LearnSpec, rate_at
from perception.losses import LossSpec
from perception.network import NetworkSpec, PanopticDepthLab
from perception.run_log import RunLog
from perception.targets import TargetSpec
from scenes.errors import TrainingError

Validate = Callable[[PanopticDepthLab], dict[str, float]]
_WATCH_STEPS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSpec:
    """A run: what it learns from and how long. At least one of `steps` and `max_minutes` bounds it.

    The learning rate follows max(share of steps, share of minutes), so either bound ends with a small rate. A run
    bounded by steps alone gives the same weights on the same machine and thread count, however often it was killed.
    `start` is a checkpoint whose weights a new run begins with, such as the shipped one, wherever name and shape agree.
    """

    datasets: tuple[str, ...]
    val: str | None = None
    start: str | None = None
    steps: int | None = None
    max_minutes: float | None = None
    batch: int = 8
    seed: int = 0
    threads: int | None = None
    val_frames: int = 60
    validate_minutes: float = 12.0
    checkpoint_minutes: float = 3.0
    network: NetworkSpec = field(default_factory=NetworkSpec)
    learn: LearnSpec = field(default_factory=LearnSpec)
    loss: LossSpec = field(default_factory=LossSpec)
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    target: TargetSpec = field(default_factory=TargetSpec)

    def __post_init__(self) -> None:
        if not self.datasets:
            raise TrainingError("Training needs at least one data set; make one with `rehearse generate`.")
        if self.steps is None and self.max_minutes is None:
            raise TrainingError("Training needs an end: give --steps, --max-minutes or both.")
        if (self.steps is not None and self.steps < 1) or (self.max_minutes is not None and self.max_minutes <= 0):
            raise TrainingError(f"Training needs steps >= 1 and minutes > 0, got {self.steps} and {self.max_minutes}.")
        if self.batch < 2:
            raise TrainingError(f"Training needs batches of at least 2 for its batch normalisation, got {self.batch}.")

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**json.loads(json.dumps(asdict(self))), "network": self.network.to_dict()}

    def progress(self, step: int, elapsed_s: float) -> float:
        """Returns how much of the run is done, 0..1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = elapsed_s / (60 * self.max_minutes) if self.max_minutes else 0.0
        return min(max(by_steps, by_time), 1.0)

    def batches(self) -> BatchSpec:
        """Returns how this run makes its batches."""
        return BatchSpec(
            size=self.batch,
            seed=self.seed,
            augment=self.augment,
            target=self.target,
            reference_focal_px=self.network.reference_focal_px,
            categories=self.network.categories,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSummary:
    """How a run stands: `finished` or stopped early, its last losses and its last validation by name."""

    run: str
    finished: bool
    steps: int
    images: int
    minutes: float
    losses: dict[str, float]
    validation: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)


def train(spec: TrainSpec, out: Path, *, cache: Path | None = None, show_progress: bool = True) -> TrainSummary:
    """Trains into the folder `out`, or goes on with the run there if it has the same spec; blocks until the budget is spent.

    Frames are read once into `cache` (default `out`/frames, about 460 kB each). Raises TrainingError, DatasetError.
    """
    from perception.validate import make_validation

    check_run(spec, out)
    log = RunLog(out, show=show_progress)
    paths = [Path(p) for p in spec.datasets]
    arrays = load_frames(paths, spec.network.input_size, cache or out / "frames", progress=log.reading)
    validate = make_validation(Path(spec.val), spec.val_frames) if spec.val else None
    return fit(spec, out, arrays, validate=validate, log=log)


def check_run(spec: TrainSpec, out: Path) -> None:
    """Raises TrainingError if `out` holds a run of another spec; budgets and intervals may differ."""
    if not (out / FILE_NAME).exists():
        return
    was, now = (_comparable(s) for s in (load_checkpoint(out / FILE_NAME).spec, spec.to_dict()))
    different = sorted(k for k in was.keys() | now.keys() if was.get(k) != now.get(k))
    if different:
        raise TrainingError(f"{out} holds a run with another {', '.join(different)}; train into a new folder.")


def fit(
    spec: TrainSpec,
    out: Path,
    arrays: FrameArrays,
    *,
    validate: Validate | None = None,
    log: RunLog | None = None,
    stop_at_step: int | None = None,
) -> TrainSummary:
    """Trains on frames in memory, from the checkpoint in `out` if there is one; `stop_at_step` breaks off as a kill would."""
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
    check_run(spec, out)
    log = log or RunLog(out, show=False)
    learner = Learner(spec.network, spec.learn, spec.loss, seed=spec.seed)
    run = _Run(spec, out, learner, log, validate)
    run.resume()
    with BatchStream(arrays, spec.batches(), first_step=learner.step) as stream:
        for batch in stream if not run.ended(stop_at_step) else ():
            run.step(batch)
            if run.ended(stop_at_step):
                break
    return run.close()


class _Run:
    """One run in progress: clocks, checkpoints, validation and the log around a learner."""

    def __init__(self, spec: TrainSpec, out: Path, learner: Learner, log: RunLog, validate: Validate | None) -> None:
        self._spec, self._out, self._learner, self._log, self._validate = spec, out, learner, log, validate
        self._began, self._before_s = time.monotonic(), 0.0
        self._saved = self._validated = self._began
        self._losses: dict[str, float] = {}
        self._scores: dict[str, float] = {}
        self._recent: list[dict[str, float]] = []

    @property
    def elapsed_s(self) -> float:
        return self._before_s + time.monotonic() - self._began

    @property
    def progress(self) -> float:
        return self._spec.progress(self._learner.step, self.elapsed_s)

    def resume(self) -> None:
        path = self._out / FILE_NAME
        begun_anew: list[str] = []
        if path.exists():
            checkpoint = load_checkpoint(path)
            self._learner.restore(checkpoint)
            self._before_s = checkpoint.elapsed_s
        elif self._spec.start is not None:
            begun_anew = self._learner.start_from(load_checkpoint(Path(self._spec.start)).mean)
        self._log.begin(self._learner.step, self._spec.to_dict(), begun_anew)

    def ended(self, stop_at_step: int | None) -> bool:
        return self.progress >= 1.0 or (stop_at_step is not None and self._learner.step >= stop_at_step)

    def step(self, batch: Any) -> None:
        progress = self.progress
        parts = self._learner.advance(batch, progress)
        self._recent.append(parts)
        if self._learner.step % _WATCH_STEPS == 0:
            self._losses = self._mean_losses()
            self._recent.clear()
            rate = rate_at(progress, self._spec.learn)
            self._log.step(self._learner.step, self._spec.batch, self.progress, self.elapsed_s, rate, self._losses)
        now = time.monotonic()
        if now - self._saved > 60 * self._spec.checkpoint_minutes:
            self._save(finished=False)
            self._saved = time.monotonic()
        if now - self._validated > 60 * self._spec.validate_minutes:
            self._score()
            self._validated = time.monotonic()

    def _mean_losses(self) -> dict[str, float]:
        return {name: sum(p[name] for p in self._recent) / len(self._recent) for name in self._recent[0]}

    def _save(self, *, finished: bool) -> None:
        checkpoint = self._learner.checkpoint(self._spec.to_dict(), self.elapsed_s, finished=finished)
        save_checkpoint(checkpoint, self._out / FILE_NAME)

    def _score(self) -> None:
        if self._validate is not None:
            self._scores = self._validate(self._learner.mean)
            self._log.scores(self._learner.step, self.elapsed_s, self._scores)

    def close(self) -> TrainSummary:
        finished = self.progress >= 1.0
        self._save(finished=finished)
        if finished:
            self._score()
        step = self._learner.step
        summary = TrainSummary(
            run=str(self._out),
            finished=finished,
            steps=step,
            images=step * self._spec.batch,
            minutes=self.elapsed_s / 60,
            losses=self._losses or (self._mean_losses() if self._recent else {}),
            validation=self._scores,
        )
        self._log.end(summary.to_dict())
        return summary


def _comparable(spec: dict[str, Any]) -> dict[str, Any]:
    free = {"steps", "max_minutes", "threads", "val", "val_frames", "validate_minutes", "checkpoint_minutes"}
    return {k: v for k, v in spec.items() if k not in free}
