"""The doorbell delivers whole messages in order, never waits for half of one, and closes on what no end says."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.agent.engine_channel import MAX_BYTES, Channel, ChannelClosed

PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=50)
MESSAGES = st.dictionaries(st.text(max_size=10), PLAIN | st.lists(PLAIN, max_size=5), max_size=8)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    yield Channel(ours, blocking=False), theirs
    ours.close()
    theirs.close()


@given(messages=st.lists(MESSAGES, min_size=1, max_size=5))
def test_what_goes_in_comes_out(messages):
    one, other = socket.socketpair()
    sender, receiver = Channel(one, blocking=True), Channel(other, blocking=False)
    for message in messages:
        sender.send(message)
    assert [receiver.receive() for _ in messages] == messages
    assert receiver.receive() is None
    sender.close()
    with pytest.raises(ChannelClosed):
        receiver.receive()
    receiver.close()


def test_half_a_message_is_none_yet(ends):
    channel, theirs = ends
    packed = b"\x81\xa1a\x01"
    whole = struct.pack("<I", len(packed)) + packed
    for byte in whole[:-1]:
        theirs.send(bytes([byte]))
        assert channel.receive() is None
    theirs.send(whole[-1:] + whole)
    assert channel.receive() == channel.receive() == {"a": 1}


@pytest.mark.parametrize(
    "said",
    [struct.pack("<I", MAX_BYTES + 1), b"\xff" * 40, struct.pack("<I", 1) + b"\xc1", struct.pack("<I", 1) + b"\x01",
     struct.pack("<I", 4) + b"\x81\x01\x01\x01"],
    ids=["too large", "noise", "no msgpack", "no map", "a key that is a number"],
)  # fmt: skip
def test_what_no_end_says_closes_it(ends, said):
    channel, theirs = ends
    theirs.send(said)
    with pytest.raises(ChannelClosed):
        channel.receive()


def send_many(channel):
    for _ in range(1000):
        channel.send({"text": "x" * 4000})


def test_an_end_that_does_not_read_is_no_reason_to_wait(ends):
    channel, _ = ends
    with pytest.raises(ChannelClosed):
        send_many(channel)


def test_what_is_too_large_is_not_sent(ends):
    with pytest.raises(ValueError, match=f"over {MAX_BYTES}"):
        ends[0].send({"text": "x" * MAX_BYTES})
