"""Frames as compact arrays for training: read once from data sets into memory-mapped files, then batched in a thread.

The batch of step k is a pure function of (seed, k), so a resumed run sees what the killed one would have seen.
"""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.augment import AugmentSpec, Sample, apply_augmentation, draw_augmentation
from perception.targets import TargetSpec, make_targets
from scenes.errors import TrainingError
from scenes.taxonomy import TABLETOP_CATEGORIES, TAXONOMY
from sim.dataset import Dataset
from sim.frame import Frame

if TYPE_CHECKING:
    from typing_extensions import Self

_FORMAT = 1
_ARRAYS = ("rgb", "semantic", "instance", "depth", "fx")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameArrays:
    """Frames of one size.

    rgb uint8 (N, H, W, 3); semantic and instance uint8 (N, H, W); depth float16 (N, H, W) in metres; fx float32 (N,).
    """

    rgb: NDArray[np.uint8]
    semantic: NDArray[np.uint8]
    instance: NDArray[np.uint8]
    depth: NDArray[np.float16]
    fx: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.fx)

    def sample(self, index: int) -> Sample:
        """Returns frame `index` as a sample of its own arrays."""
        return Sample(
            rgb=np.asarray(self.rgb[index]),
            semantic=np.asarray(self.semantic[index]),
            instance=np.asarray(self.instance[index]),
            depth_m=self.depth[index].astype(np.float32),
            fx=float(self.fx[index]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """A batch: rgb uint8 (N, H, W, 3) and the fields of Targets stacked, at the output stride."""

    step: int
    rgb: NDArray[np.uint8]
    category: NDArray[np.uint8]
    weight: NDArray[np.float32]
    center: NDArray[np.float32]
    offset: NDArray[np.float32]
    thing: NDArray[np.uint8]
    log_depth: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSpec:
    """How batches are made: size, seed, augmentation, targets, and the focal length at which depth is canonical.

    `categories` are the network's names by id; pixels of any other category are ignored, and their objects left out.
    """

    size: int = 8
    seed: int = 0
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    target: TargetSpec = field(default_factory=TargetSpec)
    reference_focal_px: float = 310.0
    categories: tuple[str, ...] = TABLETOP_CATEGORIES


def sample_of(frame: Frame, size: tuple[int, int]) -> Sample:
    """Returns a frame at the network's input size (h, w): the image by area, labels and depth by the nearest pixel."""
    h, w = size
    truth, rgb = frame.truth, frame.rgb
    instance = dense_instances(truth.instance)
    semantic, depth = truth.semantic, truth.depth_m
    if rgb.shape[:2] != size:
        rgb = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        rows = ((np.arange(h) + 0.5) * semantic.shape[0] / h).astype(np.intp)[:, None]
        columns = ((np.arange(w) + 0.5) * semantic.shape[1] / w).astype(np.intp)
        semantic, instance, depth = semantic[rows, columns], instance[rows, columns], depth[rows, columns]
    return Sample(
        rgb=rgb, semantic=semantic, instance=instance, depth_m=depth, fx=frame.camera.fx * w / frame.camera.width
    )


def dense_instances(instance: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Renumbers instances to 1..n, 0 stays 0; raises TrainingError beyond 255 instances."""
    present = np.flatnonzero(np.bincount(instance.ravel()))
    present = present[present > 0]
    if len(present) > 255:
        raise TrainingError(f"Training needs at most 255 instances in an image, got {len(present)}.")
    table = np.zeros(int(instance.max(initial=0)) + 1, dtype=np.uint8)
    table[present] = np.arange(1, len(present) + 1)
    return table[instance]


def load_frames(
    paths: Sequence[Path], size: tuple[int, int], cache: Path, *, progress: Callable[[int, int], None] | None = None
) -> FrameArrays:
    """Reads data sets at size (h, w) through a cache folder that is published whole; a second call only maps files.

    `progress` gets (frames read, frames in all). Raises DatasetError for a damaged data set.
    """
    sets = [Dataset.open(path) for path in paths]
    key = _cache_key(sets, size)
    folder = cache / key
    if not folder.exists():
        frames = [(s, i) for s in sets for i in range(len(s))]
        _write_cache(folder, len(frames), size, lambda k: sample_of(frames[k][0][frames[k][1]], size), progress)
    return FrameArrays(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS})


def frame_arrays(samples: Sequence[Sample]) -> FrameArrays:
    """Stacks samples of one size in memory."""
    return FrameArrays(
        rgb=np.stack([s.rgb for s in samples]),
        semantic=np.stack([s.semantic for s in samples]),
        instance=np.stack([s.instance for s in samples]),
        depth=np.stack([s.depth_m for s in samples]).astype(np.float16),
        fx=np.array([s.fx for s in samples], dtype=np.float32),
    )


def _cache_key(sets: Sequence[Dataset], size: tuple[int, int]) -> str:
    digest = hashlib.sha256(json.dumps([_FORMAT, list(size)]).encode())
    for dataset in sets:
        for entry in dataset.manifest.frames:
            digest.update(json.dumps([entry.name, dict(entry.files)], sort_keys=True).encode())
    return digest.hexdigest()[:24]


def _write_cache(
    folder: Path,
    count: int,
    size: tuple[int, int],
    read: Callable[[int], Sample],
    progress: Callable[[int, int], None] | None,
) -> None:
    staging = folder.with_name(f"{folder.name}.staging")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "rgb": ((*size, 3), np.uint8),
        "semantic": (size, np.uint8),
        "instance": (size, np.uint8),
    }
    shapes["depth"] = (size, np.float16)
    arrays = {
        name: np.lib.format.open_memmap(staging / f"{name}.npy", mode="w+", dtype=dtype, shape=(count, *shape))
        for name, (shape, dtype) in shapes.items()
    }
    fx = np.empty(count, dtype=np.float32)
    with ThreadPoolExecutor(2) as pool:
        for k, sample in enumerate(pool.map(read, range(count))):
            arrays["rgb"][k], arrays["semantic"][k], arrays["instance"][k] = (
                sample.rgb,
                sample.semantic,
                sample.instance,
            )
            arrays["depth"][k], fx[k] = sample.depth_m, sample.fx
            if progress is not None:
                progress(k + 1, count)
    np.save(staging / "fx.npy", fx)
    for array in arrays.values():
        array.flush()
    staging.rename(folder)


def batch_indices(step: int, count: int, spec: BatchSpec) -> NDArray[np.int64]:
    """Returns the frames of one step: consecutive places in one permutation per epoch, so every frame is seen equally."""
    places = np.arange(step * spec.size, (step + 1) * spec.size)
    epochs = places // count
    orders = {int(e): np.random.default_rng([spec.seed, 1, int(e)]).permutation(count) for e in np.unique(epochs)}
    return np.array([orders[int(e)][int(p) % count] for e, p in zip(epochs, places, strict=True)], dtype=np.int64)


def known_only(sample: Sample, categories: tuple[str, ...]) -> Sample:
    """Returns the sample with the network's category ids, by name; what the network does not know becomes void."""
    table = np.zeros(256, dtype=np.uint8)
    for k, name in enumerate(categories):
        table[TAXONOMY.named(name).id] = k
    semantic = table[sample.semantic]
    return replace(sample, semantic=semantic, instance=np.where(semantic > 0, sample.instance, 0).astype(np.uint8))


def make_batch(arrays: FrameArrays, step: int, spec: BatchSpec) -> Batch:
    """Makes the batch of one step, augmented, with its targets."""
    images, targets = [], []
    for slot, index in enumerate(batch_indices(step, len(arrays), spec)):
        rng = np.random.default_rng([spec.seed, 2, step, slot])
        known = known_only(arrays.sample(int(index)), spec.categories)
        sample = apply_augmentation(known, draw_augmentation(spec.augment, rng=rng))
        phase = rng.integers(spec.target.stride, size=2)
        canonical = sample.depth_m * np.float32(spec.reference_focal_px / sample.fx)
        images.append(sample.rgb)
        targets.append(
            make_targets(sample.semantic, sample.instance, canonical, spec.target, phase=(int(phase[0]), int(phase[1])))
        )
    return Batch(
        step=step,
        rgb=np.stack(images),
        category=np.stack([t.category for t in targets]),
        weight=np.stack([t.weight for t in targets]),
        center=np.stack([t.center for t in targets]),
        offset=np.stack([t.offset for t in targets]),
        thing=np.stack([t.thing for t in targets]),
        log_depth=np.stack([t.log_depth for t in targets]),
    )


class BatchStream:
    """Batches from `first_step` on, made ahead in one thread; use as a context manager. An error there is raised here."""

    def __init__(self, arrays: FrameArrays, spec: BatchSpec, *, first_step: int = 0, ahead: int = 4) -> None:
        self._arrays, self._spec, self._step = arrays, spec, first_step
        self._queue: queue.Queue[Batch | Exception] = queue.Queue(maxsize=ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            item = self._queue.get()
            if isinstance(item, Exception):
                raise item
            yield item

    def _work(self) -> None:
        while not self._stop.is_set():
            item: Batch | Exception
            try:
                item = make_batch(self._arrays, self._step, self._spec)
            except Exception as error:  # handed to the thread that trains, which raises it
                item = error
            self._step += 1
            self._put(item)
            if isinstance(item, Exception):
                return

    def _put(self, item: Batch | Exception) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return
