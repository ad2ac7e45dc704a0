"""The parameters of a household suite, their limits and their meaning: what a file may give distributions for."""

from __future__ import annotations

from scenes.description import Parameter
from scenes.taxonomy import TAXONOMY

ROOMS = ("kitchen", "dining", "living", "bedroom", "office", "bathroom")
PLACES = ("table", "counter", "desk", "shelf", "cabinet", "seat", "bed", "floor")
# Things that a room is furnished with; every other thing category is small enough to stand on one of the places.
FURNITURE = frozenset({
    "chair", "couch", "bed", "dining table", "tv", "microwave", "oven", "sink", "refrigerator", "person", "bench", "toilet",
})  # fmt: skip
SMALL = tuple(sorted(c.name for c in TAXONOMY.things if c.name not in FURNITURE))

_ON = {
    "table": "dining and coffee tables", "counter": "worktops", "desk": "desks", "shelf": "boards of bookcases, each",
    "cabinet": "cabinets and nightstands, each", "seat": "chairs without a person, couches and benches, each",
    "bed": "beds", "floor": "the free floor",
}  # fmt: skip


def _on(place: str) -> tuple[Parameter, ...]:
    return (
        Parameter(key=f"objects.{place}.count", type="count", high=12, meaning=f"how many small objects stand on {_ON[place]}"),
        Parameter(key=f"objects.{place}.category", type="name", names=SMALL, meaning="the category of each of them"),
    )


SCHEMA: tuple[Parameter, ...] = (
    Parameter(key="room.kind", type="name", names=ROOMS, meaning="which room it is"),
    Parameter(key="room.width_m", type="number", low=2.4, high=8, meaning="inner size along x"),
    Parameter(key="room.depth_m", type="number", low=2.4, high=8, meaning="inner size along y"),
    Parameter(key="room.height_m", type="number", low=2.2, high=4, meaning="floor to ceiling"),
    Parameter(key="room.doors", type="count", low=0, high=3, meaning="doors, on walls of their own"),
    Parameter(key="room.windows", type="count", low=0, high=3, meaning="windows, as far as walls have room"),
    Parameter(key="room.window_width_m", type="number", low=0.5, high=3, meaning="width of a window with its casing"),
    Parameter(key="room.window_height_m", type="number", low=0.5, high=2, meaning="height of a window with its casing"),
    Parameter(key="room.curtains", type="number", meaning="probability that a window has curtains"),
    Parameter(key="room.rug", type="number", meaning="probability of a rug"),
    Parameter(key="room.pendant", type="number", meaning="probability of a lamp hanging from the ceiling"),
    Parameter(key="room.free_floor_m2", type="number", low=0, high=20, meaning="connected floor for the middle of a robot of 0.25 m radius"),
    Parameter(key="furniture.chairs", type="count", low=0, high=8, meaning="chairs at a dining table, as far as they fit"),
    Parameter(key="furniture.chair_pull_m", type="number", low=-0.35, high=0.5, meaning="front edge of a chair beyond the table's edge"),
    Parameter(key="furniture.chair_turn_rad", type="number", low=-0.8, high=0.8, meaning="how far a chair is turned away from the table"),
    Parameter(key="furniture.wall_cabinets", type="number", meaning="probability of cupboards over a worktop"),
    Parameter(key="furniture.extras", type="count", low=0, high=8, meaning="further pieces tried, of the next key's kinds"),
    Parameter(key="furniture.extra", type="name", names=("potted plant", "lamp", "shelf", "cabinet", "bench", "chair"), meaning="the kind of each further piece"),
    Parameter(key="people.standing", type="count", low=0, high=4, meaning="people who stand on the free floor, as far as it suffices"),
    Parameter(key="people.seated", type="number", meaning="probability of a person on each chair, couch or bench"),
    *(parameter for place in PLACES for parameter in _on(place)),
    Parameter(key="objects.contain", type="number", meaning="probability that an object goes into a bowl, cup or plate that takes it"),
    Parameter(key="light.daylight", type="number", meaning="probability that the sun shines in, else lamps are on"),
    Parameter(key="light.sun_intensity", type="number", low=0, high=2, meaning="1 shows white as white"),
    Parameter(key="light.sun_elevation_deg", type="number", low=5, high=90, meaning="height of the sun; it shines in by a window"),
    Parameter(key="light.lamp_intensity", type="number", low=0, high=2, meaning="each lamp's; without sun the first one's shadow shows"),
    Parameter(key="light.ambient", type="number", low=0, high=1, meaning="light from everywhere"),
    Parameter(key="light.warmth", type="number", low=-1, high=1, meaning="-1 cool to 1 warm, for each light"),
    Parameter(key="camera.height_m", type="number", low=0.15, high=2, meaning="height of a camera above the floor"),
    Parameter(key="camera.distance_m", type="number", low=0.5, high=6, meaning="wanted distance to what it looks at, as far as the room allows"),
    Parameter(key="camera.fov_deg", type="number", low=30, high=110, meaning="horizontal field of view, the same for all views"),
    Parameter(key="camera.roll_rad", type="number", low=-0.5, high=0.5, meaning="turn about the view"),
)  # fmt: skip
