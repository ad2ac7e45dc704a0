"""Generation of a data set on all cores that can be killed at any time and goes on where it stopped.

    out/rgb_0000.png ...        every file of every frame, in BasicWriter's layout; frame k is view k % 3 of scene k // 3
    out/scenes/scene_000000.usdc   the stages, and their textures
    out/metadata.txt  out/manifest.json   the manifest is written last: a folder without one is not a data set
    out/.generate/              spec, staging and records while it runs; removed when the manifest is there

Labels depend on the spec alone, never on the number of workers or on how often the run was interrupted.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from scenes.assets import AssetUse
from scenes.errors import DatasetError, UnknownNameError
from scenes.sampler import Split
from scenes.suites import VIEWS_PER_SCENE, find_suite
from sim._folder import claim_folder, finish_folder
from sim._frame_source import BackendSource, beside_source
from sim._progress import Progress, reporting
from sim.capture import Capture
from sim.dataset import Dataset
from sim.difficulty.target import Reached, Target, reached
from sim.isaac.installation import assert_installed, installed_version
from sim.isaac.long_runs import restarting
from sim.isaac.settings import IsaacSettings
from sim.manifest import Generator, Manifest
from sim.proof.figures import ProofSummary, summed
from sim.running.executor import open_executor
from sim.running.memory import MemoryUse, resident
from sim.running.part import Part
from sim.running.publish import SceneRecord, locked, read_record
from sim.running.run_plan import RunPlan
from sim.running.scene_loop import LoopResult, final_failures, make_scenes
from sim.running.worker import OpenSource, make_scene_files
from sim.sensors.profile import IDEAL, SensorProfile

SPLITS = get_args(Split)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSpec:
    """What to generate and where; `size` is (width, height), `workers` None means one per core that this process may use.

    `isaac` are Isaac Sim's settings, where that is the backend; it takes one worker unless told otherwise.
    All but `out`, `workers` and `proof` decide the content; `proof` refuses frames whose labels a ray caster contradicts.
    Raises DatasetError or UnknownNameError for values that make no sense.
    """

    suite: str
    out: Path
    frames: int
    split: str = "train"
    seed: int = 0
    size: tuple[int, int] = (640, 480)
    workers: int | None = None
    backend: str = "mujoco"
    stages: bool = True
    capture: Capture = field(default_factory=Capture)
    proof: bool = True
    sensor: SensorProfile = IDEAL
    target: Target | None = None
    assets: tuple[AssetUse, ...] = ()
    isaac: IsaacSettings | None = None
    suite_digest: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out).absolute())
        object.__setattr__(self, "size", tuple(self.size))
        if self.backend == "isaac" and self.isaac is None:
            object.__setattr__(self, "isaac", IsaacSettings())
        if self.isaac is not None and self.backend != "isaac":
            raise DatasetError(f"Settings of Isaac Sim belong to the backend isaac, not to {self.backend}.")
        suite = find_suite(self.suite)
        object.__setattr__(self, "suite_digest", suite.description)
        if suite.description:
            object.__setattr__(self, "suite", str(Path(self.suite).absolute()))
        if self.split not in SPLITS:
            raise UnknownNameError("split", self.split, SPLITS)
        if self.frames < 1 or self.seed < 0 or min(self.size) < 16 or (self.workers is not None and self.workers < 1):
            raise DatasetError(
                "A data set needs at least 1 frame, a seed of 0 or more, a size of at least 16x16 and at least 1 worker, "
                f"got {self.frames} frames, seed {self.seed}, size {self.size[0]}x{self.size[1]}, {self.workers} workers."
            )
        if any(self.sensor.lens.distortion) and "disparity" in self.capture.annotators:
            raise DatasetError(
                f"The lens of the sensor {self.sensor.name} distorts, so its two images are not rectified and no disparity "
                "relates them: leave the annotator disparity out (stereo_flow has where each pixel is in the other eye), or "
                "take a sensor without distortion."
            )
        if self.frames % self.capture.frames_per_view:
            raise DatasetError(
                f"{self.frames} frames do not make whole sequences and pairs: give a multiple of "
                f"{self.capture.frames_per_view} (an image of either eye counts as a frame)."
            )

    @property
    def frames_per_scene(self) -> int:
        """How many frames a whole scene gives."""
        return VIEWS_PER_SCENE * self.capture.frames_per_view

    @property
    def scenes(self) -> int:
        """How many scenes the frames need."""
        return -(-self.frames // self.frames_per_scene)

    def frames_of(self, scene: int) -> range:
        """Returns the numbers of the frames of one scene; the last scene may have fewer than the others."""
        return range(scene * self.frames_per_scene, min((scene + 1) * self.frames_per_scene, self.frames))

    def content(self) -> dict[str, Any]:
        """Returns, as plain JSON values, everything that decides what the data set holds."""
        return {
            **suite_facts(self), "split": self.split, "seed": self.seed,
            "size": list(self.size), "frames": self.frames, "stages": self.stages, "capture": self.capture.to_dict(),
            "generator": asdict(_generator(self.backend, self.isaac)), "sensor": self.sensor.record(),
            "target": None if self.target is None else self.target.to_dict(), "assets": [asdict(a) for a in self.assets],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSummary:
    """What a call of `generate` did, over its part where it made one of several.

    `frames_made` excludes those that an earlier, interrupted call had published; `skipped_frames` were asked for and
    left out, since their scene failed; `retried` counts attempts at scenes that were repeated.
    """

    out: Path
    part: str
    frames: int
    frames_made: int
    skipped_frames: int
    scenes: int
    retried: int
    rejected: dict[str, int] = field(default_factory=dict)
    seconds: float
    size_bytes: int
    proof: ProofSummary
    target: tuple[Reached, ...] = ()
    memory: MemoryUse

    @property
    def frames_per_s(self) -> float | None:
        """Frames made per second of wall time; None where all frames were there already."""
        return self.frames_made / self.seconds if self.frames_made else None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "out": str(self.out), "frames_per_s": self.frames_per_s}


def generate(
    spec: GenerateSpec,
    *,
    plan: RunPlan | None = None,
    progress: bool | Progress = True,
    open_source: OpenSource = BackendSource,
) -> GenerateSummary:
    """Makes the data set of `spec`, or the part of it that `plan` names, or goes on with it; starts one process per worker.

    `progress` is True for a bar on stderr, False for silence, or a function of (frames done, frames in total).
    Raises DatasetError where the folder holds something else, ProofError for a frame that is refused, BackendError where
    a worker process dies again and again, and whatever the scenes and the backend raise. After any error, Ctrl-C or kill
    the same call goes on from the last whole scene. BackendError, with nothing written, where Isaac Sim is not installed.
    """
    started = time.monotonic()
    if spec.isaac is not None and open_source is BackendSource and (plan or RunPlan()).executor == "process":
        assert_installed()  # before anything is written; elsewhere the workers are on other machines
    try:
        spec.out.mkdir(parents=True, exist_ok=True)
        with locked(spec.out):
            return _generate(spec, plan or RunPlan(), progress, open_source, started)
    except OSError as error:
        raise DatasetError(f"Cannot write the data set {spec.out}: {error}.") from error


def _generate(
    spec: GenerateSpec, plan: RunPlan, progress: bool | Progress, open_source: OpenSource, started: float
) -> GenerateSummary:
    scenes = plan.shard.scenes(spec.scenes) if plan.shard else range(spec.scenes)
    part = {"part": str(plan.shard)} if plan.shard else {}
    finished = claim_folder(spec.out, spec.content() | part)
    made, result = 0, LoopResult()
    if finished is None:
        records = {i: r for i in scenes if (r := read_record(spec.out, i)) is not None}
        done = sum(len(r.frames) for r in records.values())
        total = sum(len(spec.frames_of(i)) for i in scenes)
        with reporting(progress, done=done, total=total, unit="frame") as advance:
            result = _make_missing(spec, plan, open_source, scenes, records, advance)
        finished = _finished(spec, plan, [records[i] for i in scenes if i in records], result.failed)
        made = len(finished.frames) - done
        finish_folder(spec.out, finished, final_failures(spec.out, result.failed))
    return GenerateSummary(
        out=spec.out,
        part=str(plan.shard or "all"),
        frames=len(finished.frames),
        frames_made=made,
        skipped_frames=len(finished.skipped_frames),
        scenes=len(scenes),
        retried=result.retried,
        rejected=finished.rejected if isinstance(finished, Manifest) else _rejected(finished.records),
        seconds=time.monotonic() - started,
        size_bytes=sum(entry.size_bytes for entry in finished.frames),
        proof=summed(entry.agreement for entry in finished.frames),
        memory=MemoryUse(parent=resident(), worker=result.worker_memory),
        target=_reached(spec) if isinstance(finished, Manifest) else (),
    )


def _reached(spec: GenerateSpec) -> tuple[Reached, ...]:
    if spec.target is None:
        return ()
    dataset = Dataset.open(spec.out)
    return reached(spec.target, (found for k in range(len(dataset)) for found in dataset.difficulties(k)))


def _make_missing(
    spec: GenerateSpec,
    plan: RunPlan,
    open_source: OpenSource,
    scenes: range,
    records: dict[int, SceneRecord],
    advance: Callable[[int], object],
) -> LoopResult:
    """Makes every scene that has no record yet and adds its record to `records`."""
    missing = [i for i in scenes if i not in records]
    if not missing:
        return LoopResult()

    def made(record: SceneRecord) -> None:
        records[record.index] = record
        advance(len(record.frames))

    if spec.isaac is not None:
        plan = restarting(plan, spec.isaac, spec.frames_per_scene)
    cores = len(os.sched_getaffinity(0))
    workers = min(spec.workers or (1 if spec.isaac else cores), len(missing))
    # A second thread of each worker pays where a core would be idle and costs some percent where none is.
    writes_beside = plan.executor == "process" and workers < cores
    if open_source is BackendSource and _draws_beside(plan, workers, cores):
        open_source = beside_source
    job = functools.partial(make_scene_files, spec, open_source, writes_beside=writes_beside)
    with closing(open_executor(plan, job, workers)) as executor:
        return make_scenes(executor, missing, plan=plan, folder=spec.out, made=made)


def _draws_beside(plan: RunPlan, workers: int, cores: int) -> bool:
    """Returns whether each worker draws truth in a second thread: with a core for it, a frame takes two thirds of the time."""
    if plan.drawing_threads is not None:
        return plan.drawing_threads == 2
    return plan.executor == "process" and 2 * workers <= cores


def _finished(
    spec: GenerateSpec, plan: RunPlan, records: Sequence[SceneRecord], failed: Sequence[int]
) -> Manifest | Part:
    skipped = tuple(number for scene in failed for number in spec.frames_of(scene))
    if plan.shard:
        return Part(shard=plan.shard, whole=spec.content(), records=tuple(records), skipped_frames=skipped)
    return manifest_of(spec.content(), records, skipped)


def manifest_of(content: dict[str, Any], records: Sequence[SceneRecord], skipped_frames: tuple[int, ...]) -> Manifest:
    """Returns the manifest of a data set of that `GenerateSpec.content()`, from the records of its scenes in order."""
    return Manifest(
        suite=content["suite"],
        suite_version=content["suite_version"],
        suite_digest=content.get("suite_digest", ""),
        split=content["split"],
        seed=content["seed"],
        size=tuple(content["size"]),
        stages=content["stages"],
        capture=content["capture"],
        sensor=content["sensor"],
        target=content["target"],
        assets=tuple(AssetUse(**asset) for asset in content["assets"]),
        generator=Generator(**content["generator"]),
        frames=tuple(entry for record in records for entry in record.frames),
        rejected=_rejected(records),
        skipped_frames=skipped_frames,
    )


def _rejected(records: Sequence[SceneRecord]) -> dict[str, int]:
    rejected: Counter[str] = Counter()
    for record in records:
        rejected.update(record.rejected)
    return dict(sorted(rejected.items()))


def suite_facts(spec: GenerateSpec) -> dict[str, Any]:
    """Returns name and version of the suite, and the digest of its file where it is not a shipped one.

    Raises DatasetError where that file has changed since the spec was made.
    """
    suite = find_suite(spec.suite)
    if suite.description != spec.suite_digest:
        raise DatasetError(f"The suite {spec.suite} changed while its data set was made: put it back, or start a new folder.")
    digest = {"suite_digest": suite.description} if suite.description else {}
    return {"suite": suite.name, "suite_version": suite.version, **digest}


def _generator(backend: str, isaac: IsaacSettings | None) -> Generator:
    version = (installed_version() or "unknown") if backend == "isaac" else _version_of(backend)
    version += "" if isaac is None else f" ({isaac.label()})"
    return Generator(rehearse=_version_of("rehearse-perception"), backend=backend, backend_version=version)


def _version_of(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
