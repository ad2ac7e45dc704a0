"""A recording is a file of checked chunks that only grows: whatever was written before a crash can be read after it.

The file begins with MAGIC. A chunk is
    4 bytes   kind
    4 bytes   length of the payload, little endian
    payload
    4 bytes   CRC-32 of kind, length and payload, little endian
Kinds: HEAD (JSON: what was known before the first frame), ROWS (rows of `hil.recordings.rows`), WHYS (JSON: one more reason),
TAIL (JSON: what was known after the last frame), SCOR (npz: `hil.figures.score_table`), FIGS (JSON: the figures as they were
reported). Readers pass over kinds that they do not know. docs/hil-recordings.md describes every field.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from hil.recordings.rows import ROW, from_rows, to_row
from hil.session import FrameRecord, Session
from perception.prediction import Prediction
from scenes.errors import DatasetError

MAGIC = b"REHEARSE-HIL\x00\x01\r\n"
FORMAT = 1
FILE_NAME = "recording.rhil"
_MAX_PAYLOAD = 2**30
HEAD = ("device", "rate_hz", "deadline_s", "duration_s", "credit", "started_utc", "agent", "host", "claim", "profile")
# In a head: the frames waited for the engine (`hil.host.lockstep`), and the rows are what was measured.
WAITS = "waits"


class TableWriter:
    """The sink that writes the compact table; a context manager. The file is made at `begin`. Raises OSError, as files do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._reasons: dict[str, int] = {}

    def __enter__(self) -> TableWriter:  # noqa: PYI034  # Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(self, head: Mapping[str, Any]) -> None:
        """Writes what is known before the first frame."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb")
        self._file.write(MAGIC)
        layout = [[name, ROW[name].str] for name in ROW.names or ()]
        self._write(b"HEAD", _json({"format": FORMAT, "row": layout, **head}))

    def frame(self, record: FrameRecord, prediction: Prediction | None = None) -> None:  # noqa: ARG002  # a sink's call
        """Writes one frame that has its outcome, without its prediction; frames may come in any order."""
        self._write(b"ROWS", to_row(record, self._number(record.reason)).tobytes())

    def end(self, tail: Mapping[str, Any]) -> None:
        """Writes what is known after the last frame."""
        os.fsync(self._write(b"TAIL", _json(tail)).fileno())

    def close(self) -> None:
        """Closes the file; what was written stays."""
        if self._file is not None:
            self._file.close()

    def _number(self, reason: str | None) -> int:
        if reason is None:
            return 0
        if reason not in self._reasons:
            if len(self._reasons) == np.iinfo(ROW["reason"]).max:
                raise ValueError("a recording holds 65,535 different reasons at most")
            self._reasons[reason] = len(self._reasons) + 1
            self._write(b"WHYS", _json(reason))
        return self._reasons[reason]

    def _write(self, kind: bytes, payload: bytes) -> BinaryIO:
        """Writes a chunk through to the system, so that only a loss of power can take it."""
        if self._file is None:
            raise ValueError("A recording begins with `begin`.")
        self._file.write(pack_chunk(kind, payload))
        self._file.flush()
        return self._file


def record_session(session: Session, path: Path) -> None:
    """Writes a whole session as a recording, for one that was not recorded while it ran. Raises OSError."""
    with TableWriter(path) as writer:
        writer.begin(head_of(session))
        for record in session.frames:
            writer.frame(record)
        writer.end(tail_of(session))


def head_of(session: Session) -> dict[str, Any]:
    """Returns what is known of a session before its first frame."""
    return {name: getattr(session, name) for name in HEAD}


def tail_of(session: Session) -> dict[str, Any]:
    """Returns what is known of a session after its last frame."""
    known = {f.name for f in fields(Session)} - {*HEAD, "frames", "predictions"}
    return {"frame_count": len(session.frames), **{name: getattr(session, name) for name in sorted(known)}}


def append_chunk(path: Path, kind: bytes, payload: bytes) -> None:
    """Adds what was found out later; raises OSError."""
    with path.open("ab") as file:
        file.write(pack_chunk(kind, payload))
        file.flush()
        os.fsync(file.fileno())


def pack_chunk(kind: bytes, payload: bytes) -> bytes:
    """Returns a chunk as it lies in the file."""
    body = kind + len(payload).to_bytes(4, "little") + payload
    return body + zlib.crc32(body).to_bytes(4, "little")


def read_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields (kind, payload); raises ValueError at the first byte that was changed or is missing."""
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("it is not a recording of this kind")
    at = len(MAGIC)
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length
        if length > _MAX_PAYLOAD or end + 4 > len(data):
            raise ValueError(f"it breaks off in the chunk at byte {at}")
        if zlib.crc32(data[at:end]) != int.from_bytes(data[end : end + 4], "little"):
            raise ValueError(f"the chunk at byte {at} is damaged: its CRC-32 does not match")
        yield data[at : at + 4], data[at + 8 : end]
        at = end + 4


def load_recording(path: Path) -> tuple[Session, dict[bytes, bytes]]:
    """Reads the session of a recording, without predictions, and its later chunks by kind; raises DatasetError.

    A recording that was not closed, because its run was killed, is read as far as it goes: the session says so in `fault`.
    """
    try:
        return _session(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"Cannot read the recording {path}: {error.strerror or error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not a recording that can be trusted: {error}.") from error


def _session(data: bytes) -> tuple[Session, dict[bytes, bytes]]:
    rows, reasons, later = list[bytes](), list[str](), dict[bytes, bytes]()
    broken: str | None = None
    chunks = read_chunks(data)
    while True:
        try:
            kind, payload = next(chunks)
        except StopIteration:
            break
        except ValueError as error:
            if b"TAIL" in later or not rows or "breaks off" not in str(error):
                raise
            broken = str(error)
            break
        if kind == b"ROWS":
            rows.append(payload)
        elif kind == b"WHYS":
            reasons.append(str(json.loads(payload)))
        else:
            later[kind] = payload
    head = _head(json.loads(later.pop(b"HEAD")))
    waits = bool(head.pop(WAITS, False))
    frames = from_rows(np.frombuffer(b"".join(rows), ROW), reasons)
    if b"TAIL" in later:
        tail = json.loads(later.pop(b"TAIL"))
        _check_complete(frames, tail)
        session = Session(frames=frames, **head, **tail)
        return (_scheduled(session) if waits else session), later
    fault = f"The recording was not closed{'' if broken is None else ': ' + broken}; its run was killed."
    unknown: dict[str, Any] = {"same_clock": False, "clock_note": "not available: the recording was not closed", "counters": {}}
    session = Session(frames=frames, fault=fault, **head, **unknown)
    return (_scheduled(session) if waits else session), later


def _scheduled(measured: Session) -> Session:
    from hil.host.lockstep import as_scheduled

    return as_scheduled(measured) if measured.frames else measured


def _head(values: dict[str, Any]) -> dict[str, Any]:
    layout = [[name, ROW[name].str] for name in ROW.names or ()]
    if values.pop("format") != FORMAT or values.pop("row") != layout:
        raise ValueError(f"its format is not {FORMAT}, the only one this release reads")
    return values


def _check_complete(frames: tuple[FrameRecord, ...], tail: dict[str, Any]) -> None:
    """A closed recording has every frame once; one that lost any must not pass for a whole run."""
    expected = tail.pop("frame_count", len(frames))
    if [f.seq for f in frames] != list(range(expected)):
        raise ValueError(f"of its {expected} frames {len({f.seq for f in frames})} are there")


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
