"""The catalogue: one generator for each thing category, from a sampler to an object in its own frame."""

from __future__ import annotations

from collections.abc import Callable

from scenes.errors import UnknownNameError
from scenes.objects.shape import Cavity, ObjectShape
from scenes.sampler import ShapeSampler

Generator = Callable[[ShapeSampler], ObjectShape]


def generators() -> dict[str, Generator]:
    """Returns the generator of each category; imports the modelling code on first use."""
    from scenes.objects import cutlery, fruit, packages, vessels

    return {
        "apple": fruit.apple,
        "banana": fruit.banana,
        "book": packages.book,
        "bottle": packages.bottle,
        "bowl": vessels.bowl,
        "box": packages.box,
        "can": packages.can,
        "cup": vessels.cup,
        "fork": cutlery.fork,
        "knife": cutlery.knife,
        "orange": fruit.orange,
        "plate": vessels.plate,
        "spoon": cutlery.spoon,
        "wine glass": vessels.wine_glass,
    }


def make_object(category: str, sampler: ShapeSampler) -> ObjectShape:
    """Makes one object of a category; raises UnknownNameError."""
    known = generators()
    if category not in known:
        raise UnknownNameError("object category", category, known)
    return known[category](sampler)


__all__ = ["Cavity", "Generator", "ObjectShape", "generators", "make_object"]
