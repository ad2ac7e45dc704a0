"""The worst frames of a run with their pictures: without an answer, answered last, answered worst, and what was in hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._gallery import Picture, frame_pictures, truth_overlay
from benchmarks._page import card, figure, text
from hil.figures.cadence import newest_at
from hil.figures.quality import AnswerScores
from hil.host.runner import FrameSource
from hil.session import FrameRecord, Session
from perception.pictures import panoptic_overlay
from perception.prediction import Prediction
from perception.scoring.panoptic import panoptic_quality
from sim.frame import Frame

_SLOW, _NEVER, _POOR = 2, 2, 3
_WIDEST_PX = 420
# Of the pictures of an answer: the input, the truth, the answer, and how far its depth is off.
_SHOWN = ("Input.", "True labels.", "Predicted labels.", "Depth error.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorstFrame:
    """A frame of a run, why it is among the worst, and its answer (None: none came).

    `pq` is that of its image (nan: nothing to find). `in_hand` is the newest answer that was there at its deadline, the
    robot's picture of the world by then, with its age in seconds since its own image was due; None: there was none yet.
    """

    why: str
    record: FrameRecord
    at_s: float
    frame: Frame
    prediction: Prediction | None
    pq: float
    in_hand: tuple[Prediction, float] | None


def worst_frames(session: Session, answers: AnswerScores, frames: FrameSource) -> list[WorstFrame]:
    """Returns some frames of each kind, every image at most once in its kind; none of those that were on time and well."""
    due, pq = session.due, _pq_of(answers)
    late = sorted((at for at, f in enumerate(due) if f.outcome == "late"), key=lambda at: -(due[at].latency_s or 0.0))
    known = [at for at, f in enumerate(due) if f.return_ns is not None and not math.isnan(pq[at])]
    chosen = {
        "no answer": _some(_middles(due), due, _NEVER),
        "slowest answer": _some(late, due, _SLOW),
        "poorest answer": _some(sorted(known, key=lambda at: (pq[at], at)), due, _POOR),
    }
    return [
        WorstFrame(
            why=why, record=due[at], at_s=(due[at].due_ns - due[0].due_ns) / 1e9, frame=frames[due[at].image],
            prediction=session.predictions.get(due[at].seq), pq=pq[at], in_hand=_in_hand(session, due[at]),
        )
        for why, places in chosen.items() for at in places
    ]  # fmt: skip


def worst_cards(worst: Sequence[WorstFrame], deadline_ms: float) -> list[str]:
    """Returns a card per frame: what it cost in time and quality, and its pictures."""
    return [_card(one, deadline_ms) for one in worst]


def _card(one: WorstFrame, deadline_ms: float) -> str:
    latency_s = one.record.latency_s
    took = "" if latency_s is None else f"{latency_s * 1e3:.1f} ms, deadline {deadline_ms:.1f} ms"
    quality = "nothing to find in it" if math.isnan(one.pq) else f"PQ {100 * one.pq:.1f} % of this image"
    said = [f"{one.at_s:.2f} s", one.record.outcome.replace("_", " "), took, quality, one.record.reason or ""]
    tiles = "".join(figure(_small(p.rgb), name=p.name, caption=p.caption, alt=p.alt) for p in _pictures(one))
    lead = f'<p class="lead">{text(" · ".join(fact for fact in said if fact))}</p>'
    return card(f"{one.why[:1].upper()}{one.why[1:]}: {one.frame.name}", lead, f'<div class="row4">{tiles}</div>')


def _pictures(one: WorstFrame) -> list[Picture]:
    if one.prediction is not None:
        shown = [p for p in frame_pictures(one.frame, one.prediction) if p.name in _SHOWN]
        return shown if one.why == "poorest answer" else [*shown[:3], _stale(one)]
    truth, seen = truth_overlay(one.frame), "What the camera saw."
    return [
        Picture(rgb=one.frame.rgb, name="Input.", caption=seen, alt=f"The image {one.frame.name}."),
        Picture(rgb=truth, name="True labels.", caption="All of it was missed.", alt="The image under its true segments."),
        _stale(one),
    ]


def _stale(one: WorstFrame) -> Picture:
    """Returns the image under what the robot still had in hand at the deadline: where things were, not where they are."""
    name = "In hand at its deadline."
    if one.in_hand is None:
        dark: NDArray[np.uint8] = (one.frame.rgb * 0.35).astype(np.uint8)
        return Picture(rgb=dark, name=name, caption="No answer had come yet.", alt="The image, dark: no answer had come yet.")
    prediction, age_s = one.in_hand
    overlay = panoptic_overlay(one.frame.rgb, prediction, labels=False)
    said = f"The newest answer, to an image {age_s * 1e3:.0f} ms old."
    return Picture(rgb=overlay, name=name, caption=said, alt="The image under the segments of an older answer.")


def _in_hand(session: Session, record: FrameRecord) -> tuple[Prediction, float] | None:
    deadline_ns = record.due_ns + round(session.deadline_s * 1e9)
    (seq,) = newest_at(session.frames, [deadline_ns]).tolist()
    prediction = session.predictions.get(seq)
    answered = next((frame for frame in session.frames if frame.seq == seq), None)
    if prediction is None or answered is None:
        return None
    return prediction, (deadline_ns - answered.due_ns) / 1e9


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = _WIDEST_PX / rgb.shape[1]
    if scale >= 1:
        return rgb
    size = (_WIDEST_PX, round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _middles(due: Sequence[FrameRecord]) -> list[int]:
    """Returns the middle of each stretch of frames without an answer, the longest stretch first."""
    stretches: list[list[int]] = []
    for at, frame in enumerate(due):
        if frame.return_ns is None:
            if not stretches or stretches[-1][-1] != at - 1:
                stretches.append([])
            stretches[-1].append(at)
    return [places[len(places) // 2] for places in sorted(stretches, key=len, reverse=True)]


def _some(places: Sequence[int], due: Sequence[FrameRecord], count: int) -> list[int]:
    first: dict[int, int] = {}
    for at in places:
        first.setdefault(due[at].image, at)
        if len(first) == count:
            break
    return list(first.values())


def _pq_of(answers: AnswerScores) -> list[float]:
    """Returns the PQ of the image of each due frame, 0..1, nan where there was nothing to find; every answer counts."""
    each = [panoptic_quality(score.panoptic)[:, 0] for score in answers.scores]
    means = [float(np.nanmean(pq)) if np.isfinite(pq).any() else math.nan for pq in each]
    return [means[k] if k >= 0 else math.nan for k in answers.columns["offline"].score.tolist()]
