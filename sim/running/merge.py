"""The parts of a data set joined into one folder that has the bytes of a single run; every file is checked on the way."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scenes.errors import DatasetError
from sim._folder import failure_lines
from sim._progress import Progress, reporting
from sim.basicwriter import metadata_text
from sim.generate import manifest_of
from sim.manifest import FILE_NAME
from sim.running.part import Part, assert_whole, read_part
from sim.running.scene_loop import FAILURES
from sim.staged_folder import staged_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSummary:
    """What a merge did; `frames` excludes the `skipped_frames`, whose scenes failed and were left out."""

    out: Path
    parts: int
    frames: int
    skipped_frames: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "out": str(self.out)}


def merge(parts: Sequence[Path], out: Path, *, link: bool = False, progress: bool | Progress = True) -> MergeSummary:
    """Joins finished parts, in any order, into the new folder `out`; an interrupted call is gone on with, part by part.

    `link` makes hard links instead of copies, which needs one disk; the parts stay as they are either way. Raises
    DatasetError where a part is missing, damaged, unfinished or of another data set, or where `out` is there.
    """
    started = time.monotonic()
    if not parts:
        raise DatasetError("There is no part to merge: give the folders that `rehearse generate --shard I/N` wrote.")
    folder_of = {folder: read_part(folder) for folder in map(Path, parts)}
    ordered = assert_whole(folder_of.values())
    folders = sorted(folder_of, key=lambda folder: folder_of[folder].shard.index)
    out = Path(out).absolute()
    with staged_folder(out) as staged:
        staged.begin({"whole": ordered[0].whole, "parts": len(ordered), "link": link})
        done = sum(len(part.frames) for k, part in enumerate(ordered) if staged.record(k) is not None)
        total = sum(len(part.frames) for part in ordered)
        with reporting(progress, done=done, total=total, unit="frame") as advance:
            for k, (folder, part) in enumerate(zip(folders, ordered, strict=True)):
                if staged.record(k) is None:
                    _add(folder, part, staged.data, link=link, advance=advance)
                    staged.finish_part(k, {"part": str(part.shard)})
        skipped = _finish(staged.data, folders, ordered)
        staged.publish()
    return MergeSummary(
        out=out, parts=len(ordered), frames=total, skipped_frames=skipped, seconds=time.monotonic() - started
    )


def _add(folder: Path, part: Part, data: Path, *, link: bool, advance: Any) -> None:
    if (folder / "scenes").is_dir():
        shutil.copytree(folder / "scenes", data / "scenes", dirs_exist_ok=True)
    for entry in part.frames:
        for name, digest in entry.files.items():
            _take(folder / name, digest, data / name, link=link)
        advance(1)


def _take(source: Path, digest: str, target: Path, *, link: bool) -> None:
    try:
        data = source.read_bytes()
    except FileNotFoundError as error:
        raise DatasetError(f"{source} is missing: generate this part again into an empty folder.") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise DatasetError(f"{source} is damaged: restore it from a copy or generate this part again.")
    if link:
        target.unlink(missing_ok=True)
        target.hardlink_to(source)
    else:
        target.write_bytes(data)


def _finish(data: Path, folders: Sequence[Path], parts: Sequence[Part]) -> int:
    """Writes what a data set has once, the manifest last; returns how many frames were left out."""
    content = parts[0].whole
    skipped = tuple(number for part in parts for number in part.skipped_frames)
    failures = [
        json.loads(line)
        for folder in folders
        if (folder / FAILURES).exists()
        for line in (folder / FAILURES).read_text().splitlines()
    ]
    if failures:
        (data / FAILURES).write_text(failure_lines(failures))
    (data / "metadata.txt").write_text(metadata_text(content["seed"]))
    records = [record for part in parts for record in part.records]
    with (data / FILE_NAME).open("w", encoding="utf-8") as file:
        file.writelines(manifest_of(content, records, skipped).json_parts())
    return len(skipped)
