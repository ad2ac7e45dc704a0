"""The parameters of a household suite, their limits and their meaning: what a file may give distributions for."""

from __future__ import annotations

from scenes.description import Parameter, chance, count, name, number
from scenes.lights import COOLEST_K, WARMEST_K
from scenes.sky_schema import sky_parameters
from scenes.taxonomy import TAXONOMY

ROOMS = ("kitchen", "dining", "living", "bedroom", "office", "bathroom")
PLACES = ("table", "counter", "desk", "shelf", "cabinet", "seat", "bed", "floor")
# Things that a room is furnished with; every other thing category is small enough to stand on one of the places.
FURNITURE = frozenset(
    {
        "chair",
        "couch",
        "bed",
        "dining table",
        "tv",
        "microwave",
        "oven",
        "sink",
        "refrigerator",
        "person",
        "bench",
        "toilet",
    }
)
SMALL = tuple(sorted(c.name for c in TAXONOMY.things if c.name not in FURNITURE))

_ON = {
    "table": "dining and coffee tables", "counter": "worktops", "desk": "desks", "shelf": "boards of bookcases, each",
    "cabinet": "cabinets and nightstands, each", "seat": "chairs without a person, couches and benches, each",
    "bed": "beds", "floor": "the free floor",
}  # fmt: skip


def _on(place: str) -> tuple[Parameter, ...]:
    return (
        count(f"objects.{place}.count", 0, 12, f"how many small objects stand on {_ON[place]}"),
        name(f"objects.{place}.category", SMALL, "the category of each of them"),
    )


SCHEMA: tuple[Parameter, ...] = (
    name("room.kind", ROOMS, "which room it is"),
    number("room.width_m", 2.4, 8, "inner size along x"),
    number("room.depth_m", 2.4, 8, "inner size along y"),
    number("room.height_m", 2.2, 4, "floor to ceiling"),
    count("room.doors", 0, 3, "doors, on walls of their own"),
    count("room.windows", 0, 3, "windows, as far as walls have room"),
    number("room.window_width_m", 0.5, 3, "width of a window with its casing"),
    number("room.window_height_m", 0.5, 2, "height of a window with its casing"),
    chance("room.curtains", "probability that a window has curtains"),
    chance("room.rug", "probability of a rug"),
    chance("room.pendant", "probability of a lamp hanging from the ceiling"),
    number("room.free_floor_m2", 0, 20, "connected floor for the middle of a robot of 0.25 m radius"),
    count("furniture.chairs", 0, 8, "chairs at a dining table, as far as they fit"),
    number("furniture.chair_pull_m", -0.35, 0.5, "front edge of a chair beyond the table's edge"),
    number("furniture.chair_turn_rad", -0.8, 0.8, "how far a chair is turned away from the table"),
    chance("furniture.wall_cabinets", "probability of cupboards over a worktop"),
    count("furniture.extras", 0, 8, "further pieces tried, of the next key's kinds"),
    name(
        "furniture.extra",
        ("potted plant", "lamp", "shelf", "cabinet", "bench", "chair"),
        "the kind of each further piece",
    ),
    count("people.standing", 0, 4, "people who stand on the free floor, as far as it suffices"),
    chance("people.seated", "probability of a person on each chair, couch or bench"),
    *(parameter for place in PLACES for parameter in _on(place)),
    chance("objects.contain", "probability that an object goes into a bowl, cup or plate that takes it"),
    name("sky.by_day", ("clear", "overcast"), "the sky that is seen by day in the panes of windows"),
    name("sky.by_lamplight", ("dusk", "night", "overcast"), "the sky that is seen while lamps are on"),
    number("sky.dusk_elevation_deg", 0.5, 8, "height of the sun outside while lamps are on"),
    *sky_parameters(),
    chance("light.daylight", "probability that the sun shines in, else lamps are on"),
    number("light.sun_intensity", 0, 2, "1 shows white as white"),
    number("light.sun_elevation_deg", 5, 90, "height of the sun; it shines in by a window"),
    number("light.lamp_intensity", 0, 2, "each lamp's; without sun the first one's shadow shows"),
    number("light.ambient", 0, 1, "light from everywhere"),
    number("light.kelvin", WARMEST_K, COOLEST_K, "colour temperature of each light"),
    number("camera.height_m", 0.15, 2, "height of a camera above the floor"),
    number("camera.distance_m", 0.5, 6, "wanted distance to what it looks at, as far as the room allows"),
    number("camera.fov_deg", 30, 110, "horizontal field of view, the same for all views"),
    number("camera.roll_rad", -0.5, 0.5, "turn about the view"),
)
