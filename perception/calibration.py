"""How a network's canonical depth becomes metres for a camera, measured after training on frames it was not trained on.

A network does not see the focal length. It falls back on the distances that it has seen, and on a mean focal length where it
reads the slope of a surface off its foreshortening, so its error follows the focal length, in scale and in tilt. A plane of
least squares through that error, in logarithms, takes both out again.
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
    """metres = canonical depth x gain x r ** focal_exponent x exp((tilt + focal_tilt x ln r) x (v - cy) / reference).

    r is focal / reference, v a row; all in pixels of the network's input. The default is the plain pinhole's. Beyond
    `focal_range_px`, the focal lengths that it was measured on, the exponent is 1 again and the tilt that of the bound.
    """

    gain: float = 1.0
    focal_exponent: float = 1.0
    tilt: float = 0.0
    focal_tilt: float = 0.0
    focal_range_px: tuple[float, float] = (1.0, 1e6)

    def __post_init__(self) -> None:
        low, high = self.focal_range_px
        sane = 0.5 <= self.gain <= 2.0 and 0.0 <= self.focal_exponent <= 2.0 and abs(self.tilt) <= 1 and abs(self.focal_tilt) <= 5
        if not (sane and 0 < low <= high < math.inf):
            raise ValueError(
                "depth_calibration needs a gain of 0.5..2, a focal_exponent of 0..2, a tilt of -1..1, a focal_tilt of -5..5 "
                f"and a range of focal lengths, got {self}"
            )

    def scale(self, focal_px: float, reference_focal_px: float, above_cy_px: NDArray[np.floating]) -> NDArray[np.float32]:
        """Returns metres per unit of canonical depth at rows v - cy (n,), float32 (n,), all in pixels of the input."""
        measured = min(max(focal_px, self.focal_range_px[0]), self.focal_range_px[1])
        log_r = math.log(measured / reference_focal_px)
        level = self.gain * math.exp(self.focal_exponent * log_r) * focal_px / measured
        lean = (self.tilt + self.focal_tilt * log_r) / reference_focal_px
        scale: NDArray[np.float32] = (level * np.exp(lean * above_cy_px)).astype(np.float32)
        return scale

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "focal_range_px": list(self.focal_range_px)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DepthCalibration:
        """Reads what `to_dict` wrote; raises KeyError, TypeError or ValueError."""
        low, high = (float(v) for v in values["focal_range_px"])
        numbers = {name: float(values[name]) for name in ("gain", "focal_exponent", "tilt", "focal_tilt")}
        return cls(**numbers, focal_range_px=(low, high))


def fit_calibration(
    focal_px: NDArray[np.float64],
    above_cy_px: NDArray[np.float64],
    true_per_canonical: NDArray[np.float64],
    reference_focal_px: float,
) -> DepthCalibration:
    """Fits to frames: focal lengths (n,), and of m pixels of each rows v - cy (n, m) and true / canonical depth (n, m).

    Least squares in logarithms; the gain then makes the mean of |predicted / true - 1| least (a weighted median). Frames
    of one focal length say nothing of others. Raises ValueError for fewer than 30 frames.
    """
    if len(focal_px) < MIN_FRAMES:
        raise ValueError(f"a calibration needs at least {MIN_FRAMES} frames, got {len(focal_px)}")
    log_r = np.broadcast_to(np.log(focal_px / reference_focal_px)[:, None], above_cy_px.shape).reshape(-1)
    row = above_cy_px.reshape(-1) / reference_focal_px
    ratio = np.log(true_per_canonical.reshape(-1))
    several = float(np.ptp(np.log(focal_px))) > 0.02
    columns = [np.ones_like(row), row, *([log_r, log_r * row] if several else [])]
    fitted = ratio if several else ratio - log_r
    found, *_ = np.linalg.lstsq(np.stack(columns, axis=1), fitted, rcond=None)
    exponent, focal_tilt = (float(found[2]), float(found[3])) if several else (1.0, 0.0)
    rest = np.exp(ratio - exponent * log_r - (float(found[1]) + focal_tilt * log_r) * row)
    return DepthCalibration(
        gain=round(_weighted_median(rest, weights=1 / rest), 4),
        focal_exponent=round(exponent, 3),
        tilt=round(float(found[1]), 4),
        focal_tilt=round(focal_tilt, 3),
        focal_range_px=(math.floor(focal_px.min()), math.ceil(focal_px.max())),
    )


def _weighted_median(values: NDArray[np.float64], *, weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
