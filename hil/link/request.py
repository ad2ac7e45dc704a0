"""An image crosses the link as raw RGB with its intrinsics; what is not an image is refused with the reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.link.protocol import Body, Kind, Message, ProtocolError, pack
from scenes.distortion import Distortion

_INTRINSICS = ("fx", "fy", "cx", "cy")
# What a frame has beside its intrinsics, and what an agent says it takes: one that does not sees a pinhole's image.
DISTORTION = "distortion"


def pack_frame(
    rgb: NDArray[np.uint8],
    *,
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    distortion: Distortion | None = None,
) -> Body:
    """Packs uint8 (H, W, 3), its intrinsics in pixels and its lens; the body can be sent any number of times."""
    meta: dict[str, Any] = {"intrinsics": [float(fx), float(fy), float(cx), float(cy)]}
    if distortion is not None:
        meta[DISTORTION] = list(distortion.coefficients)
    return pack(Kind.FRAME, meta, (np.ascontiguousarray(rgb),))


def open_frame(message: Message, last_seq: int) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Returns the image and, by name, its intrinsics, and its `distortion` where it has a lens.

    Raises ProtocolError for what is no frame, and where `last_seq` was not before it.
    """
    if message.seq <= last_seq:
        raise ProtocolError(f"Frame {message.seq} came after frame {last_seq}.")
    if len(message.arrays) != 1 or message.arrays[0].dtype != np.uint8 or message.arrays[0].shape[2:] != (3,):
        raise ProtocolError("A frame carries one array uint8 (H, W, 3).")
    values = message.meta.get("intrinsics")
    if not isinstance(values, list) or len(values) != 4 or any(type(v) not in (int, float) for v in values):
        raise ProtocolError("A frame needs its intrinsics fx, fy, cx, cy in pixels.")
    if not all(math.isfinite(v) for v in values) or min(values[:2]) <= 0:
        raise ProtocolError("A frame needs finite intrinsics with positive focal lengths.")
    camera: dict[str, Any] = dict(zip(_INTRINSICS, (float(v) for v in values), strict=True))
    if DISTORTION in message.meta:
        camera[DISTORTION] = _lens(message.meta[DISTORTION])
    return message.arrays[0], camera


def _lens(values: Any) -> Distortion:
    if not isinstance(values, list) or any(type(v) not in (int, float) for v in values):
        raise ProtocolError("A frame's distortion is a list of numbers.")
    try:
        return Distortion(coefficients=tuple(float(v) for v in values))
    except ValueError as error:
        raise ProtocolError(str(error)) from error
