"""A sensor profile as a frozen value: every number that makes one camera's picture differ from the ideal one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenes.taxonomy import TAXONOMY
from sim.sensors._fields import choice, flag, number, numbers, plain, shares, words

# Each field carries its range and its sentence; docs/sensors.md is tested against them. The defaults change nothing.

DEPTH_KINDS = ("stereo", "structured_light", "time_of_flight")


@dataclass(frozen=True, slots=True, kw_only=True)
class LensSpec:
    """What the optics do: where rays go, how much light arrives at the edge, how sharp a point is."""

    horizontal_fov_deg: float | None = number(
        None, 5, 150,
        "horizontal field of view of the undistorted pinhole; left out: the scene camera's",
    )
    principal_point: tuple[float, ...] = numbers(
        (0.0, 0.0), (2,), -0.2, 0.2,
        "offset of the optical axis from the image's middle, right and down, in image widths",
    )
    distortion: tuple[float, ...] = numbers(
        (), (0, 4, 5, 8), -100, 100,
        "k1 k2 p1 p2 [k3 [k4 k5 k6]] as OpenCV has them",
    )
    vignetting: str = choice("none", ("none", "cos4", "polynomial"), "how light falls off towards the edge")
    vignetting_polynomial: tuple[float, ...] = numbers(
        (0.0, 0.0, 0.0), (3,), -2, 2,
        "a b c of 1 + a r^2 + b r^4 + c r^6, r = 1 at the farthest corner",
    )
    blur_px: float = number(
        0.0, 0, 20,
        "standard deviation of the point spread function, in pixels of `native_width_px`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureSpec:
    """How much light is gathered and how it is amplified."""

    time_s: float = number(0.01, 1e-6, 1, "exposure time: decides motion blur and dark signal, not brightness")
    stops: float = number(
        0.0, -10, 10,
        "light on the sensor in powers of two; at 0, white of the ideal picture fills the pixels' wells",
    )
    gain_db: float = number(0.0, 0, 48, "amplification after the wells; 6.02 dB double the brightness and the noise")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSpec:
    """EMVA 1288's linear camera: Poisson electrons, Gaussian dark noise, gain, quantisation."""

    enabled: bool = flag(False, "whether the picture passes through electrons and digital numbers at all")
    full_well_e: float = number(10000.0, 50, 1e6, "saturation capacity in electrons")
    read_noise_e: float = number(2.0, 0, 1000, "standard deviation of the dark noise in electrons")
    dark_current_e_s: float = number(0.0, 0, 1e6, "dark current in electrons per second")
    prnu: float = number(
        0.0, 0, 0.5,
        "photo response non-uniformity: relative standard deviation of the pixels' sensitivity",
    )
    dsnu_e: float = number(0.0, 0, 1000, "dark signal non-uniformity in electrons")
    bits: int = number(12, 6, 16, "bits of the converter", integer=True)
    black_level_dn: float = number(64.0, 0, 4096, "digital number of darkness")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourSpec:
    """How raw channels become an image."""

    response: tuple[float, ...] = numbers(
        (1.0, 1.0, 1.0), (3,), 0.05, 1,
        "sensitivity of red, green, blue before white balance; balance undoes it",
    )
    white_balance: tuple[float, ...] = numbers(
        (1.0, 1.0, 1.0), (3,), 0.2, 5,
        "what is left of a wrong white balance, as factors of linear red, green, blue",
    )
    tone: str = choice("srgb", ("srgb", "gamma", "filmic"), "the curve from linear light to the image's values")
    gamma: float = number(2.2, 1, 4, 'of `tone = "gamma"`: value = light ^ (1 / gamma)')
    saturation: float = number(1.0, 0, 3, "distance of the colours from grey, as a factor")
    sharpening: float = number(0.0, 0, 5, "strength of an unsharp mask of one pixel")
    jpeg_quality: int | None = number(
        None, 1, 100,
        "JPEG quality that the picture passed through; left out: none", integer=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionSpec:
    """How the camera moves during an exposure; speeds are drawn for every frame."""

    linear_m_s: float = number(0.0, 0, 20, "root mean square speed of the camera")
    angular_rad_s: float = number(0.0, 0, 50, "root mean square angular speed of the camera")
    most_samples: int = number(
        17, 3, 129,
        "most sub-frames of one exposure, each at most about a pixel from the next", integer=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthSpec:
    """A depth camera at the colour camera's own place: what it measures, and where it measures nothing."""

    kind: str = choice(
        "stereo", DEPTH_KINDS,
        "stereo and structured light measure disparity, time of flight measures metres",
    )
    min_m: float = number(0.1, 0, 20, "nearest depth that is returned")
    max_m: float = number(10.0, 0.01, 200, "farthest depth that is returned")
    baseline_m: float = number(0.05, 0.001, 1, "from this imager to the other one, or to the projector, along x")
    shadow: bool = flag(True, "no return where the other imager, or the projector's light, does not reach")
    disparity_noise_px: float = number(0.0, 0, 5, "standard deviation of disparity in pixels of `native_width_px`")
    disparity_step_px: float = number(
        0.0, 0, 2,
        "quantisation of disparity in pixels of `native_width_px`, 0 for none",
    )
    noise_correlation_px: float = number(
        0.0, 0, 20,
        "standard deviation of the Gaussian that makes neighbouring errors alike",
    )
    axial_noise_m: tuple[float, ...] = numbers(
        (0.0, 0.0, 0.0), (3,), 0, 1,
        "a b c of a + b (z - c)^2: further noise along z, in metres",
    )
    grazing_noise_m: float = number(0.0, 0, 1, "g of g / sqrt(z) t^2 / (pi/2 - t)^2: noise added at incidence t")
    lateral_noise_px: float = number(0.0, 0, 5, "standard deviation of a sideways shift of what a pixel measures")
    step_m: float = number(0.0, 0, 0.1, "quantisation of the depth that is given out, 0 for none")
    edge_window_px: int = number(0, 0, 15, "reach of the matching window around a depth edge", integer=True)
    edge_loss: float = number(0.0, 0, 1, "probability of no return within `edge_window_px` of a depth edge")
    flying_pixels: float = number(0.0, 0, 1, "probability that a pixel at a depth edge mixes both depths")
    grazing_deg: tuple[float, ...] = numbers(
        (90.0, 90.0), (2,), 0, 90,
        "incidence from where returns get lost to where all are",
    )
    dark_level: float = number(0.0, 0, 1, "linear brightness of the ideal picture below which returns get lost")
    dark_loss: float = number(0.0, 0, 1, "probability of no return at black")
    shiny_loss: float = number(
        0.0, 0, 1,
        "probability of no return from a polished metal: times metallic, times 1 - roughness",
    )
    lost_by_category: tuple[tuple[str, float], ...] = shares(
        [c.name for c in TAXONOMY],
        "probability of no return by category, for glass and the like",
    )
    random_loss: float = number(0.0, 0, 1, "probability of no return anywhere")
    hole_px: float = number(
        2.0, 0, 20,
        "size of the holes: standard deviation of the Gaussian that makes losses clump",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorProfile:
    """All of one camera; `depth` is None where it has no depth sensor. Hashable, and cheap to send to a process."""

    name: str = words("the profile's name")
    summary: str = words("one sentence on what it stands for")
    source: str = words("where the numbers come from")
    calibrated: bool = flag(False, "whether they were measured on one device; false for all that are shipped")
    native_width_px: int | None = number(
        None, 16, 20000,
        "image width that `..._px` numbers refer to; left out: the image's own", integer=True,
    )
    lens: LensSpec = field(default_factory=LensSpec)
    exposure: ExposureSpec = field(default_factory=ExposureSpec)
    noise: NoiseSpec = field(default_factory=NoiseSpec)
    colour: ColourSpec = field(default_factory=ColourSpec)
    motion: MotionSpec = field(default_factory=MotionSpec)
    depth: DepthSpec | None = None

    @property
    def is_ideal(self) -> bool:
        """Whether applying it changes nothing and adds nothing."""
        return self.to_dict(named=False) == SensorProfile().to_dict(named=False)

    @property
    def digest(self) -> str:
        """A sha256 of every number that has an effect; the names and remarks do not count."""
        return hashlib.sha256(json.dumps(self.to_dict(named=False), sort_keys=True).encode()).hexdigest()

    @property
    def label(self) -> str | None:
        """The name and the beginning of the digest; None for the ideal camera."""
        return None if self.is_ideal else f"{self.name} ({self.digest[:16]})"

    def record(self) -> dict[str, Any] | None:
        """Returns what a manifest keeps of it: label, digest and every value; None for the ideal camera."""
        return None if self.is_ideal else {"label": self.label, "digest": self.digest, **self.to_dict()}

    @classmethod
    def from_record(cls, values: Mapping[str, Any] | None) -> SensorProfile:
        """Returns the profile of what `record` gave; raises KeyError, TypeError or ValueError for other values."""
        if values is None:
            return IDEAL
        rest = {key: value for key, value in values.items() if key not in {"label", "digest"}}
        parts = {
            key: SECTIONS[key](**{k: _tuples(v) for k, v in rest.pop(key).items()})
            for key in SECTIONS
            if rest.get(key) is not None
        }
        profile = cls(**{**rest, **parts})
        if profile.digest != values["digest"]:
            raise ValueError(f"the sensor profile {profile.name} has other values than its digest says")
        return profile

    def to_dict(self, *, named: bool = True) -> dict[str, Any]:
        """Returns plain JSON values, without name, summary, source and calibration where not `named`."""
        values: dict[str, Any] = plain(self)
        if not named:
            for key in ("name", "summary", "source", "calibrated"):
                del values[key]
        return values


IDEAL = SensorProfile(name="ideal", summary="The ideal pinhole: the frame as it is rendered.")
SECTIONS: dict[str, type] = {
    "lens": LensSpec, "exposure": ExposureSpec, "noise": NoiseSpec, "colour": ColourSpec, "motion": MotionSpec,
    "depth": DepthSpec,
}  # fmt: skip


def _tuples(value: Any) -> Any:
    """Returns lists, which JSON has, as the tuples they were."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value
