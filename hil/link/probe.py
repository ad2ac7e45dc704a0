"""A PROBE carries as many bytes as were asked for, and no tunnel can make them smaller: what it takes is what the link takes."""

from __future__ import annotations

import functools

import numpy as np

from hil.link.protocol import Body, Kind, ProtocolError, pack

SMALL, LARGE = 64 * 2**10, 2**20


@functools.lru_cache(maxsize=8)
def probe_body(size: int, *, asks: int = 0) -> Body:
    """Packs a PROBE of `size` bytes that asks for one of `asks`; ProtocolError where one of them is no size of a probe."""
    if not 0 <= size <= LARGE or not 0 <= asks <= LARGE:
        raise ProtocolError(f"A probe has at most {LARGE} bytes.")
    noise = np.random.Generator(np.random.PCG64(size)).integers(0, 256, size, dtype=np.uint8)
    return pack(Kind.PROBE, {"bytes": asks}, (noise,) if size else ())


def asked_for(value: object) -> int:
    """Returns how many bytes a PROBE asks for; ProtocolError where that is no size of a probe."""
    if type(value) is not int or not 0 <= value <= LARGE:
        raise ProtocolError(f"A probe asks for at most {LARGE} bytes.")
    return value
