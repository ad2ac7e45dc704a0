"""A session is one run through the link: every frame's time stamps and outcome, and what ran it.

Every due frame has exactly one outcome:
    on_time   answered within the deadline, counted from its due time
    late      answered after it
    dropped   replaced by a newer frame before the engine took it, at the source or at the agent
    rejected  refused by the agent as malformed
    error     the engine failed, or its answer could not be decoded
    lost      never answered: the agent died, hung, or was too slow even for the waiting time after the run
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from scenes.errors import DatasetError
from scenes.files import write_whole

FORMAT = 2
Outcome = Literal["on_time", "late", "dropped", "rejected", "error", "lost"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """One due frame. Stamps are ns: the host's monotonic clock, but `agent_*` the agent's; None = it never happened.

    `image` is the index in the data set. `capture_ns` is when the generator handed the frame over, `send_ns` when it
    left, `host_receive_ns` when the answer came, `return_ns` when it was decoded.
    """

    seq: int
    image: int
    warm_up: bool
    outcome: Outcome
    due_ns: int
    capture_ns: int | None = None
    send_ns: int | None = None
    agent_receive_ns: int | None = None
    agent_preprocess_start_ns: int | None = None
    agent_infer_start_ns: int | None = None
    agent_infer_end_ns: int | None = None
    agent_post_end_ns: int | None = None
    agent_send_ns: int | None = None
    host_receive_ns: int | None = None
    return_ns: int | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f"A frame has one outcome of {', '.join(OUTCOMES)}, not {self.outcome!r}.")
        if (self.return_ns is not None) != (self.outcome in ("on_time", "late")):
            raise ValueError(f"Frame {self.seq} is {self.outcome}, but its return stamp is {self.return_ns}.")

    @property
    def latency_s(self) -> float | None:
        """Seconds from the due time to the decoded answer, both on the host's clock; None without an answer."""
        return None if self.return_ns is None else (self.return_ns - self.due_ns) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
    """One run. `frames` holds the warm-up frames too; `fault` is the sentence of what ended it early, if anything did.

    `claim` is the P(on time) that the run set out to show, and `profile` the name of the rules that it was made by, both
    fixed before it. `warm_up` is the rule of the warm-up and how it ended. `agent` is what the agent said of its engine
    and machine, `host` the facts of this machine. `same_clock` tells whether agent and host stamps may be compared,
    `clock_note` why; `clock` holds what `hil.figures.clock` knows of the device's. `link` holds what carried the messages:
    whether it was encrypted, how fast it is each way, and how answers were packed. `telemetry` is what the device measured of
    itself. `lockstep` holds the stamps as measured where those of `frames` were computed (`hil.host.lockstep`), else nothing.
    `outages` are the times without the agent (`hil.outage`). `recording_faults` are sentences of what a recording of this run
    lacks. `images` are the names of the images that frames show. `predictions` (by seq) are kept in memory only; `scored_until`
    is the seq of the first answer that found no room there, so quality is of the frames before it; None where all did.
    """

    device: str
    rate_hz: float
    deadline_s: float
    duration_s: float
    credit: int
    started_utc: str
    frames: tuple[FrameRecord, ...]
    agent: Mapping[str, Any]
    host: Mapping[str, Any]
    same_clock: bool
    clock_note: str
    counters: Mapping[str, int]
    clock: Mapping[str, Any] = field(default_factory=dict)
    link: Mapping[str, Any] = field(default_factory=dict)
    claim: float = 0.95
    profile: str = "custom"
    warm_up: Mapping[str, Any] = field(default_factory=dict)
    telemetry: Mapping[str, Any] = field(default_factory=dict)
    recording_faults: Sequence[str] = ()
    lockstep: Mapping[str, Any] = field(default_factory=dict)
    fault: str | None = None
    outages: Sequence[Mapping[str, Any]] = ()
    dataset: Mapping[str, Any] = field(default_factory=dict)
    images: Sequence[str] = ()
    scored_until: int | None = None
    predictions: Mapping[int, Prediction] = field(default_factory=dict)

    @property
    def due(self) -> tuple[FrameRecord, ...]:
        """The measured frames: all but the warm-up."""
        return tuple(frame for frame in self.frames if not frame.warm_up)

    @property
    def first_frame_s(self) -> float | None:
        """The latency of the very first frame, None where it was not answered."""
        return self.frames[0].latency_s if self.frames else None

    @property
    def emulated(self) -> str | None:
        """What the agent emulates, in words, None where it is a device of its own."""
        engine = self.agent.get("engine")
        said = engine.get("emulates") if isinstance(engine, Mapping) else None
        return None if said is None else str(said)

    def outcomes(self) -> dict[str, int]:
        """Returns the number of measured frames of every outcome; the values add up to `len(self.due)`."""
        counted = Counter(frame.outcome for frame in self.due)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values: everything but the predictions; frames as rows under their column names."""
        columns = [f.name for f in fields(FrameRecord)]
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("frames", "predictions")}
        rows = [[getattr(frame, name) for name in columns] for frame in self.frames]
        values |= {name: list(getattr(self, name)) for name in ("outages", "recording_faults", "images")}
        return {"format": FORMAT, **values, "columns": columns, "frames": rows}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Session:
        """Reads what `to_dict` wrote; raises KeyError, TypeError or ValueError."""
        rest = dict(values)
        if rest.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}, the only one this release reads")
        columns = rest.pop("columns")
        frames = tuple(FrameRecord(**dict(zip(columns, row, strict=True))) for row in rest.pop("frames"))
        return cls(frames=frames, **rest)


def latencies_s(frames: Sequence[FrameRecord]) -> NDArray[np.float64]:
    """Returns float64 (n,), seconds, +inf for every frame without an answer."""
    return np.array([math.inf if f.latency_s is None else f.latency_s for f in frames], dtype=np.float64)


def save_session(session: Session, path: Path) -> None:
    """Writes session.json whole: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(session.to_dict(), allow_nan=False), sync=True)


def load_session(path: Path) -> Session:
    """Reads a session without its predictions; raises DatasetError."""
    try:
        return Session.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DatasetError(f"Cannot read the session {path}: {error.strerror or error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not a session of this release: {error}.") from error
