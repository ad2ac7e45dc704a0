import tracemalloc
import zlib

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.link.answer import open_answer, pack_answer, repack_answer
from hil.link.codec import RAW, codecs, decode, encode
from hil.link.packer import Packer, Terms
from hil.link.protocol import Kind, ProtocolError, open_message, pack, seal
from tests.hil.link.test_answer import SIZE, STAMP_VALUES, good, predictions, reopened

DTYPES = st.sampled_from([np.uint8, np.uint16, np.int32, np.float32])
MAPS = DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)))
EVERY = pytest.mark.parametrize("codec", codecs())


def unpacked(data, array, codec):
    return decode(data, codec, dtype=array.dtype, shape=array.shape)


@EVERY
@given(array=MAPS)
@settings(deadline=None, max_examples=150)
def test_every_map_comes_out_bit_for_bit(codec, array):
    got = unpacked(encode(array, codec), array, codec)
    assert got.dtype == array.dtype
    assert got.tobytes() == array.tobytes()  # as bytes, since any bits may be those of a nan


@EVERY
def test_smooth_depth_and_ids_get_smaller(codec):
    y, x = np.mgrid[0:240, 0:320]
    depth_m = (1 / (0.4 + 0.001 * y + 0.0004 * x)).astype(np.float32)
    ids = ((x // 80) + 4 * (y // 80)).astype(np.uint8)
    assert encode(depth_m, codec).nbytes < depth_m.nbytes / 3
    assert encode(ids, codec).nbytes < ids.nbytes / 40


@EVERY
def test_a_view_that_is_not_contiguous_is_packed_too(codec):
    array = np.arange(240, dtype=np.int32).reshape(12, 20)[::2, ::2]
    assert np.array_equal(unpacked(encode(array, codec), array, codec), array)


def bomb(codec, size):
    flat = bytes(size)
    if codec == "zlib":
        return np.frombuffer(zlib.compress(flat, 9), np.uint8)
    import zstandard

    return np.frombuffer(zstandard.ZstdCompressor(level=9).compress(flat), np.uint8)


@EVERY
@pytest.mark.parametrize("size", [48 * 4 + 1, 2**28], ids=["a byte", "256 MiB"])
def test_a_bomb_is_refused_and_never_unpacked(codec, size):
    data = bomb(codec, size)
    tracemalloc.start()
    with pytest.raises(ProtocolError, match="map"):
        decode(data, codec, dtype=np.dtype(np.float32), shape=SIZE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_frame_that_hides_its_size_is_refused():
    zstandard = pytest.importorskip("zstandard")
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    data = packer.compress(bytes(2**24)) + packer.flush()
    with pytest.raises(ProtocolError, match="announces"):
        decode(np.frombuffer(data, np.uint8), "zstd", dtype=np.dtype(np.uint8), shape=SIZE)


@EVERY
@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: np.append(data, np.uint8(0)),
        lambda data: np.append(data, data),
        lambda data: data[1:],
        lambda _: np.zeros(1, np.uint8),
    ],
    ids=["cut", "half", "longer", "twice", "headless", "nothing"],
)
def test_what_is_not_exactly_one_packed_map_is_refused(codec, change):
    array = np.random.default_rng(0).integers(0, 9, SIZE, dtype=np.uint8)
    with pytest.raises(ProtocolError):
        unpacked(change(encode(array, codec)), array, codec)


@EVERY
@given(data=st.binary(min_size=1, max_size=200), position=st.integers(0, 10**6), change=st.integers(0, 255))
@settings(deadline=None, max_examples=300)
def test_garbage_and_damage_are_read_or_refused(codec, data, position, change):
    array = np.arange(48, dtype=np.float32).reshape(SIZE)
    damaged = encode(array, codec).copy()
    damaged[position % len(damaged)] ^= change
    for packed in (np.frombuffer(data, np.uint8), damaged):
        try:
            got = unpacked(packed, array, codec)
        except ProtocolError:
            continue
        assert (got.shape, got.dtype) == (SIZE, np.float32)


def test_a_codec_that_nobody_has_is_refused():
    with pytest.raises(ProtocolError, match="'brotli'"):
        decode(np.zeros(3, np.uint8), "brotli", dtype=np.dtype(np.uint8), shape=SIZE)
    with pytest.raises(ValueError, match="brotli"):
        encode(np.zeros(SIZE, np.uint8), "brotli")


@EVERY
@given(prediction=predictions())
@settings(deadline=None, max_examples=100)
def test_a_packed_prediction_crosses_the_link_bit_for_bit(codec, prediction):
    packer = Packer(Terms(compress="always", codecs=(codec,)))
    body = repack_answer(pack_answer(prediction, STAMP_VALUES), packer)
    got, stamps = open_answer(reopened(body), size=SIZE, categories=18)
    assert (packer.codec, got.segments, stamps) == (codec, prediction.segments, STAMP_VALUES)
    assert np.array_equal(got.segment_id, prediction.segment_id)
    assert got.depth_m.tobytes() == prediction.depth_m.tobytes()


def test_a_raw_answer_is_left_as_it_is():
    answer = good()
    body = pack(Kind.RESULT, answer.meta, answer.arrays)
    assert repack_answer(body, Packer()) is body


@pytest.mark.parametrize(
    ("packed", "sentence"),
    [
        ("zlib", "names its codec"),
        (["zlib"], "names its codec"),
        ([1, "uint8"], "names its codec"),
        (["zlib", "float32"], "names its codec"),
        (["zlib", "object"], "names its codec"),
        ([RAW, "uint8"], "cannot unpack"),
        (["zlib", "uint16"], "unpacks to 48"),
    ],
)
def test_what_says_of_itself_something_else_is_refused(packed, sentence):
    answer = good()
    maps = [encode(array, "zlib") for array in answer.arrays]
    message = reopened(pack(Kind.RESULT, {**answer.meta, "packed": packed}, maps))
    with pytest.raises(ProtocolError, match=sentence):
        open_answer(message, size=SIZE, categories=18)


def test_packed_maps_of_another_image_are_refused():
    answer = good()
    maps = [encode(np.ones((60, 80), array.dtype), "zlib") for array in answer.arrays]
    message = reopened(pack(Kind.RESULT, {**answer.meta, "packed": ["zlib", "uint8"]}, maps))
    with pytest.raises(ProtocolError, match="does not end"):
        open_answer(message, size=SIZE, categories=18)


def test_maps_that_are_not_runs_of_bytes_are_refused():
    answer = good()
    message = reopened(pack(Kind.RESULT, {**answer.meta, "packed": ["zlib", "uint8"]}, answer.arrays))
    with pytest.raises(ProtocolError, match="two runs of bytes"):
        open_answer(message, size=SIZE, categories=18)


def test_the_time_of_sending_is_that_of_the_header():
    answer = good()
    parts = [bytes(p) for p in seal(pack(Kind.RESULT, answer.meta, answer.arrays), sent_ns=77)]
    assert open_answer(open_message(parts), size=SIZE, categories=18)[1]["send_ns"] == 77
