"""The agent packs the maps of its answers only where that makes them come sooner, and says what it chose and why.

The host measures the link and says how fast it carries answers (TERMS). In `auto` the agent then packs a few real answers
with each codec that both sides have, measures what that costs and saves, and keeps to the quickest way for the whole session.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hil.link.codec import RAW, codecs, decode, encode
from hil.link.protocol import Message, ProtocolError, is_stamp

Compress = Literal["auto", "always", "never"]
COMPRESS: tuple[Compress, ...] = get_args(Compress)
# A link that carries an answer in less than this is left alone: nothing packs faster.
_NEVER_UNDER_S = 0.001
# The first answer of a session is reported apart, so the trials come after it.
_TRIALS = range(1, 4)
# Packing has to win by this share of the raw time, since what it wins is measured with noise.
_LEAST_GAIN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a host wants of a session's answers: `down_bytes_s` is how fast the link carries them, None = not measured."""

    compress: Compress = "never"
    codecs: tuple[str, ...] = ()
    down_bytes_s: float | None = None

    @classmethod
    def of(cls, message: Message) -> Terms:
        """Reads a TERMS message; raises ProtocolError."""
        wish, names, rate = (message.meta.get(key) for key in ("compress", "codecs", "down_bytes_s"))
        if wish not in COMPRESS or not isinstance(names, list) or len(names) > 16:
            raise ProtocolError("Terms need a wish for packing and a list of codecs.")
        if rate is not None and not (type(rate) in {int, float} and 0 < rate < 1e15):
            raise ProtocolError("Terms need the rate of the link in bytes per second.")
        return cls(compress=wish, codecs=tuple(n for n in names if isinstance(n, str)), down_bytes_s=rate)


@dataclass(slots=True, kw_only=True)
class _Trial:
    """What packing the same answers cost: seconds to pack and to unpack, bytes that are left."""

    pack_s: list[float] = field(default_factory=list)
    unpack_s: list[float] = field(default_factory=list)
    size: list[int] = field(default_factory=list)

    def seconds(self, down_bytes_s: float) -> float:
        return median(self.pack_s) + median(self.size) / down_bytes_s + median(self.unpack_s)


class Packer:
    """One session's choice; `codec` is None until it is made."""

    def __init__(self, terms: Terms | None = None) -> None:
        self._terms = terms or Terms()
        self._usable = [name for name in codecs() if name in self._terms.codecs]
        self._trials = {name: _Trial() for name in self._usable}
        self._answers = self._bytes = self._raw_bytes = 0
        self.codec: str | None = None
        self._why = ""
        self._begin()

    def facts(self) -> dict[str, Any]:
        """Returns what was chosen and why, and what it came to."""
        why = self._why if self.codec is not None else "not decided yet: too few answers"
        return {
            "codec": self.codec or RAW, "why": why, "answers": self._answers, "bytes": self._bytes,
            "raw_bytes": self._raw_bytes,
        }  # fmt: skip

    def pack(self, maps: Sequence[NDArray[Any]]) -> tuple[list[NDArray[Any]], str]:
        """Returns the maps of an answer as they are to be sent, and the codec that packed them."""
        if self.codec is None and self._answers in _TRIALS:
            self._try(maps)
        codec = self.codec or RAW
        packed = list(maps) if codec == RAW else [encode(array, codec) for array in maps]
        self._answers += 1
        self._bytes += sum(array.nbytes for array in packed)
        self._raw_bytes += sum(array.nbytes for array in maps)
        return packed, codec

    def passed(self, size: int) -> None:
        """Counts an answer of `size` bytes that was sent raw without coming here."""
        self._answers += 1
        self._bytes += size
        self._raw_bytes += size

    def _begin(self) -> None:
        """Chooses where nothing has to be tried."""
        terms = self._terms
        if terms.compress == "never":
            self._choose(RAW, "not asked for")
        elif not self._usable:
            self._choose(RAW, "host and agent have no codec in common")
        elif terms.compress == "always":
            self._choose(self._usable[0], "asked for")
        elif terms.down_bytes_s is None:
            self._choose(RAW, "the link could not be measured")

    def _try(self, maps: Sequence[NDArray[Any]]) -> None:
        raw_s = sum(array.nbytes for array in maps) / (self._terms.down_bytes_s or np.inf)
        if raw_s < _NEVER_UNDER_S:
            self._choose(RAW, f"the link carries an answer in {raw_s * 1e3:.2f} ms")
            return
        for name, trial in self._trials.items():
            _measure(maps, name, trial)
        if self._answers == _TRIALS[-1]:
            self._compare(raw_s)

    def _compare(self, raw_s: float) -> None:
        rate = self._terms.down_bytes_s or np.inf
        times_s = {name: trial.seconds(rate) for name, trial in self._trials.items()}
        best = min(times_s, key=lambda name: times_s[name])
        said = ", ".join(f"{name} {seconds * 1e3:.1f} ms" for name, seconds in {"raw": raw_s, **times_s}.items())
        won = times_s[best] < (1 - _LEAST_GAIN) * raw_s
        self._choose(
            best if won else RAW, f"an answer takes {said} at {8e-6 * rate:.0f} Mbit/s, packing and unpacking included"
        )

    def _choose(self, codec: str, why: str) -> None:
        self._why, self.codec = why, codec


def _measure(maps: Sequence[NDArray[Any]], codec: str, trial: _Trial) -> None:
    began = time.monotonic()
    packed = [encode(array, codec) for array in maps]
    between = time.monotonic()
    for array, data in zip(maps, packed, strict=True):
        decode(data, codec, dtype=array.dtype, shape=(array.shape[0], array.shape[1]))
    trial.pack_s.append(between - began)
    trial.unpack_s.append(time.monotonic() - between)
    trial.size.append(sum(data.nbytes for data in packed))


def checked_packing(value: object) -> dict[str, Any]:
    """Returns what a peer said of its packing, with only what `Packer.facts` has; nothing where it is something else."""
    if not isinstance(value, dict):
        return {}
    texts = {name: str(value[name])[:300] for name in ("codec", "why") if type(value.get(name)) is str}
    numbers = {name: value[name] for name in ("answers", "bytes", "raw_bytes") if is_stamp(value.get(name))}
    return {**texts, **numbers}
