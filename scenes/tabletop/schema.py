"""The parameters of a tabletop suite, their limits and their meaning: what a file may give distributions for."""

from __future__ import annotations

from scenes.description import Parameter, chance, count, name, number
from scenes.household.schema import SMALL
from scenes.shared_keys import LENS

SCHEMA: tuple[Parameter, ...] = (
    number("room.half_m", 1.6, 6, "half size of the room along both floor axes, each drawn"),
    number("table.half_length_m", 0.3, 1, "half of the edge along x"),
    number("table.half_width_m", 0.3, 1, "half of the edge along y"),
    number("table.height_m", 0.4, 1.1, "floor to table top"),
    number("table.half_thickness_m", 0.005, 0.04, "half thickness of the table top"),
    number("table.half_leg_m", 0.01, 0.06, "half thickness of its legs"),
    chance("table.one_material", "probability that legs look as the top does"),
    count("objects.count", 0, 40, "objects drawn; those that find no place are left out"),
    name("objects.category", SMALL, "the category of each object"),
    chance("objects.contain", "probability that an object goes into a bowl, cup or plate that takes it"),
    number("light.sun_tilt_rad", 0, 1.4, "angle of the light with a shadow from straight down"),
    number("light.sun_intensity", 0, 2, "its strength; 1 shows white as white"),
    count("light.lamps", 0, 4, "further lamps without a shadow"),
    number("light.lamp_intensity", 0, 2, "each lamp's"),
    number("light.ambient", 0, 1, "light from everywhere"),
    number("light.warmth", -1, 1, "tint of each light and of the ambient light: -1 blue, 0 white, 1 orange"),
    number("camera.distance_m", 0.3, 1.4, "camera to what it looks at"),
    number("camera.elevation_deg", 5, 85, "height of the view above the table's plane"),
    *LENS,
)
