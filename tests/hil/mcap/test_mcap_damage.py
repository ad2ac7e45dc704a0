"""No damage to an MCAP recording goes unseen, none costs more memory than its limits, and a killed run can be read."""

import json
import struct
import subprocess
import sys
import tracemalloc
import zlib

import pytest

pytest.importorskip("mcap")
pytest.importorskip("foxglove")

import lz4.frame
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.opcode import Opcode

from hil.figures.replay import replay
from hil.mcap.check import check_recording
from hil.mcap.load import load_run
from hil.mcap.scan import MAGIC, MAX_CHUNK_BYTES, Contents, scan
from hil.mcap.source import McapFrames
from scenes.errors import DatasetError
from tests.hil.mcap_runs import made, reported, write


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("mcap") / "recording.mcap"
    reported(path, made(20))
    return path.read_bytes()


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory):
    """A file whose writer was killed: one chunk per flush, no end."""
    path = tmp_path_factory.mktemp("mcap") / "cut.mcap"
    some = made(30)
    file = write(path, some, close=False, end=False)
    file._writer.flush()
    file.abandon()
    return path.read_bytes(), some


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_one_changed_byte_is_always_seen(whole, data, tmp_path_factory):
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "changed.mcap"
    path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
    with pytest.raises((ValueError, DatasetError)):
        list(scan(path, Contents()))


@pytest.mark.parametrize("place", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_every_reader_says_so_in_a_sentence(whole, tmp_path, place):
    path = tmp_path / "damaged.mcap"
    at = int(place * len(whole)) + 30
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for reader in (replay, check_recording, McapFrames):
        with pytest.raises(DatasetError, match="is not a recording that can be trusted"):
            reader(path)


@pytest.mark.parametrize("cut", [1, 8, 40, 1000, 10_000])
def test_a_closed_recording_that_breaks_off_is_refused(whole, tmp_path, cut):
    (tmp_path / "r.mcap").write_bytes(whole[:-cut])
    with pytest.raises(DatasetError, match="breaks off"):
        load_run(tmp_path / "r.mcap")


def test_nothing_may_follow_the_end(whole, tmp_path):
    (tmp_path / "r.mcap").write_bytes(whole + b"\0")
    with pytest.raises(DatasetError, match=r"breaks off|damaged"):
        load_run(tmp_path / "r.mcap")


def test_a_run_that_was_killed_is_read_as_far_as_it_goes(cut_off, tmp_path):
    data, some = cut_off
    path = tmp_path / "r.mcap"
    path.write_bytes(data)
    run = load_run(path)
    assert run.session.frames == some.frames
    assert "was not closed" in run.session.fault
    assert replay(path)[0]["verdict"]["status"] == "FAIL"
    names = [f.name for f in check_recording(path) if f.holds is False]
    assert names == ["summary", "one outcome per due frame"]
    path.write_bytes(data[:200])
    with pytest.raises(DatasetError, match="breaks off"):
        load_run(path)


def test_a_process_that_is_killed_leaves_what_it_flushed(tmp_path):
    path = tmp_path / "r.mcap"
    code = (
        "import os, signal, sys; from pathlib import Path; from tests.hil.mcap_runs import made, write;"
        "file = write(Path(sys.argv[1]), made(30), close=False, end=False); file._writer.flush();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60)
    assert done.returncode == -9
    assert load_run(path).session.frames == made(30).frames


def chunk(data, codec, size, crc):
    body = struct.pack("<QQQII", 0, 0, size, crc, len(codec)) + codec + struct.pack("<Q", len(data)) + data
    return struct.pack("<BQ", Opcode.CHUNK, len(body)) + body


def scanned(tmp_path, *records):
    path = tmp_path / "forged.mcap"
    path.write_bytes(MAGIC + b"".join(records))
    return list(scan(path, Contents()))


BOMB = bytes(300 * 2**20)


@pytest.mark.parametrize(("codec", "pack"), [(b"zstd", zstandard.compress), (b"lz4", lz4.frame.compress)])
@pytest.mark.parametrize("announced", [100, MAX_CHUNK_BYTES + 1, 2**63])
def test_a_decompression_bomb_is_not_unpacked(tmp_path, codec, pack, announced):
    packed = pack(BOMB)
    assert len(packed) < 2**21
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"damaged|announces"):
        scanned(tmp_path, chunk(packed, codec, announced, 0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * MAX_CHUNK_BYTES


@pytest.mark.parametrize("length", [2**31, 2**63, 2**64 - 1])
@pytest.mark.parametrize("opcode", list(Opcode))
def test_a_forged_length_allocates_nothing(tmp_path, opcode, length):
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"breaks off|limit|damaged"):
        scanned(tmp_path, struct.pack("<BQ", opcode, length) + bytes(1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@given(
    records=st.lists(st.tuples(st.sampled_from([*Opcode, 0, 200]), st.binary(max_size=60)), max_size=6),
    rest=st.binary(max_size=40),
)
@settings(max_examples=150, deadline=None)
def test_any_records_end_in_a_value_error(records, rest, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzz.mcap"
    inner = b"".join(struct.pack("<BQ", op, len(body)) + body for op, body in records)
    packed = chunk(inner, b"", len(inner), zlib.crc32(inner))
    for data in (MAGIC + inner + rest, MAGIC + packed + rest):
        path.write_bytes(data)
        with pytest.raises(ValueError):
            list(scan(path, Contents()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("head.json", b"{}"), ("head.json", b"[1]"), ("head.json", b"\xff"), ("tail.json", b'{"frame_count": 5}'),
        ("tail.json", b"null"), ("scores.npz", b"PK"), ("head.json", b'{"format": 2}'),
    ],
)  # fmt: skip
def test_attachments_that_make_no_sense_are_one_sentence(tmp_path, name, value):
    from hil.mcap.append import append_attachments

    path = tmp_path / "r.mcap"
    reported(path, made(3))
    append_attachments(path, {name: value}, at_ns=0, media_types={})
    with pytest.raises(DatasetError, match=r"can be trusted|do not hold together"):
        replay(path)


def test_a_frame_that_is_missing_is_not_passed_over(tmp_path):
    some = made(5)
    short = made(5)
    object.__setattr__(short, "frames", some.frames[:-1])
    file = write(tmp_path / "r.mcap", short, close=False, end=False)
    from hil.recordings.table import tail_of

    file.end(tail_of(some))
    file.close()
    with pytest.raises(DatasetError, match="of its 12 frames 11 are there"):
        load_run(tmp_path / "r.mcap")
    assert json.loads(load_run_head(tmp_path / "r.mcap"))["rate_hz"] == 15.0


def load_run_head(path):
    contents = Contents()
    list(scan(path, contents))
    return contents.attachments["head.json"]
