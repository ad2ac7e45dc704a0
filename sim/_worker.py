"""A worker process: it makes one scene after another and publishes each whole; it dies with its parent."""

from __future__ import annotations

import atexit
import functools
import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scenes.scene import Scene
from sim._frame_files import frame_files
from sim._frame_source import FrameSource
from sim._proven import Prover
from sim._publish import SceneRecord, publish, staging_folder
from sim.clearance import clearances_m
from sim.frame import Frame
from sim.manifest import FrameEntry

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
    prover, clearance_m = Prover.of(spec, scene), clearances_m(scene)
    frames = tuple(
        _stage_frame(staging, number, source.frame(view), scene, prover, clearance_m)
        for view, number in enumerate(spec.frames_of(index))
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


def _stage_frame(
    staging: Path, number: int, frame: Frame, scene: Scene, prover: Prover | None, clearance_m: Mapping[str, float | None]
) -> FrameEntry:
    agreement = None if prover is None else prover.prove(frame, number)
    files = frame_files(frame, number, clearance_m)
    for name, data in files.items():
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
