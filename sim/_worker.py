"""A worker process: it makes one scene after another and publishes each whole; it dies with its parent."""

from __future__ import annotations

import atexit
import functools
import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scenes.scene import Scene
from sim._frame_source import FrameSource
from sim._proven import Prover
from sim._publish import SceneRecord, publish, staging_folder
from sim.basicwriter import encode_frame, in_folder
from sim.frame import Frame
from sim.manifest import FrameEntry
from sim.proof_figures import Agreement

if TYPE_CHECKING:
    from sim.generate import GenerateSpec

OpenSource = Callable[["GenerateSpec"], FrameSource]


def start_worker() -> None:
    """Prepares this process: one rendering thread, no answer to Ctrl-C, an end when the parent ends."""
    os.environ["LP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def make_scene_files(spec: GenerateSpec, open_source: OpenSource, index: int) -> SceneRecord:
    """Makes scene `index`, writes its frames and its stage, publishes them and returns the record."""
    source = _open_once(open_source, spec)
    scene, rejected = source.scene(index)
    staging = staging_folder(spec.out, index)
    prover = Prover.of(spec, scene)
    frames = tuple(
        _stage_files(staging, frame, files, scene, agreement)
        for frame, files, agreement in _frames(source, spec, spec.frames_of(index), prover)
    )
    stage = f"scenes/scene_{index:06d}.usdc" if spec.stages else None
    if stage is not None:
        (staging / stage).parent.mkdir()
        source.write_stage(staging / stage)
    record = SceneRecord(index=index, frames=frames, stage=stage, rejected=rejected)
    publish(spec.out, staging, record)
    return record


@functools.cache
def _open_once(open_source: OpenSource, spec: GenerateSpec) -> FrameSource:
    import cv2

    cv2.setNumThreads(1)
    source = open_source(spec)
    atexit.register(_close, source)
    return source


def _close(source: FrameSource) -> None:
    _open_once.cache_clear()
    source.close()


def _frames(
    source: FrameSource, spec: GenerateSpec, numbers: range, prover: Prover | None
) -> Iterator[tuple[Frame, dict[str, bytes], Agreement | None]]:
    """Yields the frames of those numbers, of the scene that was made last, with their files by path and their proof."""
    if spec.capture.plain:
        for view, number in enumerate(numbers):
            frame = source.frame(view)
            agreement = None if prover is None else prover.prove(frame, number)
            yield frame, encode_frame(frame, number), agreement
        return
    from sim.annotators.registry import encode

    eyes = spec.capture.eyes
    for k, seen in enumerate(source.views(numbers)):
        agreement = None if prover is None else prover.prove(seen.frame, seen.number, seen.now.world_from_body)
        files = encode(seen, spec.capture.annotators)
        yield seen.frame, {in_folder(name, eyes[k % len(eyes)]): data for name, data in files.items()}, agreement


def _stage_files(
    staging: Path, frame: Frame, files: dict[str, bytes], scene: Scene, agreement: Agreement | None
) -> FrameEntry:
    for name, data in files.items():
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_bytes(data)
    return FrameEntry(
        name=frame.name,
        scene_digest=scene.digest(),
        attempt=scene.id.attempt,
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        size_bytes=sum(len(data) for data in files.values()),
        agreement=agreement,
    )


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
