"""Reads a run back from an MCAP file alone: its session, its figures as reported and, where asked for, its answers' maps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.mcap import notes
from hil.mcap.file import FIGURES_NAME, FORMAT, HEAD_NAME, SCORES_NAME, TAIL_NAME
from hil.mcap.messages import open_raw_image
from hil.mcap.scan import BrokenOffError, Contents, Entry, scan
from hil.session import FrameRecord, Session
from perception.prediction import Prediction, Segment
from scenes.errors import DatasetError


@dataclass(slots=True, kw_only=True)
class Run:
    """What an MCAP file holds of a run. `answers` says whose maps each frame has.

    `stamps` are (topic, sequence, log_time) of every message, where maps were asked for.
    """

    contents: Contents
    session: Session
    answers: Mapping[int, int | None]
    maps_lost: int
    stamps: list[tuple[str, int, int]]

    @property
    def later(self) -> dict[bytes, bytes]:
        """What was found out after the run, by the kinds of `hil.recordings.table`: the scores, and the figures as reported."""
        named = {b"SCOR": SCORES_NAME, b"FIGS": FIGURES_NAME}
        attached = self.contents.attachments
        return {kind: attached[name] for kind, name in named.items() if name in attached}


@dataclass(slots=True, kw_only=True)
class _Found:
    records: list[FrameRecord] = field(default_factory=list)
    answers: dict[int, int | None] = field(default_factory=dict)
    maps_lost: int = 0
    stamps: list[tuple[str, int, int]] = field(default_factory=list)
    ids: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    depths: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    segments: dict[int, tuple[Segment, ...]] = field(default_factory=dict)


def load_run(path: Path, *, maps: bool = False) -> Run:
    """Reads a run; with `maps` its session has the predictions whose maps are in the file. Raises DatasetError.

    A file that was not closed, because its run was killed, is read as far as it is whole: the session says so in `fault`.
    """
    contents, found = Contents(), _Found()
    broken: BrokenOffError | None = None
    try:
        try:
            for entry in scan(path, contents):
                _take(entry, found, maps=maps)
        except BrokenOffError as error:
            if TAIL_NAME in contents.attachments or not found.records:
                raise
            broken = error
        session = _session(contents, found, broken)
    except OSError as error:
        raise DatasetError(f"Cannot read the recording {path}: {error.strerror or error}.") from error
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise DatasetError(f"{path} is not a recording that can be trusted: {reason}.") from error
    return Run(
        contents=contents, session=session, answers=found.answers, maps_lost=found.maps_lost, stamps=found.stamps
    )


def _take(entry: Entry, found: _Found, *, maps: bool) -> None:
    if maps:
        found.stamps.append((entry.topic, entry.sequence, entry.log_time_ns))
    if entry.topic == "/outcome":
        record, answer, lost = notes.open_outcome(entry.data)
        if record.seq != entry.sequence:
            raise ValueError(f"the outcome of frame {record.seq} lies at number {entry.sequence}")
        found.records.append(record)
        found.answers[record.seq] = answer
        found.maps_lost += lost
        if answer != record.seq:  # a repeat: its ids and segments are those of the frame that it names
            found.ids.pop(record.seq, None)
            found.segments.pop(record.seq, None)
    elif not maps:
        return
    elif entry.topic == "/answer/segments":
        found.segments[entry.sequence] = notes.open_segments(entry.data)
    elif entry.topic == "/answer/depth":
        found.depths[entry.sequence] = open_raw_image(entry.data).astype(np.float32)
    elif entry.topic == "/answer/ids":
        found.ids[entry.sequence] = open_raw_image(entry.data).astype(np.int32)


def _session(contents: Contents, found: _Found, broken: BrokenOffError | None) -> Session:
    attached = contents.attachments
    head = _mapping(HEAD_NAME, attached)
    if head.pop("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}, the only one this release reads")
    frames = tuple(sorted(found.records, key=lambda record: record.seq))
    predictions = _predictions(found)
    if TAIL_NAME in attached:
        tail = _mapping(TAIL_NAME, attached)
        expected = tail.pop("frame_count")
        if [f.seq for f in frames] != list(range(expected)):
            raise ValueError(f"of its {expected} frames {len({f.seq for f in frames})} are there")
        return Session(frames=frames, predictions=predictions, **head, **tail)
    if len({f.seq for f in frames}) != len(frames):
        raise ValueError("a frame has two outcomes")
    fault = f"The recording was not closed{'' if broken is None else f': {broken}'}; its run was killed."
    unknown: dict[str, Any] = {"same_clock": False, "clock_note": "not available: the recording was not closed", "counters": {}}
    return Session(frames=frames, fault=fault, predictions=predictions, **head, **unknown)


def _predictions(found: _Found) -> dict[int, Prediction]:
    """Returns one prediction per frame whose maps are there; frames with equal answers share it."""
    made: dict[int, Prediction] = {}
    for seq, depth_m in found.depths.items():
        if seq in found.ids and seq in found.segments:
            made[seq] = Prediction(segment_id=found.ids[seq], segments=found.segments[seq], depth_m=depth_m)
    return {seq: made[of] for seq, of in found.answers.items() if of is not None and of in made}


def _mapping(name: str, attached: Mapping[str, bytes]) -> dict[str, Any]:
    values = json.loads(attached[name])
    if not isinstance(values, dict):
        raise TypeError(f"{name} is no JSON object")
    return values
