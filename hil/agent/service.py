"""How long a device takes for one frame, as a model that fits into a line of text, or as a run has recorded it.

A line is one of
    p50=40ms                          always 40 ms
    p50=40ms,p99=45ms                 log-normal with that median and that 99th percentile
    p50=40ms,stall=800ms/300          every 300th frame takes 800 ms more
    recording=out/hil/recording.rhil  drawn from the service times of that run, with replacement, stalls and all; .mcap too
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.session import FrameRecord
from scenes.errors import RehearseError

_Z99 = 2.3263478740408408  # the 99th percentile of the standard normal distribution
_EXAMPLE = "p50=40ms,p99=45ms,stall=800ms/300 or recording=out/hil/session.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServiceModel:
    """Service times in seconds: log-normal by `p50_s` and `p99_s`, or drawn from `recorded_s`; stalls come on top.

    One frame of every `stall_every`, in their middle, takes `stall_s` more; 0 = no stalls. `text` says it all.
    """

    p50_s: float
    p99_s: float
    stall_s: float = 0.0
    stall_every: int = 0
    recorded_s: NDArray[np.float64] | None = None
    text: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.p50_s <= self.p99_s < math.inf or not 0 <= self.stall_s < math.inf or self.stall_every < 0:
            raise ValueError(f"A service model needs 0 < p50 <= p99 and no negative stall, got {self.text or self}.")

    @property
    def longest_s(self) -> float:
        """The longest that a frame is meant to take, stall and all; a log-normal draw beyond it is one of millions."""
        if self.recorded_s is not None:
            return float(self.recorded_s.max())
        return float(self.p50_s * (self.p99_s / self.p50_s) ** 2.2 + self.stall_s)

    def times_s(self, count: int, *, rng: np.random.Generator, first: int = 0) -> NDArray[np.float64]:
        """Returns the service times of frames `first`.. as float64 (count,)."""
        if self.recorded_s is not None:
            times = rng.choice(self.recorded_s, size=count)
        else:
            sigma = math.log(self.p99_s / self.p50_s) / _Z99
            times = self.p50_s * np.exp(sigma * rng.standard_normal(count))
        if self.stall_every:
            times[np.arange(first, first + count) % self.stall_every == self.stall_every // 2] += self.stall_s
        return times


def parse_service(text: str) -> ServiceModel:
    """Reads the line of text above; raises RehearseError with what is wrong in it."""
    try:
        given = dict(part.split("=", 1) for part in text.split(","))
        if "recording" in given:
            return _recorded(Path(given.pop("recording")), given, text)
        stall, _, every = given.pop("stall", "").partition("/")
        p50_s = _seconds(given.pop("p50"))
        p99_s = _seconds(given.pop("p99")) if "p99" in given else p50_s
        if given:
            raise ValueError(f"{next(iter(given))} is not known")
        return ServiceModel(
            p50_s=p50_s, p99_s=p99_s, stall_s=_seconds(stall) if stall else 0.0, stall_every=int(every) if stall else 0,
            text=text,
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise RehearseError(f"Cannot emulate {text!r}: {reason}; expected something like {_EXAMPLE}.") from error


def service_times_s(frames: Sequence[FrameRecord]) -> dict[int, float]:
    """Returns how long each answered frame was served, by seq: from when it could begin to its decoded answer.

    A frame begins when it has left and the answer before it has come, so waiting is no service (Lindley's recursion).
    """
    answered = sorted((f for f in frames if f.return_ns is not None), key=lambda f: f.return_ns or 0)
    times, before_ns = dict[int, float](), 0
    for frame in answered:
        sent_ns, return_ns = frame.send_ns or frame.due_ns, frame.return_ns or 0
        times[frame.seq] = (return_ns - max(sent_ns, before_ns)) / 1e9
        before_ns = return_ns
    return times


def _recorded(path: Path, rest: dict[str, str], text: str) -> ServiceModel:
    from hil.recordings.any_recording import open_recording

    if rest:
        raise ValueError(f"a recording is drawn from as it is, without {next(iter(rest))}")
    session, _ = open_recording(path)
    measured = {frame.seq for frame in session.due}
    times = np.array([t for seq, t in service_times_s(session.frames).items() if seq in measured])
    if len(times) == 0:
        raise ValueError("that run has no answered frame")
    p50_s, p99_s = (float(np.quantile(times, p, method="inverted_cdf")) for p in (0.5, 0.99))
    return ServiceModel(p50_s=p50_s, p99_s=p99_s, recorded_s=times, text=f"{text}, {len(times)} service times")


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time such as 40ms or 0.8s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)
