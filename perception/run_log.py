"""What a run says while it goes: one JSON object per line in log.jsonl, and a progress bar with its rate and what is left."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

FILE_NAME = "log.jsonl"


class RunLog:
    """Appends to `folder`/log.jsonl; with `show` it also draws bars on standard error."""

    def __init__(self, folder: Path, *, show: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._show = folder / FILE_NAME, show
        self._bar: tqdm[Any] | None = None
        self._mark = (time.monotonic(), 0)

    def reading(self, done: int, total: int) -> None:
        """Shows how many frames have been read."""
        if self._bar is None:
            self._bar = self._open("reading frames", total, "frame")
        self._bar.update(done - self._bar.n)
        if done == total:
            self._close()

    def begin(self, step: int, spec: dict[str, Any], begun_anew: list[str]) -> None:
        """Notes that a run starts or goes on at a step, and which tensors the weights it started from did not have."""
        self._write({"event": "begin", "step": step, "spec": spec, "begun_anew": begun_anew})
        self._mark = (time.monotonic(), step)

    def step(
        self, step: int, batch: int, progress: float, elapsed_s: float, rate: float, losses: dict[str, float]
    ) -> None:
        """Notes the mean losses of the last steps and moves the bar."""
        now = time.monotonic()
        images_per_s = (step - self._mark[1]) * batch / max(now - self._mark[0], 1e-9)
        self._mark = (now, step)
        left_min = elapsed_s * (1 - progress) / max(progress, 1e-6) / 60
        values = {
            "step": step,
            "progress": progress,
            "minutes": elapsed_s / 60,
            "images_per_s": images_per_s,
            "rate": rate,
        }
        self._write({"event": "step", **{k: round(v, 6) for k, v in {**values, **losses}.items()}})
        if self._bar is None:
            self._bar = self._open("training", 1000, "permille")
        self._bar.update(round(1000 * progress) - self._bar.n)
        self._bar.set_postfix_str(
            f"step {step}, {images_per_s:.1f} images/s, {left_min:.1f} min left, loss {losses.get('total', float('nan')):.3f}"
        )

    def scores(self, step: int, elapsed_s: float, scores: dict[str, float]) -> None:
        """Notes a validation."""
        self._write({"event": "scores", "step": step, "minutes": round(elapsed_s / 60, 3), **scores})
        if self._show:
            tqdm.write(f"step {step}: " + ", ".join(f"{k} {v:.4g}" for k, v in scores.items()), file=sys.stderr)

    def end(self, summary: dict[str, Any]) -> None:
        """Notes how the run stands and closes the bar."""
        self._write({"event": "end", **summary})
        self._close()

    def _open(self, what: str, total: int, unit: str) -> tqdm[Any]:
        form = "{desc} {percentage:3.0f}% |{bar}| {elapsed} {postfix}"
        return tqdm(
            total=total, desc=what, unit=unit, bar_format=form, disable=not self._show, file=sys.stderr, mininterval=1
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, values: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
