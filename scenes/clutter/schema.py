"""The parameters of a clutter suite, their limits and their meaning: what a file may give distributions for."""

from __future__ import annotations

from scenes.description import Parameter
from scenes.household.schema import SMALL

SHAPES = ("rectangular", "square", "round")
BACKGROUNDS = ("room", "corner", "hall", "furnished")

SCHEMA: tuple[Parameter, ...] = (
    Parameter(key="table.shape", type="name", names=SHAPES, meaning="outline of the table top"),
    Parameter(key="table.length_m", type="number", low=0.5, high=2.5, meaning="longer edge, or diameter"),
    Parameter(key="table.aspect", type="number", low=0.3, high=1, meaning="shorter over longer edge of a rectangular table"),
    Parameter(key="table.height_m", type="number", low=0.3, high=1.1, meaning="floor to table top"),
    Parameter(key="background.kind", type="name", names=BACKGROUNDS, meaning="a room about the table, its corner, a hall, or a room with furniture"),
    Parameter(key="background.width_m", type="number", low=2.4, high=8, meaning="size of the room along both floor axes, each drawn"),
    Parameter(key="objects.count", type="count", low=0, high=60, meaning="objects drawn; those that find no place are left out"),
    Parameter(key="objects.category", type="name", names=SMALL, meaning="the category of each object"),
    Parameter(key="objects.spread_m", type="number", low=0.05, high=1.2, meaning="half size of the area on the table, once a scene"),
    Parameter(key="objects.heap", type="number", meaning="probability that an object falls on what lies there; drawn once a scene"),
    Parameter(key="objects.stack", type="number", meaning="probability that a plate, book, box or bowl goes on one of its kind"),
    Parameter(key="objects.contain", type="number", meaning="probability that an object goes into a bowl, cup or plate that takes it"),
    Parameter(key="distractors.count", type="count", low=0, high=20, meaning="shapes of no category, labelled void"),
    Parameter(key="distractors.size_m", type="number", low=0.02, high=0.3, meaning="longest edge of a distractor"),
    Parameter(key="light.sun_intensity", type="number", low=0, high=2, meaning="the light with a shadow; 1 shows white as white"),
    Parameter(key="light.sun_tilt_rad", type="number", low=0, high=1.4, meaning="its angle from straight down"),
    Parameter(key="light.lamps", type="count", low=0, high=4, meaning="further lamps without a shadow"),
    Parameter(key="light.lamp_intensity", type="number", low=0, high=2, meaning="strength of each of them"),
    Parameter(key="light.ambient", type="number", low=0, high=1, meaning="light from everywhere"),
    Parameter(key="light.warmth", type="number", low=-1, high=1, meaning="-1 cool to 1 warm, for each light"),
    Parameter(key="camera.distance_m", type="number", low=0.3, high=3, meaning="camera to what it looks at"),
    Parameter(key="camera.elevation_deg", type="number", low=5, high=85, meaning="height of the view above the table's plane"),
    Parameter(key="camera.fov_deg", type="number", low=30, high=110, meaning="horizontal field of view, the same for all views"),
    Parameter(key="camera.roll_rad", type="number", low=-0.5, high=0.5, meaning="turn about the view"),
)  # fmt: skip
