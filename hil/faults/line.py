"""One direction of a faulty link: what goes in comes out later, changed, twice or never, always the same for a seed.

What happens to the n-th frame depends on seed, direction and n alone, and so it is with the n-th message of any other kind
(they are numbered apart, because how many PINGs lie between two frames is left to chance). Each fault has its own random
number, so a line with one fault more does to all others what it did before. No clock is read here: times are arguments.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hil.faults.damage import WAYS, spoil
from hil.faults.spec import SHARES, Cut, Faults
from hil.link.protocol import Buffer, Kind

# A message that is held back waits this long, more than a period at 15 FPS, so that the next frame overtakes it.
HELD_S = 0.1
MAX_QUEUED_BYTES = 64 * 2**20
_FRAMES = (Kind.FRAME, Kind.RESULT, Kind.ERROR)
_GROUPS = ("other", "frame")
_KIND_AT = 6


@dataclass(order=True, slots=True, kw_only=True)
class Parcel:
    """A message on its way: when it arrives, the number of its entry, whose it is, and its parts."""

    arrives_ns: int
    number: int
    peer: bytes = field(compare=False)
    parts: Sequence[Buffer] = field(compare=False)
    tries: int = field(compare=False, default=0)


class Line:
    """Takes messages with `put` and gives back with `due` what has arrived; `counts` is what was really done."""

    def __init__(self, faults: Faults, *, seed: int, direction: int) -> None:
        self.counts: Counter[str] = Counter()
        self.done: list[tuple[str, int, str]] = []
        self.began_ns: int | None = None
        self._faults, self._seed, self._direction = faults, seed, direction
        self._numbers: Counter[str] = Counter()
        self._under_way: list[Parcel] = []
        self._entered = self._queued_bytes = self._free_ns = self._last_ns = 0
        self._newest = -1

    def begin(self, now_ns: int) -> None:
        """Starts the clock of the cuts; the first frame does it."""
        self.began_ns = now_ns if self.began_ns is None else self.began_ns

    def cut(self, now_ns: int) -> Cut | None:
        """Returns the cut that there is now."""
        return None if self.began_ns is None else self._faults.cut_at((now_ns - self.began_ns) / 1e9)

    def put(self, peer: bytes, parts: Sequence[Buffer], now_ns: int) -> None:
        """Takes a message in."""
        group = _GROUPS[_kind_of(parts) in _FRAMES]
        number = self._numbers[group]
        self._numbers[group] += 1
        self.counts["messages"] += 1
        cut = self.cut(now_ns)
        if cut is not None and cut.mode != "hold":
            self.counts["cut"] += 1
            return
        rng = self._rng(group, number)
        chosen = [name for name, draw in zip(SHARES, rng.random(len(SHARES)), strict=True) if draw < getattr(self._faults, name)]
        jitter_s = self._faults.jitter_s * float(rng.uniform(-1, 1))
        if "loss" in chosen:
            self._note("loss", group, number)
            return
        parts = self._spoilt(parts, [name for name in chosen if name in WAYS], rng, (group, number))
        self._send_off(peer, parts, now_ns, jitter_s, cut, chosen, (group, number))

    def due(self, now_ns: int) -> list[Parcel]:
        """Returns what has arrived by now, in the order of arrival."""
        arrived = []
        while self._under_way and self._under_way[0].arrives_ns <= now_ns:
            parcel = heapq.heappop(self._under_way)
            self._queued_bytes -= _size(parcel.parts)
            self.counts["overtaken"] += parcel.number < self._newest
            self._newest = max(self._newest, parcel.number)
            arrived.append(parcel)
        return arrived

    def again(self, parcel: Parcel, arrives_ns: int) -> None:
        """Takes back what could not be delivered yet."""
        parcel.arrives_ns, parcel.tries = arrives_ns, parcel.tries + 1
        self._enter(parcel)

    def next_ns(self) -> int | None:
        """Returns when the next message arrives; None where none is under way."""
        return self._under_way[0].arrives_ns if self._under_way else None

    def _spoilt(
        self, parts: Sequence[Buffer], ways: list[str], rng: np.random.Generator, who: tuple[str, int]
    ) -> Sequence[Buffer]:
        for name in ways:
            spoilt = spoil(name, parts, rng=rng)
            if spoilt is not None:
                parts = spoilt
                self._note(name, *who)
        return parts

    def _send_off(
        self, peer: bytes, parts: Sequence[Buffer], now_ns: int, jitter_s: float, cut: Cut | None, chosen: list[str],
        who: tuple[str, int],
    ) -> None:  # fmt: skip
        if self._queued_bytes + _size(parts) > MAX_QUEUED_BYTES:
            self.counts["overflow"] += 1
            return
        arrives_ns = self._passed_ns(parts, now_ns) + round((self._faults.delay_s + jitter_s) * 1e9)
        if cut is not None and self.began_ns is not None:
            self.counts["held"] += 1
            arrives_ns = max(arrives_ns, self.began_ns + round((cut.at_s + cut.lasts_s) * 1e9))
        if "reorder" in chosen:
            self._note("reorder", *who)
            arrives_ns += round(HELD_S * 1e9)
        else:
            arrives_ns = self._last_ns = max(arrives_ns, self._last_ns)
        copies = 2 if "duplicate" in chosen else 1
        if copies == 2:
            self._note("duplicate", *who)
        for _ in range(copies):
            self._entered += 1
            self._enter(Parcel(arrives_ns=arrives_ns, number=self._entered, peer=peer, parts=parts))

    def _enter(self, parcel: Parcel) -> None:
        self._queued_bytes += _size(parcel.parts)
        heapq.heappush(self._under_way, parcel)

    def _passed_ns(self, parts: Sequence[Buffer], now_ns: int) -> int:
        """Returns when the last bit is through; one message at a time."""
        if not self._faults.rate_bit_s:
            return now_ns
        self._free_ns = max(now_ns, self._free_ns) + round(_size(parts) * 8e9 / self._faults.rate_bit_s)
        return self._free_ns

    def _rng(self, group: str, number: int) -> np.random.Generator:
        key = (self._direction, _GROUPS.index(group), number)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._seed, spawn_key=key)))

    def _note(self, name: str, group: str, number: int) -> None:
        self.counts[name] += 1
        if len(self.done) < 100_000:
            self.done.append((group, number, name))


def _size(parts: Sequence[Buffer]) -> int:
    return sum(len(part) for part in parts)


def _kind_of(parts: Sequence[Buffer]) -> int:
    return parts[0][_KIND_AT] if parts and len(parts[0]) > _KIND_AT else 0
