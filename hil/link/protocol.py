"""Every message between host and agent is built and checked here: versioned, bounded, checksummed, never a pickle.

A message is a ZeroMQ multipart:
    part 0    fixed header, 60 bytes, little endian (`_HEADER`): magic, version, kind, number of arrays, session,
              sequence, due time and time of sending in ns, size of part 1, total size of the arrays, checksum
    part 1    msgpack map with string keys and bounded lengths; key "arrays" lists [dtype, [shape...]]
    part 2..  raw C-contiguous arrays
The checksum is XXH3-64 of the header before it, seeded with XXH3-64 of the arrays and part 1, so a constant image is summed
only once; it is ten times as fast as a CRC-32 and as sure to find damage. It keeps nobody out: CURVE does (`hil.link.keys`).
Nothing is allocated before dtype, shape and size agree. `magic` and `version` keep their place in every version.
"""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

import msgpack
import numpy as np
import xxhash
from numpy.typing import NDArray

from scenes.errors import LinkError

VERSION = 3
MAX_PART_BYTES = 8 * 2**20
MAX_META_BYTES = 256 * 2**10
MAX_ARRAYS = 4
MAX_SIDE = 16384
MAX_LIST = 1024
SESSION_BYTES = 8
MAX_STAMP_NS = 2**62
NO_SESSION = bytes(SESSION_BYTES)

_MAGIC = b"RHSL"
_HEADER = struct.Struct("<4sHBB8sQqqIQ")
_CHECKSUM = struct.Struct("<Q")
HEADER_BYTES = _HEADER.size + _CHECKSUM.size
_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in ("uint8", "uint16", "int32", "float32")}

Buffer: TypeAlias = "bytes | memoryview"


class ProtocolError(LinkError):
    """Bytes that are not a message of this protocol; `peer_version` is set where only the version differs."""

    def __init__(self, message: str, peer_version: int | None = None) -> None:
        super().__init__(message)
        self.peer_version = peer_version


class Kind(enum.IntEnum):
    """What a message is for; hosts send HELLO, TERMS, FRAME, PING, PROBE and BYE, agents the rest, PROBE and BYE."""

    HELLO = 1
    WELCOME = 2
    FRAME = 3
    RESULT = 4
    ERROR = 5
    BYE = 6
    PING = 7
    PONG = 8
    PROBE = 9
    TERMS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The checked fixed part; the sizes are within the limits but not yet compared with what came."""

    kind: Kind
    arrays: int
    session: bytes
    seq: int
    due_ns: int
    sent_ns: int
    meta_bytes: int
    array_bytes: int
    checksum: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """A checked message; the arrays are read-only views of the received buffers. `sent_ns` is of the sender's clock."""

    kind: Kind
    session: bytes
    seq: int
    due_ns: int
    meta: dict[str, Any]
    arrays: tuple[NDArray[Any], ...]
    sent_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """A packed message without its addressing: it can be sealed and sent any number of times."""

    kind: Kind
    meta: bytes
    arrays: tuple[memoryview, ...]
    array_bytes: int
    checksum: int


def pack(kind: Kind, meta: Mapping[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> Body:
    """Packs a message body; raises ProtocolError where it breaks a limit, so that no peer has to find out."""
    specs = [[array.dtype.name, list(array.shape)] for array in arrays]
    _check_specs(specs)
    views = tuple(np.ascontiguousarray(array).data.cast("B") for array in arrays)
    packed: bytes = msgpack.packb({**meta, "arrays": specs}, use_bin_type=True)
    if len(packed) > MAX_META_BYTES:
        raise ProtocolError(f"The metadata of a {kind.name} message takes {len(packed)} bytes, over {MAX_META_BYTES}.")
    return Body(
        kind=kind, meta=packed, arrays=views, array_bytes=sum(v.nbytes for v in views),
        checksum=checksum_of(packed, views),
    )  # fmt: skip


def checksum_of(meta: Buffer, arrays: Sequence[Buffer]) -> int:
    """Returns the checksum of a body, which seeds the one of its header."""
    state = xxhash.xxh3_64()
    for part in (*arrays, meta):
        state.update(part)
    return state.intdigest()


def seal(body: Body, *, session: bytes = NO_SESSION, seq: int = 0, due_ns: int = 0, sent_ns: int = 0) -> list[Buffer]:
    """Returns the parts to send; copies nothing and costs microseconds.

    `sent_ns` is now on the sender's clock, 0 = unsaid.
    """
    head = _HEADER.pack(
        _MAGIC, VERSION, body.kind, len(body.arrays), session, seq, due_ns, sent_ns, len(body.meta), body.array_bytes
    )
    return [head + _CHECKSUM.pack(xxhash.xxh3_64_intdigest(head, body.checksum)), body.meta, *body.arrays]


def unpack(body: Body) -> tuple[dict[str, Any], tuple[NDArray[Any], ...]]:
    """Returns metadata and arrays of a body that `pack` made here."""
    meta = _unpack_meta(body.meta)
    return meta, _view_arrays(meta.pop("arrays", None), body.arrays)


def open_header(part: Buffer) -> Header:
    """Checks the fixed part alone; raises ProtocolError."""
    if len(part) < 6 or bytes(part[:4]) != _MAGIC:
        raise ProtocolError(f"Expected a Rehearse message, got {len(part)} foreign bytes.")
    version = int.from_bytes(part[4:6], "little")
    if version != VERSION:
        raise ProtocolError(f"This side speaks version {VERSION} of the link, the other side {version}.", version)
    if len(part) != HEADER_BYTES:
        raise ProtocolError(f"Expected a header of {HEADER_BYTES} bytes, got {len(part)}.")
    _, _, kind, arrays, session, seq, due_ns, sent_ns, meta_bytes, array_bytes = _HEADER.unpack_from(part)
    if kind not in Kind.__members__.values():
        raise ProtocolError(f"Unknown kind of message {kind}.")
    if arrays > MAX_ARRAYS or meta_bytes > MAX_META_BYTES or array_bytes > MAX_ARRAYS * MAX_PART_BYTES:
        raise ProtocolError(f"A {Kind(kind).name} message announces more than the limits allow.")
    (checksum,) = _CHECKSUM.unpack_from(part, _HEADER.size)
    return Header(
        kind=Kind(kind), arrays=arrays, session=session, seq=seq, due_ns=due_ns, sent_ns=sent_ns,
        meta_bytes=meta_bytes, array_bytes=array_bytes, checksum=checksum,
    )  # fmt: skip


def open_message(parts: Sequence[Buffer]) -> Message:
    """Checks a whole message and views its arrays without a copy; raises ProtocolError and nothing else."""
    if not parts:
        raise ProtocolError("Expected a Rehearse message, got an empty one.")
    header = open_header(parts[0])
    if len(parts) != 2 + header.arrays:
        raise ProtocolError(f"Expected {2 + header.arrays} parts, got {len(parts)}.")
    payload = parts[2:]
    if len(parts[1]) != header.meta_bytes or sum(len(p) for p in payload) != header.array_bytes:
        raise ProtocolError("The parts of a message do not have the announced sizes.")
    seed = checksum_of(parts[1], payload)
    if xxhash.xxh3_64_intdigest(parts[0][: _HEADER.size], seed) != header.checksum:
        raise ProtocolError("A message was damaged on the way: its checksum does not match.")
    meta = _unpack_meta(parts[1])
    arrays = _view_arrays(meta.pop("arrays", None), payload)
    return Message(
        kind=header.kind, session=header.session, seq=header.seq, due_ns=header.due_ns, sent_ns=header.sent_ns,
        meta=meta, arrays=arrays,
    )  # fmt: skip


def is_stamp(value: object) -> TypeGuard[int]:
    """Whether a value is a time in ns that any arithmetic of ours can hold."""
    return type(value) is int and -MAX_STAMP_NS < value < MAX_STAMP_NS


def printable(text: object) -> str:
    """Returns what a peer said as one line that does nothing to a terminal, cut to 300 characters."""
    return "".join(c if c.isprintable() else "?" for c in str(text)[:300])


def _unpack_meta(part: Buffer) -> dict[str, Any]:
    try:
        meta = msgpack.unpackb(
            part, raw=False, strict_map_key=True, max_str_len=4096, max_bin_len=4096, max_array_len=MAX_LIST,
            max_map_len=MAX_LIST, max_ext_len=0,
        )  # fmt: skip
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise ProtocolError(f"The metadata of a message is not the msgpack that it should be: {error}.") from error
    if not isinstance(meta, dict) or not all(isinstance(key, str) for key in meta):
        raise ProtocolError("The metadata of a message is not a map with string keys.")
    return meta


def _view_arrays(specs: object, payload: Sequence[Buffer]) -> tuple[NDArray[Any], ...]:
    checked = _check_specs(specs)
    if len(checked) != len(payload):
        raise ProtocolError(f"The metadata describes {len(checked)} arrays, {len(payload)} came.")
    arrays = []
    for (dtype, shape), part in zip(checked, payload, strict=True):
        if math.prod(shape) * dtype.itemsize != len(part):
            raise ProtocolError(f"An array {dtype} {shape} cannot be made of {len(part)} bytes.")
        array = np.frombuffer(part, dtype=dtype).reshape(shape)
        array.setflags(write=False)
        arrays.append(array)
    return tuple(arrays)


def _check_specs(specs: object) -> list[tuple[np.dtype[Any], tuple[int, ...]]]:
    if not isinstance(specs, list) or len(specs) > MAX_ARRAYS:
        raise ProtocolError(f"A message needs a list of at most {MAX_ARRAYS} arrays.")
    checked = []
    for spec in specs:
        if not (isinstance(spec, list) and len(spec) == 2 and isinstance(spec[0], str) and isinstance(spec[1], list)):
            raise ProtocolError("An array is described by a dtype name and a list of sizes.")
        name, shape = spec
        if name not in _DTYPES:
            raise ProtocolError(f"An array may be {', '.join(_DTYPES)}, not {name[:40]!r}.")
        # A run of bytes is as long as a part may be; whatever has a meaning by its shape is an image or smaller.
        longest = MAX_PART_BYTES if name == "uint8" and len(shape) == 1 else MAX_SIDE
        if not 1 <= len(shape) <= 4 or not all(type(side) is int and 1 <= side <= longest for side in shape):
            raise ProtocolError(f"An array needs 1 to 4 sizes from 1 to {longest}.")
        if math.prod(shape) * _DTYPES[name].itemsize > MAX_PART_BYTES:
            raise ProtocolError(f"An array {name} {shape} is larger than {MAX_PART_BYTES} bytes.")
        checked.append((_DTYPES[name], tuple(shape)))
    return checked
