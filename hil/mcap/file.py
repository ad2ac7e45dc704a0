"""The sink that writes an MCAP file: everything of a frame lies at its due time, so a viewer shows an image with its answer.

    log_time      the run's date (a label) + the frame's due time since that of frame 0, on the host's monotonic clock
    publish_time  the same for when it was there: handed over (camera), decoded (answer); the due time otherwise
    sequence      the number of the frame; before the run, where the data set lies, the number of its image
Chunks end at least once a second, so a process that is killed leaves what it had until then.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import zstandard
from mcap.writer import CompressionType, Writer
from numpy.typing import NDArray

from hil.mcap import messages, notes
from hil.mcap.topics import TOPICS, Selection
from hil.mcap.wire import stamp_field
from hil.session import FrameRecord
from perception.prediction import Prediction, Segment
from scenes.camera import Camera
from sim.frame import Frame

FORMAT = 1
LIBRARY = "rehearse"
HEAD_NAME, TAIL_NAME, SCORES_NAME, FIGURES_NAME = "head.json", "tail.json", "scores.npz", "figures.json"
FLUSH_S = 1.0
_SPACING_NS = 10**6  # between images of the data set, which lie before the run
_KEEP_LEVEL = 1
_MAX_WAITING = 256


@dataclass(slots=True, kw_only=True)
class _Shown:
    """What is known of an image: packed messages without time stamps, in the order in which they are written."""

    camera: Camera
    again: dict[str, bytes]


@dataclass(slots=True, kw_only=True)
class _Answered:
    """The newest answer to an image; `again` are packed messages by topic, compressed, for the frames that repeat it."""

    seq: int
    segments: tuple[Segment, ...]
    corners: list[tuple[int, int, int, int]]
    again: dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ended:
    """A frame that has its outcome and waits for earlier ones."""

    record: FrameRecord
    prediction: Prediction | None
    repeats: int | None
    maps_lost: bool


class _Unbuffered:
    """A file whose every write is through to the system when it returns, so that nothing is left to fail later."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("wb", buffering=0)
        self._at = 0

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._raw.write(left) :]
        self._at += len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Does nothing: nothing is held back."""

    def close(self, *, sync: bool) -> None:
        with self._raw:
            if sync:
                os.fsync(self._raw.fileno())


class McapFile:
    """Writes one run; the file is made at once. `begin`, `frame`, `end` and `close` are a sink's. Raises OSError, as files do.

    While `behind` is set, pictures that repeat what is in the file are left out, and the frames counted in `left_out`.
    """

    def __init__(self, path: Path, *, selection: Selection = Selection(), opened_utc_ns: int = 0) -> None:  # noqa: B008  # frozen
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _Unbuffered(path)
        self._writer = Writer(cast("BinaryIO", self._file), compression=CompressionType.ZSTD, enable_data_crcs=True)
        self._writer.start(profile="", library=LIBRARY)
        self._selection, self._opened_ns = selection, opened_utc_ns // 10**9 * 10**9
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._shown: dict[int, _Shown] = {}
        self._answers: dict[int, _Answered] = {}
        self._given: dict[int, tuple[int, Prediction]] = {}
        self._waiting: dict[int, _Ended] = {}
        self._next_seq = 0
        self._pack, self._unpack = zstandard.ZstdCompressor(level=_KEEP_LEVEL), zstandard.ZstdDecompressor()
        self._label_ns, self._rate_hz = 0, 1.0
        self._origin_ns: int | None = None
        self.behind, self.left_out = False, 0
        self._open = True
        self._flushed_s = time.monotonic()

    def image(self, index: int, frame: Frame, of: int) -> None:
        """Takes image `index` of `of`, with its truth, before the run begins."""
        at_ns = self._opened_ns - (of - index) * _SPACING_NS
        truth, selection = frame.truth, self._selection
        packed: dict[str, bytes] = {}
        if selection.has("/camera/image"):
            packed["/camera/image"] = messages.raw_image(frame.rgb, "rgb8")
            self._put("/dataset/frame", notes.pack_frame_facts(frame), at_ns, index)
        if selection.has("/truth/depth"):
            packed["/truth/depth"] = messages.raw_image(truth.depth_m, "32FC1")
            packed["/truth/semantic"] = messages.raw_image(truth.semantic, "mono8")
            packed["/truth/instance"] = messages.raw_image(truth.instance, "16UC1")
            known = [(o.category_id, o.body_name, o.box_world) for o in truth.objects if o.has_box]
            self._put("/truth/boxes", messages.scene(known, messages.WORLD, at_ns), at_ns, index)
        for topic, body in packed.items():
            self._put(topic, _stamped(topic, body, at_ns), at_ns, index)
        repeated = packed if selection.every else {}
        again = {topic: self._pack.compress(body) for topic, body in repeated.items() if topic == "/camera/image"}
        if selection.has("/camera/preview"):
            again["/camera/preview"] = self._pack.compress(messages.preview(frame.rgb))
        self._shown[index] = _Shown(camera=frame.camera, again=again)

    def begin(self, head: Mapping[str, Any]) -> None:
        """Takes what is known before the first frame."""
        started = dt.datetime.fromisoformat(str(head["started_utc"]))
        self._label_ns = round(started.timestamp()) * 10**9
        self._rate_hz = float(head["rate_hz"])
        self._attach(HEAD_NAME, _json({"format": FORMAT, **head}))
        engine = head["agent"].get("engine") if isinstance(head.get("agent"), Mapping) else None
        known = {"format": FORMAT, **{k: v for k, v in head.items() if k not in ("agent", "host")}, "engine": engine}
        self._writer.add_metadata("rehearse", {k: v if isinstance(v, str) else json.dumps(v) for k, v in known.items()})
        self._put("/log", messages.log(f"a run at {self._rate_hz:g} FPS began", "Info", self._label_ns), self._label_ns)

    def frame(self, record: FrameRecord, prediction: Prediction | None) -> None:
        """Takes one frame; the same prediction of the same image is written once, unless repeats were asked for."""
        seq, before = self._given.get(record.image, (0, None))
        same = prediction is not None and before is prediction
        if prediction is not None and not same:
            self._given[record.image] = record.seq, prediction
        self.write(record, prediction, repeats=seq if same else None)

    def write(
        self, record: FrameRecord, prediction: Prediction | None, *, repeats: int | None = None, maps_lost: bool = False
    ) -> None:
        """Takes one frame; `repeats` is the frame whose answer, to the same image, was equal.

        Frames lie in the file in their order: one that ended early waits, within limits, for those before it.
        """
        ended = _Ended(record=record, prediction=prediction, repeats=repeats, maps_lost=maps_lost)
        self._waiting[record.seq] = ended
        while self._waiting and (min(self._waiting) <= self._next_seq or len(self._waiting) > _MAX_WAITING):
            self._write_next()
        self.flush_in_time()

    def _write_next(self) -> None:
        seq = min(self._waiting)
        self._next_seq = max(self._next_seq, seq + 1)
        self._write(self._waiting.pop(seq))

    def _write(self, ended: _Ended) -> None:
        record, prediction, repeats = ended.record, ended.prediction, ended.repeats
        if self._origin_ns is None:
            self._origin_ns = record.due_ns - round(record.seq * 1e9 / self._rate_hz)
        at_ns = self._log_ns(record.due_ns)
        self._write_camera(record, at_ns)
        before = self._answers.get(record.image)
        answer = before if repeats is not None and before is not None and before.seq == repeats else None
        if answer is None and prediction is not None:
            answer = self._answers[record.image] = self._new_answer(record, prediction, at_ns)
        if answer is not None:
            self._write_answer(answer, record, at_ns)
        has_maps = self._selection.has("/answer/ids") or self._selection.has("/answer/depth")
        of = answer.seq if has_maps and answer is not None else None
        note = notes.pack_outcome(record, answer=of, maps_lost=ended.maps_lost)
        self._put("/outcome", note, at_ns, record.seq)
        if record.outcome != "on_time" and not record.warm_up:
            said = f"frame {record.seq} is {record.outcome}" + ("" if record.reason is None else f": {record.reason}")
            self._put("/log", messages.log(said, "Warning", at_ns), at_ns, record.seq)

    def end(self, tail: Mapping[str, Any]) -> None:
        """Takes what is known after the last frame."""
        while self._waiting:
            self._write_next()
        for sample in tail.get("telemetry", {}).get("samples", ()):
            at_ns = self._log_ns(_on_host(int(sample["at_ns"]), tail))
            self._put("/telemetry", _json(sample), at_ns)
        count = int(tail["frame_count"])
        last_ns = self._label_ns + round(count * 1e9 / self._rate_hz)
        fault = tail.get("fault")
        said = ("the run ended", "Info") if fault is None else (str(fault), "Error")
        self._put("/log", messages.log(*said, last_ns), last_ns, count)
        self._attach(TAIL_NAME, _json(tail))

    def flush_in_time(self) -> None:
        """Ends the chunk once a second, so that what is in it can be read whatever happens then."""
        if time.monotonic() - self._flushed_s >= FLUSH_S:
            self._writer.flush()
            self._flushed_s = time.monotonic()

    def close(self) -> None:
        """Writes the summary and closes the file; a second time it does nothing."""
        if not self._open:
            return
        self._open = False
        try:
            while self._waiting:
                self._write_next()
            self._writer.finish()
        finally:
            self._file.close(sync=True)

    def abandon(self) -> None:
        """Closes a file that can no longer be written; what was written stays."""
        self._open = False
        self._file.close(sync=False)

    def _write_camera(self, record: FrameRecord, at_ns: int) -> None:
        shown = self._shown.get(record.image)
        if shown is None:
            return
        there_ns = at_ns if record.capture_ns is None else self._log_ns(record.capture_ns)
        calibration = _stamped("/camera/calibration", messages.calibration(shown.camera), at_ns)
        self._put("/camera/calibration", calibration, at_ns, record.seq, there_ns)
        self._put("/tf", messages.transforms(shown.camera, at_ns), at_ns, record.seq, there_ns)
        self.left_out += self.behind and bool(shown.again)
        for topic, packed in (() if self.behind else shown.again.items()):
            self._put(topic, _stamped(topic, self._unpack.decompress(packed), at_ns), at_ns, record.seq, there_ns)

    def _new_answer(self, record: FrameRecord, prediction: Prediction, at_ns: int) -> _Answered:
        """Writes the maps of an answer that is not a repeat, and returns what its repeats need."""
        maps = {}
        if self._selection.has("/answer/ids"):
            largest = max((s.id for s in prediction.segments), default=0)
            wide = largest > np.iinfo(np.uint16).max
            ids = prediction.segment_id if wide else prediction.segment_id.astype(np.uint16)
            maps["/answer/ids"] = messages.raw_image(ids, "32SC1" if wide else "16UC1")
        if self._selection.has("/answer/depth"):
            maps["/answer/depth"] = messages.raw_image(prediction.depth_m, "32FC1")
        for topic, body in maps.items():
            self._put(topic, _stamped(topic, body, at_ns), at_ns, record.seq, self._there_ns(record))
        if not self._selection.every:
            maps.pop("/answer/depth", None)  # ids are small once compressed, so every frame has them; depth is not
        corners = _corners(prediction) if self._selection.has("/answer/annotations") else []
        again = {topic: self._pack.compress(body) for topic, body in maps.items()}
        return _Answered(seq=record.seq, segments=prediction.segments, corners=corners, again=again)

    def _write_answer(self, answer: _Answered, record: FrameRecord, at_ns: int) -> None:
        there_ns = self._there_ns(record)
        if answer.seq != record.seq and not self.behind:
            for topic, packed in answer.again.items():
                self._put(topic, _stamped(topic, self._unpack.decompress(packed), at_ns), at_ns, record.seq, there_ns)
        if self._selection.has("/answer/segments"):
            self._put("/answer/segments", notes.pack_segments(answer.segments), at_ns, record.seq, there_ns)
        if self._selection.has("/answer/boxes"):
            boxes = messages.scene(messages.answer_boxes(answer.segments), messages.CAMERA, at_ns)
            self._put("/answer/boxes", boxes, at_ns, record.seq, there_ns)
            drawn = messages.outlines(answer.segments, answer.corners, at_ns)
            self._put("/answer/annotations", drawn, at_ns, record.seq, there_ns)

    def _there_ns(self, record: FrameRecord) -> int:
        return self._log_ns(record.due_ns if record.return_ns is None else record.return_ns)

    def _put(self, topic: str, data: bytes, at_ns: int, sequence: int = 0, there_ns: int | None = None) -> None:
        if topic not in self._channels:
            self._channels[topic] = self._register(topic)
        published_ns = at_ns if there_ns is None else there_ns
        self._writer.add_message(self._channels[topic], at_ns, data, published_ns, sequence)

    def _register(self, topic: str) -> int:
        name = TOPICS[topic].schema
        ours = notes.SCHEMAS.get(name)
        if name not in self._schemas:
            schema = (name, "jsonschema", ours) if ours is not None else messages.schema_of(name)
            self._schemas[name] = self._writer.register_schema(*schema)
        return self._writer.register_channel(topic, "protobuf" if ours is None else "json", self._schemas[name])

    def _attach(self, name: str, data: bytes) -> None:
        self._writer.add_attachment(self._label_ns, self._label_ns, name, "application/json", data)
        self._writer.flush()

    def _log_ns(self, host_ns: int) -> int:
        return self._label_ns + host_ns - (self._origin_ns or host_ns)


def _stamped(topic: str, body: bytes, at_ns: int) -> bytes:
    return body + stamp_field(messages.STAMP_OF[TOPICS[topic].schema], at_ns)


def _on_host(device_ns: int, tail: Mapping[str, Any]) -> int:
    """Returns a stamp of the device on the host's clock, as well as both were compared."""
    from hil.figures.clock import ClockFit

    clock = tail.get("clock") or {}
    if tail.get("same_clock") or not clock.get("minima"):
        return device_ns
    return int(ClockFit.from_dict(clock).to_host_ns(np.array([device_ns]))[0])


def _corners(prediction: Prediction) -> list[tuple[int, int, int, int]]:
    """Returns for every segment its inclusive pixel box; one without pixels has its right before its left."""
    boxes = []
    for segment in prediction.segments:
        mask: NDArray[np.bool_] = prediction.segment_id == segment.id
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        there = len(rows) > 0
        boxes.append((int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])) if there else (0, 0, -1, -1))
    return boxes


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
