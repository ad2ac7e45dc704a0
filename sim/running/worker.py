"""A worker process: it makes one scene after another and publishes each whole; it dies with its parent."""

from __future__ import annotations

import atexit
import functools
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scenes.scene import Scene
from sim._frame_files import frame_files, view_files
from sim._frame_source import FrameSource
from sim.difficulty.clearance import clearances_m
from sim.frame import Frame
from sim.manifest import FrameEntry
from sim.proof.figures import Agreement
from sim.proof.proven import Prover
from sim.running.publish import SceneRecord, publish, staging_folder

if TYPE_CHECKING:
    from sim.annotators.view import View
    from sim.capture import Capture
    from sim.generate import GenerateSpec

# Rendering and writing overlap; each waits for Python's lock some twenty times a frame, by default for up to 5 ms.
_SWITCH_S = 2e-4

OpenSource = Callable[["GenerateSpec"], FrameSource]


def start_worker() -> None:
    """Prepares this process: no rendering threads of its own, no answer to Ctrl-C, an end when the parent ends."""
    os.environ["LP_NUM_THREADS"] = "0"  # the calling thread draws: handing pictures to another one costs a twentieth
    sys.setswitchinterval(_SWITCH_S)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def make_scene_files(spec: GenerateSpec, open_source: OpenSource, index: int, *, writes_beside: bool) -> SceneRecord:
    """Makes scene `index`, writes its frames and its stage, publishes them and returns the record.

    `writes_beside` encodes and writes a frame in a second thread while the next one is drawn.
    """
    source = _open_once(open_source, spec)
    scene, rejected = source.scene(index)
    staging = staging_folder(spec.out, index)
    checks = Checks(prover=Prover.of(spec, scene), clearance_m=clearances_m(scene))
    write = _write_beside if writes_beside else _write_in_turn
    frames = write(staging, scene, _frames(source, spec, spec.frames_of(index), checks))
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


Encoding = Callable[[], tuple[dict[str, bytes], Agreement | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is held against every frame of a settled scene: the rays, and how much room each object has around it."""

    prover: Prover | None
    clearance_m: Mapping[str, float | None]


def _frames(
    source: FrameSource, spec: GenerateSpec, numbers: range, checks: Checks
) -> Iterator[tuple[Frame, Encoding]]:
    """Yields the frames of those numbers, of the scene that was made last, each with what proves it and makes its files."""
    if spec.capture.plain:
        for view, number in enumerate(numbers):
            frame = source.frame(view)
            yield frame, functools.partial(encode_checked, frame, number, checks)
        return
    for k, seen in enumerate(source.views(numbers)):
        yield seen.frame, functools.partial(_encode_view, seen, spec.capture, k, checks)


def encode_checked(frame: Frame, number: int, checks: Checks) -> tuple[dict[str, bytes], Agreement | None]:
    """Returns the files of a frame by name and what the rays found; raises ProofError where they contradict it."""
    agreement = None if checks.prover is None else checks.prover.prove(frame, number)
    return frame_files(frame, number, checks.clearance_m), agreement


def _encode_view(
    view: View, capture: Capture, position: int, checks: Checks
) -> tuple[dict[str, bytes], Agreement | None]:
    agreement = None
    if checks.prover is not None:
        agreement = checks.prover.prove(view.frame, view.number, view.now.world_from_body)
    eye = capture.eyes[position % len(capture.eyes)]
    return view_files(view, capture, eye, checks.clearance_m), agreement


def _write_in_turn(staging: Path, scene: Scene, frames: Iterable[tuple[Frame, Encoding]]) -> tuple[FrameEntry, ...]:
    """Writes each frame before the next one is rendered."""
    digest = scene.digest()
    return tuple(stage_frame(staging, frame.name, encoding, scene.id.attempt, digest) for frame, encoding in frames)


def _write_beside(staging: Path, scene: Scene, frames: Iterable[tuple[Frame, Encoding]]) -> tuple[FrameEntry, ...]:
    """Writes frames while the next ones are rendered, one behind the other, never more than two in memory."""
    digest = scene.digest()
    entries: list[FrameEntry] = []
    with ThreadPoolExecutor(1) as writer:
        writing: Future[FrameEntry] | None = None
        for frame, encoding in frames:
            if writing is not None:
                entries.append(writing.result())
            writing = writer.submit(stage_frame, staging, frame.name, encoding, scene.id.attempt, digest)
        if writing is not None:
            entries.append(writing.result())
    return tuple(entries)


def stage_frame(staging: Path, name: str, encoding: Encoding, attempt: int, scene_digest: str) -> FrameEntry:
    """Writes the files of one frame into a folder and returns what the manifest says of them."""
    files, agreement = encoding()
    for path, data in files.items():
        if "/" in path:
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
        _write(f"{staging}/{path}", data)
    return FrameEntry(
        name=name,
        scene_digest=scene_digest,
        attempt=attempt,
        files={path: hashlib.sha256(data).hexdigest() for path, data in files.items()},
        size_bytes=sum(len(data) for data in files.values()),
        agreement=agreement,
    )


def _write(path: str, data: bytes) -> None:
    """Writes a new file; twenty to a frame, so that Python's layers above the system calls are felt."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
