"""All figures of a run as plain JSON values, made in one place: the live report and the replay of a recording use the same.

`differences` compares two of them exactly: JSON writes a double with all its digits, so equal text is equal to the bit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hil.figures.condition import energy_j_per_frame, throttled
from hil.figures.latency import LatencyReport, summarize
from hil.figures.quality import Quality
from hil.figures.rules import rules_of
from hil.recordings.any_recording import open_recording
from hil.recordings.table import append_chunk
from hil.session import Session
from hil.verdict import Verdict, judge
from scenes.errors import DatasetError

SCORES, FIGURES = b"SCOR", b"FIGS"


def figures_of(session: Session, latency: LatencyReport, verdict: Verdict, quality: Quality | None) -> dict[str, Any]:
    """Returns every figure that a report has; quality is None where nothing was scored."""
    first = session.first_frame_s
    return {
        "verdict": verdict.to_dict(), "outcomes": session.outcomes(), "latency": latency.to_dict(),
        "first_frame_ms": None if first is None else first * 1e3,
        "energy_j_per_frame": energy_j_per_frame(session), "throttled": list(throttled(session)),
        "rules": [row.to_dict() for row in rules_of(session) or ()],
        "quality": None if quality is None else quality.to_dict(),
    }  # fmt: skip


def keep_figures(path: Path, figures: dict[str, Any], scores: bytes) -> None:
    """Adds what was found to a recording: the figures, and the scores that those of quality are made of. Raises OSError."""
    append_chunk(path, SCORES, scores)
    append_chunk(path, FIGURES, json.dumps(figures, allow_nan=False).encode())


def replay(path: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Returns the figures recomputed from a recording's frames and scores, and those that were reported live (or None).

    Raises DatasetError where it cannot be trusted.
    """
    session, later = open_recording(path)
    return refigure(path, session, later), json.loads(later[FIGURES]) if FIGURES in later else None


def refigure(path: Path, session: Session, later: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Returns the figures made again from what was read, as JSON gives them back; raises DatasetError."""
    if not session.due:
        raise DatasetError(f"{path} has no frame that was measured; its run ended in the warm-up.")
    quality = None if SCORES not in later else _quality(path, later[SCORES])
    _check_lockstep(path, session)
    latency = summarize(session)
    figures = figures_of(session, latency, judge(session, report=latency), quality)
    plain: dict[str, Any] = json.loads(json.dumps(figures, allow_nan=False))
    return plain


def differences(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Yields where two plain values differ, as `path: this, that`; nothing for the same to the bit."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from differences(one.get(key), other.get(key), f"{at}.{key}" if at else key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from differences(a, b, f"{at}[{i}]")
    elif json.dumps(one) != json.dumps(other):
        yield f"{at}: {one!r}, {other!r}"


def _check_lockstep(path: Path, session: Session) -> None:
    """Computed stamps have to follow from the measured ones."""
    from hil.host.lockstep import recomputed_frames

    try:
        if session.lockstep and recomputed_frames(session) != session.frames:
            raise ValueError("its computed stamps are not those that its measured service times give")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not a recording that can be trusted: {error}.") from error


def _quality(path: Path, data: bytes) -> Quality:
    from hil.figures.score_table import open_scores

    try:
        return open_scores(data).quality()
    except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError(f"The scores in {path} do not hold together: {error}.") from error
