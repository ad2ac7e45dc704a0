"""One prediction as COCO panoptic has it, a PNG of ids and a record of segments, and back again without any loss."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction, Segment
from scenes.box import OrientedBox
from scenes.taxonomy import TAXONOMY

MAX_ID = 256**3 - 1


def encode_ids(segment_id: NDArray[np.int32]) -> bytes:
    """Returns a PNG whose pixels hold id = R + 256 G + 65536 B; raises ValueError for ids outside 0..MAX_ID."""
    if segment_id.min(initial=0) < 0 or segment_id.max(initial=0) > MAX_ID:
        raise ValueError(f"COCO panoptic stores ids 0..{MAX_ID}, got {segment_id.min()}..{segment_id.max()}.")
    bgr = np.stack([segment_id >> 16, (segment_id >> 8) & 255, segment_id & 255], axis=-1).astype(np.uint8)
    ok, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not ok:
        raise ValueError("OpenCV could not encode a PNG.")
    return data.tobytes()


def decode_ids(png: bytes) -> NDArray[np.int32]:
    """Reads what `encode_ids` wrote; raises ValueError."""
    data = np.frombuffer(png, dtype=np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if bgr is None or bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.dtype != np.uint8:
        raise ValueError("it is not an 8-bit RGB PNG")
    blue, green, red = (bgr[:, :, i].astype(np.int32) for i in range(3))
    ids: NDArray[np.int32] = red + (green << 8) + (blue << 16)
    return ids


def categories() -> list[dict[str, Any]]:
    """Returns the taxonomy as the `categories` of COCO panoptic, without void."""
    return [
        {"id": c.id, "name": c.name, "isthing": int(c.is_thing), "color": list(c.colour)}
        for c in TAXONOMY
        if c.kind != "void"
    ]


def segments_info(prediction: Prediction) -> list[dict[str, Any]]:
    """Returns the `segments_info` of one annotation, with score, depth and 3D box beside what COCO asks for."""
    rows = []
    for s in prediction.segments:
        v, u = np.nonzero(prediction.segment_id == s.id)
        box_px = [int(u.min()), int(v.min()), int(np.ptp(u)) + 1, int(np.ptp(v)) + 1] if len(u) else [0, 0, 0, 0]
        rows.append({
            "id": s.id, "category_id": s.category_id, "score": s.score, "depth_m": s.depth_m,
            "box_3d": s.box_camera.to_dict() if s.box_camera else None,
            "area": len(u), "bbox": box_px, "iscrowd": 0,
        })  # fmt: skip
    return rows


def segment_from(row: dict[str, Any]) -> Segment:
    """Reads one entry of `segments_info`; raises KeyError, TypeError or ValueError."""
    category_id = int(row["category_id"])
    if not 0 < category_id < len(TAXONOMY):
        raise ValueError(f"category_id {category_id} is not in the taxonomy")
    box = row["box_3d"]
    return Segment(
        id=int(row["id"]), category_id=category_id, score=float(row["score"]), depth_m=float(row["depth_m"]),
        box_camera=None if box is None else OrientedBox.from_dict(box),
    )  # fmt: skip
