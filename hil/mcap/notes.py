"""The messages of our own, in JSON with a JSON schema each: outcomes with exact stamps, segments, frames, telemetry."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from hil.mcap.wire import Buffer
from hil.session import OUTCOMES, FrameRecord
from perception.prediction import Segment
from scenes.box import OrientedBox
from scenes.camera import Camera
from sim.basicwriter import ENCODERS, decode_objects
from sim.frame import Frame, ObjectTruth

_RECORD = tuple(f.name for f in fields(FrameRecord))
_WHOLE, _NUMBER, _TEXT = {"type": "integer"}, {"type": "number"}, {"type": "string"}
_PERHAPS_WHOLE, _PERHAPS_NUMBER = {"type": ["integer", "null"]}, {"type": ["number", "null"]}


def _object(title: str, properties: Mapping[str, Any]) -> bytes:
    return json.dumps({"title": title, "type": "object", "properties": properties}).encode()


_OUTCOME = {
    **dict.fromkeys(_RECORD, _PERHAPS_WHOLE), "seq": _WHOLE, "image": _WHOLE, "due_ns": _WHOLE,
    "warm_up": {"type": "boolean"}, "outcome": {"type": "string", "enum": list(OUTCOMES)},
    "reason": {"type": ["string", "null"]}, "latency_ms": _PERHAPS_NUMBER, "answer": _PERHAPS_WHOLE,
    "maps_lost": {"type": "boolean"},
}  # fmt: skip
_BOX = {"type": ["object", "null"]}
_SEGMENT = {"id": _WHOLE, "category_id": _WHOLE, "score": _NUMBER, "depth_m": _NUMBER, "box_camera": _BOX}
_LIST = {"type": "array", "items": {"type": "object"}}
SCHEMAS = {
    "rehearse.Outcome": _object("rehearse.Outcome", _OUTCOME),
    "rehearse.Segments": _object(
        "rehearse.Segments", {"segments": {"type": "array", "items": {"type": "object", "properties": _SEGMENT}}}
    ),
    "rehearse.Frame": _object(
        "rehearse.Frame", {"name": _TEXT, "time_s": _NUMBER, "camera": {"type": "object"}, "objects": _LIST}
    ),
    "rehearse.Telemetry": _object("rehearse.Telemetry", {"at_ns": _WHOLE}),
}


def pack_outcome(record: FrameRecord, *, answer: int | None, maps_lost: bool) -> bytes:
    """Returns a record with all its stamps; `answer` is the frame whose maps are this one's, None = they are not in the file."""
    latency_s = record.latency_s
    values = {name: getattr(record, name) for name in _RECORD}
    values |= {"latency_ms": None if latency_s is None else latency_s * 1e3, "answer": answer, "maps_lost": maps_lost}
    return json.dumps(values, allow_nan=False).encode()


def open_outcome(data: Buffer) -> tuple[FrameRecord, int | None, bool]:
    """Reads the record, `answer` and `maps_lost` back; raises KeyError, TypeError or ValueError."""
    values = json.loads(bytes(data))
    answer, lost = values["answer"], values["maps_lost"]
    record = FrameRecord(**{name: values[name] for name in _RECORD})
    numbers = [answer, record.seq, record.image, *(getattr(record, n) for n in _RECORD if n.endswith("_ns"))]
    if any(n is not None and type(n) is not int for n in numbers) or None in numbers[1:4]:
        raise ValueError("an outcome has a stamp that is not a whole number")
    return record, answer, bool(lost)


def pack_segments(segments: tuple[Segment, ...]) -> bytes:
    """Returns the segments of an answer with all digits."""
    rows = [
        {
            "id": int(s.id), "category_id": int(s.category_id), "score": float(s.score), "depth_m": float(s.depth_m),
            "box_camera": None if s.box_camera is None else s.box_camera.to_dict(),
        }
        for s in segments
    ]  # fmt: skip
    return json.dumps({"segments": rows}, allow_nan=False).encode()


def open_segments(data: Buffer) -> tuple[Segment, ...]:
    """Reads them back; raises KeyError, TypeError or ValueError."""
    return tuple(
        Segment(**{**row, "box_camera": None if row["box_camera"] is None else OrientedBox.from_dict(row["box_camera"])})
        for row in json.loads(bytes(data))["segments"]
    )


def pack_frame_facts(frame: Frame) -> bytes:
    """Returns name, time, camera and true objects of an image; what is not finite goes as text, which JSON has no number for."""
    known = json.loads(ENCODERS["objects"](frame)["objects.json"])
    return json.dumps(_finite({**known, "camera": frame.camera.to_dict()}), allow_nan=False).encode()


def open_frame_facts(data: Buffer) -> tuple[str, float, Camera, tuple[ObjectTruth, ...]]:
    """Reads name, time in seconds, camera and objects back; raises LookupError, TypeError or ValueError."""
    name, time_s, objects = decode_objects(bytes(data))
    return name, time_s, Camera.from_dict(json.loads(bytes(data))["camera"]), objects


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
