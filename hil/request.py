"""An image crosses the link as raw RGB with its intrinsics; what is not an image is refused with the reason."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hil.protocol import Body, Kind, Message, ProtocolError, pack

_INTRINSICS = ("fx", "fy", "cx", "cy")


def pack_frame(rgb: NDArray[np.uint8], *, fx: float, fy: float, cx: float, cy: float) -> Body:
    """Packs uint8 (H, W, 3) and its intrinsics in pixels; the body can be sent any number of times."""
    return pack(Kind.FRAME, {"intrinsics": [float(fx), float(fy), float(cx), float(cy)]}, (np.ascontiguousarray(rgb),))


def open_frame(message: Message, last_seq: int) -> tuple[NDArray[np.uint8], dict[str, float]]:
    """Returns the image and its intrinsics by name; raises ProtocolError, also where `last_seq` was not before it."""
    if message.seq <= last_seq:
        raise ProtocolError(f"Frame {message.seq} came after frame {last_seq}.")
    if len(message.arrays) != 1 or message.arrays[0].dtype != np.uint8 or message.arrays[0].shape[2:] != (3,):
        raise ProtocolError("A frame carries one array uint8 (H, W, 3).")
    values = message.meta.get("intrinsics")
    if not isinstance(values, list) or len(values) != 4 or any(type(v) not in (int, float) for v in values):
        raise ProtocolError("A frame needs its intrinsics fx, fy, cx, cy in pixels.")
    if not all(math.isfinite(v) for v in values) or min(values[:2]) <= 0:
        raise ProtocolError("A frame needs finite intrinsics with positive focal lengths.")
    return message.arrays[0], dict(zip(_INTRINSICS, (float(v) for v in values), strict=True))
