"""What a robot has in hand at each moment: the newest answer that is there, compared with the truth of now, not of then.

Streaming accuracy (Li, Wang, Ramanan, ECCV 2020): at the due time of frame i the newest available answer is scored against
the truth of frame i. With `grace` = 0 an answer to frame i can never serve frame i (eta 0 there); with one period of grace it
can if it is on time (eta -1). No answer yet counts as an empty one. A camera does not cut: a tick whose newest answer shows
another clip, or a later part of the same one (the data set begins again), is left out. Stills are clips of one image.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hil.cadence import newest_at
from hil.session import Session

NOTHING = -1


def streaming_answers(session: Session, *, grace: int) -> list[int | None]:
    """Returns for each measured frame the seq of the answer that counts, NOTHING where there is none, None where left out."""
    period_ns = 1e9 / session.rate_hz
    ticks = [frame.due_ns + round(grace * period_ns) for frame in session.due]
    newest = newest_at(session.frames, ticks).tolist()
    image_of = {frame.seq: frame.image for frame in session.frames}
    names = session.images
    return [
        _counted(seq, names, image_of.get(seq), frame.image) for seq, frame in zip(newest, session.due, strict=True)
    ]


def clip_of(name: str) -> tuple[str, int]:
    """Returns the clip of an image and its place in it: `scene/camera_0-0012` is number 12 of `scene/camera_0`."""
    match = re.fullmatch(r"(.*)-(\d{4,})", name)
    return (name, 0) if match is None else (match[1], int(match[2]))


def has_clips(names: Sequence[str]) -> bool:
    """Whether any clip has more than one image, so that streaming means something."""
    return len({clip_of(name)[0] for name in names}) < len(names)


def _counted(seq: int, names: Sequence[str], answered: int | None, shown: int) -> int | None:
    if answered is None:
        return NOTHING
    (clip, number), (now_clip, now_number) = clip_of(names[answered]), clip_of(names[shown])
    return seq if clip == now_clip and number <= now_number else None
