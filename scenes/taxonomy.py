"""The taxonomy: one ordered list of categories for every suite, named as COCO names them; id 0 is void."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scenes.errors import UnknownNameError


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One category: a thing has instances, stuff has none; `colour` is sRGB 0..255."""

    id: int
    name: str
    kind: Literal["thing", "stuff", "void"]
    colour: tuple[int, int, int]

    @property
    def is_thing(self) -> bool:
        """Whether pixels of this category belong to instances."""
        return self.kind == "thing"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """An ordered tuple of categories with `categories[i].id == i` and lower-case, unique names."""

    categories: tuple[Category, ...]

    def __post_init__(self) -> None:
        names = [c.name for c in self.categories]
        if [c.id for c in self.categories] != list(range(len(names))) or len(set(names)) != len(names):
            raise ValueError("A taxonomy needs ids 0..n-1 in order and unique names.")
        if any(name != name.lower() for name in names) or self.categories[0].kind != "void":
            raise ValueError("A taxonomy needs lower-case names and void at id 0.")

    def __len__(self) -> int:
        return len(self.categories)

    def __iter__(self) -> Iterator[Category]:
        return iter(self.categories)

    def __getitem__(self, category_id: int) -> Category:
        return self.categories[category_id]

    def named(self, name: str) -> Category:
        """Returns the category of that name; raises UnknownNameError with the closest names."""
        for category in self.categories:
            if category.name == name:
                return category
        raise UnknownNameError("category", name, (c.name for c in self.categories))

    @property
    def things(self) -> tuple[Category, ...]:
        """The thing categories, in id order."""
        return tuple(c for c in self.categories if c.kind == "thing")

    @property
    def stuff(self) -> tuple[Category, ...]:
        """The stuff categories, in id order."""
        return tuple(c for c in self.categories if c.kind == "stuff")


_STUFF = {"floor": (120, 110, 95), "wall": (185, 190, 195), "table": (150, 105, 60)}
_THINGS = {
    "bottle": (46, 125, 50),
    "wine glass": (149, 117, 205),
    "cup": (229, 57, 53),
    "fork": (0, 172, 193),
    "knife": (57, 73, 171),
    "spoon": (255, 112, 167),
    "bowl": (30, 136, 229),
    "plate": (244, 200, 220),
    "can": (0, 137, 123),
    "box": (141, 110, 99),
    "banana": (253, 216, 53),
    "apple": (192, 202, 51),
    "orange": (251, 140, 0),
    "book": (142, 36, 170),
}

# Later rows follow the first eighteen, because ids stay as they are: data sets and trained networks carry them.
_MORE_STUFF = {
    "ceiling": (226, 222, 190),
    "window": (44, 90, 127),
    "door": (108, 60, 10),
    "curtain": (118, 82, 127),
    "rug": (140, 46, 60),
    "cabinet": (204, 170, 110),
    "counter": (70, 90, 30),
    "shelf": (196, 130, 130),
}
_MORE_THINGS = {
    "carrot": (255, 87, 34),
    "donut": (204, 102, 132),
    "sandwich": (222, 184, 80),
    "broccoli": (20, 165, 13),
    "pizza": (165, 59, 13),
    "cake": (234, 117, 222),
    "cell phone": (16, 10, 127),
    "remote": (89, 44, 58),
    "mouse": (132, 165, 190),
    "keyboard": (17, 35, 89),
    "laptop": (98, 44, 147),
    "scissors": (234, 18, 115),
    "clock": (152, 234, 209),
    "vase": (60, 190, 245),
    "toothbrush": (18, 234, 234),
    "teddy bear": (210, 105, 30),
    "hair drier": (223, 18, 234),
    "sports ball": (159, 234, 18),
    "backpack": (165, 13, 81),
    "chair": (29, 234, 18),
    "couch": (29, 18, 234),
    "bed": (152, 173, 234),
    "dining table": (234, 177, 152),
    "potted plant": (7, 89, 52),
    "tv": (89, 7, 68),
    "microwave": (18, 234, 169),
    "oven": (89, 7, 7),
    "toaster": (204, 132, 195),
    "sink": (134, 175, 142),
    "refrigerator": (44, 99, 99),
    "person": (255, 20, 60),
    "bench": (121, 127, 10),
    "toilet": (158, 234, 117),
    "lamp": (255, 244, 110),
}


def _build() -> Taxonomy:
    kinds = (("stuff", _STUFF), ("thing", _THINGS), ("stuff", _MORE_STUFF), ("thing", _MORE_THINGS))
    rows = [("void", "void", (0, 0, 0))]
    rows += [(name, kind, colour) for kind, table in kinds for name, colour in table.items()]
    return Taxonomy(tuple(Category(id=i, name=n, kind=k, colour=c) for i, (n, k, c) in enumerate(rows)))  # type: ignore[arg-type]  # the literals above


TAXONOMY = _build()
TABLETOP_CATEGORIES: tuple[str, ...] = ("void", *_STUFF, *_THINGS)
"""The categories of version 1 of the tabletop suite, ids 0..17 in order: what a network of that suite knows."""
