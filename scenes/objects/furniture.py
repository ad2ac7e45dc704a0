"""The household part of the catalogue: one generator for each piece of furniture, appliance or person."""

from __future__ import annotations

from collections.abc import Callable

from scenes.errors import UnknownNameError
from scenes.objects.shape import ObjectShape
from scenes.sampler import ShapeSampler

Generator = Callable[[ShapeSampler], ObjectShape]


def furniture() -> dict[str, Generator]:
    """Returns the generator of each category of thing that stands in a room; imports the modelling code on first use."""
    from scenes.objects import kitchen, living, people, seating

    return {
        "bed": living.bed,
        "bench": seating.bench,
        "chair": seating.chair,
        "couch": seating.couch,
        "dining table": living.dining_table,
        "lamp": living.lamp,
        "microwave": kitchen.microwave,
        "oven": kitchen.oven,
        "person": people.person,
        "potted plant": living.potted_plant,
        "refrigerator": kitchen.refrigerator,
        "sink": kitchen.sink,
        "toaster": kitchen.toaster,
        "toilet": kitchen.toilet,
        "tv": living.tv,
    }


def make_furniture(category: str, sampler: ShapeSampler) -> ObjectShape:
    """Makes one piece of a category; raises UnknownNameError."""
    known = furniture()
    if category not in known:
        raise UnknownNameError("furniture category", category, known)
    return known[category](sampler)
