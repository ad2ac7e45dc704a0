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


def _build() -> Taxonomy:
    rows = [("void", "void", (0, 0, 0))]
    rows += [(name, "stuff", colour) for name, colour in _STUFF.items()]
    rows += [(name, "thing", colour) for name, colour in _THINGS.items()]
    return Taxonomy(tuple(Category(id=i, name=n, kind=k, colour=c) for i, (n, k, c) in enumerate(rows)))  # type: ignore[arg-type]  # the literals above


TAXONOMY = _build()
