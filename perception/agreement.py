"""How far the outputs of one engine are from those of another on the same images, with limits fixed in advance by precision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from perception.engine import RawOutput

# By precision, what two right engines may differ by at most: share of pixels with another category, and the relative error
# of depth below which 95 % of the pixels lie; means over the images. Measured: docs/tensorrt.md.
LIMITS = {"f32": (0.001, 0.001), "f16": (0.005, 0.005), "bf16": (0.01, 0.01), "int8": (0.03, 0.08)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Differences over a number of images: means of each image's figure, and the worst image's for category and depth.

    `category_changed` and its worst: share of pixels 0..1. `depth_p95`: 95th percentile of |depth / reference - 1|.
    `confidence_p95`, `center_p95`: of absolute differences, 0..1. `offset_p95_px`: in pixels of the network's input.
    """

    images: int
    category_changed: float
    category_changed_worst: float
    depth_p95: float
    depth_p95_worst: float
    confidence_p95: float
    center_p95: float
    offset_p95_px: float

    def within(self, precision: str) -> bool:
        """Whether an engine of that precision is as near to float32 as a right one is; nan never is."""
        category, depth = LIMITS[precision]
        return bool(self.category_changed <= category and self.depth_p95 <= depth)

    def describe(self) -> str:
        """Returns the figures as a phrase."""
        return (
            f"category of {100 * self.category_changed:.3g} % of the pixels differs "
            f"(worst image {100 * self.category_changed_worst:.3g} %), "
            f"depth p95 {100 * self.depth_p95:.3g} % (worst {100 * self.depth_p95_worst:.3g} %), "
            f"offset p95 {self.offset_p95_px:.3g} px, {self.images} images"
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)


def limits_of(precision: str) -> str:
    """Returns the limits of a precision as a phrase."""
    category, depth = LIMITS[precision]
    return f"{precision}: at most {100 * category:g} % of the pixels, depth p95 at most {100 * depth:g} %"


def agreement(pairs: Iterable[tuple[RawOutput, RawOutput]]) -> Agreement:
    """Compares (reference, other) of each image; raises ValueError for none."""
    rows = np.array([_row(reference, other) for reference, other in pairs])
    if not len(rows):
        raise ValueError("an agreement needs at least one image")
    mean, worst = rows.mean(axis=0), rows.max(axis=0)
    return Agreement(
        images=len(rows), category_changed=float(mean[0]), category_changed_worst=float(worst[0]), depth_p95=float(mean[1]),
        depth_p95_worst=float(worst[1]), confidence_p95=float(mean[2]), center_p95=float(mean[3]), offset_p95_px=float(mean[4]),
    )  # fmt: skip


def _row(reference: RawOutput, other: RawOutput) -> list[float]:
    depth = np.abs(other.depth.astype(np.float64) / np.maximum(reference.depth, 1e-6) - 1)
    names = ("confidence", "center", "offset")
    differences = [np.abs(getattr(other, n).astype(np.float64) - getattr(reference, n)) for n in names]
    percentiles = [float(np.percentile(array, 95)) for array in (depth, *differences)]
    return [float((reference.category != other.category).mean()), *percentiles]
