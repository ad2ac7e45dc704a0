"""The catalogue: one generator for each thing category, from a sampler to an object in its own frame.

What stands in a room is made by `furniture()` and has its front at +x; `generators()` has it and all small things.
"""

from __future__ import annotations

from collections.abc import Callable

from scenes.errors import UnknownNameError
from scenes.objects.shape import Cavity, ObjectShape
from scenes.sampler import ShapeSampler

Generator = Callable[[ShapeSampler], ObjectShape]


def generators() -> dict[str, Generator]:
    """Returns the generator of each category; imports the modelling code on first use."""
    return {**_small_things(), **furniture()}


def _small_things() -> dict[str, Generator]:
    from scenes.objects import (
        bags,
        cake,
        clock,
        computers,
        cutlery,
        donut,
        fruit,
        hair_drier,
        handhelds,
        packages,
        pizza,
        sandwich,
        scissors,
        sports_ball,
        teddy_bear,
        toothbrush,
        vase,
        vegetables,
        vessels,
    )

    return {
        "apple": fruit.apple,
        "backpack": bags.backpack,
        "banana": fruit.banana,
        "book": packages.book,
        "bottle": packages.bottle,
        "bowl": vessels.bowl,
        "box": packages.box,
        "broccoli": vegetables.broccoli,
        "cake": cake.cake,
        "can": packages.can,
        "carrot": vegetables.carrot,
        "cell phone": handhelds.cell_phone,
        "clock": clock.clock,
        "cup": vessels.cup,
        "donut": donut.donut,
        "fork": cutlery.fork,
        "hair drier": hair_drier.hair_drier,
        "keyboard": computers.keyboard,
        "knife": cutlery.knife,
        "laptop": computers.laptop,
        "mouse": handhelds.mouse,
        "orange": fruit.orange,
        "pizza": pizza.pizza,
        "plate": vessels.plate,
        "remote": handhelds.remote,
        "sandwich": sandwich.sandwich,
        "scissors": scissors.scissors,
        "spoon": cutlery.spoon,
        "sports ball": sports_ball.sports_ball,
        "teddy bear": teddy_bear.teddy_bear,
        "toothbrush": toothbrush.toothbrush,
        "vase": vase.vase,
        "wine glass": vessels.wine_glass,
    }


def furniture() -> dict[str, Generator]:
    """Returns the generator of each category of thing that stands in a room; imports the modelling code on first use."""
    from scenes.objects import kitchen, lamps, living, people, plants, seating

    return {
        "bed": living.bed,
        "bench": seating.bench,
        "chair": seating.chair,
        "couch": seating.couch,
        "dining table": living.dining_table,
        "lamp": lamps.lamp,
        "microwave": kitchen.microwave,
        "oven": kitchen.oven,
        "person": people.person,
        "potted plant": plants.potted_plant,
        "refrigerator": kitchen.refrigerator,
        "sink": kitchen.sink,
        "toaster": kitchen.toaster,
        "toilet": kitchen.toilet,
        "tv": living.tv,
    }


def make_object(category: str, sampler: ShapeSampler) -> ObjectShape:
    """Makes one object of a category; raises UnknownNameError."""
    known = generators()
    if category not in known:
        raise UnknownNameError("object category", category, known)
    return known[category](sampler)


__all__ = ["Cavity", "Generator", "ObjectShape", "furniture", "generators", "make_object"]
