"""Scenes by processes of this machine: each has one scene in hand, so a death has a name; each is replaced after a while."""

# concurrent.futures is not used: it does not say which scene a dead process had, it breaks as a whole when one process
# dies, and its own recycling (max_tasks_per_child) can wait for ever (cpython issue 115634).

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from sim.running.executor import Job, Outcome, attempt, died
from sim.running.worker import start_worker

_JOIN_S = 30.0


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    scenes: int = 0
    index: int | None = None  # the scene in hand


class ProcessExecutor:
    """An Executor of up to `workers` processes, started when they are first needed."""

    def __init__(self, job: Job, workers: int, *, recycle_scenes: int, recycle_mib: int | None = None) -> None:
        self.capacity = workers
        self._job = job
        self._recycle_scenes = recycle_scenes
        self._recycle_mib = recycle_mib
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def submit(self, index: int) -> None:
        """Starts scene `index`; does not wait."""
        worker = self._idle.pop() if self._idle else self._start()
        worker.index = index
        worker.scenes += 1
        self._busy.append(worker)
        with suppress(OSError):  # it died in between; gather finds that out
            worker.connection.send(index)

    def gather(self) -> Outcome:
        """Waits for any scene that was submitted and returns what became of it."""
        ready = wait([worker.connection for worker in self._busy])
        worker = next(w for w in self._busy if w.connection in ready)
        self._busy.remove(worker)
        index = worker.index
        assert index is not None
        try:
            outcome: Outcome = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(_JOIN_S)
            worker.connection.close()
            return died(index, _how(worker.process.exitcode))
        worker.index = None
        if worker.scenes >= self._recycle_scenes or self._is_fat(worker):
            _stop(worker)
        else:
            self._idle.append(worker)
        return outcome

    def close(self) -> None:
        """Lets the scenes in hand end and ends the processes; one that has none in hand may take half a minute to end."""
        idle, busy = self._idle, self._busy
        self._idle, self._busy = [], []
        for worker in idle + busy:
            _dismiss(worker)
        for worker in busy:
            worker.process.join()
            worker.connection.close()
        for worker in idle:
            _stop(worker)

    def _is_fat(self, worker: _Worker) -> bool:
        return self._recycle_mib is not None and _resident_mib(worker.process.pid) >= self._recycle_mib

    def _start(self) -> _Worker:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, self._job), daemon=True)
        # The child inherits the mask: Ctrl-C in a terminal is the parent's to answer, also while the child starts.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        return _Worker(process=process, connection=ours)


def _serve(connection: Connection, job: Job) -> None:
    """Is the life of a worker process: a number in, an Outcome out, until None or the end of the parent."""
    start_worker()
    try:
        while (index := connection.recv()) is not None:
            connection.send(attempt(job, index))
    except (EOFError, OSError):
        return


def _dismiss(worker: _Worker) -> None:
    with suppress(OSError):  # it may be dead already
        worker.connection.send(None)


def _stop(worker: _Worker) -> None:
    _dismiss(worker)
    worker.process.join(_JOIN_S)
    if worker.process.is_alive():  # it hangs while it ends; its scenes are on the disk, and its memory is wanted
        worker.process.kill()
        worker.process.join()
    worker.connection.close()


def _resident_mib(pid: int | None) -> float:
    """Returns how much memory a process holds, 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123  # no path of ours
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, ValueError, IndexError):
        return 0.0


def _how(exitcode: int | None) -> str:
    return f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"exit status {exitcode}"
