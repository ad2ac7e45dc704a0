"""How a network's canonical depth becomes metres for a camera: a gain and a power of the focal length, measured after training.

A network that cannot know the focal length of what it looks at falls back on the distances that it has seen, so its metric
error follows the focal length. A line fitted to that error on frames that it was not trained on takes it out again.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_FRAMES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthCalibration:
    """metres = canonical depth x gain x (focal / reference) ** focal_exponent; the default is the plain pinhole's.

    Beyond `focal_range_px`, the focal lengths that it was measured on, in pixels of the network's input, the exponent
    is 1 again.
    """

    gain: float = 1.0
    focal_exponent: float = 1.0
    focal_range_px: tuple[float, float] = (1.0, 1e6)

    def __post_init__(self) -> None:
        low, high = self.focal_range_px
        if not (0.5 <= self.gain <= 2.0 and 0.0 <= self.focal_exponent <= 2.0 and 0 < low <= high < math.inf):
            raise ValueError(
                f"depth_calibration needs a gain of 0.5..2, a focal_exponent of 0..2 and a range of focal lengths, got {self}"
            )

    def scale(self, focal_px: float, reference_focal_px: float) -> float:
        """Returns metres per unit of canonical depth for a focal length in pixels of the network's input."""
        measured = min(max(focal_px, self.focal_range_px[0]), self.focal_range_px[1])
        return self.gain * math.pow(measured / reference_focal_px, self.focal_exponent) * focal_px / measured

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "focal_range_px": list(self.focal_range_px)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DepthCalibration:
        """Reads what `to_dict` wrote; raises KeyError, TypeError or ValueError."""
        low, high = (float(v) for v in values["focal_range_px"])
        return cls(
            gain=float(values["gain"]), focal_exponent=float(values["focal_exponent"]), focal_range_px=(low, high)
        )


def fit_calibration(
    focal_px: NDArray[np.float64], true_per_canonical: NDArray[np.float64], reference_focal_px: float
) -> DepthCalibration:
    """Fits the calibration to frames: focal lengths (n,) in pixels of the input, true / canonical depth of each (n,).

    The exponent is the least-squares slope in logarithms; the gain then makes the mean of |predicted / true - 1| over the
    frames least (a weighted median). Raises ValueError for fewer than 30 frames.
    """
    if len(focal_px) < MIN_FRAMES:
        raise ValueError(f"a calibration needs at least {MIN_FRAMES} frames, got {len(focal_px)}")
    focal, ratio = np.log(focal_px / reference_focal_px), np.log(true_per_canonical)
    spread = focal - focal.mean()
    slope = float(spread @ ratio / (spread @ spread)) if spread @ spread > 1e-4 * len(focal) else 1.0
    exponent = min(max(slope, 0.0), 2.0)
    gain = _weighted_median(np.exp(ratio - exponent * focal), weights=np.exp(exponent * focal - ratio))
    return DepthCalibration(
        gain=round(gain, 4),
        focal_exponent=round(exponent, 3),
        focal_range_px=(math.floor(focal_px.min()), math.ceil(focal_px.max())),
    )


def _weighted_median(values: NDArray[np.float64], *, weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
