import numpy as np
import pytest

from hil.agent.worker import Done, Job
from hil.host.client import Client
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.link import packer as module
from hil.link.codec import codecs
from hil.link.packer import COMPRESS, Packer, Terms, checked_packing
from hil.link.packing import Packing
from hil.link.probe import LARGE, asked_for, probe_body
from hil.link.protocol import Kind, ProtocolError, open_message, pack, seal
from hil.link.terms import agree
from tests.hil.link.test_answer import good

SLOW, FAST = 1e6, 5e9  # bytes per second


def maps(seed=0):
    y, x = np.mgrid[0:120, 0:160]
    depth_m = (1 + 0.001 * x + 0.002 * y + seed).astype(np.float32)
    return [(x // 40).astype(np.uint8), depth_m]


def settled(**terms):
    packer = Packer(Terms(codecs=codecs(), **terms))
    names = [packer.pack(maps(seed))[1] for seed in range(6)]
    return packer, names


def test_never_is_never_and_always_is_at_once():
    assert settled(compress="never", down_bytes_s=SLOW)[1] == ["raw"] * 6
    assert settled(compress="always", down_bytes_s=FAST)[1] == [codecs()[0]] * 6


def test_a_slow_link_gets_packed_answers_after_the_trials():
    packer, names = settled(compress="auto", down_bytes_s=SLOW)
    assert names[:3] == ["raw"] * 3
    assert set(names[3:]) == {packer.codec} <= set(codecs())
    facts = packer.facts()
    assert facts["codec"] == packer.codec
    assert "at 8 Mbit/s" in facts["why"]
    assert facts["answers"] == 6
    assert 0 < facts["bytes"] < facts["raw_bytes"] == 6 * sum(a.nbytes for a in maps())


def test_a_fast_link_is_left_alone():
    packer, names = settled(compress="auto", down_bytes_s=FAST)
    assert names == ["raw"] * 6
    assert "the link carries an answer in" in packer.facts()["why"]


@pytest.mark.parametrize(("pack_s", "expected"), [(0.001, "a codec"), (0.050, "raw")])
def test_the_quicker_way_wins(monkeypatch, pack_s, expected):
    """96,000 raw bytes at 10 MB/s take 9.6 ms; 9,600 and a codec of 1 ms take 2.96 ms, of 50 ms longer."""

    def measure(_maps, _codec, trial):
        trial.pack_s.append(pack_s)
        trial.unpack_s.append(pack_s)
        trial.size.append(9600)

    monkeypatch.setattr(module, "_measure", measure)
    packer, _ = settled(compress="auto", down_bytes_s=1e7)
    assert packer.codec == (codecs()[0] if expected == "a codec" else "raw")


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (Terms(), "not asked for"),
        (Terms(compress="always", codecs=("snappy",)), "no codec in common"),
        (Terms(compress="auto", codecs=codecs()), "could not be measured"),
    ],
)
def test_raw_has_its_reason(terms, why):
    assert why in Packer(terms).facts()["why"]


def terms_message(**meta):
    return open_message([bytes(p) for p in seal(pack(Kind.TERMS, meta))])


def test_terms_are_read():
    got = Terms.of(terms_message(compress="auto", codecs=["zlib", 3], down_bytes_s=1e6))
    assert got == Terms(compress="auto", codecs=("zlib",), down_bytes_s=1e6)


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"compress": "yes", "codecs": []},
        {"compress": ["auto"], "codecs": []},
        {"compress": "auto", "codecs": "zlib"},
        {"compress": "auto", "codecs": ["x"] * 17},
        {"compress": "auto", "codecs": [], "down_bytes_s": -1},
        {"compress": "auto", "codecs": [], "down_bytes_s": float("nan")},
        {"compress": "auto", "codecs": [], "down_bytes_s": "fast"},
        {"compress": "auto", "codecs": [], "down_bytes_s": True},
    ],
)
def test_hostile_terms_are_a_protocol_error(meta):
    with pytest.raises(ProtocolError):
        Terms.of(terms_message(**meta))


@pytest.mark.parametrize("asked", [-1, LARGE + 1, 2**60, "1", 1.0, None, True])
def test_no_probe_is_larger_than_it_may_be(asked):
    with pytest.raises(ProtocolError):
        asked_for(asked)


def test_a_probe_cannot_be_made_smaller():
    import zlib

    (noise,) = probe_body(LARGE).arrays
    assert len(zlib.compress(noise)) > LARGE
    with pytest.raises(ProtocolError):
        probe_body(LARGE + 1)


@pytest.mark.parametrize("value", [None, 3, [], {"codec": 3, "answers": "many", "bytes": 2**63, "other": 1}])
def test_what_a_peer_says_of_its_packing_is_checked(value):
    assert checked_packing(value) == {}


def done(seq):
    answer = good()
    job = Job(peer=b"", session=b"", seq=seq, rgb=np.zeros((1, 1, 3), np.uint8), intrinsics={}, receive_ns=0)
    return Done(job=job, body=pack(Kind.RESULT, answer.meta, answer.arrays))


def test_packing_leaves_errors_and_floods_to_the_link():
    packing = Packing()
    packing.agree(Terms(compress="always", codecs=codecs()))
    try:
        assert not packing.submit(Done(job=done(0).job, body=pack(Kind.ERROR, {"code": "engine"})))
        assert packing.submit(done(1))
        packing.wake.setblocking(True)
        packing.wake.settimeout(5)
        assert packing.wake.recv(1)
        packing.wake.setblocking(False)
        packed = packing.take()
        assert packed.job.seq == 1
        assert packed.body.array_bytes != done(1).body.array_bytes
        assert packing.take() is None
    finally:
        packing.close()


def test_the_host_measures_the_link(start_agent):
    with Client(start_agent().address) as client:
        facts = agree(client)
        assert facts["compress"] == "auto"
        assert 0 < facts["round_trip_ms"] < 100
        assert facts["up_mbit_s"] > 100
        assert facts["down_mbit_s"] > 100


def test_a_probe_or_terms_without_sense_are_counted(start_agent):
    with Client(start_agent().address) as client:
        client.send(pack(Kind.PROBE, {"bytes": 2**40}))
        client.send(pack(Kind.TERMS, {"compress": 1}))
        client.ping(seq=9)
        pong = client.wait_for(Kind.PONG, 9, 2.0)
        assert pong.meta["counters"]["protocol_errors"] == 2


@pytest.mark.parametrize("compress", COMPRESS)
def test_answers_are_right_however_they_were_packed(start_agent, frames, compress):
    rule = WarmUp(frames=8, seconds=0.0, windows=0)
    agent = start_agent(0.002)
    session = run_session(
        frames, device=agent.address, rate_hz=20.0, duration_s=0.6, deadline_s=2.0, warm_up=rule, compress=compress
    )
    assert session.outcomes()["on_time"] >= 6
    for record in session.due:
        if (prediction := session.predictions.get(record.seq)) is not None:
            rgb = frames[record.image].rgb
            assert np.array_equal(prediction.depth_m, (1 + rgb[..., 0].astype(np.float32) / 64).astype(np.float32))
    answers = session.link["answers"]
    assert answers["codec"] == (codecs()[0] if compress == "always" else "raw")
    assert answers["answers"] == len([f for f in session.frames if f.return_ns is not None])
