"""What is done to the messages of one direction, as a line of text: every fault by its name, and nothing by default.

A line has any of these, with commas between them:
    loss=1%            that share of messages never arrives (also 0.01); so with
                         duplicate  it arrives twice
                         reorder    it is held back, so that later ones overtake it
                         corrupt    one byte of it is changed
                         truncate   its last part is shorter
                         oversize   its last part is longer than the link allows
                         version    it says another version of the protocol
                         kind       it says a kind that there is not, with a right checksum; so with
                         session    a session that never was
                         dtype      arrays of another type, only messages that have arrays; so with
                         shape      arrays of another shape
                         nan        arrays with a NaN where they have floats, intrinsics with one where they have none
    delay=20ms~5ms     it takes 20 ms longer, give or take up to 5 ms; the order stays
    rate=100Mbit       it takes its turn on a link of that speed (also kbit, Gbit)
    cut=1.5s@3s        3 s after the first frame nothing passes for 1.5 s, the connections stay (a pulled cable)
    hold=1.5s@3s       as cut, but what is sent meanwhile comes afterwards (a kernel that kept it)
    close=1.5s@3s      as cut, but the connections close (a router that restarts)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal, get_args

from scenes.errors import RehearseError

CutMode = Literal["cut", "hold", "close"]
CUT_MODES: tuple[CutMode, ...] = get_args(CutMode)
# The order is that of the random numbers of a message: a new fault goes to the end, so that old seeds keep their faults.
SHARES = (
    "loss", "duplicate", "reorder", "corrupt", "truncate", "oversize", "version", "kind", "session", "dtype", "shape", "nan",
)  # fmt: skip
_EXAMPLE = "loss=1%,delay=20ms~5ms,rate=100Mbit,cut=1.5s@3s"
_BITS = {"kbit": 1e3, "Mbit": 1e6, "Gbit": 1e9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A time in which nothing passes, counted from the first frame."""

    mode: CutMode
    lasts_s: float
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is done to one direction: shares of messages 0..1, seconds, and bits per second (0 = as fast as it goes)."""

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    truncate: float = 0.0
    oversize: float = 0.0
    version: float = 0.0
    kind: float = 0.0
    session: float = 0.0
    dtype: float = 0.0
    shape: float = 0.0
    nan: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate_bit_s: float = 0.0
    cuts: tuple[Cut, ...] = ()

    def __post_init__(self) -> None:
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share of messages from 0 to 1, not {getattr(self, name)}")
        if self.delay_s < 0 or self.rate_bit_s < 0 or not 0 <= self.jitter_s <= self.delay_s:
            raise ValueError("a delay and a rate are not negative, and a jitter is no more than its delay")

    def cut_at(self, seconds: float) -> Cut | None:
        """Returns the cut that there is so many seconds after the first frame; None for an open way."""
        return next((c for c in self.cuts if c.at_s <= seconds < c.at_s + c.lasts_s), None)


def parse_faults(text: str) -> Faults:
    """Reads the line of text above; raises RehearseError with what is wrong in it."""
    values: dict[str, float] = {}
    cuts: list[Cut] = []
    try:
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = part.partition("=")
            if name in CUT_MODES:
                lasts, at = _two(value, "@")
                cuts.append(Cut(mode=name, lasts_s=_seconds(lasts), at_s=_seconds(at or "0s")))
            elif name == "delay":
                delay, jitter = _two(value, "~")
                values |= {"delay_s": _seconds(delay), "jitter_s": _seconds(jitter or "0s")}
            elif name == "rate":
                values["rate_bit_s"] = _bits(value)
            elif name in SHARES:
                values[name] = _share(value)
            else:
                raise ValueError(f"{name!r} is not a fault; there are {', '.join((*SHARES, 'delay', 'rate', *CUT_MODES))}")
        return Faults(**values, cuts=tuple(sorted(cuts, key=lambda c: c.at_s)))
    except ValueError as error:
        raise RehearseError(f"Cannot make the faults {text!r}: {error}; expected something like {_EXAMPLE}.") from error


def describe(faults: Faults) -> str:
    """Returns what differs from no fault at all, in words; "nothing" for none."""
    given = {f.name: getattr(faults, f.name) for f in fields(faults) if f.name != "cuts" and getattr(faults, f.name)}
    said = [f"{name}={value:g}" for name, value in given.items()]
    said += [f"{c.mode}={c.lasts_s:g}s@{c.at_s:g}s" for c in faults.cuts]
    return ", ".join(said) or "nothing"


def _two(text: str, mark: str) -> tuple[str, str]:
    first, _, second = text.partition(mark)
    return first, second


def _share(text: str) -> float:
    percent = text.endswith("%")
    value = float(text.rstrip("%"))
    return value / 100 if percent else value


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time such as 20ms or 1.5s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def _bits(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(kbit|Mbit|Gbit)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rate such as 100Mbit")
    return float(match[1]) * _BITS[match[2]]
