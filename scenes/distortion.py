"""Brown-Conrady lens distortion in OpenCV's convention, both ways, on normalised image coordinates."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# x and y are metres across per metre ahead: what a pinhole of focal length 1 would draw.

Coordinates = NDArray[np.float64]

LENGTHS = (4, 5, 8)
_STEPS = 25
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """Coefficients k1, k2, p1, p2, k3 and the rational k4, k5, k6, in the order that OpenCV has them.

    With r2 = x^2 + y^2 and s = (1 + k1 r2 + k2 r2^2 + k3 r2^3) / (1 + k4 r2 + k5 r2^2 + k6 r2^3) a ray (x, y) is drawn at
    (s x + 2 p1 x y + p2 (r2 + 2 x^2), s y + p1 (r2 + 2 y^2) + 2 p2 x y). Brown, Decentering Distortion of Lenses, 1966.
    """

    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.coefficients) not in LENGTHS or not np.isfinite(self.coefficients).all():
            raise ValueError(f"A distortion needs 4, 5 or 8 finite numbers k1 k2 p1 p2 [k3 [k4 k5 k6]], got {self.coefficients}.")

    def distort(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Maps rays to where the lens draws them; any shape, of which both have the same."""
        k1, k2, p1, p2, k3, k4, k5, k6 = self._all()
        r2 = x * x + y * y
        scale = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
        return (
            scale * x + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            scale * y + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        )

    def jacobian(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates, Coordinates]:
        """Returns d x'/d x, d x'/d y = d y'/d x and d y'/d y of `distort` at rays."""
        k1, k2, p1, p2, k3, k4, k5, k6 = self._all()
        r2 = x * x + y * y
        above, below = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)), 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
        scale = above / below
        slope = (k1 + r2 * (2 * k2 + 3 * k3 * r2) - scale * (k4 + r2 * (2 * k5 + 3 * k6 * r2))) / below
        return (
            scale + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x,
            2 * x * y * slope + 2 * p1 * x + 2 * p2 * y,
            scale + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x,
        )

    def draws(self, x: Coordinates, y: Coordinates) -> NDArray[np.bool_]:
        """Returns which rays the lens draws: those on this side of the turning point, beyond which the picture folds back."""
        xx, xy, yy = self.jacobian(x, y)
        upright = (xx * yy - xy * xy > 0) & (xx + yy > 0)
        drawn: NDArray[np.bool_] = upright & (x * x + y * y < _turning_r2(self._all()))
        return drawn

    def undistort(self, x_drawn: Coordinates, y_drawn: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Maps drawn points back to their rays, to 1e-12, by Newton's method; nan where the lens draws no ray there."""
        x, y = x_drawn.astype(np.float64), y_drawn.astype(np.float64)
        with np.errstate(all="ignore"):
            for _ in range(_STEPS):
                x_now, y_now = self.distort(x, y)
                x_off, y_off = x_now - x_drawn, y_now - y_drawn
                if not (np.abs(x_off) + np.abs(y_off) > _TOLERANCE).any():
                    break
                xx, xy, yy = self.jacobian(x, y)
                determinant = xx * yy - xy * xy
                x, y = x - (yy * x_off - xy * y_off) / determinant, y - (xx * y_off - xy * x_off) / determinant
            x_now, y_now = self.distort(x, y)
            xx, xy, yy = self.jacobian(x, y)
            # Beyond the turning point of the polynomial the picture would be mirrored: no ray of a lens goes there.
            upright = (xx * yy - xy * xy > 0) & (xx + yy > 0)
            found = upright & (np.abs(x_now - x_drawn) + np.abs(y_now - y_drawn) <= 1e3 * _TOLERANCE)
        return np.where(found, x, np.nan), np.where(found, y, np.nan)

    def _all(self) -> tuple[float, ...]:
        return (*self.coefficients, *(0.0,) * (8 - len(self.coefficients)))


@functools.lru_cache(maxsize=16)
def _turning_r2(coefficients: tuple[float, ...]) -> float:
    """Returns the least r2 at which the drawn radius s r stops to grow, or has a pole; +inf for none.

    With s = N / D, both polynomials of q = r2, the slope of s r is (N D + 2 q (N' D - N D')) / D^2.
    """
    polynomial = np.polynomial.Polynomial
    k1, k2, _, _, k3, k4, k5, k6 = coefficients
    above, below = polynomial([1.0, k1, k2, k3]), polynomial([1.0, k4, k5, k6])
    slope = above * below + polynomial([0.0, 2.0]) * (above.deriv() * below - above * below.deriv())
    roots = np.concatenate([p.trim().roots() for p in (slope, below)])
    real = roots[(np.abs(roots.imag) < 1e-9 * np.maximum(1.0, np.abs(roots))) & (roots.real > 0)].real
    return float(real.min(initial=np.inf))
