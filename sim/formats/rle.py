"""COCO's run-length encoding of a mask, exact: runs down the columns, first of zeros, packed five bits to a character."""

# The packing is that of the COCO API (Lin et al., "Microsoft COCO", 2014): from the third run on, a run is stored as the
# difference to the one two before; each character holds five bits and a flag for more, plus 48 to be printable.

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Returns `{"size": [H, W], "counts": text}` of a mask (H, W)."""
    height, width = mask.shape
    return {"size": [int(height), int(width)], "counts": _pack(_runs(mask))}


def decode_rle(rle: dict[str, Any]) -> NDArray[np.bool_]:
    """Returns the mask (H, W) of packed or plain counts; raises ValueError, LookupError or TypeError."""
    height, width = (int(v) for v in rle["size"])
    counts = rle["counts"]
    runs = _unpack(counts) if isinstance(counts, str | bytes) else [int(v) for v in counts]
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise ValueError(f"its runs cover {sum(runs)} pixels of {height * width}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.ascontiguousarray(flat.reshape(width, height).T)


def _runs(mask: NDArray[np.bool_]) -> list[int]:
    flat = np.concatenate([[False], mask.T.reshape(-1)])  # the first run counts zeros, be there none
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    runs: list[int] = np.diff(np.concatenate([[0], changes, [mask.size]])).tolist()
    return runs


def _pack(runs: list[int]) -> str:
    characters = []
    for k, run in enumerate(runs):
        value = run - runs[k - 2] if k > 2 else run
        while True:
            low, value = value & 31, value >> 5
            more = value != (-1 if low & 16 else 0)
            characters.append(chr(48 + low + 32 * more))
            if not more:
                break
    return "".join(characters)


def _unpack(text: str | bytes) -> list[int]:
    codes = text.encode() if isinstance(text, str) else text
    runs: list[int] = []
    value = shift = 0
    for code in codes:
        part = code - 48
        value |= (part & 31) << shift
        shift += 5
        if not part & 32:
            value -= (1 << shift) if part & 16 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
