"""The parameters of a clutter suite, their limits and their meaning: what a file may give distributions for."""

from __future__ import annotations

from scenes.description import Parameter, chance, count, name, number
from scenes.household.schema import SMALL
from scenes.lights import RIGS
from scenes.shared_keys import LENS, LIGHTS
from scenes.sky_schema import sky_parameters

SHAPES = ("rectangular", "square", "round")
BACKGROUNDS = ("room", "corner", "hall", "furnished", "outdoors", "studio")

SCHEMA: tuple[Parameter, ...] = (
    name("table.shape", SHAPES, "outline of the table top"),
    number("table.length_m", 0.5, 2.5, "longer edge, or diameter"),
    number("table.aspect", 0.3, 1, "shorter over longer edge of a rectangular table"),
    number("table.height_m", 0.3, 1.1, "floor to table top"),
    name(
        "background.kind",
        BACKGROUNDS,
        "a room about the table, its corner, a hall, a room with furniture, a terrace under a sky, or a studio's dome",
    ),
    number("background.width_m", 2.4, 8, "size of the room along both floor axes, each drawn"),
    number("background.hall_m", 4, 20, "size of a hall along both floor axes, each drawn"),
    number("background.terrace_half_m", 1.5, 6, "half size of a terrace along both axes, each drawn"),
    count("background.pieces", 0, 8, "shelves, cabinets and plants tried along the walls of a furnished room"),
    count("objects.count", 0, 60, "objects drawn; those that find no place are left out"),
    name("objects.category", SMALL, "the category of each object"),
    number("objects.spread_m", 0.05, 1.2, "half size of the area on the table, once a scene"),
    chance("objects.heap", "probability that an object falls on what lies there; drawn once a scene"),
    chance("objects.stack", "probability that a plate, book, box or bowl goes on one of its kind"),
    chance("objects.contain", "probability that an object goes into a bowl, cup or plate that takes it"),
    count("distractors.count", 0, 20, "shapes of no category, labelled void"),
    number("distractors.size_m", 0.02, 0.3, "longest edge of a distractor"),
    name("sky.kind", ("clear", "dusk", "overcast"), "the sky over a terrace"),
    number("sky.sun_elevation_deg", 5, 90, "height of the sun; outdoors it is the light, in place of a rig"),
    number("sky.dusk_elevation_deg", 0.5, 8, "the same at dusk"),
    *sky_parameters(),
    number("sky.light", 0, 1, "light from everywhere outdoors and in a studio, in the dome's mean colour"),
    name("light.rig", ("keys", *sorted(RIGS)), "a rig by name, or `keys`: the lights that the other keys describe"),
    number("light.sun_tilt_rad", 0, 1.4, "its angle from straight down"),
    count("light.lamps", 0, 4, "further lamps without a shadow"),
    number("camera.distance_m", 0.3, 3, "camera to what it looks at"),
    number("camera.elevation_deg", 5, 85, "height of the view above the table's plane"),
    *LIGHTS,
    *LENS,
)
