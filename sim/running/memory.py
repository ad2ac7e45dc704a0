"""How much memory the processes of a run held, in MB (10^6 bytes), as Linux counts it; None where it is not measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LINE = re.compile(r"^(VmHWM|VmRSS):\s*(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Resident memory of a process in MB: now, and the most it ever was. Pages that processes share count in each."""

    now_mb: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """Resident memory of a run: of the process that runs it, and of its largest worker, at the end of its last scene.

    `worker` is None where the workers are not this machine's processes or none was started.
    """

    parent: Resident | None
    worker: Resident | None

    def __str__(self) -> str:
        return f"parent {_text(self.parent)}, largest worker {_text(self.worker)}"


def resident(pid: int | None = None) -> Resident | None:
    """Reads the memory of a process, None for this one; returns None where it is gone or the system does not say."""
    try:
        text = (_PROC / str(pid or "self") / "status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = {name: int(kib) * 1024 / 1e6 for name, kib in _LINE.findall(text)}
    return Resident(now_mb=found["VmRSS"], peak_mb=found["VmHWM"]) if len(found) == 2 else None


def children() -> list[int]:
    """Returns the ids of the processes that this one started and that live; none where the system does not say."""
    try:
        tasks = list((_PROC / "self" / "task").iterdir())
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    except OSError:
        return []


def larger(first: Resident | None, second: Resident | None) -> Resident | None:
    """Returns the larger of both figures of two processes."""
    if first is None or second is None:
        return first or second
    return Resident(now_mb=max(first.now_mb, second.now_mb), peak_mb=max(first.peak_mb, second.peak_mb))


def _text(memory: Resident | None) -> str:
    return "not measured" if memory is None else f"{memory.now_mb:.0f} MB (peak {memory.peak_mb:.0f})"
