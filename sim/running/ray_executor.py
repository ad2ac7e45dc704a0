"""Scenes by a Ray cluster, an existing one or one of this machine for this run only; every node must see the same folder."""

from __future__ import annotations

import os
import secrets
from typing import Any

from scenes.errors import BackendError
from sim.running.executor import Job, Outcome, attempt, died

_GONE = "WorkerCrashedError", "NodeDiedError", "OutOfMemoryError", "WorkerDiedError", "TaskUnschedulableError"


class RayExecutor:
    """An Executor of one Ray task per scene, one CPU each. Starts, or connects to, a cluster; takes seconds.

    `address` None starts a local cluster with `workers` CPUs; "auto" finds the one that runs on this machine. Retries
    are the caller's, so that they are counted and logged in one place. Raises BackendError.
    """

    def __init__(self, job: Job, workers: int, *, address: str | None, recycle_scenes: int) -> None:
        ray = _import_ray()
        self._ray = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            _connect(ray, address, workers)
        nodes_cpus = int(ray.cluster_resources().get("CPU", 1))
        self.capacity = min(workers, nodes_cpus) if address is None else nodes_cpus
        self._job = ray.put(job)
        self._task: Any = ray.remote(num_cpus=1, max_retries=0, max_calls=recycle_scenes)(_attempt_on_ray)
        self._running: dict[Any, int] = {}

    def submit(self, index: int) -> None:
        """Starts scene `index`; does not wait."""
        self._running[self._task.remote(self._job, index)] = index

    def gather(self) -> Outcome:
        """Waits for any scene that was submitted and returns what became of it."""
        (ready, *_), _ = self._ray.wait(list(self._running), num_returns=1)
        index = self._running.pop(ready)
        try:
            outcome: Outcome = self._ray.get(ready)
        except self._ray.exceptions.RayError as error:
            if type(error).__name__ in _GONE:
                return died(index, type(error).__name__)
            raise BackendError(f"Ray could not make scene {index}: {str(error).splitlines()[-1]}") from error
        return outcome

    def close(self) -> None:
        """Disconnects; a cluster that was started here ends."""
        for task in self._running:
            self._ray.cancel(task, force=True)
        self._running = {}
        if self._ours:
            self._ray.shutdown()
            self._ours = False


def _attempt_on_ray(job: Job, index: int) -> Outcome:
    os.environ["LP_NUM_THREADS"] = "0"  # read when the renderer is loaded, which the first scene does
    return attempt(job, index)


def _import_ray() -> Any:
    # Both are read when Ray is imported or started. Nothing is reported to anyone, and workers are not put behind
    # everything else on the machine, which Ray does by default (nice 15).
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        import ray
    except ImportError as error:
        raise BackendError("The executor ray needs Ray; get it with: pip install -e '.[ray]'.") from error
    return ray


def _connect(ray: Any, address: str | None, workers: int) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address is None:
        options |= {"address": "local", "num_cpus": workers, "include_dashboard": False}
        if not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
            # A local cluster asks for a token; one of this run's own keeps Ray from leaving one in the home folder.
            os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    else:
        options["address"] = address
    try:
        ray.init(**options)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        where = "start a local Ray cluster" if address is None else f"connect to the Ray cluster {address!r}"
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BackendError(
            f"Cannot {where}: {reason} Start one with `ray start --head`, or leave out --ray-address."
        ) from error
