"""Adds attachments to an MCAP file that is closed: its data grow, its summary is written anew, no message is touched."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mcap.data_stream import RecordBuilder
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    McapRecord,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.stream_reader import StreamReader
from mcap.writer import MCAP0_MAGIC as MAGIC

from scenes.errors import DatasetError

_FOOTER_BYTES = 1 + 8 + 8 + 8 + 4
_DATA_END_BYTES = 1 + 8 + 4
_MAX_SUMMARY_BYTES = 2**30
_OPCODES: dict[type[McapRecord], Opcode] = {
    Schema: Opcode.SCHEMA, Channel: Opcode.CHANNEL, Statistics: Opcode.STATISTICS, ChunkIndex: Opcode.CHUNK_INDEX,
    AttachmentIndex: Opcode.ATTACHMENT_INDEX, MetadataIndex: Opcode.METADATA_INDEX,
}  # fmt: skip
_GROUPS = tuple(_OPCODES.values())


def append_attachments(path: Path, attachments: Mapping[str, bytes], *, at_ns: int, media_types: Mapping[str, str]) -> None:
    """Adds what was found out later. The newest attachment of a name counts. Raises DatasetError and OSError.

    A loss of power meanwhile leaves the file without its summary; its messages stay whole.
    """
    with path.open("r+b") as file:
        try:
            summary_start, records, crc = _read_end(file)
        except (ValueError, struct.error, McapError) as error:
            raise DatasetError(f"Cannot add to {path}: it is not a closed MCAP file ({error}).") from error
        file.seek(summary_start - _DATA_END_BYTES)
        for name, data in attachments.items():
            builder, offset = RecordBuilder(), file.tell()
            kind = media_types.get(name, "application/json")
            Attachment(create_time=at_ns, log_time=at_ns, name=name, media_type=kind, data=data).write(builder)
            raw = builder.end()
            crc = zlib.crc32(raw, crc)
            file.write(raw)
            records.append(
                AttachmentIndex(
                    offset=offset, length=len(raw), log_time=at_ns, create_time=at_ns, data_size=len(data), name=name,
                    media_type=kind,
                )
            )
        _write_end(file, records, crc, len(attachments))


def _read_end(file: BinaryIO) -> tuple[int, list[McapRecord], int]:
    """Returns where the summary begins, its records and the CRC-32 of the data before it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - len(MAGIC) - _FOOTER_BYTES, 0))
    _, _, start, _, crc = struct.unpack("<BQQQI", file.read(_FOOTER_BYTES))
    if file.read() != MAGIC or not _DATA_END_BYTES < start < size or size - start > _MAX_SUMMARY_BYTES:
        raise ValueError("it has no summary")
    file.seek(start - _DATA_END_BYTES)
    opcode, length, data_crc = struct.unpack("<BQI", file.read(_DATA_END_BYTES))
    summary = file.read(size - len(MAGIC) - start)
    if opcode != Opcode.DATA_END or length != 4 or zlib.crc32(summary[:-4]) != crc:
        raise ValueError("its summary is damaged")
    reader = StreamReader(BytesIO(MAGIC + summary + MAGIC), record_size_limit=_MAX_SUMMARY_BYTES)
    kept = [record for record in reader.records if not isinstance(record, (SummaryOffset, Footer))]
    return start, kept, data_crc


def _write_end(file: BinaryIO, records: list[McapRecord], crc: int, more: int) -> None:
    builder = RecordBuilder()
    DataEnd(data_section_crc=crc).write(builder)
    file.write(builder.end())
    start, offsets = file.tell(), []
    for group in _GROUPS:
        at = builder.count
        for record in records:
            if _OPCODES[type(record)] is group:
                if isinstance(record, Statistics):
                    record.attachment_count += more
                record.write(builder)
        if builder.count > at:
            offsets.append(SummaryOffset(group_opcode=group, group_start=start + at, group_length=builder.count - at))
    offsets_start = start + builder.count
    for offset in offsets:
        offset.write(builder)
    summary = builder.end()
    foot = struct.pack("<BQQQ", Opcode.FOOTER, _FOOTER_BYTES - 9, start, offsets_start)
    file.write(b"".join([summary, foot, struct.pack("<I", zlib.crc32(foot, zlib.crc32(summary))), MAGIC]))
    file.truncate()
    file.flush()
    os.fsync(file.fileno())
