"""Before a session's clock starts the host measures what the link carries each way and tells the agent what it wants of it.

A small message and a large one are sent and answered; what the large one takes longer is the time of its bytes. The
shortest of a few counts, since whatever else happens only makes them longer.
"""

from __future__ import annotations

import time
from typing import Any

from hil.host.client import Client
from hil.link.codec import codecs
from hil.link.packer import Compress
from hil.link.probe import LARGE, SMALL, probe_body
from hil.link.protocol import Kind, pack

_WITHIN_S = 1.0
_REPEATS = 3
# A large probe is sent only where the small one says that it will take no longer than this.
_LARGE_WITHIN_S = 0.3
_SHORTEST_S = 1e-5


def agree(client: Client, compress: Compress = "auto") -> dict[str, Any]:
    """Measures the link, tells the agent, and returns the facts for the session; takes up to about a second.

    A rate is None where an answer did not come in time.
    """
    idle_s = _fastest(client, 0, 0)
    up, down = (None if idle_s is None else _rate(client, idle_s, up=way) for way in (True, False))
    terms = {"compress": compress, "codecs": list(codecs()), "down_bytes_s": down}
    client.settle(pack(Kind.TERMS, terms))
    return {
        **client.link_facts, "compress": compress,
        "round_trip_ms": None if idle_s is None else idle_s * 1e3,
        "up_mbit_s": None if up is None else up * 8e-6,
        "down_mbit_s": None if down is None else down * 8e-6,
    }  # fmt: skip


def _rate(client: Client, idle_s: float, *, up: bool) -> float | None:
    """Returns bytes per second one way."""
    size, taken_s = SMALL, _fastest(client, *((SMALL, 0) if up else (0, SMALL)))
    if taken_s is not None and (taken_s - idle_s) * LARGE / SMALL < _LARGE_WITHIN_S:
        size, taken_s = LARGE, _fastest(client, *((LARGE, 0) if up else (0, LARGE)))
    return None if taken_s is None else size / max(taken_s - idle_s, _SHORTEST_S)


def _fastest(client: Client, up_bytes: int, down_bytes: int) -> float | None:
    """Returns the seconds of the fastest of a few exchanges of so many bytes; None where one was not answered."""
    body = probe_body(up_bytes, asks=down_bytes)
    times_s = []
    for number in range(_REPEATS):
        began = time.monotonic()
        if not client.send(body, seq=number) or client.wait_for(Kind.PROBE, number, _WITHIN_S) is None:
            return None
        times_s.append(time.monotonic() - began)
    return min(times_s)
