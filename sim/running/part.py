"""part.json: one finished shard of a data set, with the record of each of its scenes; `rehearse merge` joins the shards."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenes.errors import DatasetError
from sim.manifest import FrameEntry
from sim.running.publish import SceneRecord, record_from_dict
from sim.running.run_plan import Shard

FILE_NAME = "part.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A shard: what the whole data set is a function of, the scenes made, and the numbers of the frames left out."""

    shard: Shard
    whole: dict[str, Any]
    records: tuple[SceneRecord, ...]
    skipped_frames: tuple[int, ...]

    @property
    def frames(self) -> tuple[FrameEntry, ...]:
        """The frames of this part, in order."""
        return tuple(entry for record in self.records for entry in record.frames)

    def content(self) -> dict[str, Any]:
        """Returns what the files are a function of, as plain JSON values."""
        return {**self.whole, "part": str(self.shard)}

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "schema_version": SCHEMA_VERSION, "part": str(self.shard), "whole": self.whole,
            "records": [record.to_dict() for record in self.records], "skipped_frames": list(self.skipped_frames),
        }  # fmt: skip


def read_part(folder: Path) -> Part:
    """Reads a part's part.json; raises DatasetError where it is missing, damaged or of an unknown schema version."""
    path = folder / FILE_NAME
    try:
        values = json.loads(path.read_bytes())
        if values["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {values['schema_version']!r} is not {SCHEMA_VERSION}")
        return Part(
            shard=Shard.parse(values["part"]),
            whole=dict(values["whole"]),
            records=tuple(record_from_dict(record) for record in values["records"]),
            skipped_frames=tuple(int(n) for n in values["skipped_frames"]),
        )
    except OSError as error:
        unfinished = (folder / ".generate").exists()
        what = (
            "is not finished: run its `rehearse generate` again"
            if unfinished
            else f"is not a part: it has no {FILE_NAME}"
        )
        raise DatasetError(f"{folder} {what}.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} is damaged: {error}. Generate this part again into an empty folder.") from error


def assert_whole(parts: Iterable[Part]) -> list[Part]:
    """Returns the parts in order; raises DatasetError unless they are all parts of one data set, each once."""
    ordered = sorted(parts, key=lambda part: (part.shard.count, part.shard.index))
    first = ordered[0]
    for part in ordered[1:]:
        for key, value in first.whole.items():
            if part.whole.get(key) != value:
                raise DatasetError(
                    f"Part {part.shard} has {key} {part.whole.get(key)!r}, part {first.shard} has {value!r}: "
                    "give the parts of one data set."
                )
    found = [str(part.shard) for part in ordered]
    wanted = [f"{k}/{first.shard.count}" for k in range(1, first.shard.count + 1)]
    if found != wanted:
        missing = [name for name in wanted if name not in found]
        surplus = [name for k, name in enumerate(found) if name not in wanted or name in found[:k]]
        what = f"missing: {', '.join(missing[:8])}" if missing else f"too much: {', '.join(surplus[:8])}"
        raise DatasetError(f"A data set of {first.shard.count} parts needs each of them once ({what}).")
    return ordered
