"""Generation of a data set on all cores that can be killed at any time and goes on where it stopped.

    out/rgb_0000.png ...        every file of every frame, in BasicWriter's layout; frame k is view k % 3 of scene k // 3
    out/scenes/scene_000000.usdc   the stages, and their textures
    out/metadata.txt  out/manifest.json   the manifest is written last: a folder without one is not a data set
    out/.generate/              spec, staging and records while it runs; removed when the manifest is there

Labels depend on the spec alone, never on the number of workers or on how often the run was interrupted.
"""

from __future__ import annotations

import importlib.metadata
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from scenes.assets import AssetUse
from scenes.errors import BackendError, DatasetError, UnknownNameError
from scenes.sampler import Split
from scenes.suites import SUITES, VIEWS_PER_SCENE
from sim._folder import claim_folder, finish_folder
from sim._frame_source import BackendSource
from sim._progress import Progress, reporting
from sim._publish import SceneRecord, locked, read_record
from sim._worker import OpenSource, make_scene_files, start_worker
from sim.dataset import Dataset
from sim.manifest import Generator, Manifest
from sim.proof_figures import ProofSummary, summed
from sim.target import Reached, Target, reached

SPLITS = get_args(Split)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSpec:
    """What to generate and where; `size` is (width, height), `workers` None means one per core that this process may use.

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
    proof: bool = True
    target: Target | None = None
    assets: tuple[AssetUse, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out).absolute())
        object.__setattr__(self, "size", tuple(self.size))
        if self.suite not in SUITES:
            raise UnknownNameError("suite", self.suite, SUITES)
        if self.split not in SPLITS:
            raise UnknownNameError("split", self.split, SPLITS)
        if self.frames < 1 or self.seed < 0 or min(self.size) < 16 or (self.workers is not None and self.workers < 1):
            raise DatasetError(
                "A data set needs at least 1 frame, a seed of 0 or more, a size of at least 16x16 and at least 1 worker, "
                f"got {self.frames} frames, seed {self.seed}, size {self.size[0]}x{self.size[1]}, {self.workers} workers."
            )

    @property
    def scenes(self) -> int:
        """How many scenes the frames need."""
        return -(-self.frames // VIEWS_PER_SCENE)

    def frames_of(self, scene: int) -> range:
        """Returns the numbers of the frames of one scene; the last scene may have fewer than the others."""
        return range(scene * VIEWS_PER_SCENE, min((scene + 1) * VIEWS_PER_SCENE, self.frames))

    def content(self) -> dict[str, Any]:
        """Returns, as plain JSON values, everything that decides what the data set holds."""
        return {
            "suite": self.suite, "suite_version": SUITES[self.suite].version, "split": self.split, "seed": self.seed,
            "size": list(self.size), "frames": self.frames, "stages": self.stages,
            "generator": asdict(_generator(self.backend)),
            "target": None if self.target is None else self.target.to_dict(), "assets": [asdict(a) for a in self.assets],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSummary:
    """What a call of `generate` did; `frames_made` excludes those that an earlier, interrupted call had published."""

    out: Path
    frames: int
    frames_made: int
    scenes: int
    rejected: dict[str, int] = field(default_factory=dict)
    seconds: float
    size_bytes: int
    proof: ProofSummary
    target: tuple[Reached, ...] = ()

    @property
    def frames_per_s(self) -> float | None:
        """Frames made per second of wall time; None where all frames were there already."""
        return self.frames_made / self.seconds if self.frames_made else None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "out": str(self.out), "frames_per_s": self.frames_per_s}


def generate(
    spec: GenerateSpec, *, progress: bool | Progress = True, open_source: OpenSource = BackendSource
) -> GenerateSummary:
    """Makes the data set of `spec`, or goes on with it; starts one process per worker.

    `progress` is True for a bar on stderr, False for silence, or a function of (frames done, frames in total).
    Raises DatasetError where the folder holds something else, ProofError for a frame that is refused, BackendError where
    a worker process dies, and whatever the scenes and the backend raise. After any error, Ctrl-C or kill the same call
    goes on from the last whole scene.
    """
    started = time.monotonic()
    try:
        spec.out.mkdir(parents=True, exist_ok=True)
        with locked(spec.out):
            return _generate(spec, progress, open_source, started)
    except OSError as error:
        raise DatasetError(f"Cannot write the data set {spec.out}: {error}.") from error


def _generate(
    spec: GenerateSpec, progress: bool | Progress, open_source: OpenSource, started: float
) -> GenerateSummary:
    manifest = claim_folder(spec.out, spec.content())
    made = 0
    if manifest is None:
        records = {i: r for i in range(spec.scenes) if (r := read_record(spec.out, i)) is not None}
        done = sum(len(r.frames) for r in records.values())
        made = spec.frames - done
        with reporting(progress, done=done, total=spec.frames, unit="frame") as advance:
            _make_missing(spec, open_source, records, advance)
        manifest = _manifest(spec, [records[i] for i in range(spec.scenes)])
        finish_folder(spec.out, manifest)
    return GenerateSummary(
        out=spec.out,
        frames=spec.frames,
        frames_made=made,
        scenes=spec.scenes,
        rejected=manifest.rejected,
        seconds=time.monotonic() - started,
        size_bytes=sum(entry.size_bytes for entry in manifest.frames),
        proof=summed(entry.agreement for entry in manifest.frames),
        target=_reached(spec),
    )


def _reached(spec: GenerateSpec) -> tuple[Reached, ...]:
    if spec.target is None:
        return ()
    dataset = Dataset.open(spec.out)
    return reached(spec.target, (found for k in range(len(dataset)) for found in dataset.difficulties(k)))


def _make_missing(
    spec: GenerateSpec, open_source: OpenSource, records: dict[int, SceneRecord], advance: Callable[[int], object]
) -> None:
    """Makes every scene that has no record yet and adds its record to `records`."""
    missing = [i for i in range(spec.scenes) if i not in records]
    if not missing:
        return
    workers = min(spec.workers or len(os.sched_getaffinity(0)), len(missing))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=start_worker) as pool:
        futures = [pool.submit(make_scene_files, spec, open_source, index) for index in missing]
        try:
            for future in as_completed(futures):
                record = future.result()
                records[record.index] = record
                advance(len(record.frames))
        except BrokenProcessPool as error:
            raise BackendError(
                f"A worker process died while it made {spec.out} (killed, or out of memory): "
                "run the same command again to go on, with fewer workers if memory was short."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _manifest(spec: GenerateSpec, records: list[SceneRecord]) -> Manifest:
    rejected: Counter[str] = Counter()
    for record in records:
        rejected.update(record.rejected)
    return Manifest(
        suite=spec.suite,
        suite_version=SUITES[spec.suite].version,
        split=spec.split,
        seed=spec.seed,
        size=spec.size,
        stages=spec.stages,
        generator=_generator(spec.backend),
        frames=tuple(entry for record in records for entry in record.frames),
        rejected=dict(sorted(rejected.items())),
        target=None if spec.target is None else spec.target.to_dict(),
        assets=spec.assets,
    )


def _generator(backend: str) -> Generator:
    return Generator(rehearse=_version_of("rehearse-perception"), backend=backend, backend_version=_version_of(backend))


def _version_of(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
