"""The little of protobuf's wire format that keeps large maps from being copied: fields are joined, and read back in place.

A message is its fields in any order (https://protobuf.dev/programming-guides/encoding), so a map's message is kept without its
time stamp, and the stamp is joined to it each time that it is written.
"""

from __future__ import annotations

from collections.abc import Iterator

Buffer = bytes | memoryview
_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}  # bytes of a field of fixed size, by its kind


def varint(value: int) -> bytes:
    """Returns a non-negative whole number as base-128 varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def bytes_field(number: int, data: Buffer) -> tuple[bytes, Buffer]:
    """Returns the head and the content of a field of bytes, to be joined."""
    return varint(number << 3 | _BYTES) + varint(len(data)), data


def stamp_field(number: int, at_ns: int) -> bytes:
    """Returns a field with a google.protobuf.Timestamp."""
    seconds, nanos = divmod(at_ns, 10**9)
    return b"".join(bytes_field(number, b"\x08" + varint(seconds) + b"\x10" + varint(nanos)))


def fields(data: Buffer) -> Iterator[tuple[int, int | memoryview]]:
    """Yields (number, whole number or bytes) of a message, without copies; reals come as their bits. Raises ValueError."""
    view, at = memoryview(data), 0
    while at < len(view):
        key, at = _varint(view, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
            yield key >> 3, value
            continue
        size, at = _varint(view, at) if kind == _BYTES else (_FIXED.get(kind, -1), at)
        if size < 0 or at + size > len(view):
            raise ValueError("a message has a field that breaks off")
        found = view[at : at + size]
        yield key >> 3, found if kind == _BYTES else int.from_bytes(found, "little")
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            break
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a message has a number that breaks off")
