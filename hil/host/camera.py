"""A camera that is slower than the truth: it takes every n-th frame of each clip, and the frames between stay truth.

The simulator knows the truth at any moment, so a data set at 60 Hz played by a camera of 15 FPS has the truth of three moments
between two images. `EveryNth` is what a run streams; `hil.figures.quality` holds the newest answer against the moments between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from perception.scoring.clips import clip_of, has_clips
from scenes.errors import RehearseError

if TYPE_CHECKING:
    from sim.frame import Frame


class NamedFrames(Protocol):
    """What a camera needs of a data set: frames by index, and their names."""

    @property
    def names(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Frame: ...


class EveryNth:
    """A source of frames: those of `whole` whose place in their clip is a multiple of `every`.

    `places` has the index in `whole` of each image. Raises RehearseError where that leaves nothing to stream.
    """

    def __init__(self, whole: NamedFrames, every: int) -> None:
        if every < 1:
            raise RehearseError(f"A camera takes every frame or every n-th, got --camera-every {every}.")
        self.whole, self.every = whole, every
        self.places = tuple(i for i, name in enumerate(whole.names) if clip_of(name)[1] % every == 0)
        self._index = {name: i for i, name in enumerate(whole.names)}
        if every > 1 and not has_clips([whole.names[i] for i in self.places]):
            raise RehearseError(
                f"A camera that takes every {every}th frame needs clips of more than {every} frames; generate them with "
                "--sequence LENGTH --rate HZ."
            )

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Frame:
        return self.whole[self.places[index]]

    def between(self, image: int, offset: int) -> int | None:
        """Returns the index in `whole` of the truth `offset` frames after an image, None where its clip has no such frame."""
        clip, number = clip_of(self.whole.names[self.places[image]])
        return self._index.get(f"{clip}-{number + offset:04d}")


def camera_every(clip_hz: float | None, rate_hz: float) -> int:
    """Returns how many frames of clips of `clip_hz` go by while a camera of `rate_hz` takes one, the nearest whole number.

    Things then move at about the speed at which they were simulated, and at exactly it where the one rate divides the
    other. None is a data set without clips.
    """
    return 1 if clip_hz is None else max(round(clip_hz / rate_hz), 1)
