"""The native mode: Isaac's own BasicWriter, attached to the scene's cameras, one folder per scene, each whole or not there.

OUT/scene_000007/<camera>/<annotator>/<file>     BasicWriter's files, one frame per variant of the scene
OUT/scene_000007/rehearse.json                   what the scene is, its cameras and what was varied
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from scenes.errors import BackendError, DatasetError, UnknownNameError
from scenes.files import write_whole
from scenes.scene import Scene
from sim.backend import Backend, SettleReport
from sim.isaac.long_runs import FILES, missing_files
from sim.isaac.randomise import Randomisation, build, next_variant
from sim.isaac.settings import IsaacSettings

DEFAULT_ANNOTATORS = (
    "rgb", "distance_to_image_plane", "semantic_segmentation", "instance_segmentation", "bounding_box_2d_tight",
    "bounding_box_2d_loose", "bounding_box_3d", "camera_params",
)  # fmt: skip
_FACTS = "rehearse.json"
_JOIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeSpec:
    """What to make natively: `scenes` scenes of a suite, each in `variants` frames per camera.

    `annotators` are BasicWriter's; `randomisation` says what changes between variants, None for nothing.
    Raises UnknownNameError or DatasetError.
    """

    suite: str
    out: Path
    scenes: int
    variants: int = 1
    split: str = "train"
    seed: int = 0
    size: tuple[int, int] = (640, 480)
    annotators: tuple[str, ...] = DEFAULT_ANNOTATORS
    randomisation: Randomisation | None = None
    settings: IsaacSettings = field(default_factory=IsaacSettings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out).absolute())
        for name in self.annotators:
            if name not in FILES:
                raise UnknownNameError("annotator of BasicWriter", name, FILES)
        if self.scenes < 1 or self.variants < 1:
            raise DatasetError(f"Native mode needs at least 1 scene and 1 variant, got {self.scenes} and {self.variants}.")

    def folder(self, index: int) -> Path:
        """Returns where scene `index` lies."""
        return self.out / f"scene_{index:06d}"

    def done(self, index: int) -> bool:
        """Whether scene `index` is there whole: a folder is renamed into place only then."""
        return (self.folder(index) / _FACTS).exists()


def make_native(spec: NativeSpec, *, attempts: int = 3) -> dict[str, Any]:
    """Makes every scene that is not there, in one process after another; returns figures.

    A process ends by the restart policy; one that dies or hangs while closing has lost nothing that is whole. Raises
    BackendError where a process adds no scene `attempts` times in a row.
    """
    from sim.isaac.installation import assert_installed

    assert_installed()
    spec.out.mkdir(parents=True, exist_ok=True)
    processes, idle, last = 0, 0, "it gave no reason"
    while missing := [i for i in range(spec.scenes) if not spec.done(i)]:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        some = missing[: _scenes_per_process(spec)]
        child = multiprocessing.get_context("spawn").Process(target=_child, args=(spec, some, theirs))
        child.start()
        theirs.close()
        last = _said(ours) or last
        child.join(_JOIN_S)
        if child.is_alive():  # Kit hangs while it closes: what counts is on the disk
            child.kill()
            child.join()
        processes += 1
        idle = idle + 1 if not any(spec.done(i) for i in missing) else 0
        if idle >= attempts:
            raise BackendError(f"Isaac Sim made no whole scene in {attempts} processes: {last}")
    return {"out": str(spec.out), "scenes": spec.scenes, "variants": spec.variants, "processes": processes}


def make_scenes_here(spec: NativeSpec, indices: Sequence[int]) -> None:
    """Makes scenes in this process, in which the application starts first; raises BackendError for one that is not whole."""
    from sim.isaac import app
    from sim.isaac.settler import SettlerProcess

    running = app.start(spec.settings)
    settler = SettlerProcess(python=spec.settings.settler, environment=running.clean_environment)
    try:
        for index in indices:
            _make_scene(running, settler, spec, index)
    finally:
        settler.close()


def _make_scene(running: Any, settler: Any, spec: NativeSpec, index: int) -> None:
    import omni.replicator.core as rep

    from sim.isaac.kit import RenderProduct, Writer
    from sim.isaac.products import step
    from sim.isaac.stage import OpenedStage, prim_name
    from sim.realize import realize

    scene, _ = realize(cast(Backend, _Settling(settler)), spec.suite, split=spec.split, seed=spec.seed, index=index)
    stage = OpenedStage(running, scene)
    staging = spec.out / f".staging-{index:06d}-{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    cameras = [camera.resized(*spec.size) for camera in scene.cameras]
    names = [prim_name(camera.name) for camera in cameras]
    paths = [stage.aim(camera) for camera in cameras]
    products: list[RenderProduct] = [
        rep.create.render_product(path, spec.size, name=name) for path, name in zip(paths, names, strict=True)
    ]
    writer: Writer = rep.WriterRegistry.get("BasicWriter")
    writer.initialize(output_dir=str(staging), **_options(spec.annotators))
    writer.attach(products)
    try:
        if spec.randomisation is not None:
            build(spec.randomisation, stage, scene, paths)
        for _ in range(spec.variants):
            if spec.randomisation is not None:
                next_variant()
            step(spec.settings.rt_subframes)
        rep.orchestrator.wait_until_complete()
    finally:
        writer.detach()
        for product in products:
            product.destroy()
        stage.close()
    _publish(spec, index, staging, names, scene)


def _publish(spec: NativeSpec, index: int, staging: Path, names: list[str], scene: Scene) -> None:
    """Renames a whole scene into place; raises BackendError and removes it where files are missing."""
    lacking = missing_files(staging, spec.annotators, names, spec.variants)
    if lacking:
        shutil.rmtree(staging)
        raise BackendError(
            f"BasicWriter left out {len(lacking)} files of scene {index}, first {lacking[0]}: the disk may be full, or the "
            "renderer gave no data; see docs/isaac-sim.md."
        )
    randomised = spec.randomisation
    varied = None
    if randomised is not None:
        more = {"description": randomised.description.name, "replicator_seed": randomised.seed_of(scene)}
        varied = asdict(randomised) | more
    facts = {
        "scene": str(scene.id), "attempt": scene.id.attempt, "digest": scene.digest(), "render_products": names,
        "variants": spec.variants, "annotators": list(spec.annotators), "randomisation": varied,
    }  # fmt: skip
    write_whole(staging / _FACTS, json.dumps(facts), sync=True)
    shutil.rmtree(spec.folder(index), ignore_errors=True)
    staging.replace(spec.folder(index))


def _options(annotators: Sequence[str]) -> dict[str, Any]:
    """Returns BasicWriter's options: ids, never colours, so that maps can be read in any version's palette."""
    options: dict[str, Any] = dict.fromkeys(annotators, True)
    for name in annotators:
        if name.endswith("segmentation"):
            options[f"colorize_{name}"] = False
    return options


class _Settling:
    """What `realize` needs of a backend: it loads nothing here and settles elsewhere."""

    name = "mujoco"

    def __init__(self, settler: Any) -> None:
        self._settler = settler

    def load(self, scene: Scene) -> None:
        """Keeps the scene."""
        self._scene = scene

    def settle(self) -> SettleReport:
        """Returns how MuJoCo settles it."""
        report: SettleReport = self._settler.settle(self._scene)
        return report


def _scenes_per_process(spec: NativeSpec) -> int:
    from scenes.suites import VIEWS_PER_SCENE

    if not spec.settings.restart_frames:
        return spec.scenes
    return max(1, spec.settings.restart_frames // (VIEWS_PER_SCENE * spec.variants))


def _child(spec: NativeSpec, indices: Sequence[int], said: Any) -> None:
    from sim.isaac import app

    try:
        make_scenes_here(spec, indices)
    except Exception as error:  # whatever it is, the parent judges by the files and repeats the sentence
        said.send(f"{error}")
        said.close()
        app.leave(1)
        raise SystemExit(1) from error
    said.close()  # the parent waits for this, and then for no longer than Kit's end may take
    app.leave(0)


def _said(connection: Any) -> str:
    try:
        return str(connection.recv())
    except EOFError:
        return ""
    finally:
        connection.close()
