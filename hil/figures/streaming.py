"""What a robot has in hand at each moment: the newest answer that is there, compared with the truth of now, not of then.

Streaming accuracy (Li, Wang, Ramanan, ECCV 2020): at the due time of frame i the newest available answer is scored against
the truth of frame i. With `grace` = 0 an answer to frame i can never serve frame i (eta 0 there); with one period of grace it
can if it is on time (eta -1). No answer yet counts as an empty one. A camera does not cut: a tick whose newest answer shows
another clip, or a later part of the same one (the data set begins again), is left out. Stills are clips of one image.
Where the truth is known between two images (`hil.host.camera`), there are ticks between them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hil.figures.cadence import newest_at
from hil.host.camera import EveryNth
from hil.session import Session
from perception.scoring.clips import clip_of

NOTHING = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A moment at which the newest answer is looked at, in ns of the host's clock, and the name of the truth of then.

    `truth` counts in the data set, None where the truth of then is not in it.
    """

    at_ns: int
    truth: int | None
    name: str


def streaming_answers(session: Session, *, grace: int) -> list[int | None]:
    """Returns for each measured frame the seq of the answer that counts, NOTHING where there is none, None where left out."""
    period_ns = 1e9 / session.rate_hz
    ticks = [
        Tick(at_ns=frame.due_ns + round(grace * period_ns), truth=frame.image, name=session.images[frame.image])
        for frame in session.due
    ]
    return answers_at(session, ticks)


def ticks_between(session: Session, camera: EveryNth) -> list[Tick]:
    """Returns `camera.every` ticks for each measured frame: its due time, and the moments of the truth until the next one."""
    tick_ns = 1e9 / (session.rate_hz * camera.every)
    ticks = []
    for frame in session.due:
        for offset in range(camera.every):
            truth = camera.between(frame.image, offset)
            name = "" if truth is None else camera.whole.names[truth]
            ticks.append(Tick(at_ns=frame.due_ns + round(offset * tick_ns), truth=truth, name=name))
    return ticks


def answers_at(session: Session, ticks: Sequence[Tick]) -> list[int | None]:
    """Returns for each tick the seq of the answer that counts, NOTHING where there is none, None where it is left out."""
    newest = newest_at(session.frames, [tick.at_ns for tick in ticks]).tolist()
    shown = {frame.seq: session.images[frame.image] for frame in session.frames}
    return [_counted(seq, shown.get(seq), tick) for seq, tick in zip(newest, ticks, strict=True)]


def _counted(seq: int, answered: str | None, tick: Tick) -> int | None:
    if tick.truth is None:
        return None
    if answered is None:
        return NOTHING
    (clip, number), (now_clip, now_number) = clip_of(answered), clip_of(tick.name)
    return seq if clip == now_clip and number <= now_number else None
