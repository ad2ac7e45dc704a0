"""A prediction crosses the link without loss: every id, score, box and depth value comes out bit for bit.

Segment ids travel in the narrowest unsigned type that holds them, depth as float32, the segments as rows of numbers. The
maps are sent raw, which costs less than any codec on loopback, or packed (`hil.link.codec`) where the link is slow: `packed` then
names the codec and the type of the ids.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.link.codec import RAW, decode
from hil.link.packer import Packer
from hil.link.protocol import MAX_LIST, Body, Kind, Message, ProtocolError, is_stamp, pack, unpack
from perception.prediction import Prediction, Segment
from scenes.box import OrientedBox
from scenes.transforms import Pose

STAMPS = ("receive_ns", "preprocess_start_ns", "infer_start_ns", "infer_end_ns", "post_end_ns", "send_ns")
_ID_TYPES = ("uint8", "uint16", "int32")


def pack_answer(prediction: Prediction, stamps: Mapping[str, int]) -> Body:
    """Packs a prediction with the agent's time stamps (`STAMPS`, ns of its monotonic clock)."""
    if len(prediction.segments) > MAX_LIST:
        raise ProtocolError(f"A prediction has {len(prediction.segments)} segments; the link carries {MAX_LIST}.")
    rows = [_row(segment) for segment in prediction.segments]
    meta = {"segments": rows, "stamps": [int(stamps[name]) for name in STAMPS]}
    ids = _narrow(prediction.segment_id, max((s.id for s in prediction.segments), default=0))
    return pack(Kind.RESULT, meta, (ids, prediction.depth_m))


def repack_answer(body: Body, packer: Packer) -> Body:
    """Returns the RESULT with its maps as that packer wants them; the same one where it wants them raw."""
    meta, maps = unpack(body)
    packed, codec = packer.pack(maps)
    if codec == RAW:
        return body
    return pack(Kind.RESULT, {**meta, "packed": [codec, maps[0].dtype.name]}, packed)


def open_answer(message: Message, *, size: tuple[int, int], categories: int) -> tuple[Prediction, dict[str, int]]:
    """Returns the prediction of an image of `size` (H, W) and the agent's stamps; raises ProtocolError."""
    if len(message.arrays) != 2:
        raise ProtocolError(f"A result carries two maps, got {len(message.arrays)}.")
    ids, depth_m = _maps(message, size)
    if ids.shape != size or depth_m.shape != size:
        raise ProtocolError(f"A result for an image of {size} has maps of {ids.shape} and {depth_m.shape}.")
    if ids.dtype not in (np.uint8, np.uint16, np.int32) or depth_m.dtype != np.float32:
        raise ProtocolError(f"A result needs whole ids and float32 depth, got {ids.dtype} and {depth_m.dtype}.")
    if not (depth_m.min() > 0 and depth_m.max() < math.inf):
        raise ProtocolError("A result has depth that is not finite and positive.")
    segments = _segments(message.meta.get("segments"), categories)
    segment_id = _whole_ids(ids, segments)
    stamps = _stamps(message.meta.get("stamps"))
    if is_stamp(message.sent_ns) and message.sent_ns != 0:
        stamps["send_ns"] = message.sent_ns
    return Prediction(segment_id=segment_id, segments=segments, depth_m=depth_m), stamps


def _maps(message: Message, size: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Returns the two maps, unpacked to the size of the image that was sent and never to another."""
    packed = message.meta.get("packed")
    if packed is None:
        return message.arrays[0], message.arrays[1]
    named = isinstance(packed, list) and len(packed) == 2 and isinstance(packed[0], str)
    if not named or packed[1] not in _ID_TYPES or any(a.dtype != np.uint8 or a.ndim != 1 for a in message.arrays):
        raise ProtocolError("A packed result names its codec and the type of its ids, and carries two runs of bytes.")
    kinds = (np.dtype(packed[1]), np.dtype(np.float32))
    ids, depth_m = (decode(a, packed[0], dtype=k, shape=size) for a, k in zip(message.arrays, kinds, strict=True))
    return ids, depth_m


def _row(segment: Segment) -> list[float | int]:
    row: list[float | int] = [segment.id, segment.category_id, float(segment.score), float(segment.depth_m)]
    if segment.box_camera is not None:
        pose = segment.box_camera.outer_from_box
        row += [float(v) for v in (*pose.position_m, *pose.quaternion_wxyz, *segment.box_camera.size_m)]
    return row


def _narrow(segment_id: NDArray[np.int32], largest: int) -> NDArray[Any]:
    if largest > np.iinfo(np.uint16).max:
        return segment_id
    return segment_id.astype(np.uint8 if largest <= np.iinfo(np.uint8).max else np.uint16)


def _segments(rows: object, categories: int) -> tuple[Segment, ...]:
    if not isinstance(rows, list):
        raise ProtocolError("A result needs a list of segments.")
    try:
        segments = tuple(_segment(row) for row in rows)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"A result has a segment that is not one: {error}.") from error
    if any(not 0 < s.category_id < categories for s in segments):
        raise ProtocolError(f"A result names a category outside 1..{categories - 1}.")
    ids = {s.id for s in segments}
    if len(ids) != len(segments) or any(not 0 < i < 2**31 for i in ids):
        raise ProtocolError("A result has segment ids that are not positive and unique.")
    return segments


def _segment(row: object) -> Segment:
    if not isinstance(row, list) or len(row) not in (4, 14) or any(type(v) not in (int, float) for v in row):
        raise ValueError("expected 4 or 14 numbers")
    if type(row[0]) is not int or type(row[1]) is not int or not all(math.isfinite(v) for v in row):
        raise ValueError("expected whole ids and finite numbers")
    box = None
    if len(row) == 14:
        x, y, z, qw, qx, qy, qz, *size = (float(v) for v in row[4:])
        if abs(math.hypot(qw, qx, qy, qz) - 1) > 1e-3:
            raise ValueError("expected a unit quaternion")
        box = OrientedBox(Pose((x, y, z), (qw, qx, qy, qz)), (size[0], size[1], size[2]))
    return Segment(id=row[0], category_id=row[1], score=float(row[2]), depth_m=float(row[3]), box_camera=box)


def _whole_ids(ids: NDArray[Any], segments: tuple[Segment, ...]) -> NDArray[np.int32]:
    """Returns the ids as int32 in one pass that also finds those of no segment; raises ProtocolError."""
    known = np.array([0, *(s.id for s in segments)], dtype=np.int32)
    if ids.dtype == np.int32:
        valid, whole = bool(np.isin(ids, known).all()), ids.astype(np.int32)
    else:
        table = np.full(int(np.iinfo(ids.dtype).max) + 1, -1, dtype=np.int32)
        fitting = known[known < len(table)]
        table[fitting] = fitting
        whole = _looked_up(ids, table) if ids.dtype == np.uint8 else table.take(ids)
        valid = int(whole.min()) >= 0
    if not valid:
        raise ProtocolError("A result has pixels whose segment id is not in its list of segments.")
    return whole


def _looked_up(ids: NDArray[np.uint8], table: NDArray[np.int32]) -> NDArray[np.int32]:
    """Returns table[ids] in a third of the time that numpy takes. A host has OpenCV loaded; an agent never comes here."""
    import cv2

    return np.asarray(cv2.LUT(ids, table), dtype=np.int32)


def _stamps(values: object) -> dict[str, int]:
    if not isinstance(values, list) or len(values) != len(STAMPS) or not all(map(is_stamp, values)):
        raise ProtocolError(f"A result needs {len(STAMPS)} time stamps in ns.")
    return dict(zip(STAMPS, values, strict=True))
