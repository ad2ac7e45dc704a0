"""Every missing scene is made, tried again, left out or reported: each failure is one line of failures.jsonl before all else."""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scenes.errors import BackendError, DatasetError, RehearseError
from sim.running.executor import Executor, Failure
from sim.running.memory import Resident
from sim.running.publish import WORK, SceneRecord, read_record, record_path
from sim.running.run_plan import RunPlan

FAILURES = "failures.jsonl"


@dataclass(slots=True, kw_only=True)
class LoopResult:
    """What became of the scenes: how many attempts were repeated, which were left out at last, what the workers held."""

    retried: int = 0
    failed: list[int] = field(default_factory=list)
    worker_memory: Resident | None = None


def make_scenes(
    executor: Executor, indices: Iterable[int], *, plan: RunPlan, folder: Path, made: Callable[[SceneRecord], object]
) -> LoopResult:
    """Makes the scenes, calling `made` for each as it is published; a failed one is tried again after the others.

    Raises the error of the first scene that fails for good unless the plan keeps going, and an OSError, such as a full
    disk, always: that is not the scene's fault.
    """
    todo, attempts, result = deque(indices), Counter[int](), LoopResult()
    running = 0
    while todo or running:
        while todo and running < executor.capacity:
            executor.submit(todo.popleft())
            running += 1
        outcome = executor.gather()
        running -= 1
        if isinstance(outcome, Failure) and (published := read_record(folder, outcome.index)) is not None:
            outcome = published  # the process died after its scene was whole: what counts is on the disk
        if isinstance(outcome, SceneRecord):
            _assert_here(folder, outcome.index)
            made(outcome)
            continue
        if isinstance(outcome.error, OSError):
            raise outcome.error
        attempts[outcome.index] += 1
        _log(folder, outcome, attempts[outcome.index])
        if _may_pass(outcome.error) and attempts[outcome.index] <= plan.retries:
            todo.append(outcome.index)
            result.retried += 1
        elif plan.keep_going:
            result.failed.append(outcome.index)
        else:
            raise _final(outcome, attempts[outcome.index], folder)
    result.failed.sort()
    result.worker_memory = executor.worker_memory
    return result


def final_failures(folder: Path, scenes: Iterable[int]) -> list[dict[str, Any]]:
    """Returns the last logged line of each of these scenes, in order of scene; a line cut short by a kill is passed over."""
    last: dict[int, dict[str, Any]] = {}
    path = folder / WORK / FAILURES
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            values = json.loads(line)
        except ValueError:
            continue
        last[int(values["scene"])] = values
    return [last[scene] for scene in sorted(scenes) if scene in last]


def _assert_here(folder: Path, index: int) -> None:
    if not record_path(folder, index).exists():
        raise DatasetError(
            f"Scene {index} was made, but {folder} does not hold it: the folder must be on a disk that every machine "
            "that makes scenes sees under this path."
        )


def _may_pass(error: Exception) -> bool:
    """Returns whether another attempt may end otherwise: a scene or a name that is wrong stays wrong."""
    return isinstance(error, BackendError) or not isinstance(error, RehearseError)


def _final(failure: Failure, attempts: int, folder: Path) -> Exception:
    if isinstance(failure.error, RehearseError):
        return failure.error
    error = BackendError(
        f"Scene {failure.index} failed {attempts} times (the last: {_text(failure.error)}); the traces are in "
        f"{folder / WORK / FAILURES}. Run the same command again to go on, or with --keep-going to leave it out."
    )
    error.__cause__ = failure.error
    return error


def _log(folder: Path, failure: Failure, attempt: int) -> None:
    """Appends one line and puts it on the disk."""
    values = {"scene": failure.index, "attempt": attempt, "error": _text(failure.error), "trace": failure.trace}
    handle = os.open(folder / WORK / FAILURES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, (json.dumps(values) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, RehearseError) else f"{type(error).__name__}: {error}"
