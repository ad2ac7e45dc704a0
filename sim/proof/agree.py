"""The agreement gate: two backends on the same settled scene, or a data set on disk against a fresh render of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scenes.errors import DatasetError
from sim.backend import open_backend
from sim.dataset import Dataset
from sim.frame import Frame
from sim.frame_id import FrameId
from sim.pictures import png_bytes
from sim.proof.agreement import FrameComparison, compare_frames, draw_comparison
from sim.proof.figures import summed
from sim.rebuild import look, rebuild_scene
from sim.retake import Retake

Pair = tuple[Frame, Frame]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgreementReport:
    """What was compared with what, every frame's comparison, and the pictures of those that differ."""

    titles: tuple[str, str]
    frames: tuple[FrameComparison, ...]
    pictures: tuple[Path, ...]

    @property
    def agrees(self) -> bool:
        """Whether every frame agrees."""
        return not any(frame.complaints() for frame in self.frames)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "compared": list(self.titles), "agrees": self.agrees, "frames": [f.to_dict() for f in self.frames],
            "pictures": [str(path) for path in self.pictures],
        }  # fmt: skip

    def describe(self) -> str:
        """Returns one line per frame and the reasons of those that differ."""
        lines = [f"{self.titles[0]} against {self.titles[1]}: {summed(f.agreement for f in self.frames)}"]
        for frame in self.frames:
            complaints = frame.complaints()
            lines.append(f"  {'differs' if complaints else 'agrees '} {frame.name}")
            lines += [f"    {complaint}" for complaint in complaints]
        return "\n".join(lines + [f"picture {path}" for path in self.pictures])


def agree_backends(
    scene_id: FrameId, backends: Sequence[str], *, views: int, size: tuple[int, int], out: Path | None = None
) -> AgreementReport:
    """Lets the first backend settle a scene and compares `views` views of it with those of the second one.

    `out` is the folder for a picture of every frame that differs. Raises what the scene and the backends raise.
    """
    pairs = _rendered_twice(scene_id, backends, views, size)
    return _report(pairs, (backends[0], backends[1]), out)


def agree_dataset(
    path: Path, *, frames: int, backend: str | None = None, out: Path | None = None
) -> AgreementReport:
    """Compares up to `frames` frames on disk, evenly spread, with fresh renders by `backend` (None: the one that made them)."""
    dataset = Dataset.open(path)
    fresh = backend or dataset.manifest.generator.backend
    return _report(_rendered_again(dataset, frames, fresh), (str(path), fresh), out)


def _report(pairs: Iterator[Pair], titles: tuple[str, str], out: Path | None) -> AgreementReport:
    found, pictures = [], []
    for first, second in pairs:
        comparison = compare_frames(first, second)
        found.append(comparison)
        if out is not None and comparison.complaints():
            pictures.append(_write_picture(out, draw_comparison(first, second, comparison, titles=titles), first.name))
    return AgreementReport(titles=titles, frames=tuple(found), pictures=tuple(pictures))


def _write_picture(out: Path, picture: Any, name: str) -> Path:
    path = out / f"{name.replace('/', '_')}.png"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png_bytes(picture))
    except OSError as error:
        raise DatasetError(f"Cannot write the picture {path}: {error.strerror}.") from error
    return path


def _rendered_twice(scene_id: FrameId, backends: Sequence[str], views: int, size: tuple[int, int]) -> Iterator[Pair]:
    first = open_backend(backends[0])
    try:
        scene = rebuild_scene(first, scene_id)
        names = [camera.name for camera in scene.cameras][:views]
        frames = [look(first, scene, name, size=size) for name in names]
    finally:
        first.close()
    second = open_backend(backends[1])
    try:
        second.load(scene)
        for name, frame in zip(names, frames, strict=True):
            yield frame, look(second, scene, name, size=size)
    finally:
        second.close()


def _rendered_again(dataset: Dataset, frames: int, fresh: str) -> Iterator[Pair]:
    count = min(max(frames, 1), len(dataset))
    numbers = sorted({int(k) for k in np.linspace(0, len(dataset) - 1, count).round()})
    maker = dataset.manifest.generator.backend
    settler, renderer = open_backend(maker), None if fresh == maker else open_backend(fresh)
    try:
        for number in numbers:
            yield dataset[number], Retake.of(settler, dataset, number).truth_by(renderer or settler)
    finally:
        settler.close()
        if renderer is not None:
            renderer.close()
