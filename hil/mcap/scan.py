"""Reads an MCAP file as if an enemy had written it: every length is held against a limit, every byte against a CRC-32.

Readers of MCAP take CRCs as optional, and what lies outside chunks (lengths, times, metadata) is covered by that of the whole
data section alone, so a file counts as whole only if that one is there and right. Layout: https://mcap.dev/spec.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Metadata, Schema, Statistics
from mcap.writer import MCAP0_MAGIC as MAGIC

MAX_CHUNK_BYTES = 64 * 2**20
MAX_RECORD_BYTES = 2**30
_MAX_TEXT_BYTES = 16 * 2**20
_HEAD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK = struct.Struct("<QQQII")
_FOOTER = struct.Struct("<BQQQI")
_ZSTD_WINDOW = 2**27


class BrokenOffError(ValueError):
    """The file ends too soon, as one does whose writer was killed; everything before was whole."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """One message with the topic it lies on; `data` is a view that lasts as long as it is held."""

    topic: str
    sequence: int
    log_time_ns: int
    publish_time_ns: int
    data: memoryview


@dataclass(slots=True, kw_only=True)
class Contents:
    """What a file said beside its messages, filled while it is scanned; `summary_start` is 0 until all was found whole."""

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    statistics: Statistics | None = None
    counts: dict[int, int] = field(default_factory=dict)
    attachment_count: int = 0
    data_end: int = 0
    data_crc: int = 0
    summary_start: int = 0


def is_mcap(path: Path) -> bool:
    """Whether a file begins as MCAP does; raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def scan(path: Path, contents: Contents) -> Iterator[Entry]:
    """Yields every message in the order of the file and fills `contents`.

    Raises BrokenOffError where the file ends too soon, another ValueError at the first thing that is wrong, and OSError.
    """
    try:
        yield from _scan(path, contents)
    except (struct.error, McapError) as error:
        raise ValueError(f"it has a record that is none: {error or type(error).__name__}") from error


def _scan(path: Path, contents: Contents) -> Iterator[Entry]:
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("it is not an MCAP file")
        crc, at = zlib.crc32(MAGIC), len(MAGIC)
        while True:
            opcode, payload, raw = _record(file, at, size)
            if opcode == Opcode.DATA_END:
                _check_data_end(payload, crc)
                contents.data_end, contents.data_crc = at, crc
                break
            crc, at = zlib.crc32(payload, zlib.crc32(raw, crc)), at + len(raw) + len(payload)
            yield from _data_record(opcode, payload, contents)
        _check_summary(file, at + _HEAD.size + 4, size, contents)


def _record(file: BinaryIO, at: int, size: int) -> tuple[int, bytes, bytes]:
    raw = file.read(_HEAD.size)
    if len(raw) < _HEAD.size:
        raise _too_short(file, at, size)
    opcode, length = _HEAD.unpack(raw)
    if length > size - at - _HEAD.size:
        raise _too_short(file, at, size)
    limit = MAX_RECORD_BYTES if opcode in (Opcode.CHUNK, Opcode.ATTACHMENT) else _MAX_TEXT_BYTES
    if length > limit:
        raise ValueError(f"the record at byte {at} takes {length} bytes, over the limit of {limit}")
    return opcode, file.read(length), raw


def _too_short(file: BinaryIO, at: int, size: int) -> ValueError:
    """A file that was closed ends with the magic bytes: its record is damaged, it was not cut off."""
    file.seek(max(size - len(MAGIC), 0))
    if size >= 2 * len(MAGIC) and file.read() == MAGIC:
        return ValueError(f"the record at byte {at} is damaged: it is longer than the file")
    return BrokenOffError(f"it breaks off in the record at byte {at}")


def _data_record(opcode: int, payload: bytes, contents: Contents) -> Iterator[Entry]:
    if opcode == Opcode.CHUNK:
        yield from _chunk(payload, contents)
    elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
        _remember(opcode, payload, contents)
    elif opcode == Opcode.MESSAGE:
        yield _entry(memoryview(payload), contents)
    elif opcode == Opcode.ATTACHMENT:
        (crc,) = struct.unpack("<I", payload[-4:])
        if zlib.crc32(memoryview(payload)[:-4]) != crc:
            raise ValueError("an attachment is damaged: its CRC-32 does not match")
        attachment = Attachment.read(_stream(payload))
        contents.attachments[attachment.name] = attachment.data
        contents.attachment_count += 1
    elif opcode == Opcode.METADATA:
        metadata = Metadata.read(_stream(payload))
        contents.metadata[metadata.name] = metadata.metadata


def _chunk(payload: bytes, contents: Contents) -> Iterator[Entry]:
    _, _, size, crc, name_bytes = _CHUNK.unpack_from(payload)
    at = _CHUNK.size + name_bytes
    codec, data = payload[_CHUNK.size : at], memoryview(payload)[at + 8 :]
    (length,) = struct.unpack_from("<Q", payload, at)
    if length != len(data) or size > MAX_CHUNK_BYTES:
        raise ValueError(f"a chunk announces {size} bytes in {length}; it has {len(data)}, and may have {MAX_CHUNK_BYTES}")
    records = memoryview(_unpacked(bytes(codec), data, size))
    if len(records) != size or zlib.crc32(records) != crc:
        raise ValueError("a chunk is damaged: its size or its CRC-32 does not match")
    at = 0
    while at < size:
        if at + _HEAD.size > size:
            raise ValueError("a chunk breaks off in a record")
        opcode, length = _HEAD.unpack_from(records, at)
        at += _HEAD.size
        if length > size - at:
            raise ValueError("a chunk has a record that is longer than itself")
        if opcode == Opcode.MESSAGE:
            yield _entry(records[at : at + length], contents)
        elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            _remember(opcode, bytes(records[at : at + length]), contents)
        at += length


def _unpacked(codec: bytes, data: memoryview, size: int) -> bytes:
    """Unpacks at most one byte more than announced, whatever the data says of itself."""
    try:
        if codec == b"zstd":
            with zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(data) as reader:
                return bytes(reader.read(size + 1))
        if codec == b"lz4":
            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(bytes(data), max_length=size + 1))
    except (zstandard.ZstdError, RuntimeError) as error:
        raise ValueError(f"a chunk is damaged: {error}") from error
    if codec:
        raise ValueError(f"a chunk is compressed with {codec[:20]!r}, which is neither zstd nor lz4")
    return bytes(data)


def _entry(record: memoryview, contents: Contents) -> Entry:
    if len(record) < _MESSAGE.size:
        raise ValueError("a message breaks off")
    number, sequence, log_ns, publish_ns = _MESSAGE.unpack_from(record)
    if number not in contents.channels:
        raise ValueError(f"a message lies on channel {number}, which is not described")
    contents.counts[number] = contents.counts.get(number, 0) + 1
    return Entry(
        topic=contents.channels[number].topic, sequence=sequence, log_time_ns=log_ns, publish_time_ns=publish_ns,
        data=record[_MESSAGE.size :],
    )  # fmt: skip


def _remember(opcode: int, payload: bytes, contents: Contents) -> None:
    if opcode == Opcode.SCHEMA:
        schema = Schema.read(_stream(payload))
        contents.schemas[schema.id] = schema
    else:
        channel = Channel.read(_stream(payload))
        contents.channels[channel.id] = channel


def _check_data_end(payload: bytes, crc: int) -> None:
    if len(payload) != 4 or struct.unpack("<I", payload)[0] != crc:
        raise ValueError("it is damaged: the CRC-32 of its data does not match")


def _check_summary(file: BinaryIO, start: int, size: int, contents: Contents) -> None:
    """Checks everything after the data: the summary's CRC-32, the footer, the magic bytes and that nothing follows."""
    end = size - len(MAGIC) - _FOOTER.size
    if end < start or end - start > MAX_RECORD_BYTES:
        raise BrokenOffError("it breaks off in its summary")
    file.seek(start)
    summary, footer, magic = file.read(end - start), file.read(_FOOTER.size), file.read()
    opcode, length, summary_start, offsets_start, crc = _FOOTER.unpack(footer)
    if magic != MAGIC:
        raise BrokenOffError("it breaks off in its summary")
    whole = opcode == Opcode.FOOTER and length == _FOOTER.size - _HEAD.size and summary_start == start
    if not whole or offsets_start > end or zlib.crc32(footer[:-4], zlib.crc32(summary)) != crc:
        raise ValueError("its summary is damaged: its CRC-32 does not match")
    contents.summary_start, at = start, 0
    while at < len(summary):
        opcode, length = _HEAD.unpack_from(summary, at)
        if opcode == Opcode.STATISTICS:
            contents.statistics = Statistics.read(_stream(summary[at + _HEAD.size : at + _HEAD.size + length]))
        at += _HEAD.size + length


def _stream(payload: bytes) -> ReadDataStream:
    return ReadDataStream(BytesIO(payload))
