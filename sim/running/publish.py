"""Scenes appear in a data set folder whole: files are staged, renamed into place, and counted by one record at the end."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenes.errors import DatasetError
from scenes.files import write_whole
from sim.manifest import FrameEntry

# WORK holds everything that is not yet a data set and goes away when the manifest is written.
# A scene counts as published only once its record exists; what lies around without one is written over.

WORK = ".generate"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRecord:
    """One published scene: its frames, its stage (None without) and the sub-seeds that were rejected, by reason."""

    index: int
    frames: tuple[FrameEntry, ...]
    stage: str | None
    rejected: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "index": self.index, "frames": [entry.to_dict() for entry in self.frames], "stage": self.stage,
            "rejected": self.rejected,
        }  # fmt: skip


def staging_folder(folder: Path, index: int) -> Path:
    """Makes the empty folder in which this process prepares scene `index`."""
    staging = folder / WORK / "staging" / f"{index:06d}-{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    return staging


def publish(folder: Path, staging: Path, record: SceneRecord) -> None:
    """Moves every staged file to the same place in the data set, then writes the record; each step is one rename."""
    for source in sorted(path for path in staging.rglob("*") if not path.is_dir()):
        target = folder / source.relative_to(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    shutil.rmtree(staging)
    path = record_path(folder, record.index)
    path.parent.mkdir(exist_ok=True)
    write_whole(path, json.dumps(record.to_dict()), sync=True)


def read_record(folder: Path, index: int) -> SceneRecord | None:
    """Returns the record of a published scene, None where it was not published or some of its files are gone."""
    path = record_path(folder, index)
    if not path.exists():
        return None
    try:
        record = record_from_dict(json.loads(path.read_bytes()))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} is damaged ({error}): delete it and run the same command again.") from error
    wanted = [name for entry in record.frames for name in entry.files] + ([record.stage] if record.stage else [])
    return record if all((folder / name).exists() for name in wanted) else None


def record_from_dict(values: dict[str, Any]) -> SceneRecord:
    """Reads what `to_dict` gave; raises LookupError, TypeError, ValueError or AttributeError."""
    frames = tuple(FrameEntry.from_dict(entry) for entry in values["frames"])
    return SceneRecord(index=int(values["index"]), frames=frames, stage=values["stage"], rejected=values["rejected"])


def record_path(folder: Path, index: int) -> Path:
    """Returns where the record of a scene lies."""
    return folder / WORK / "records" / f"{index:06d}.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a folder for this process while it lives; raises DatasetError where another process generates into it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DatasetError(f"Another process generates into {folder}; wait for it or choose another folder.") from error
    finally:
        os.close(handle)
