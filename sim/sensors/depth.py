"""What a depth camera would have measured where the truth is known: float32 metres, 0 where there is no return.

Stereo and structured light measure disparity d = f b / z with an error of constant size, so that
sigma_z = z^2 sigma_d / (f b) (Khoshelham & Elberink, Sensors 12, 2012, eq. 6); time of flight measures z itself, with
sigma_z = a + b (z - c)^2 (the form of Nguyen, Izadi & Lovell, 3DIMPVT 2012, from whom the growth at grazing incidence
is too). The sideways shift before quantisation is Barron & Malik's (CVPR 2013), as in Handa et al. (ICRA 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from sim.frame import Truth
from sim.sensors.losses import LOST, loss_map
from sim.sensors.profile import DepthSpec
from sim.sensors.randomness import normal_field, stream
from sim.sensors.surface import depth_edges, incidence_rad, inverse_depth

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DepthReading:
    """depth_m float32 (H, W), 0 = no return; `lost` uint8 (H, W), an index into `losses.LOST`: why, 0 where there is one."""

    depth_m: NDArray[np.float32]
    lost: NDArray[np.uint8]


def read_depth(
    truth: Truth,
    camera: Camera,
    spec: DepthSpec,
    *,
    light: NDArray[np.float32],
    shine: NDArray[np.float32],
    native_width_px: int | None,
    key: Key,
) -> DepthReading:
    """Returns the reading of a frame; `key` names it, and equal keys give equal readings.

    light float32 (H, W) is the ideal picture's linear brightness, 0..1, and shine float32 (number of instances + 1,)
    how polished and metallic each instance is, 0..1. Pixels of the profile are those of an image of `native_width_px`.
    """
    scale = 1.0 if native_width_px is None else camera.width / native_width_px
    inverse = inverse_depth(truth.depth_m)
    edges, angle_rad = depth_edges(inverse), incidence_rad(inverse, camera)
    measured = _shifted(inverse, spec.lateral_noise_px * scale, key)
    measured = _mixed(measured, edges, spec, key)
    depth_m = _with_noise(measured, camera.fx / scale, angle_rad, scale, spec, key)
    lost = loss_map(truth, camera, spec, edges, angle_rad, light, shine, scale, key)
    return _given_out(depth_m, lost, spec)


def sigma_z_m(depth_m: NDArray[np.floating], focal_px: float, spec: DepthSpec) -> NDArray[np.float64]:
    """Returns the standard deviation along z in metres, face on: the formulas above, added in squares.

    Quantisation by steps of q adds q^2 / 12 to the variance of disparity.
    """
    z = np.asarray(depth_m, dtype=np.float64)
    a, b, c = spec.axial_noise_m
    axial = a + b * (z - c) ** 2
    if spec.kind == "time_of_flight":
        return axial
    variance_px = spec.disparity_noise_px**2 + spec.disparity_step_px**2 / 12
    return np.asarray(np.hypot(axial, z * z * np.sqrt(variance_px) / (focal_px * spec.baseline_m)))


def _shifted(inverse: NDArray[np.float64], sigma_px: float, key: Key) -> NDArray[np.float64]:
    """Returns what a pixel measures when its ray wanders sideways: another pixel's surface, never a mean."""
    if sigma_px <= 0:
        return inverse
    rng = stream(*key, "lateral")
    height, width = inverse.shape
    column = _wandering(np.arange(width), inverse.shape, sigma_px, rng)
    row = _wandering(np.arange(height)[:, None], inverse.shape, sigma_px, rng)
    row *= width
    row += column
    moved: NDArray[np.float64] = inverse.reshape(-1).take(row)
    return moved


def _wandering(
    numbers: NDArray[np.int64], shape: tuple[int, ...], sigma_px: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Returns the number of a column or row that each pixel of an image looks at instead of its own."""
    at = rng.standard_normal(shape, dtype=np.float32)
    at *= np.float32(sigma_px)
    at += numbers
    np.rint(at, out=at)
    return np.clip(at, 0, numbers.size - 1, out=at).astype(np.int64)


def _mixed(inverse: NDArray[np.float64], edges: NDArray[np.bool_], spec: DepthSpec, key: Key) -> NDArray[np.float64]:
    """Returns the measurements with flying pixels: at edges some lie between the depths on both sides."""
    if spec.flying_pixels <= 0:
        return inverse
    import cv2

    rng = stream(*key, "flying")
    flies = edges & (rng.random(inverse.shape) < spec.flying_pixels)
    share = rng.random(inverse.shape)
    square = np.ones((3, 3), np.uint8)
    known = inverse > 0
    nearest = cv2.dilate(inverse, square)
    farthest = cv2.erode(np.where(known, inverse, np.inf), square)
    flies &= known & np.isfinite(farthest)
    between = np.divide(1.0, share / np.where(flies, nearest, 1) + (1 - share) / np.where(flies, farthest, 1))
    return np.where(flies, between, inverse)


def _with_noise(
    inverse: NDArray[np.float64],
    focal_px: float,
    angle_rad: NDArray[np.float64],
    scale: float,
    spec: DepthSpec,
    key: Key,
) -> NDArray[np.float64]:
    """Returns depth float64 (H, W) with the errors along z; 0 where nothing is measured."""
    seen = inverse > 0
    if spec.kind != "time_of_flight":
        disparity = focal_px * spec.baseline_m * inverse
        if spec.disparity_noise_px > 0:
            rng = stream(*key, "disparity")
            disparity = disparity + spec.disparity_noise_px * normal_field(
                inverse.shape, spec.noise_correlation_px * scale, rng=rng
            )
        if spec.disparity_step_px > 0:
            disparity = np.rint(disparity / spec.disparity_step_px) * spec.disparity_step_px
        inverse = disparity / (focal_px * spec.baseline_m)
        seen &= inverse > 0
    depth_m = np.divide(1.0, inverse, where=seen, out=np.zeros_like(inverse))
    return np.where(seen, depth_m + _axial_error_m(depth_m, seen, angle_rad, scale, spec, key), 0.0)


def _axial_error_m(
    depth_m: NDArray[np.float64],
    seen: NDArray[np.bool_],
    angle_rad: NDArray[np.float64],
    scale: float,
    spec: DepthSpec,
    key: Key,
) -> NDArray[np.float64]:
    a, b, c = spec.axial_noise_m
    sigma = a + b * (depth_m - c) ** 2
    if spec.grazing_noise_m > 0:
        ratio = angle_rad / np.maximum(np.pi / 2 - angle_rad, 0.02)
        sigma = sigma + spec.grazing_noise_m / np.sqrt(np.where(seen, depth_m, 1.0)) * ratio * ratio
    if not sigma.any():
        return np.zeros_like(depth_m)
    rng = stream(*key, "axial")
    correlation_px = spec.noise_correlation_px * scale if spec.kind == "time_of_flight" else 0.0
    return np.asarray(sigma * normal_field(depth_m.shape, correlation_px, rng=rng))


def _given_out(depth_m: NDArray[np.float64], lost: NDArray[np.uint8], spec: DepthSpec) -> DepthReading:
    """Returns the reading in range and in steps; whatever lost its return is 0."""
    stepped = np.rint(depth_m / spec.step_m) * spec.step_m if spec.step_m > 0 else depth_m
    lost = np.where((lost == 0) & (depth_m < spec.min_m), LOST.index("too near"), lost)
    lost = np.where((lost == 0) & (depth_m > spec.max_m), LOST.index("too far"), lost).astype(np.uint8)
    given = np.where(lost == 0, stepped, 0.0).astype(np.float32)
    return DepthReading(depth_m=given, lost=lost)
