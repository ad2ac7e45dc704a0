"""The keys that suites of every kind have, written once: lights of a suite's own, and the lens of its cameras."""

from __future__ import annotations

from scenes.description import Parameter, number
from scenes.lights import COOLEST_K, WARMEST_K

LIGHTS: tuple[Parameter, ...] = (
    number("light.sun_intensity", 0, 2, "the sun, or the light with a shadow; 1 shows white as white"),
    number("light.lamp_intensity", 0, 2, "each lamp's; the first one's shadow shows where there is no sun"),
    number("light.ambient", 0, 1, "light from everywhere"),
    number("light.kelvin", WARMEST_K, COOLEST_K, "colour temperature of each light"),
)
LENS: tuple[Parameter, ...] = (
    number("camera.fov_deg", 30, 110, "horizontal field of view, the same for all views"),
    number("camera.roll_rad", -0.5, 0.5, "turn about the view"),
)
