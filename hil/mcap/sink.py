"""The host's side of an MCAP recording: hands frames to the writing process and never waits for it on the recorder's thread.

What the process is too slow for is lost in order of size: first the maps of an answer, never silently. A thread of its own
pushes bytes through the pipe; its system calls hold no lock of the interpreter.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
import signal
import threading
import time
from collections.abc import Mapping
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any

import msgpack

from hil.link.answer import STAMPS, pack_answer
from hil.link.protocol import seal
from hil.mcap.notes import pack_frame_facts
from hil.mcap.process import image_parts, staging_path, write_in_process
from hil.mcap.topics import Selection
from hil.recordings.rows import to_row
from hil.session import FrameRecord
from perception.prediction import Prediction
from scenes.errors import DatasetError
from sim.frame import Frame

PENDING_BYTES = 64 * 2**20
_END_WITHIN_S = 25.0  # below the time that a recorder waits for its sinks
_CLOSE_WITHIN_S = 3.0
_START_WITHIN_S = 30.0
_RECORD_BYTES = 512
_NO_STAMPS = dict.fromkeys(STAMPS, 0)


class RecordingError(OSError):
    """What a recording lacks, in a sentence."""


class McapSink:
    """A sink (`hil.host.recorder`) written by a process of its own; a context manager, made before the clock starts.

    It is ready when it is made, which takes about a second. Raises DatasetError where the file cannot be made.
    """

    def __init__(self, path: Path, *, selection: Selection = Selection(), pending_bytes: int = PENDING_BYTES) -> None:  # noqa: B008  # frozen
        self.maps_lost = self.left_out = 0
        self._limit = pending_bytes
        self._pending, self._lock = 0, threading.Lock()
        self._queue: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
        self._sent: dict[int, tuple[int, Prediction]] = {}
        self._fault: str | None = None
        self._wants_maps = selection.has("/answer/ids") or selection.has("/answer/depth") or selection.has("/answer/boxes")
        self._connection, theirs = multiprocessing.Pipe()
        self._path, self._began = path, False
        self.process = _started((theirs, str(path), selection, time.time_ns()))
        theirs.close()
        self._hear(_START_WITHIN_S)
        self._assert_started()
        self._thread = threading.Thread(target=self._push, name="rehearse-mcap", daemon=True)
        self._thread.start()

    def __enter__(self) -> McapSink:  # noqa: PYI034  # Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def image(self, index: int, frame: Frame, of: int) -> None:
        """Shows image `index` of `of` before the run begins; waits for the process, since no clock runs yet."""
        self._hand(image_parts(index, frame, of, pack_frame_facts(frame)))
        while self._pending > 0 and self._fault is None:
            time.sleep(0.001)

    def begin(self, head: Mapping[str, Any]) -> None:
        """Takes what is known before the first frame."""
        self._began = True
        self._hand([msgpack.packb({"do": "begin", "json": json.dumps(head, allow_nan=False)})])

    def frame(self, record: FrameRecord, prediction: Prediction | None) -> None:
        """Takes one frame and does not wait; raises RecordingError where the process is gone."""
        self._raise_fault()
        before = self._sent.get(record.image)
        repeats = before[0] if before is not None and before[1] is prediction else None
        parts: list[Any] = []
        if prediction is not None and repeats is None and self._wants_maps:
            if self._pending < self._limit:
                parts = list(seal(pack_answer(prediction, _NO_STAMPS)))
                self._sent[record.image] = record.seq, prediction
            else:
                self.maps_lost += 1
        lost = prediction is not None and repeats is None and self._wants_maps and not parts
        head = {
            "do": "frame", "row": to_row(record, 0 if record.reason is None else 1).tobytes(), "reason": record.reason,
            "handed_ns": time.monotonic_ns(), "repeats": repeats, "maps_lost": lost, "parts": len(parts),
            "size": None if prediction is None else list(prediction.segment_id.shape),
        }  # fmt: skip
        self._hand([msgpack.packb(head), *parts])

    def end(self, tail: Mapping[str, Any]) -> None:
        """Takes what is known after the last frame, waits until the file is closed; raises RecordingError with what it lacks."""
        self._hand([msgpack.packb({"do": "end", "json": json.dumps(tail, allow_nan=False)})])
        deadline = time.monotonic() + _END_WITHIN_S
        self._thread_ends(deadline)
        self._hear(max(deadline - time.monotonic(), 0.0))
        self._raise_fault()
        lacks = [f"the maps of {self.maps_lost} answers"] if self.maps_lost else []
        lacks += [f"pictures of {self.left_out} frames, which are in the file once,"] if self.left_out else []
        if lacks:
            raise RecordingError(f"{' and '.join(lacks)} came faster than they were written; all frames are there")

    def close(self) -> None:
        """Lets the process finish and ends it; safe to call twice."""
        self._thread_ends(time.monotonic() + _CLOSE_WITHIN_S)
        if self._thread.is_alive():
            self.process.kill()  # the thread waits for a process that takes nothing any more
            self._thread.join(_CLOSE_WITHIN_S)
        self._end_process()
        if not self._began:
            staging_path(self._path).unlink(missing_ok=True)

    def _assert_started(self) -> None:
        if self._fault is not None:
            self._end_process()
            raise DatasetError(f"Cannot record to {self._path}: {self._fault}.")

    def _end_process(self) -> None:
        self._connection.close()
        self.process.join(_CLOSE_WITHIN_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _thread_ends(self, deadline: float) -> None:
        self._queue.put(None)
        self._thread.join(max(deadline - time.monotonic(), 0.0))
        if self._thread.is_alive():
            self._fault = self._fault or f"it was not written within {_END_WITHIN_S:g} s"

    def _hear(self, timeout_s: float) -> None:
        """Takes a report of the process, or finds that it is gone without one."""
        try:
            if not self._connection.poll(timeout_s):
                self._fault = self._fault or f"the process that writes it said nothing within {timeout_s:.1f} s"
                return
            told = json.loads(self._connection.recv_bytes(2**16))
            self._fault, self.left_out = told["fault"] or self._fault, told.get("left_out", 0)
        except (EOFError, OSError):
            self._fault = self._fault or "the process that writes it died"

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise RecordingError(self._fault)

    def _hand(self, parts: list[Any]) -> None:
        with self._lock:
            self._pending += _size(parts)
        self._queue.put(parts)

    def _push(self) -> None:
        """Runs in a thread: sends what is queued, until the process is gone; then only takes it away."""
        while (parts := self._queue.get()) is not None:
            try:
                if self._fault is None:
                    for part in parts:
                        self._connection.send_bytes(part)
            except (OSError, ValueError):
                self._hear(1.0)
                self._fault = self._fault or "the process that writes it died"
            with self._lock:
                self._pending -= _size(parts)


def _size(parts: list[Any]) -> int:
    return sum(len(part) for part in parts) + _RECORD_BYTES


def _started(arguments: tuple[Any, ...]) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=write_in_process, args=arguments, daemon=True)
    # The child inherits the mask: Ctrl-C in a terminal is the parent's to answer, also while the child starts.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


class Watched:
    """A source of frames that shows each to a recording when it is first read."""

    def __init__(self, frames: Any, sink: McapSink) -> None:
        self._frames, self._sink, self._seen = frames, sink, set[int]()

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int, /) -> Frame:
        frame: Frame = self._frames[index]
        if index not in self._seen:
            self._seen.add(index)
            self._sink.image(index, frame, len(self))
        return frame
