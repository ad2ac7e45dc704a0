"""The runs of a sweep are rehearsals in processes of their own, one after the other; none is left out, what is finished stays.

A sweep's folder has `plan.json`, and a folder for every attempt with all that `rehearse hil` writes. The same sweep started
again goes on where it was stopped; another one is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.demo import agent_process, find_engine
from benchmarks.rehearsal import Say
from scenes.errors import RehearseError
from scenes.files import write_whole
from sim.manifest import FILE_NAME

_FRONT_DOOR = Path(__file__).resolve().parent.parent / "rehearse.py"
_STATUSES = (0, 1, 3)  # a verdict: PASS, FAIL, INVALID; anything else is no run
_FINISHED = "finished.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """What serves a run: an engine file with its backend and precision, held back to a model's time by `emulate`; or a device.

    `file` None is an agent that is there already, at `device`.
    """

    file: Path | None = None
    backend: str = "auto"
    precision: str = "auto"
    emulate: str | None = None
    device: str | None = None

    @classmethod
    def parse(cls, text: str, *, emulate: str | None = None) -> EngineSpec:
        """Reads FILE, FILE:BACKEND or FILE:BACKEND:PRECISION; raises EngineError where there is no such file."""
        file, *rest = [text] if Path(text).is_file() else text.split(":")
        if len(rest) > 2 or not all([file, *rest]):
            example = "engine.onnx:openvino:f32"
            raise RehearseError(f"Expected an engine as FILE[:BACKEND[:PRECISION]], such as {example}, got {text!r}.")
        backend, precision = (*rest, "auto", "auto")[:2]
        return cls(file=find_engine(Path(file)), backend=backend, precision=precision, emulate=emulate)

    @property
    def label(self) -> str:
        """Its name in a table and in a picture."""
        if self.file is None:
            return self.device or "a device"
        return f"{self.file.stem}, {self.how}"

    @property
    def how(self) -> str:
        """What tells it from another one of the same file."""
        parts = [p for p in (self.backend, self.precision) if p != "auto"] or ["as it comes"]
        return " ".join([*parts, *([f"held back to {self.emulate}"] if self.emulate else [])])

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values; `digest` names every byte of the file."""
        digest = None if self.file is None else hashlib.sha256(self.file.read_bytes()).hexdigest()
        return {**asdict(self), "file": None if self.file is None else self.file.name, "digest": digest}

    def served(self, log: Path) -> AbstractContextManager[str]:
        """Serves it while the block lasts, as a fresh process; yields its address. Raises LinkError where it cannot start."""
        if self.file is None:
            return nullcontext(self.device or "")
        return agent_process(self.file, log=log, backend=self.backend, precision=self.precision, emulate=self.emulate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run: where it lies in the sweep's folder, its verdict, its figures as `scores.json` has them; `why` is the reason.

    `status` is `UNAVAILABLE` where no run took place.
    """

    folder: str
    status: str
    why: str
    figures: dict[str, Any]

    @property
    def marks(self) -> list[str]:
        """The first words of the marks beside its verdict, such as EMULATED."""
        return [mark.partition(":")[0] for mark in self.figures.get("verdict", {}).get("marks", [])]

    def latency(self, key: str) -> float | None:
        """Returns a figure of latency by its key, None where there is none."""
        value = self.figures.get("latency", {}).get(key)
        return None if value is None else float(value)

    def quantile_ms(self, p: float) -> float | None:
        """Returns a quantile of latency in ms; None without one, or where it is infinite."""
        found = (q["ms"] for q in self.figures.get("latency", {}).get("quantiles", []) if q["p"] == p)
        value = next(found, None)
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    def quality(self, column: str, key: str) -> dict[str, Any] | None:
        """Returns a figure of quality with its interval, None where it is not defined."""
        scores = (self.figures.get("quality") or {}).get(column)
        figure: dict[str, Any] | None = None if scores is None else scores["figures"].get(key)
        return None if figure is None or figure["value"] is None else figure

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values, with the headline figures only: all others are in its folder."""
        pq = {column: (self.quality(column, "pq") or {}).get("value") for column in ("offline", "deadline", "streaming")}
        return {
            "folder": self.folder, "status": self.status, "why": self.why, "marks": self.marks, "pq": pq,
            "miss_ratio": self.latency("miss_ratio"), "miss_ratio_bound_99": self.latency("miss_ratio_bound_99"),
            "p50_ms": self.quantile_ms(0.5), "p99_ms": self.quantile_ms(0.99),
        }  # fmt: skip


class SweepRuns:
    """The attempts of one sweep, in the order in which they were asked for."""

    def __init__(self, out: Path, plan: dict[str, Any], *, say: Say) -> None:
        """Raises RehearseError where `out` holds the runs of another plan."""
        self.attempts: list[Attempt] = []
        self._out, self._say = out, say
        path = out / "plan.json"
        text = json.dumps(plan, indent=2, allow_nan=False)
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise RehearseError(f"{out} holds another sweep (see its plan.json); give a new folder with --out.")
        out.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)

    def run(self, folder: str, engine: EngineSpec, words: list[str]) -> Attempt:
        """Runs `rehearse hil WORDS` against an engine, or takes what an earlier start of this sweep finished."""
        place = self._out / folder
        if (place / _FINISHED).exists():
            self._say(f"{folder}: finished before")
        else:
            self._say(f"{folder}: {engine.label}, in a process of its own")
            self._play(place, engine, words)
        figures = json.loads((place / "scores.json").read_text(encoding="utf-8"))
        verdict = figures["verdict"]
        return self._keep(Attempt(folder=folder, status=verdict["status"], why=verdict["reason"], figures=figures))

    def run_if_available(self, folder: str, engine: EngineSpec, words: list[str]) -> Attempt:
        """The same, but an engine that cannot run here is an attempt with the reason and no figures."""
        try:
            return self.run(folder, engine, words)
        except RehearseError as error:
            return self._keep(Attempt(folder=folder, status="UNAVAILABLE", why=str(error), figures={}))

    def _play(self, place: Path, engine: EngineSpec, words: list[str]) -> None:
        with engine.served(place / "agent.log") as device:
            command = [sys.executable, str(_FRONT_DOOR), "hil", *words, f"--device={device}", "--out", str(place)]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in _STATUSES:
            raise RehearseError(f"The run in {place} did not take place; its own words are above.")
        write_whole(place / _FINISHED, json.dumps({"status": done.returncode}))

    def _keep(self, attempt: Attempt) -> Attempt:
        self.attempts.append(attempt)
        self._say(f"{attempt.folder}: {attempt.status}: {attempt.why}")
        return attempt


def dataset_digest(dataset: Path) -> str:
    """Returns what names every byte of a data set; raises RehearseError where it has no manifest."""
    try:
        return hashlib.sha256((dataset / FILE_NAME).read_bytes()).hexdigest()
    except OSError as error:
        raise RehearseError(f"{dataset} is not a data set of Rehearse: {error.strerror} ({FILE_NAME}).") from error
