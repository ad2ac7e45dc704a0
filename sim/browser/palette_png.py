"""PNG pictures of few colours, of which one may be clear: what a browser lays over a photograph. Written by the standard."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def palette_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Returns a PNG of indices (H, W) into a palette uint8 (n, 3); index 0 is clear (ISO/IEC 15948, colour type 3)."""
    if indices.ndim != 2 or palette.ndim != 2 or not len(palette) > int(indices.max(initial=0)) or len(palette) > 256:
        raise ValueError(f"A palette PNG needs indices (H, W) into at most 256 colours, got {indices.shape}, {palette.shape}.")
    height, width = indices.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return _SIGNATURE + b"".join((
        _chunk(b"IHDR", header),
        _chunk(b"PLTE", palette.astype(np.uint8).tobytes()),
        _chunk(b"tRNS", b"\x00"),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)),
        _chunk(b"IEND", b""),
    ))  # fmt: skip


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
