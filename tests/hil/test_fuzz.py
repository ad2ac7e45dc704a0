"""Decoders meet what a hostile peer may send: they raise nothing but their own error and allocate no more than they may.

The structure-aware half of the fuzzing; `scripts/fuzz_link.py` is the half that is guided by coverage, over the same targets.
"""

import itertools
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.protocol import MAX_META_BYTES, Kind, ProtocolError, open_message, pack, seal
from tests.hil import fuzz_targets
from tests.hil.fuzz_targets import SESSION, TARGETS, corpus, head_of, real_messages, run, sealed

ROOT = Path(__file__).resolve().parents[2]
CORPUS = list(corpus())
REAL = [parts for _, parts in real_messages()]
# A message of 256 KiB of metadata may become this much of Python's objects, and no more.
MOST_BYTES = 64 * 2**20

NAMES = st.sampled_from(
    ["arrays", "segments", "stamps", "intrinsics", "distortion", "counters", "telemetry", "owes", "code", "reason", "follows",
     "stale_after_s", "engine", "instance", "received_ns", "sent_ns", "at_ns", "temperatures_c", "host", "name"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8) | st.binary(max_size=9)
    | st.sampled_from(["uint8", "uint16", "int32", "float32", "no_lease", "busy", "dropped", "duplicate", SESSION])
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5),
    max_leaves=15,
)
DTYPES = st.sampled_from(["uint8", "uint16", "int32", "float32", "float64"])
SPECS = st.lists(st.tuples(DTYPES, st.lists(st.integers(0, 6), max_size=4)), max_size=3)
META = st.dictionaries(NAMES, VALUES, max_size=5).flatmap(
    lambda meta: (SPECS | VALUES).map(lambda specs: {**meta, "arrays": specs})
)
PAYLOAD = st.lists(st.sampled_from([0, 4, 12, 24, 36, 48]).flatmap(lambda n: st.binary(min_size=n, max_size=n)), max_size=3)
HEADS = st.builds(
    lambda kind, session, seq, due: bytes([kind]) + session + struct.pack("<Qq", seq, due),
    st.integers(0, 255), st.just(SESSION) | st.binary(min_size=8, max_size=8), st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
)  # fmt: skip
CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=4)
# Which value of a message to replace, by the places on the way to it.
PATHS = [*itertools.product(range(5)), *itertools.product(range(5), range(5)), *itertools.product(range(2), range(3), range(3))]
NASTY = [
    None, True, -1, 0, 2**63, 2**64 - 1, -(2**63), float("nan"), float("inf"), -1e308, "", "\x1b[2J" * 9, b"\xff" * 9, [], {},
    [[]], {"": None}, [float("nan")] * 14, [2**64 - 1] * 6, ["uint8"] * 4, [["uint8", [2**40]]], [["float32", [-1, 3]]],
    [0] * 1024,
]  # fmt: skip
STATE: dict = {}


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, len(TARGETS) - 1), st.sampled_from([1, 3, 5, 7]), HEADS, META, PAYLOAD)
def test_right_heads_around_any_contents(target, flags, head, meta, payload):
    parts = [head, msgpack.packb(meta), *payload]
    run(bytes([target, flags]) + b"".join(len(p).to_bytes(2, "little") + p for p in parts), STATE)


def replaced(value, path, new):
    """Returns a copy of plain values in which one, found by going along `path`, is another."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return new
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    at = keys[path[0] % len(keys)]
    inner = replaced(value[at], path[1:], new)
    if isinstance(value, dict):
        return {**value, at: inner}
    return [*value[:at], inner, *value[at + 1 :]]


@pytest.mark.parametrize("seq", [0, 2**62, 2**64 - 1])
def test_real_messages_with_one_value_of_another_kind(seq):
    """Each value of each real message, to the third depth, replaced by each of NASTY, for each of its targets."""
    for targets, parts in real_messages():
        opened = open_message(parts)
        meta = {**opened.meta, "arrays": [[a.dtype.name, list(a.shape)] for a in opened.arrays]}
        head = bytes([opened.kind]) + SESSION + struct.pack("<Qq", seq, 1)
        changed = [msgpack.packb(replaced(meta, path, new)) for path in PATHS for new in NASTY]
        for packed, target in itertools.product(changed, targets):
            message = [head, packed, *parts[2:]]
            run(bytes([target, 1]) + b"".join(len(p).to_bytes(2, "little") + p for p in message), STATE)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(CORPUS), CHANGES, st.integers(0, 10**6))
def test_real_messages_with_some_bytes_changed(data, changes, cut):
    changed = bytearray(data)
    for at, value in changes:
        changed[2 + at % (len(changed) - 2)] = value
    run(bytes(changed[: max(2, cut % (2 * len(changed)))]), STATE)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data):
    run(data, STATE)


def test_the_corpus_is_taken_by_its_targets():
    """A fuzzer that begins with messages that nobody understands would find nothing."""
    for parts in REAL:
        assert open_message(parts).session == SESSION
    resealed = [sealed([head_of(p), *p[1:]], 7) for p in REAL]
    assert [open_message(p).meta for p in resealed] == [open_message(p).meta for p in REAL]
    for data in CORPUS:
        run(data, {})


WRAPS = {"value": b"\x82\xa6arrays\x90\xa1a", "list": b"\x82\xa6arrays\x90\xa1a\xdc\x04\x00", "bare": b""}
BOMBS = {
    "lists in lists": msgpack.packb([]) * (MAX_META_BYTES - 20),
    "maps": b"\x80" * (MAX_META_BYTES - 20),
    "deep": b"\x91" * (MAX_META_BYTES - 20),
    "announces a list of 4 G": b"\xdd\xff\xff\xff\xff",
    "announces a map of 4 G": b"\xdf\xff\xff\xff\xff",
    "announces a text of 4 G": b"\xdb\xff\xff\xff\xff",
    "announces bytes of 4 G": b"\xc6\xff\xff\xff\xff",
    "an extension": b"\xc9\xff\xff\xff\xff\x01",
    "long keys": b"".join(b"\xda\x0f\xff" + bytes([65 + i]) * 4095 + b"\xc0" for i in range(50)),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_a_bomb_of_metadata_takes_no_more_than_it_may(name, wrap):
    parts = sealed([bytes([Kind.PONG]) + SESSION, wrap + BOMBS[name]], 1)
    tracemalloc.start()
    try:
        open_message(parts)
    except ProtocolError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES


def test_a_frame_of_a_gigabyte_is_refused_before_anything_is_allocated():
    parts = sealed([bytes([Kind.FRAME]) + SESSION, msgpack.packb({"arrays": [["float32", [16384, 16384, 4]]]}), bytes(12)], 1)
    tracemalloc.start()
    with pytest.raises(ProtocolError, match="larger than"):
        open_message(parts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_an_agent_cannot_fill_a_host_s_memory_with_names():
    """A thousand new counters in every PONG would be gigabytes in a run of hours."""
    run_of = fuzz_targets.stream()
    for i in range(50):
        names = {f"{i}-{k}" + "x" * 200: k for k in range(1000)}
        parts = [bytes(p) for p in seal(pack(Kind.PONG, {"counters": names}), session=SESSION, seq=0)]
        run_of._take(open_message(parts), 3 + i)
    assert len(run_of.counters) < 64
    assert max(map(len, run_of.counters)) < 64


@pytest.mark.slow
def test_the_coverage_guided_fuzzer_finds_nothing(tmp_path):
    """A short run of it; docs/hil-faults.md says what a long one found."""
    pytest.importorskip("atheris", reason="the coverage-guided fuzzer is atheris: pip install atheris")
    command = [sys.executable, "scripts/fuzz_link.py", "--runs", "100000", "--seed", "1", "--corpus", str(tmp_path / "corpus")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "100000 messages" in done.stdout
