"""What runs scenes: submit one, gather one; the answer is a record or a failure, and a process that dies is a failure too."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from scenes.errors import BackendError
from sim.running.memory import Resident
from sim.running.publish import SceneRecord
from sim.running.run_plan import RunPlan

Job = Callable[[int], SceneRecord]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Failure:
    """Scene `index` could not be made: the error, and where it arose as a text of many lines."""

    index: int
    error: Exception
    trace: str = ""


Outcome = SceneRecord | Failure


class Executor(Protocol):
    """Makes scenes, up to `capacity` at once, in any order and place; every scene that is submitted is gathered once."""

    @property
    def capacity(self) -> int:
        """How many scenes are worth submitting before one is gathered."""
        ...

    @property
    def worker_memory(self) -> Resident | None:
        """What the largest worker held, None where that is not known."""
        ...

    def submit(self, index: int) -> None:
        """Starts scene `index`; does not wait."""
        ...

    def gather(self) -> Outcome:
        """Waits for any scene that was submitted and returns what became of it."""
        ...

    def close(self) -> None:
        """Lets the scenes in hand end and frees the processes; may be called after an error and twice."""
        ...


def open_executor(plan: RunPlan, job: Job, workers: int) -> Executor:
    """Starts the executor of a plan; raises BackendError where it cannot run here."""
    if plan.executor == "ray":
        from sim.running.ray_executor import RayExecutor

        return RayExecutor(job, workers, address=plan.ray_address, recycle_scenes=plan.recycle_scenes)
    from sim.running.process_executor import ProcessExecutor

    return ProcessExecutor(job, workers, recycle_scenes=plan.recycle_scenes, recycle_mib=plan.recycle_mib)


def attempt(job: Job, index: int) -> Outcome:
    """Runs one job; every exception becomes a Failure that can be sent to another process."""
    try:
        return job(index)
    except Exception as error:  # whatever it is, the parent judges it
        trace = traceback.format_exc()
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
        except Exception:  # an exception class that cannot travel travels as its text
            error = RuntimeError(f"{type(error).__name__}: {error}")
        return Failure(index=index, error=error, trace=trace)


def died(index: int, how: str) -> Failure:
    """Returns the failure of a scene whose worker process ended without an answer."""
    return Failure(
        index=index,
        error=BackendError(
            f"A worker process died while it made scene {index} ({how}; killed, or out of memory): "
            "run the same command again to go on, with fewer workers if memory was short."
        ),
    )
