"""Every decoder of the link as a function of bytes: what a hostile peer may send, and all that may come of it.

An input is a byte that chooses the decoder, one that says how to build the message, then parts as length (2 bytes, little
endian) and bytes. A sealed message has the right magic, version, sizes and checksum around whatever the parts say, since no
fuzzer finds a checksum; a raw one is taken as it is. Each target raises nothing: ProtocolError, where it is a decoder's answer,
is caught here and nowhere else.
"""

from __future__ import annotations

import struct

import numpy as np

from hil.agent.agent import Agent
from hil.agent.telemetry import checked_sample
from hil.faults.damage import WAYS, spoil
from hil.host.client import Client
from hil.host.images import Image, Loaded
from hil.host.stream import Stream
from hil.host.warm_up import WarmUp
from hil.link.answer import open_answer, pack_answer
from hil.link.clock_socket import ClockProbe, ClockServer
from hil.link.codec import codecs, encode
from hil.link.probe import probe_body
from hil.link.protocol import Body, Kind, ProtocolError, checksum_of, open_header, open_message, pack, seal, unpack
from hil.link.request import open_frame, pack_frame
from perception.prediction import Prediction, Segment
from scenes.box import OrientedBox
from scenes.distortion import Distortion
from scenes.errors import LinkError
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose

SIZE = (3, 4)
SESSION = b"session!"
_MOST_PARTS = 7
HELLO = seal(pack(Kind.HELLO, {"stale_after_s": 0.5}), session=SESSION)
IMAGE = Image(body=pack_frame(np.zeros((*SIZE, 3), np.uint8), fx=1.0, fy=1.0, cx=0.0, cy=0.0), size=SIZE)


def parts_of(data):
    """Returns the parts that an input describes."""
    parts, at = [], 0
    while at + 2 <= len(data) and len(parts) < _MOST_PARTS:
        length = int.from_bytes(data[at : at + 2], "little")
        parts.append(bytes(data[at + 2 : at + 2 + length]))
        at += 2 + length
    return parts


def sealed(parts, flags):
    """Returns a message with a right head and checksum around the parts: kind, session, seq and due time, then the rest."""
    first = (parts[0] if parts else b"").ljust(25, b"\0")
    meta, payload = (parts[1] if len(parts) > 1 else b"\x81\xa6arrays\x90"), parts[2:]
    kind = (list(Kind)[first[0] % len(Kind)]) if flags & 2 else first[0]
    session = SESSION if flags & 4 else first[1:9]
    seq, due_ns = int.from_bytes(first[9:17], "little"), int.from_bytes(first[17:25], "little", signed=True)
    views = tuple(memoryview(part) for part in payload)
    checksum = checksum_of(meta, payload)
    body = Body(kind=kind, meta=meta, arrays=views, array_bytes=sum(map(len, payload)), checksum=checksum)
    return [bytes(part) for part in seal(body, session=session, seq=seq, due_ns=due_ns, sent_ns=due_ns)]


def message_of(data):
    """Returns the parts of the message that an input describes."""
    flags = data[1] if len(data) > 1 else 0
    parts = parts_of(data[2:])
    return sealed(parts, flags) if flags & 1 else parts


def input_of(target, parts, flags=0):
    """Returns the input that describes a message: what corpora are made of. A sealed one loses its own head."""
    if flags & 1:
        parts = [head_of(parts), *parts[1:]]
    body = b"".join(len(part).to_bytes(2, "little") + bytes(part) for part in parts)
    return bytes([target, flags]) + body


def head_of(parts):
    """Returns the first part of the input that describes a message: its kind, session, seq and due time."""
    header = open_header(parts[0])
    return bytes([header.kind]) + header.session + struct.pack("<Qq", header.seq, header.due_ns)


class Outbox:
    """Takes what is sent, as a link or a socket would, and keeps nothing."""

    def send(self, _peer, parts):
        return self.send_multipart(parts)

    def send_multipart(self, parts, *_args, **_kwargs):
        return all(memoryview(part) is not None for part in parts)


class Desk:
    """An engine's place that takes every frame and answers none; the last waiting one is replaced, as a mailbox does."""

    finished, fault, events = 0, None, ()

    def __init__(self):
        self.waiting = None

    def offer(self, job):
        replaced, self.waiting = self.waiting, job
        return replaced

    def clear(self):
        waiting, self.waiting = self.waiting, None
        return waiting

    def counters(self):
        return {}

    def latest(self):
        return {}


def agent():
    """An agent of its real class, without sockets and engine, with a lease for SESSION."""
    desk = Desk()
    made = Agent(Outbox(), desk, {"name": "none"}, {}, desk)
    made._packing.close()
    made._receive(b"peer", HELLO, 1)
    return made


def client():
    """A host's end of its real class, without a socket."""
    made = Client.__new__(Client)
    made.device, made.session, made.facts = "tcp://127.0.0.1:1", SESSION, {"engine": {"name": "none"}, "instance": "1"}
    made.protocol_errors = made.stale = 0
    made._terms, made._left = None, set()
    made.send_frame = made.send = lambda *_args, **_kwargs: True
    made.ping = made.knock = made.begin_session = made.reconnect = lambda *_args, **_kwargs: True
    return made


def stream(*, gone=False):
    """A run of its real class with frame 0 in flight; `gone` during an outage."""
    made = Stream(client(), Loaded([IMAGE]), 15.0, WarmUp(frames=1, seconds=0.0, windows=0), 20, 0.06, 2)
    made._hand_over(made.ledger.entries[0], 1)
    if gone:
        made._begin_outage("it fell silent", 0, 1)
    return made


def message(data, _state):
    """The protocol alone."""
    try:
        open_message(message_of(data))
    except ProtocolError:
        return


def frame(data, _state):
    """What an agent makes of a FRAME."""
    try:
        rgb, camera = open_frame(open_message(message_of(data)), -1)
    except ProtocolError:
        return
    assert rgb.ndim == 3
    assert rgb.dtype == np.uint8
    assert {"fx", "fy", "cx", "cy"} <= set(camera)


def answer(data, _state):
    """What a host makes of a RESULT."""
    try:
        prediction, stamps = open_answer(open_message(message_of(data)), size=SIZE, categories=len(TAXONOMY))
    except ProtocolError:
        return
    assert prediction.segment_id.shape == prediction.depth_m.shape == SIZE
    assert np.isfinite(prediction.depth_m).all()
    assert set(np.unique(prediction.segment_id)) <= {0, *(s.id for s in prediction.segments)}
    assert all(type(value) is int for value in stamps.values())


def telemetry(data, _state):
    """What a host makes of the sample in a PONG."""
    try:
        meta = open_message(message_of(data)).meta
    except ProtocolError:
        return
    checked_sample(meta.get("telemetry"))


def welcome(data, _state):
    """What a host makes of the first thing that it hears; a refusal is a LinkError, in one sentence."""
    try:
        client()._open_welcome(message_of(data))
    except LinkError:
        return


def clock_server(data, state):
    """What an agent's clock makes of a PING."""
    state.setdefault("server", _without_sockets(ClockServer, _now=lambda: 1, _socket=Outbox()))
    state["server"]._answer(b"peer", message_of(data), 1)


def clock_probe(data, state):
    """What a host makes of the time that an agent says."""
    state.setdefault("probe", _without_sockets(ClockProbe, _session=SESSION))
    found = state["probe"]._open(message_of(data), 0)
    assert found is None or all(type(value) is int for value in found)


def whole_agent(data, state):
    """A whole agent: it never raises, and what it remembers is bounded."""
    made = state["agent"] = state.get("agent") or agent()
    made._receive(b"peer", message_of(data), 2)
    assert made._lease is None or len(made._lease.seen) <= 64
    if made._lease is None or made._lease.session != SESSION or made._lease.last_seq > 2**63:
        made._lease = None
        made._receive(b"peer", HELLO, 1)


def whole_host(data, state):
    """A whole run: it never raises, and what it remembers is bounded."""
    _into_run(data, state, "run", gone=False)


def whole_host_in_an_outage(data, state):
    """The same while its agent is gone."""
    _into_run(data, state, "outage", gone=True)


def proxy(data, _state):
    """What the fault proxy makes of any bytes."""
    parts = message_of(data) or [b""]
    name = WAYS[data[-1] % len(WAYS)]
    if name != "oversize":
        spoil(name, parts, rng=np.random.Generator(np.random.PCG64(len(data))))


TARGETS = (
    message, frame, answer, telemetry, welcome, clock_server, clock_probe, whole_agent, whole_host,
    whole_host_in_an_outage, proxy,
)  # fmt: skip


def run(data, state):
    """Gives an input to the target that its first byte names."""
    if len(data) >= 2:
        TARGETS[data[0] % len(TARGETS)](data, state)


def real_messages():
    """Returns messages as they really are, each with the targets that are there for it."""
    box = OrientedBox(Pose((0.1, 0.2, 0.3)), (0.1, 0.2, 0.3))
    cup = Segment(id=1, category_id=6, score=0.5, depth_m=1.0, box_camera=box)
    table = Segment(id=2, category_id=3, score=0.2, depth_m=2.0)
    ids = np.full(SIZE, 1, np.int32)
    ids[0, 0] = 2
    prediction = Prediction(segment_id=ids, segments=(cup, table), depth_m=np.ones(SIZE, np.float32))
    stamps = dict.fromkeys(("receive_ns", "preprocess_start_ns", "infer_start_ns", "infer_end_ns", "post_end_ns", "send_ns"), 5)
    rgb = np.zeros((*SIZE, 3), np.uint8)
    sample = {"at_ns": 5, "rss_bytes": 9, "temperatures_c": {"cpu": 40.0}, "events": {"oc1": 1}, "loads": {"gpu": 0.5}}
    events = [{"at_ns": 5, "what": "failed", "why": "it hung"}]
    counts = {"counters": {"answered": 3, "dropped": 1}, "telemetry": sample, "owes": [0], "events": events, "packing": {}}
    facts = {"engine": {"name": "none", "settings": {"a": "b"}}, "instance": "2", "takes": ["distortion"], "clock": {"port": 5}}
    bodies = {
        (0, 1, 7): pack_frame(rgb, fx=1.0, fy=1.0, cx=0.0, cy=0.0),
        (0, 2, 8): pack_answer(prediction, stamps),
        (0, 3, 8, 9): pack(Kind.PONG, counts),
        (4, 8, 9): pack(Kind.WELCOME, facts),
        (4, 9, 8): pack(Kind.ERROR, {"code": "busy", "reason": "it is serving another"}),
        (8,): pack(Kind.ERROR, {"code": "no_lease", "reason": "unknown"}),
        (8, 0): pack(Kind.ERROR, {"code": "dropped", "reason": "newer"}),
        (5, 7): pack(Kind.PING, {}),
        (6,): pack(Kind.PONG, {"received_ns": 5, "sent_ns": 6}),
        (7,): pack(Kind.HELLO, {"host": "a", "process": 1, "stale_after_s": 0.5, "follows": SESSION}),
        (7, 8): pack(Kind.BYE, {"reason": "its engine does not come back"}),
        (7, 0): pack(Kind.TERMS, {"compress": "auto", "codecs": ["lz4"], "down_bytes_s": 1e8}),
        (7, 0, 8): probe_body(3, asks=5),
    }
    lens = Distortion(coefficients=(0.1, 0.0, 0.0, 0.0))
    bodies[0, 1, 7, 1] = pack_frame(rgb, fx=1.0, fy=1.0, cx=0.0, cy=0.0, distortion=lens)
    meta, maps = unpack(pack_answer(prediction, stamps))
    for number, codec in enumerate(codecs()):
        packed = tuple(encode(array, codec) for array in maps)
        bodies[2, 8, 2 + 6 * number] = pack(Kind.RESULT, {**meta, "packed": [codec, maps[0].dtype.name]}, packed)
    for targets, body in bodies.items():
        yield [*targets, 10], [bytes(part) for part in seal(body, session=SESSION, seq=0, due_ns=1, sent_ns=1)]


def corpus():
    """Returns inputs to begin with: every real message for its targets, as it is and sealed anew."""
    for targets, parts in real_messages():
        for target in targets:
            yield input_of(target, parts)
            yield input_of(target, parts, flags=7)


def _into_run(data, state, name, *, gone):
    made = state.get(name)
    if made is None or made.fault is not None or made.ledger.entries[0].outcome is not None or made._reconnection.gone != gone:
        made = state[name] = stream(gone=gone)
    try:
        opened = open_message(message_of(data))
    except ProtocolError:
        return
    made._take(opened, 3)
    made._decode_all()
    assert len(made.counters) < 64
    assert len(made.telemetry) < 10_000
    if len(made.telemetry) > 100:
        state.pop(name)


def _without_sockets(kind, **attributes):
    made = kind.__new__(kind)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made
