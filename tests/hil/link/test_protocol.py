
import hypothesis.extra.numpy as hnp
import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.link.protocol import (
    HEADER_BYTES,
    MAX_META_BYTES,
    VERSION,
    Body,
    Kind,
    ProtocolError,
    checksum_of,
    open_header,
    open_message,
    pack,
    seal,
)

KINDS = st.sampled_from(list(Kind))
DTYPES = st.sampled_from([np.uint8, np.uint16, np.int32, np.float32])
ARRAYS = st.lists(
    DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=1, max_dims=4, max_side=5))), max_size=4
)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
META = st.dictionaries(st.text(max_size=8).filter(lambda key: key != "arrays"), PLAIN, max_size=4)
SESSION = st.binary(min_size=8, max_size=8)
SEQ = st.integers(0, 2**64 - 1)
DUE = st.integers(-(2**63), 2**63 - 1)


def sealed(kind=Kind.FRAME, meta=None, arrays=(), **address):
    return [bytes(part) for part in seal(pack(kind, meta or {}, arrays), **address)]


def forged(meta_bytes, payload=(), kind=Kind.RESULT):
    """A message with a right header and checksum around any metadata: what a hostile peer can send."""
    views = tuple(memoryview(part) for part in payload)
    checksum = checksum_of(meta_bytes, payload)
    body = Body(kind=kind, meta=meta_bytes, arrays=views, array_bytes=sum(map(len, payload)), checksum=checksum)
    return [bytes(part) for part in seal(body)]


@settings(deadline=None)
@given(KINDS, META, ARRAYS, SESSION, SEQ, DUE)
def test_what_was_packed_comes_out(kind, meta, arrays, session, seq, due_ns):
    message = open_message(sealed(kind, meta, arrays, session=session, seq=seq, due_ns=due_ns))
    assert (message.kind, message.session, message.seq, message.due_ns) == (kind, session, seq, due_ns)
    assert msgpack.packb(message.meta) == msgpack.packb(meta)  # as bytes, since nan != nan
    assert len(message.arrays) == len(arrays)
    for got, sent in zip(message.arrays, arrays, strict=True):
        assert got.dtype == sent.dtype
        assert got.shape == sent.shape
        assert got.tobytes() == sent.tobytes()
        assert not got.flags.writeable


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_no_change_of_any_byte_goes_unnoticed(data):
    parts = sealed(
        Kind.RESULT, {"segments": [[1, 2, 0.5, 1.0]]}, (np.arange(12, dtype=np.uint8), np.ones(3, np.float32))
    )
    index = data.draw(st.integers(0, len(parts) - 1))
    position = data.draw(st.integers(0, len(parts[index]) - 1))
    change = data.draw(st.integers(1, 255))
    changed = bytearray(parts[index])
    changed[position] ^= change
    parts[index] = bytes(changed)
    with pytest.raises(ProtocolError):
        open_message(parts)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
def test_garbage_is_a_protocol_error(parts, with_magic):
    if with_magic and parts:
        parts[0] = sealed()[0][:8] + parts[0]
    with pytest.raises(ProtocolError):
        open_message(parts)


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=200) | PLAIN.map(msgpack.packb), st.lists(st.binary(max_size=16), max_size=4))
def test_hostile_metadata_is_read_or_refused(meta_bytes, payload):
    try:
        message = open_message(forged(meta_bytes, payload))
    except ProtocolError:
        return
    assert len(message.arrays) == len(payload)
    assert all(isinstance(key, str) for key in message.meta)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["uint8", "float32", "object", "float64", "O8", "int64", "<u1", ""]) | st.integers(0, 9),
    st.lists(st.integers(-3, 2**62), max_size=6) | st.none(),
)
def test_an_array_is_never_larger_than_its_bytes(dtype, shape):
    parts = forged(msgpack.packb({"arrays": [[dtype, shape]]}), [bytes(12)])
    try:
        (array,) = open_message(parts).arrays
    except ProtocolError:
        return
    assert array.nbytes == 12


@pytest.mark.parametrize(
    ("meta", "sentence"),
    [
        (msgpack.packb([1, 2]), "not a map"),
        (msgpack.packb({1: 2}), "msgpack"),
        (msgpack.packb({"a": msgpack.ExtType(1, b"x"), "arrays": []}), "msgpack"),
        (msgpack.packb({"a": [0] * 2000, "arrays": []}), "msgpack"),
        (b"\x81\xa1a" + b"\x91" * 5000, "msgpack"),
        (b"\xdd\xff\xff\xff\xff", "msgpack"),
        (msgpack.packb({"a": 1}), "list of at most"),
    ],
    ids=["list", "integer key", "extension", "long list", "deep", "announces 4 G", "no arrays"],
)
def test_bad_metadata_says_why(meta, sentence):
    with pytest.raises(ProtocolError, match=sentence):
        open_message(forged(meta))


def test_another_version_is_told_apart_from_garbage():
    head = bytearray(sealed()[0])
    head[4:6] = (VERSION + 1).to_bytes(2, "little")
    with pytest.raises(ProtocolError, match=f"version {VERSION} of the link") as caught:
        open_header(bytes(head) + b"a longer header")
    assert caught.value.peer_version == VERSION + 1


@pytest.mark.parametrize(
    ("meta", "arrays"),
    [
        ({}, (np.zeros(3, np.float64),)),
        ({}, (np.zeros((0, 3), np.uint8),)),
        ({}, (np.zeros((3000, 3000), np.uint8),)),
        ({}, (np.zeros(1, np.uint8),) * 5),
        ({"text": "x" * MAX_META_BYTES}, ()),
    ],
    ids=["dtype", "empty", "too large", "too many", "long metadata"],
)
def test_a_sender_cannot_break_the_limits_either(meta, arrays):
    with pytest.raises(ProtocolError):
        pack(Kind.RESULT, meta, arrays)


def test_the_header_keeps_its_size():
    assert len(sealed()[0]) == HEADER_BYTES == 60
