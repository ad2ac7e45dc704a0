"""What is recorded of a scene: which annotations, over how many moments, what moves, and with one eye or two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scenes.errors import DatasetError, UnknownNameError
from sim.annotators.registry import DEFAULT, choose

MOTIONS = ("camera", "objects", "both")
EYES = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """The annotators by name (`default` and `all` are spelt out), and what a view of a scene consists of.

    `sequence` frames follow each other at `rate_hz`; 1 is a still. `motion` says what moves in a sequence. `stereo_m` is
    the distance between two parallel eyes in metres, None for one eye. Raises DatasetError or UnknownNameError.
    """

    annotators: tuple[str, ...] = DEFAULT
    sequence: int = 1
    rate_hz: float = 15.0
    motion: str = "camera"
    stereo_m: float | None = None

    def __post_init__(self) -> None:
        if self.motion not in MOTIONS:
            raise UnknownNameError("motion", self.motion, MOTIONS)
        if self.sequence < 1 or not 0 < self.rate_hz < float("inf"):
            raise DatasetError(
                f"A sequence needs at least 1 frame and a rate above 0 Hz, got {self.sequence} and {self.rate_hz:g}."
            )
        if self.stereo_m is not None and not 0 < self.stereo_m <= 1:
            raise DatasetError(f"A stereo baseline must be above 0 and at most 1 m, got {self.stereo_m:g}.")
        names = choose(self.annotators, sequence=self.sequence > 1, stereo=self.stereo_m is not None)
        object.__setattr__(self, "annotators", names)

    @property
    def eyes(self) -> tuple[str, ...]:
        """The folders of the pictures of one moment; a single empty name where all lie together."""
        return EYES if self.stereo_m is not None else ("",)

    @property
    def frames_per_view(self) -> int:
        """How many frames one camera of a scene gives."""
        return self.sequence * len(self.eyes)

    @property
    def plain(self) -> bool:
        """Whether a frame and its truth are all that is needed: stills of one eye with the default annotators."""
        return self.frames_per_view == 1 and self.annotators == DEFAULT

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "annotators": list(self.annotators)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Capture:
        """Reads what `to_dict` wrote; raises LookupError, TypeError or ValueError."""
        return cls(**{**values, "annotators": tuple(values["annotators"])})
