"""Ways to spoil one message, by name: each returns the parts of the spoilt one, or None where it cannot be spoilt that way.

`corrupt`, `truncate`, `oversize` and `version` are what a broken network or another release does; the others are what a
hostile or faulty peer can say with a right checksum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from hil.link.protocol import (
    MAX_PART_BYTES,
    SESSION_BYTES,
    VERSION,
    Buffer,
    Kind,
    Message,
    ProtocolError,
    open_message,
    pack,
    seal,
)

Parts = Sequence[Buffer]
_NO_KIND = 200
_OTHER = {np.dtype(np.uint8): np.float32, np.dtype(np.uint16): np.float32}


def spoil(name: str, parts: Parts, *, rng: np.random.Generator) -> list[Buffer] | None:
    """Returns a copy of a message with the fault `name`; None where it has nothing that could be spoilt so."""
    return _WAYS[name](parts, rng)


def _corrupt(parts: Parts, rng: np.random.Generator) -> list[Buffer] | None:
    ends = np.cumsum([len(part) for part in parts])
    if ends[-1] == 0:
        return None
    at = int(rng.integers(int(ends[-1])))
    index = int(np.searchsorted(ends, at, side="right"))
    changed = bytearray(parts[index])
    changed[at - int(ends[index]) + len(changed)] ^= int(rng.integers(1, 256))
    return [*parts[:index], bytes(changed), *parts[index + 1 :]]


def _truncate(parts: Parts, rng: np.random.Generator) -> list[Buffer] | None:
    *whole, last = parts
    return None if len(last) == 0 else [*whole, bytes(last[: int(rng.integers(len(last)))])]


def _oversize(parts: Parts, _: np.random.Generator) -> list[Buffer]:
    *whole, last = parts
    return [*whole, bytes(last) + bytes(MAX_PART_BYTES + 1 - len(last))]


def _version(parts: Parts, _: np.random.Generator) -> list[Buffer]:
    head = bytearray(parts[0])
    head[4:6] = (VERSION + 1).to_bytes(2, "little")
    return [bytes(head), *parts[1:]]


def _kind(parts: Parts, _: np.random.Generator) -> list[Buffer] | None:
    message = _opened(parts)
    if message is None:
        return None
    body = replace(pack(message.kind, message.meta, message.arrays), kind=cast("Kind", _NO_KIND))
    return seal(body, session=message.session, seq=message.seq, due_ns=message.due_ns)


def _session(parts: Parts, rng: np.random.Generator) -> list[Buffer] | None:
    message = _opened(parts)
    return None if message is None else _sealed(message, session=rng.bytes(SESSION_BYTES))


def _dtype(parts: Parts, _: np.random.Generator) -> list[Buffer] | None:
    message = _opened(parts)
    if message is None or not message.arrays:
        return None
    arrays = [array.astype(_OTHER.get(array.dtype, np.uint8)) for array in _fitting(message)]
    return _sealed(message, arrays=arrays)


def _shape(parts: Parts, _: np.random.Generator) -> list[Buffer] | None:
    message = _opened(parts)
    if message is None or not message.arrays:
        return None
    return _sealed(message, arrays=[a[..., 0] if a.ndim == 3 else a[:-1] for a in _fitting(message)])


def _nan(parts: Parts, rng: np.random.Generator) -> list[Buffer] | None:
    message = _opened(parts)
    if message is None or not message.arrays:
        return None
    if not any(array.dtype == np.float32 for array in message.arrays):
        return _sealed(message, meta={**message.meta, "intrinsics": [math.nan] * 4})
    arrays = [array.copy() for array in message.arrays]
    for array in arrays:
        if array.dtype == np.float32:
            array.reshape(-1)[int(rng.integers(array.size))] = math.nan
    return _sealed(message, arrays=arrays)


def _opened(parts: Parts) -> Message | None:
    """Returns the message; None for one that is broken already, or encrypted."""
    try:
        return open_message(parts)
    except ProtocolError:
        return None


def _fitting(message: Message) -> list[Any]:
    """Returns arrays small enough to be packed in a wider type: what matters is that they are the wrong ones."""
    return [array[:64] for array in message.arrays]


def _sealed(message: Message, *, session: bytes | None = None, meta: Any = None, arrays: Any = None) -> list[Buffer] | None:
    try:
        body = pack(message.kind, message.meta if meta is None else meta, message.arrays if arrays is None else arrays)
    except ProtocolError:  # an array of one row has no row to lose
        return None
    return seal(body, session=message.session if session is None else session, seq=message.seq, due_ns=message.due_ns)


_WAYS: dict[str, Callable[[Parts, np.random.Generator], list[Buffer] | None]] = {
    "corrupt": _corrupt, "truncate": _truncate, "oversize": _oversize, "version": _version, "kind": _kind,
    "session": _session, "dtype": _dtype, "shape": _shape, "nan": _nan,
}  # fmt: skip
WAYS = tuple(_WAYS)
