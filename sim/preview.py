"""One scene for a person: its stage, a picture of every camera and what is in it, in one folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scenes.errors import SceneError
from scenes.scene import Scene
from sim.backend import open_backend
from sim.frame import Frame
from sim.inspect import draw_truth_boxes
from sim.pictures import Image, blend, contact_sheet, depth_colours, png_bytes, semantic_colours
from sim.realize import realize


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What was made of one scene and where it lies; `rejected` counts the sub-seeds that did not settle, by reason."""

    scene: str
    digest: str
    stage: str
    picture: str
    objects: dict[str, int]
    lights: int
    cameras: int
    rejected: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    def describe(self) -> str:
        """Returns what is in the scene as a few lines."""
        objects = ", ".join(f"{count} {name}" if count > 1 else name for name, count in sorted(self.objects.items()))
        remade = f"; {sum(self.rejected.values())} sub-seeds rejected before it" if self.rejected else ""
        return "\n".join((
            f"{self.scene}{remade}",
            f"  {sum(self.objects.values())} objects: {objects}",
            f"  {self.lights} lights, {self.cameras} cameras, digest {self.digest[:12]}",
            f"  stage   {self.stage}",
            f"  picture {self.picture}",
        ))


def write_preview(
    suite: str,
    index: int,
    *,
    split: str,
    seed: int,
    size: tuple[int, int],
    out: Path,
    backend: str = "mujoco",
) -> Preview:
    """Makes and settles one scene, renders all of its cameras at `size` (width, height), writes stage and picture.

    Raises UnknownNameError, SceneError or BackendError for the scene, StageError for the stage.
    """
    simulator = open_backend(backend)
    try:
        scene, rejected = realize(simulator, suite, split=split, seed=seed, index=index)
        frames = [simulator.render(camera.resized(*size)) for camera in scene.cameras]
    finally:
        simulator.close()
    return _write(scene, frames, f"{suite}_{split}_{seed}_{index:06d}", size, out, rejected)


def write_stage_preview(
    path: Path, *, size: tuple[int, int], out: Path, backend: str = "mujoco"
) -> tuple[Preview, tuple[str, ...]]:
    """Reads a stage of one's own as a scene at rest and previews it; returns what was left out or filled in, too.

    Raises StageError that names every prim in the way, BackendError, or SceneError where nothing can be written.
    """
    from scenes.usd_read import read_scene

    simulator = open_backend(backend)  # before OpenUSD is: Isaac Sim brings its own
    try:
        read = read_scene(path, size=size)
        simulator.load(read.scene)
        frames = [simulator.render(camera.resized(*size)) for camera in read.scene.cameras]
    finally:
        simulator.close()
    return _write(read.scene, frames, f"{path.stem}_as_scene", size, out, {}), read.notes


def _write(
    scene: Scene, frames: list[Frame], stem: str, size: tuple[int, int], out: Path, rejected: dict[str, int]
) -> Preview:
    from scenes.usd import write_stage

    cells: list[Image] = []
    for frame in frames:
        truth = frame.truth
        labels = blend(frame.rgb, semantic_colours(truth.semantic), 0.75)
        cells += [frame.rgb, labels, depth_colours(truth.depth_m), draw_truth_boxes(frame)]
    stage, picture = out / f"{stem}.usdc", out / f"{stem}.png"
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_stage(scene, stage, camera_size=size)
        picture.write_bytes(png_bytes(contact_sheet(cells, columns=4)))
    except OSError as error:
        raise SceneError(f"Cannot write the scene into {out}: {error}.") from error
    return Preview(
        scene=str(scene.id),
        digest=scene.digest(),
        stage=str(stage),
        picture=str(picture),
        objects=dict(Counter(body.category for body in scene.things)),
        lights=len(scene.lights),
        cameras=len(scene.cameras),
        rejected=rejected,
    )
