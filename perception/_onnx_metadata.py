"""Reads the metadata of an ONNX file without any ONNX library, and refuses bytes that are not an ONNX model."""

from __future__ import annotations

# The ONNX protobuf, as far as it matters here: ModelProto has ir_version = 1 (varint), graph = 7 (message) and
# metadata_props = 14 (repeated message with key = 1 and value = 2). Nothing is copied but the metadata itself.

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_IR_VERSION, _GRAPH, _METADATA = 1, 7, 14


def metadata_props(model: bytes) -> dict[str, str]:
    """Returns the `metadata_props` of a serialized ModelProto; raises ValueError where the bytes are not one."""
    props: dict[str, str] = {}
    seen = set()
    for field, wire, payload in _fields(memoryview(model)):
        seen.add((field, wire))
        if (field, wire) == (_METADATA, _BYTES):
            entry = {f: bytes(p).decode("utf-8") for f, w, p in _fields(payload) if w == _BYTES}
            props[entry.get(1, "")] = entry.get(2, "")
    if not {(_IR_VERSION, _VARINT), (_GRAPH, _BYTES)} <= seen:
        raise ValueError("no ONNX graph was found in it")
    return props


def _fields(data: memoryview) -> list[tuple[int, int, memoryview]]:
    """Splits one protobuf message into (field number, wire type, payload); a varint has an empty payload."""
    fields = []
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            _, end = _varint(data, at)
            start = end
        elif wire == _BYTES:
            length, start = _varint(data, at)
            end = start + length
        elif wire in (_FIXED64, _FIXED32):
            start, end = at, at + (8 if wire == _FIXED64 else 4)
        else:
            raise ValueError(f"byte {at} holds the protobuf wire type {wire}, which ONNX does not use")
        if end > len(data):
            raise ValueError(f"it ends {end - len(data)} bytes too early")
        fields.append((key >> 3, wire, data[start:end]))
        at = end
    return fields


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Reads one base-128 number of at most ten bytes; returns it and the position after it."""
    value = 0
    for index, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError(f"the number at byte {at} does not end")
