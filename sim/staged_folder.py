"""A folder made of parts appears whole under its name: parts are made beside it, each counted by a record, then one rename.

.OUT.unfinished/spec.json       what is being made; another thing is refused
.OUT.unfinished/records/        one json per finished part; a part without one is made again
.OUT.unfinished/data/           becomes OUT
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scenes.errors import DatasetError
from scenes.files import write_whole

Record = dict[str, Any]


class StagedFolder:
    """The making of one folder; use it through `staged_folder`."""

    def __init__(self, out: Path, work: Path) -> None:
        self.out = out
        self.data = work / "data"
        self._work = work
        self._records = work / "records"

    def begin(self, content: Record) -> None:
        """Starts, or goes on with, the making of `content`; raises DatasetError where something else lies here."""
        path = self._work / "spec.json"
        if path.exists():
            if _read(path) != json.loads(json.dumps(content)):
                raise DatasetError(
                    f"{self._work} holds an unfinished folder made from other arguments or data: "
                    "delete it, or give the arguments it was begun with."
                )
        else:
            write_whole(path, json.dumps(content), sync=True)
        self.data.mkdir(exist_ok=True)
        self._records.mkdir(exist_ok=True)

    def record(self, part: int) -> Record | None:
        """Returns the record of a finished part, None where it is still to be made."""
        path = self._records / f"{part:06d}.json"
        return _read(path) if path.exists() else None

    def finish_part(self, part: int, record: Record) -> None:
        """Counts a part as finished; its files must be in `data` by now."""
        write_whole(self._records / f"{part:06d}.json", json.dumps(record), sync=True)

    def publish(self) -> None:
        """Gives the folder its name and removes what was needed to make it."""
        if self.out.is_dir():
            self.out.rmdir()  # it was empty when this began; a file that has appeared since makes this an error
        self.data.rename(self.out)
        shutil.rmtree(self._work)


@contextmanager
def staged_folder(out: Path) -> Iterator[StagedFolder]:
    """Yields the making of the folder `out`, alone on this machine; after an error what was made stays, to go on with.

    Raises DatasetError where `out` is there and not empty, where another process makes it, or where a disk fails.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DatasetError(f"{out} is already there and nothing is overwritten: give a new or an empty folder.")
    work = out.with_name(f".{out.name}.unfinished")
    try:
        work.mkdir(parents=True, exist_ok=True)
        with _alone(work, out):
            yield StagedFolder(out, work)
    except OSError as error:
        raise DatasetError(
            f"Cannot write {out}: {error}; what was made so far is kept, run the same command again."
        ) from error


@contextmanager
def _alone(work: Path, out: Path) -> Iterator[None]:
    handle = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DatasetError(f"Another process writes {out}; wait for it or give another folder.") from error
    finally:
        os.close(handle)


def _read(path: Path) -> Record:
    try:
        values: Record = json.loads(path.read_bytes())
    except ValueError as error:
        raise DatasetError(f"{path} is damaged: delete {path.parent} and run the same command again.") from error
    return values
