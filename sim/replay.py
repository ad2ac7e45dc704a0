"""A frame made again is the frame that was: its scene, its poses and the bytes of every label, field by field in order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from scenes.errors import DatasetError
from sim._frame_files import frame_files
from sim.annotators.registry import DEFAULT
from sim.backend import open_backend
from sim.basicwriter import kind_of
from sim.dataset import Dataset
from sim.difficulty.clearance import clearances_m
from sim.frame import Frame
from sim.frame_id import FrameId
from sim.manifest import FrameEntry
from sim.rebuild import Rebuilt, rebuild
from sim.retake import Retake

# What is made from the colours comes last and is told apart: another machine's renderer may round a colour differently,
# never a label. The measured contrast is among it, and what a depth sensor loses on dark surfaces.
IMAGES = ("rgb.png", "rgb_ideal.png", "pointcloud_rgb.npy", "sensor_depth.npy", "difficulty.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that was compared: what was expected and what came, as digests or numbers."""

    name: str
    expected: str
    got: str

    @property
    def equal(self) -> bool:
        """Whether both are the same."""
        return self.expected == self.got


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One frame made again and every field of it compared, in order; `images` are the files that hold
    colours or come from them, which the verdict leaves out.
    """

    frame: str
    against: str
    fields: tuple[Field, ...]
    images: tuple[Field, ...]

    @property
    def verdict(self) -> Literal["match", "differs"]:
        """`match` where every field but the images is the same."""
        return "match" if self.first_difference is None else "differs"

    @property
    def first_difference(self) -> Field | None:
        """The first field that differs, None where none does."""
        return next((field for field in self.fields if not field.equal), None)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        first = self.first_difference
        return {
            "frame": self.frame, "against": self.against, "verdict": self.verdict,
            "first_difference": None if first is None else first.name,
            "images_equal": all(field.equal for field in self.images),
            "fields": [{**asdict(field), "equal": field.equal} for field in (*self.fields, *self.images)],
        }  # fmt: skip

    def describe(self) -> str:
        """Returns the verdict in a few lines."""
        first = self.first_difference
        lines = [f"{self.frame} against {self.against}"]
        if first is None:
            lines.append(f"  match: {len(self.fields)} fields, the bytes of every label among them")
        else:
            lines.append(f"  differs first in {first.name}: expected {first.expected[:24]}, got {first.got[:24]}")
        for field in self.images:
            said = "the same bytes" if field.equal else "other bytes (renderers of other machines may round differently)"
            lines.append(f"  {field.name}: {said}")
        return "\n".join(lines)


def replay_dataset(path: Path, frame: str) -> Replay:
    """Makes a frame of a data set again, by its number or its name, and compares it with the manifest's digests.

    Raises DatasetError for a frame that is not there, SceneError where its scene cannot be made here.
    """
    dataset = Dataset.open(path)
    number = _number(dataset, frame)
    entry, manifest = dataset.manifest.frames[number], dataset.manifest
    simulator = open_backend(manifest.generator.backend)
    try:
        again = Retake.of(simulator, dataset, number)
        taken, files = again.files()
    finally:
        simulator.close()
    whole = set(DEFAULT) <= set(manifest.capture["annotators"])
    made = Rebuilt(scene=again.scene, frame=taken)
    disk = dataset[number] if whole else None
    return compare(entry, manifest.file_number(number), made, against=str(path), disk=disk, made_files=files)


def replay_id(name: str, *, size: tuple[int, int], backend: str = "mujoco") -> tuple[Replay, dict[str, str]]:
    """Makes a frame twice, each time in a new backend, the second time after another scene; returns the digests too.

    The digests, by field, are what another machine must get; rgb is among them. Raises SceneError.
    """
    frame_id = FrameId.parse(name)
    first = _made(frame_id, size, backend)
    entry = entry_of(first)
    again = _made(frame_id, size, backend, after_another=True)
    found = compare(entry, 0, again, against="itself, made after another scene", disk=first.frame)
    digests = {field.name: field.got for field in (*found.fields, *found.images)}
    return found, digests


def entry_of(made: Rebuilt) -> FrameEntry:
    """Returns the manifest's entry that this frame would have as frame 0."""
    files = frame_files(made.frame, 0, clearances_m(made.scene))
    return FrameEntry(
        name=made.frame.name,
        scene_digest=made.scene.digest(),
        attempt=made.scene.id.attempt,
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        size_bytes=sum(len(data) for data in files.values()),
    )


def compare(
    entry: FrameEntry,
    number: int,
    made: Rebuilt,
    *,
    against: str,
    disk: Frame | None,
    made_files: Mapping[str, bytes] | None = None,
) -> Replay:
    """Compares a rebuilt frame with an entry: sub-seed, scene digest, poses, then every file of labels by its bytes.

    `disk` is None where the data set has no whole frames, and then no poses are compared; `made_files` are those of the
    rebuilt frame, None for a still of the default annotators.
    """
    if made_files is None:
        made_files = frame_files(made.frame, number, clearances_m(made.scene))
    files = {name: hashlib.sha256(data).hexdigest() for name, data in made_files.items()}
    fields = [
        Field(name="attempt", expected=str(entry.attempt), got=str(made.scene.id.attempt)),
        Field(name="scene_digest", expected=entry.scene_digest, got=made.scene.digest()),
        *(_poses(disk, made.frame) if disk is not None else ()),
    ]
    images: list[Field] = []
    for name, digest in entry.files.items():
        field = Field(name=name, expected=digest, got=files.get(name, "not made"))
        (images if kind_of(name) in IMAGES else fields).append(field)
    return Replay(frame=entry.name, against=against, fields=tuple(fields), images=tuple(images))


def _poses(expected: Frame, got: Frame) -> list[Field]:
    """Returns a field for the camera and one for every object of either frame, by its pose in the world."""
    cameras = [repr(frame.camera.to_dict()) for frame in (expected, got)]
    fields = [Field(name="camera", expected=cameras[0], got=cameras[1])]
    poses = [{r.body_name: repr(r.world_from_body) for r in frame.truth.objects} for frame in (expected, got)]
    for name in dict.fromkeys([*poses[0], *poses[1]]):
        there, here = (pose.get(name, "not in view") for pose in poses)
        fields.append(Field(name=f"pose of {name}", expected=there, got=here))
    return fields


def _made(
    frame_id: FrameId, size: tuple[int, int], backend: str, *, after_another: bool = False
) -> Rebuilt:
    simulator = open_backend(backend)
    try:
        if after_another:
            rebuild(simulator, replace(frame_id, index=frame_id.index + 1, camera=None), size=size)
        return rebuild(simulator, frame_id, size=size)
    finally:
        simulator.close()


def _number(dataset: Dataset, frame: str) -> int:
    if frame.isdecimal() and int(frame) < len(dataset):
        return int(frame)
    if frame in dataset.names:
        return dataset.names.index(frame)
    raise DatasetError(
        f"{dataset.path} has no frame {frame!r}: give a number from 0 to {len(dataset) - 1} or a name such as "
        f"{dataset.names[0]}."
    )
