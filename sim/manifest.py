"""manifest.json: what a data set is a function of, what made it, and a sha256 of every file of every frame."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from scenes.assets import AssetUse
from scenes.errors import DatasetError
from sim._digests import Digests
from sim.capture import Capture
from sim.proof.figures import Agreement

FILE_NAME = "manifest.json"
SCHEMA_VERSION = 2
# Version 1 had no agreement of a frame with the ray caster and no target.
_READABLE = (1, 2)
_NO_FRAMES = '"frames": []'


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameEntry:
    """One frame: its name, its scene's digest and sub-seed, sha256 by file name, and the size of its files together.

    `agreement` is what the ray caster found before the frame was written, None where it was not asked.
    """

    name: str
    scene_digest: str
    attempt: int
    files: Mapping[str, str]
    size_bytes: int
    agreement: Agreement | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", Digests(self.files))

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "name": self.name, "scene_digest": self.scene_digest, "attempt": self.attempt, "files": dict(self.files),
            "size_bytes": self.size_bytes, "agreement": None if self.agreement is None else asdict(self.agreement),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FrameEntry:
        """Reads what `to_dict` gave; raises KeyError, TypeError or ValueError."""
        agreement = values.get("agreement")
        return cls(
            name=str(values["name"]),
            scene_digest=str(values["scene_digest"]),
            attempt=int(values["attempt"]),
            files={str(k): str(v) for k, v in values["files"].items()},
            size_bytes=int(values["size_bytes"]),
            agreement=None if agreement is None else Agreement.from_dict(agreement),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """The software that made the frames: versions of Rehearse, of the backend and of Python's mujoco or isaacsim."""

    rehearse: str
    backend: str
    backend_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole data set; frame k is `frames[k]`. `rejected` counts the sub-seeds that were remade, by reason.

    `capture` is `sim.capture.Capture` as JSON; data sets from before there was one hold stills of the default annotators.
    `sensor` is SensorProfile.record(), the profile that was applied; None, and not in the file, where the frames are ideal.
    `skipped_frames` are the numbers, in order, of frames whose scene failed and was left out on request: no file has them.
    `suite_digest` is that of the suite's file where the suite is not a shipped one; it is left out where it is empty.
    `target` is the difficulty that was asked for, as Target.to_dict() gives it, None where none was; `assets`
    are the user's own objects that were put into the scenes.
    """

    suite: str
    suite_version: int
    split: str
    seed: int
    size: tuple[int, int]
    stages: bool
    generator: Generator
    frames: tuple[FrameEntry, ...]
    rejected: dict[str, int]
    capture: dict[str, Any] = field(default_factory=lambda: Capture().to_dict())
    sensor: dict[str, Any] | None = None
    skipped_frames: tuple[int, ...] = ()
    suite_digest: str = ""
    target: dict[str, Any] | None = None
    assets: tuple[AssetUse, ...] = ()

    def file_number(self, position: int) -> int:
        """Returns the number in the file names of `frames[position]`; it differs where frames before it were left out."""
        number = position
        for skipped in self.skipped_frames:
            number += skipped <= number
        return number

    @property
    def views(self) -> int | None:
        """How many cameras its scenes have, where a target chose the views among them; None for the suite's number."""
        return None if self.target is None else self.target.get("views")

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return self._head() | {"frames": [entry.to_dict() for entry in self.frames]}

    def json_parts(self) -> Iterator[str]:
        """Yields the text of manifest.json piece by piece, so that whoever writes it need not hold it."""
        head, tail = json.dumps(self._head()).split(_NO_FRAMES, maxsplit=1)
        yield head + _NO_FRAMES[:-1]
        for k, entry in enumerate(self.frames):
            yield (", " if k else "") + json.dumps(entry.to_dict())
        yield "]" + tail

    def _head(self) -> dict[str, Any]:
        """Returns everything but the frames, in whose place stands an empty list."""
        values = {"schema_version": SCHEMA_VERSION, "frame_count": len(self.frames), **asdict(replace(self, frames=()))}
        values["frames"] = []
        if self.sensor is None:
            del values["sensor"]
        if not self.suite_digest:
            del values["suite_digest"]
        return values

    def content(self) -> dict[str, Any]:
        """Returns what the data set is a function of, as plain JSON values: what GenerateSpec.content() returned."""
        return {
            "suite": self.suite, "suite_version": self.suite_version, "split": self.split, "seed": self.seed,
            "size": list(self.size), "frames": len(self.frames) + len(self.skipped_frames), "stages": self.stages,
            "capture": self.capture, "generator": asdict(self.generator), "sensor": self.sensor,
            "target": self.target, "assets": [asdict(a) for a in self.assets],
            **({"suite_digest": self.suite_digest} if self.suite_digest else {}),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Manifest:
        """Reads what `to_dict` wrote; raises KeyError, TypeError or ValueError."""
        frames = tuple(e if isinstance(e, FrameEntry) else FrameEntry.from_dict(e) for e in values["frames"])
        if len(frames) != values["frame_count"]:
            raise ValueError(f"it announces {values['frame_count']} frames and lists {len(frames)}")
        width, height = (int(v) for v in values["size"])
        return cls(
            suite=str(values["suite"]),
            suite_version=int(values["suite_version"]),
            split=str(values["split"]),
            seed=int(values["seed"]),
            size=(width, height),
            stages=bool(values["stages"]),
            generator=Generator(**values["generator"]),
            frames=frames,
            rejected={str(k): int(v) for k, v in values["rejected"].items()},
            **({"capture": Capture.from_dict(values["capture"]).to_dict()} if "capture" in values else {}),
            sensor=None if values.get("sensor") is None else {"label": str(values["sensor"]["label"]), **values["sensor"]},
            skipped_frames=tuple(int(number) for number in values.get("skipped_frames", ())),
            suite_digest=str(values.get("suite_digest", "")),
            target=values.get("target"),
            assets=tuple(AssetUse(**asset) for asset in values.get("assets", ())),
        )


def _entry_or_dict(values: dict[str, Any]) -> Any:
    """Makes a FrameEntry of a frame's JSON as soon as it is read, since it takes a third of the memory."""
    return FrameEntry.from_dict(values) if values.keys() >= {"scene_digest", "files", "attempt"} else values


def read_manifest(folder: Path) -> Manifest:
    """Reads a data set's manifest; raises DatasetError where it is missing, damaged or of an unknown schema version."""
    path = folder / FILE_NAME
    try:
        values = json.loads(path.read_bytes(), object_hook=_entry_or_dict)
        version = values["schema_version"]
        if version not in _READABLE:
            raise DatasetError(
                f"{path} has schema version {version!r}, this Rehearse reads versions {_READABLE[0]} to {SCHEMA_VERSION}: "
                "read it with the version that wrote it, or generate the data set again."
            )
        return Manifest.from_dict(values)
    except DatasetError:
        raise
    except OSError as error:
        raise DatasetError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DatasetError(f"{path} is damaged: {reason}. Generate the data set again into an empty folder.") from error
