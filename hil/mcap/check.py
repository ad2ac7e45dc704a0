"""What must hold of a recording after a run, one rule at a time; the rules are fixed here, before any run."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.figures.quality import AnswerScores, score_answers
from hil.figures.replay import FIGURES, SCORES, differences, refigure
from hil.figures.score_table import open_scores
from hil.mcap.load import Run, load_run
from hil.mcap.source import McapFrames
from hil.mcap.topics import TOPICS
from scenes.errors import DatasetError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule: `holds` is None where it could not be tried, `found` the sentence of what was found."""

    name: str
    holds: bool | None
    found: str


def check_recording(path: Path) -> tuple[Finding, ...]:
    """Returns every rule with what was found; raises DatasetError where a byte is wrong or missing."""
    run = load_run(path, maps=True)
    return (
        Finding(name="CRCs", holds=True, found="every byte of data and summary is as it was written"),
        *_structure(run), _outcomes(run), _times(run), _sequence(run), _figures(path, run), _scores(path, run),
    )  # fmt: skip


def _structure(run: Run) -> Iterator[Finding]:
    contents, closed = run.contents, run.contents.summary_start > 0
    yield Finding(name="summary", holds=closed, found="it is there" if closed else "there is none: the run was killed")
    known = contents.statistics
    counted = sum(contents.counts.values())
    same = known is not None and known.message_count == counted and dict(known.channel_message_counts) == contents.counts
    yield Finding(
        name="counts", holds=same if closed else None,
        found=f"{counted} messages on {len(contents.counts)} topics; the summary says {known.message_count if known else '-'}",
    )  # fmt: skip
    named = {c.topic: contents.schemas.get(c.schema_id) for c in contents.channels.values()}
    ours = {topic: TOPICS[topic].schema for topic in named if topic in TOPICS}
    wrong = [topic for topic, s in named.items() if s is None or not s.data or ours.get(topic, s.name) != s.name]
    said = f"topics without their schema: {', '.join(wrong)}" if wrong else f"every one of {len(named)} topics has its own"
    yield Finding(name="schemas", holds=not wrong, found=said)


def _outcomes(run: Run) -> Finding:
    seqs = [frame.seq for frame in run.session.frames]
    once = seqs == list(range(len(seqs)))
    found = f"{len(seqs)} frames with one outcome each" if once else "a frame has no outcome, or two"
    if run.maps_lost:
        found += f"; the maps of {run.maps_lost} answers came faster than they were written"
    return Finding(name="one outcome per due frame", holds=once and not run.session.fault, found=run.session.fault or found)


def _times(run: Run) -> Finding:
    """Holds where log times of outcomes are due times plus one constant, so that they grow with the number of the frame."""
    due = {frame.seq: frame.due_ns for frame in run.session.frames}
    shifts = {log_ns - due[seq] for topic, seq, log_ns in run.stamps if topic == "/outcome"}
    ordered = [due[seq] for seq in sorted(due)]
    holds = len(shifts) == 1 and all(a < b for a, b in itertools.pairwise(ordered))
    found = "they are the due times, and grow with the number" if holds else "they do not grow with the number of the frame"
    return Finding(name="log times", holds=holds, found=found)


def _sequence(run: Run) -> Finding:
    """Holds where each topic has each number once, and maps lie only where an outcome says so."""
    counted = Counter((topic, seq, log_ns) for topic, seq, log_ns in run.stamps if topic not in ("/log", "/telemetry"))
    twice = [f"{topic} {seq}" for (topic, seq, _), n in counted.items() if n > 1]
    mapped = {seq for topic, seq, _ in run.stamps if topic in ("/answer/depth", "/answer/ids")}
    absent = [of for of in set(run.answers.values()) if of is not None and of not in mapped]
    found = f"twice: {twice[0]}" if twice else f"maps of frame {absent[0]} are missing" if absent else "no number is there twice"
    return Finding(name="sequence", holds=not twice and not absent, found=found)


def _figures(path: Path, run: Run) -> Finding:
    if FIGURES not in run.later:
        return Finding(name="figures", holds=None, found="none were reported")
    found = list(differences(refigure(path, run.session, run.later), json.loads(run.later[FIGURES])))
    said = f"{len(found)} differ, the first at {found[0]}" if found else "all of them, made again, are those reported, to the bit"
    return Finding(name="figures", holds=not found, found=said)


def _scores(path: Path, run: Run) -> Finding:
    """Holds where the maps in the file, scored against the truth in the file, give the scores in the file."""
    name = "scores from maps"
    answered = [f.seq for f in run.session.due if f.return_ns is not None]
    if SCORES not in run.later or not answered or any(seq not in run.session.predictions for seq in answered):
        return Finding(name=name, holds=None, found="not every answer has its maps in the file, or nothing was scored")
    try:
        truth = McapFrames(path)
    except DatasetError as error:
        return Finding(name=name, holds=None, found=str(error))
    if not truth.has_truth:
        return Finding(name=name, holds=None, found="the truth is not in the file")
    same, absent = _same_scores(score_answers(run.session, truth), open_scores(run.later[SCORES]))
    found = "scored again, they are the same" if same else "scored again, they differ"
    found += f"; not tried: {', '.join(absent)}, whose truth between the images is not in the file" if absent else ""
    return Finding(name=name, holds=same, found=found)


def _same_scores(ones: AnswerScores, others: AnswerScores) -> tuple[bool, list[str]]:
    """Returns whether every tick has the same score and link in every column of `ones`, and columns that it lacks.

    To the bit, however often equal scores are stored. What needs truth between the images cannot be made of them.
    """
    absent = sorted(set(others.columns) - set(ones.columns))
    for name, column in ones.columns.items():
        other = others.columns.get(name)
        if other is None or column.step != other.step or not _same(column.begins, other.begins):
            return False, absent
        for field, kept, theirs in (("score", ones.scores, others.scores), ("link", ones.links, others.links)):
            pairs = _pairs(getattr(column, field), getattr(other, field))
            if not all(a == b if min(a, b) < 0 else _same(kept[a], theirs[b]) for a, b in pairs):
                return False, absent
    return True, absent


def _pairs(one: NDArray[Any], other: NDArray[Any]) -> set[tuple[int, int]]:
    return set(zip(one.tolist(), other.tolist(), strict=True)) if one.shape == other.shape else {(-1, 0)}


def _same(one: Any, other: Any) -> bool:
    if is_dataclass(one):
        return all(_same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, np.ndarray):
        return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())
    return bool(one == other)
