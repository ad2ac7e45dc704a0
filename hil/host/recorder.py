"""What happens on the clock is written off the clock: a thread of its own, a bounded queue, and every loss is counted.

A sink gets the same calls whatever it writes; the compact table of `hil.recordings.table` is one, `hil.mcap.sink` another.
A sink that fails (a full disk) is left out from then on and the session says so: the run goes on, its timing unchanged.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from hil.session import FrameRecord
from perception.prediction import Prediction

QUEUE_FRAMES = 4096
_CLOSE_WITHIN_S = 30.0


class Sink(Protocol):
    """Where a recording goes; called from one thread, in the order begin, frame..., end, close."""

    def begin(self, head: Mapping[str, Any]) -> None:
        """Takes what is known before the first frame."""

    def frame(self, record: FrameRecord, prediction: Prediction | None) -> None:
        """Takes one frame that has its outcome, with its decoded answer; frames may come in any order."""

    def end(self, tail: Mapping[str, Any]) -> None:
        """Takes what is known after the last frame."""

    def close(self) -> None:
        """Lets go of the file, whatever happened."""


class Recorder:
    """Hands frames to sinks from a thread of its own; `put` never waits."""

    def __init__(self, sinks: Sequence[Sink], *, capacity: int = QUEUE_FRAMES) -> None:
        self.lost = 0
        self.faults: list[str] = []
        self._sinks = list(sinks)
        self._queue: queue.Queue[tuple[str, tuple[Any, ...]] | None] = queue.Queue(capacity)
        self._thread = threading.Thread(target=self._run, name="rehearse-recorder", daemon=True)
        self._thread.start()

    def begin(self, head: Mapping[str, Any]) -> None:
        """Hands over what is known before the first frame; called before the clock starts."""
        self._queue.put(("begin", (head,)))

    def put(self, record: FrameRecord, prediction: Prediction | None = None) -> None:
        """Hands over one frame without waiting; where the queue is full the frame is lost to the recording, and counted."""
        try:
            self._queue.put_nowait(("frame", (record, prediction)))
        except queue.Full:
            self.lost += 1

    def end(self, tail: Mapping[str, Any]) -> None:
        """Hands over what is known after the last frame and waits until all is written; the clock no longer runs."""
        try:
            self._queue.put(("end", (tail,)), timeout=_CLOSE_WITHIN_S)
        except queue.Full:
            self.faults.append(f"the recorder was not done {_CLOSE_WITHIN_S:g} s after the run")
        self.close()

    def close(self) -> None:
        """Stops the thread after what is still queued; safe to call twice."""
        if self._thread.is_alive():
            with suppress(queue.Full):
                self._queue.put(None, timeout=_CLOSE_WITHIN_S)
            self._thread.join(_CLOSE_WITHIN_S)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            name, arguments = item
            for sink in self._sinks[:]:
                self._tell(sink, name, arguments)
        for sink in self._sinks:
            self._close(sink)

    def _tell(self, sink: Sink, name: str, arguments: tuple[Any, ...]) -> None:
        try:
            getattr(sink, name)(*arguments)
        except Exception as error:  # whatever a sink raises ends its recording, never the run
            self.faults.append(f"{type(sink).__name__}: {error}")
            self._sinks.remove(sink)
            self._close(sink)

    def _close(self, sink: Sink) -> None:
        try:
            sink.close()
        except Exception as error:  # closing a file writes what it had kept: a full disk fails there once more
            fault = f"{type(sink).__name__}: {error}"
            if fault not in self.faults:
                self.faults.append(fault)
