"""The catalogue: one generator for each thing category, from a sampler to an object in its own frame."""

from __future__ import annotations

from collections.abc import Callable

from scenes.errors import UnknownNameError
from scenes.objects.shape import Cavity, ObjectShape
from scenes.sampler import ShapeSampler

Generator = Callable[[ShapeSampler], ObjectShape]


def generators() -> dict[str, Generator]:
    """Returns the generator of each category; imports the modelling code on first use."""
    from scenes.objects import bags, bathroom, cake, computers, cutlery, decor, food, fruit, handhelds, packages, toys
    from scenes.objects import vegetables, vessels

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
        "clock": decor.clock,
        "cup": vessels.cup,
        "donut": food.donut,
        "fork": cutlery.fork,
        "hair drier": bathroom.hair_drier,
        "keyboard": computers.keyboard,
        "knife": cutlery.knife,
        "laptop": computers.laptop,
        "mouse": handhelds.mouse,
        "orange": fruit.orange,
        "pizza": food.pizza,
        "plate": vessels.plate,
        "remote": handhelds.remote,
        "sandwich": food.sandwich,
        "scissors": bathroom.scissors,
        "spoon": cutlery.spoon,
        "sports ball": toys.sports_ball,
        "teddy bear": toys.teddy_bear,
        "toothbrush": bathroom.toothbrush,
        "vase": decor.vase,
        "wine glass": vessels.wine_glass,
    }


def make_object(category: str, sampler: ShapeSampler) -> ObjectShape:
    """Makes one object of a category; raises UnknownNameError."""
    known = generators()
    if category not in known:
        raise UnknownNameError("object category", category, known)
    return known[category](sampler)


__all__ = ["Cavity", "Generator", "ObjectShape", "generators", "make_object"]
