"""What an independent check found on a frame, and whether its labels may be believed: figures, objects, pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

LEAST_SHARE = 0.999
LARGEST_MEDIAN_ERROR_M = 1e-4
# An object with this many checked pixels of which most disagree refuses the frame, however large the frame is.
LEAST_OF_OBJECT = 3



@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many of the checked pixels agree, and the median and largest depth error, None where no depth was compared."""

    checked: int
    agreeing: int
    depth_median_error_m: float | None
    depth_max_error_m: float | None

    @property
    def share(self) -> float:
        """The share of checked pixels that agree, 0 where none was checked."""
        return self.agreeing / self.checked if self.checked else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Agreement:
        """Reads what `to_dict` wrote; raises KeyError, TypeError or ValueError."""
        median, largest = values["depth_median_error_m"], values["depth_max_error_m"]
        return cls(
            checked=int(values["checked"]),
            agreeing=int(values["agreeing"]),
            depth_median_error_m=None if median is None else float(median),
            depth_max_error_m=None if largest is None else float(largest),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAgreement:
    """One object, or one category of stuff: the checked pixels that show it by label or by ray, and those that agree."""

    name: str
    checked: int
    agreeing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One pixel (u, v) on which label and ray disagree: what each of them says is there, and how deep."""

    u: int
    v: int
    labelled: str
    cast: str
    labelled_depth_m: float
    cast_depth_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The verdict on one frame: figures, a row for every object that was looked at, and the pixels that differ."""

    frame: str
    agreement: Agreement
    objects: tuple[ObjectAgreement, ...]
    differences: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        """Whether the frame may be believed: see `complaints`."""
        return not self.complaints()

    def complaints(self) -> list[str]:
        """Returns what is wrong, as parts of a sentence; empty where the labels hold."""
        found = self.agreement
        median = found.depth_median_error_m
        said = []
        if not found.checked:
            said.append("no pixel away from edges to check")
        elif found.share < LEAST_SHARE:
            said.append(f"{found.checked - found.agreeing} of {found.checked} checked pixels disagree")
        if median is not None and median > LARGEST_MEDIAN_ERROR_M:
            said.append(f"the median depth error is {1e3 * median:.2f} mm")
        for row in self.objects:
            if row.checked >= LEAST_OF_OBJECT and 2 * row.agreeing < row.checked:
                said.append(f"{row.checked - row.agreeing} of {row.checked} checked pixels of {row.name} disagree")
        return said

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        values = asdict(self)
        for pixel in values["differences"]:
            for key in ("labelled_depth_m", "cast_depth_m"):
                pixel[key] = pixel[key] if np.isfinite(pixel[key]) else None
        return {**values, "share": self.agreement.share, "complaints": self.complaints()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSummary:
    """The proofs of a data set together.

    `frames` were proven and `unproven` were not; the median is that of the frames' medians, the maximum that of all.
    """

    frames: int
    unproven: int
    checked: int
    agreeing: int
    depth_median_error_m: float | None
    depth_max_error_m: float | None

    def __str__(self) -> str:
        if not self.frames:
            return "not proven"
        unproven = f", {self.unproven} frames not proven" if self.unproven else ""
        depth = (
            ""
            if self.depth_median_error_m is None or self.depth_max_error_m is None
            else f", depth error {1e3 * self.depth_median_error_m:.2g} mm median, {1e3 * self.depth_max_error_m:.2g} mm at most"
        )
        return f"{self.agreeing} of {self.checked} checked pixels agree in {self.frames} frames{depth}{unproven}"


def summed(agreements: Iterable[Agreement | None]) -> ProofSummary:
    """Sums up the agreement of each frame of a data set."""
    frames = list(agreements)
    proven = [frame for frame in frames if frame is not None]
    medians = [a.depth_median_error_m for a in proven if a.depth_median_error_m is not None]
    largest = [a.depth_max_error_m for a in proven if a.depth_max_error_m is not None]
    return ProofSummary(
        frames=len(proven),
        unproven=len(frames) - len(proven),
        checked=sum(a.checked for a in proven),
        agreeing=sum(a.agreeing for a in proven),
        depth_median_error_m=float(np.median(medians)) if medians else None,
        depth_max_error_m=max(largest, default=None),
    )
