"""The parameters of a household suite, their limits and their meaning: what a file may give distributions for."""

from __future__ import annotations

from scenes.description import Parameter, chance, count, name, number
from scenes.shared_keys import LENS, LIGHTS
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
    chance("room.long_curtains", "probability that curtains reach down to the floor"),
    number("room.curtain_gap", 0.2, 0.9, "share of a window's width that its curtains leave bare"),
    number("room.free_floor_m2", 0, 20, "connected floor for the middle of a robot of 0.25 m radius"),
    count("furniture.chairs", 0, 8, "chairs at a dining table, as far as they fit"),
    number("furniture.chair_pull_m", -0.35, 0.5, "front edge of a chair beyond the table's edge"),
    number("furniture.chair_turn_rad", -0.8, 0.8, "how far a chair is turned away from the table"),
    chance("furniture.wall_cabinets", "probability of cupboards over a worktop"),
    chance("furniture.microwave", "probability of a microwave on a kitchen's worktop"),
    chance("furniture.kitchen_table", "probability of a dining table in a kitchen"),
    count("furniture.couch_places", 1, 4, "people who find room on a living room's couch"),
    chance("furniture.round_coffee_table", "probability that a coffee table is round"),
    number("furniture.coffee_table_gap_m", 0.2, 0.8, "couch to coffee table"),
    chance("furniture.beside_couch", "probability of a lamp, and of a nightstand, beside a couch"),
    chance("furniture.living_shelf", "probability of a bookcase in a living room"),
    chance("furniture.armchair", "probability of an armchair in a living room"),
    chance("furniture.nightstand", "probability of a nightstand on each side of a bed"),
    chance("furniture.chest", "probability of a chest of drawers in a bedroom"),
    chance("furniture.bedroom_tv", "probability of a television on it"),
    chance("furniture.bed_bench", "probability of a bench at the foot of a bed"),
    chance("furniture.bedroom_chair", "probability of a chair in a bedroom"),
    chance("furniture.monitor", "probability of a monitor on a desk"),
    number("furniture.office_chair_pull_m", -0.3, 0.5, "front edge of an office chair beyond the desk's edge"),
    count("furniture.office_shelves", 0, 3, "bookcases tried in an office"),
    chance("furniture.bathroom_shelf", "probability of a shelf in a bathroom"),
    number("furniture.worktop_height_m", 0.8, 1.05, "floor to worktop"),
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
    number("light.sun_elevation_deg", 5, 90, "height of the sun; it shines in by a window"),
    number("light.sun_turn_rad", -1.2, 1.2, "direction of the sun from straight through the window"),
    number("camera.height_m", 0.15, 2, "height of a camera above the floor"),
    number("camera.distance_m", 0.5, 6, "wanted distance to what it looks at, as far as the room allows"),
    *LIGHTS,
    *LENS,
)
