"""Joint augmentation: one draw moves image, labels and depth together, so they can never be flipped or cropped apart.

Depth stays metric: a zoom keeps the metres and multiplies the focal length, so canonical depth follows by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_BORDER_LABEL = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One image at the network's input size with its labels.

    rgb uint8 (H, W, 3); semantic and instance uint8 (H, W), 0 = ignored / none; depth_m float32 (H, W), inf or nan where
    unknown; `fx` in pixels of this image.
    """

    rgb: NDArray[np.uint8]
    semantic: NDArray[np.uint8]
    instance: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    fx: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentSpec:
    """Ranges to draw from; `strength` 0 switches everything off, 1 is the default.

    Zoom and roll are off: suites draw cameras and lights of their own, and a crop off the centre takes away the
    perspective by which metric depth is read. For a few recorded frames, set their chances to 0.5 and 0.3.
    """

    flip: float = 0.5
    zoom_chance: float = 0.0
    zoom_max: float = 1.4
    roll_chance: float = 0.0
    roll_max_deg: float = 6.0
    gain: float = 0.15
    tint: float = 0.04
    gamma: float = 0.15
    saturation: float = 0.15
    noise_chance: float = 0.1
    noise_max: float = 8.0
    blur_chance: float = 0.1
    strength: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """One draw. `shift` is the crop's centre, -1..1 of the slack that the zoom leaves, as (y, x); `gains` are R, G, B."""

    flip: bool = False
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    roll_rad: float = 0.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    saturation: float = 1.0
    noise: float = 0.0
    noise_seed: int = 0
    blur: bool = False


def draw_augmentation(spec: AugmentSpec, *, rng: np.random.Generator) -> Augmentation:
    """Draws one augmentation; the same generator state gives the same draw."""
    s = spec.strength
    chance = rng.random(5)
    shift = rng.uniform(-1, 1, 2) * 0.6
    tint = np.exp(rng.uniform(-spec.tint, spec.tint, 3) * s) * math.exp(rng.uniform(-spec.gain, spec.gain) * s)
    zoom, roll, gamma, saturation, noise = rng.uniform(0, 1), *rng.uniform(-1, 1, 3), rng.uniform(0, 1)
    return Augmentation(
        flip=bool(chance[0] < spec.flip * s),
        zoom=1 + (spec.zoom_max - 1) * zoom if chance[1] < spec.zoom_chance * s else 1.0,
        shift=(float(shift[0]), float(shift[1])),
        roll_rad=math.radians(spec.roll_max_deg) * roll if chance[2] < spec.roll_chance * s else 0.0,
        gains=(float(tint[0]), float(tint[1]), float(tint[2])),
        gamma=math.exp(spec.gamma * gamma * s),
        saturation=1 + spec.saturation * saturation * s,
        noise=spec.noise_max * noise if chance[3] < spec.noise_chance * s else 0.0,
        noise_seed=int(rng.integers(2**31)),
        blur=bool(chance[4] < spec.blur_chance * s),
    )


def apply_augmentation(sample: Sample, augmentation: Augmentation) -> Sample:
    """Returns a new sample of the same size; pixels from outside the image are ignored (semantic 0, depth nan)."""
    moved = _move(sample, augmentation)
    rgb = _recolour(moved.rgb, augmentation)
    return replace(moved, rgb=rgb)


def source_from_target(augmentation: Augmentation, height: int, width: int) -> NDArray[np.float64]:
    """Returns the affine (2, 3) that maps an augmented pixel (x, y) to the pixel of the original image."""
    a = augmentation
    cx, cy = (width - 1) / 2, (height - 1) / 2
    c, s = math.cos(a.roll_rad) / a.zoom, math.sin(a.roll_rad) / a.zoom
    linear = np.array([[c, -s], [s, c]]) @ np.diag([-1.0 if a.flip else 1.0, 1.0])
    slack = 1 - 1 / a.zoom
    center = np.array([cx + a.shift[1] * slack * width / 2, cy + a.shift[0] * slack * height / 2])
    return np.hstack([linear, (center - linear @ [cx, cy])[:, None]])


def _move(sample: Sample, a: Augmentation) -> Sample:
    if a.zoom == 1.0 and a.roll_rad == 0.0:
        return _flip(sample) if a.flip else sample
    height, width = sample.semantic.shape
    matrix = source_from_target(a, height, width)
    inverse = cv2.WARP_INVERSE_MAP

    def nearest(image: NDArray[Any], border: float) -> NDArray[Any]:
        flags = cv2.INTER_NEAREST | inverse
        return cv2.warpAffine(
            image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=border
        )

    linear = cv2.INTER_LINEAR | inverse
    rgb = cv2.warpAffine(sample.rgb, matrix, (width, height), flags=linear, borderMode=cv2.BORDER_REFLECT_101)
    return Sample(
        rgb=rgb.astype(np.uint8, copy=False),
        semantic=nearest(sample.semantic, _BORDER_LABEL).astype(np.uint8, copy=False),
        instance=nearest(sample.instance, _BORDER_LABEL).astype(np.uint8, copy=False),
        depth_m=nearest(sample.depth_m, float("nan")).astype(np.float32, copy=False),
        fx=sample.fx * a.zoom,
    )


def _flip(sample: Sample) -> Sample:
    return replace(
        sample,
        rgb=np.ascontiguousarray(sample.rgb[:, ::-1]),
        semantic=np.ascontiguousarray(sample.semantic[:, ::-1]),
        instance=np.ascontiguousarray(sample.instance[:, ::-1]),
        depth_m=np.ascontiguousarray(sample.depth_m[:, ::-1]),
    )


def _recolour(rgb: NDArray[np.uint8], a: Augmentation) -> NDArray[np.uint8]:
    levels = (np.arange(256) / 255.0) ** a.gamma
    table = np.clip(levels[:, None] * np.array(a.gains) * 255, 0, 255).astype(np.uint8)
    out = cv2.LUT(rgb, table[None])
    if a.saturation != 1.0:
        grey = np.full((3, 3), (1 - a.saturation) / 3) + a.saturation * np.eye(3)
        out = cv2.transform(out, grey)
    if a.blur:
        out = cv2.GaussianBlur(out, (3, 3), 0)
    if a.noise > 0:
        noise = np.zeros(out.shape, dtype=np.int16)
        cv2.setRNGSeed(a.noise_seed)
        cv2.randn(noise, np.zeros(3), np.full(3, a.noise))
        out = cv2.add(out, noise, dtype=cv2.CV_8U)
    return out.astype(np.uint8, copy=False)
