"""Every draw of every generator by name, with what it ships and what a suite's file may make of it.

Nothing is written down twice: the generators are run with a sampler that notes each draw and takes every branch.
Names are unique in a category: one name has one shipped distribution, whichever of its generators draws it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, TypeVar

import numpy as np

from scenes.description import Parameter
from scenes.errors import UnknownNameError
from scenes.objects.shape import ObjectShape
from scenes.sampler import ShapeSampler, names_of
from scenes.scene import Material

T = TypeVar("T")
Variant = Callable[[ShapeSampler], Any]

_MOST_RUNS, _QUIET_RUNS = 96, 12
_SHARES = ("saturation", "value", "roughness", "metallic")
_SIZES = ("_m", "_kg")
# How far beyond the shipped range a size or mass may go: far enough to matter, and every generator can still build it.
_FACTOR = 1.35
FRICTION = (0.05, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What a generator draws: `kind` is uniform or integer (`low`, `high`), chance (`low`) or choice (`options`).

    Options that are there twice are twice as likely. A property is set after all draws; its range is what was made.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    options: tuple[Any, ...] = ()

    def limits(self, name: str) -> tuple[float, float]:
        """Returns the least and the largest value that a file may ask for."""
        last = name.rsplit(".", 1)[-1]
        if self.kind == "chance" or last in _SHARES:
            return 0.0, 1.0
        if last == "hue" or last.endswith("_hue"):
            return -1.0, 2.0
        if self.kind == "property":
            return FRICTION if name == "friction" else (self.low / 3, self.high * 3)
        if self.kind == "integer":
            return (0, self.high) if self.low == 0 else (max(1, self.low // 2), 2 * self.high)
        if last.endswith(_SIZES) and self.low > 0:
            return self.low / _FACTOR, self.high * _FACTOR
        return self._widened()

    def _widened(self) -> tuple[float, float]:
        """Widens a range of shares or angles by half on both sides; it stays positive, and below 1 where it was."""
        margin = (self.high - self.low) / 2
        low, high = self.low - margin, self.high + margin
        if self.low >= 0:
            low = max(low, self.low / 2)
        return low, min(high, 1.0) if self.high <= 1 else high

    def parameter(self, key: str, name: str) -> Parameter:
        """Returns the limits as a parameter of a suite's file."""
        low, high = self.limits(name)
        if self.kind == "choice":
            return Parameter(key=key, type="name", names=tuple(dict.fromkeys(self.options)), meaning="one of its names")
        kind = "count" if self.kind == "integer" else "number"
        meaning = {"chance": "a probability", "property": "for every object"}.get(self.kind, f"shipped {self.toml()}")
        return Parameter(key=key, type=kind, low=low, high=high, meaning=meaning)  # type: ignore[arg-type]  # one of three

    def toml(self) -> str:
        """Returns the value as a suite's file writes it."""
        if self.kind == "choice":
            counts = Counter(self.options)
            weights = "" if len(set(counts.values())) == 1 else f", weights = {json.dumps(list(counts.values()))}"
            return f"{{ choice = {json.dumps(list(counts))}{weights} }}"
        if self.kind in ("chance", "property"):
            return json.dumps(self.low)
        return f"{{ {self.kind} = {json.dumps([self.low, self.high])} }}"


class _Recorder(ShapeSampler):
    """Notes every draw by name; takes options and answers not taken yet first, then any with equal chance."""

    def __init__(self, *, rng: np.random.Generator, notes: dict[str, Shipped], taken: set[tuple[str, Any]]) -> None:
        super().__init__(rng=rng, split="train")
        self.notes = notes
        self.taken = taken

    def uniform(self, name: str, low: float, high: float) -> float:
        self._note(name, Shipped(kind="uniform", low=float(low), high=float(high)))
        return super().uniform(name, low, high)

    def integer(self, name: str, low: int, high: int) -> int:
        self._note(name, Shipped(kind="integer", low=low, high=high))
        return super().integer(name, low, high)

    def chance(self, name: str, probability: float) -> bool:
        self._note(name, Shipped(kind="chance", low=probability))
        return bool(self._pick(name, (True, False)))

    def choice(self, name: str, options: Sequence[T], names: Sequence[str] = ()) -> T:
        known = names_of(options, names)
        self._note(name, Shipped(kind="choice", options=tuple(known)))
        return options[known.index(self._pick(name, tuple(dict.fromkeys(known))))]

    def _note(self, name: str, shipped: Shipped) -> None:
        first = self.notes.setdefault(self._prefix + name, shipped)
        if first != shipped:
            raise ValueError(
                f"{self.category}: {self._prefix}{name} stands for two draws, {first.toml()} and {shipped.toml()}."
            )

    def _pick(self, name: str, options: tuple[Any, ...]) -> Any:
        new = [option for option in options if (self._prefix + name, option) not in self.taken]
        pool = new or list(options)
        option = pool[int(self.rng.integers(len(pool)))]
        self.taken.add((self._prefix + name, option))
        return option


def categories() -> tuple[str, ...]:
    """Returns the names that `[shape."..."]` may have: all that has a generator, things first."""
    return tuple(_variants())


@cache
def shipped_of(category: str) -> Mapping[str, Shipped]:
    """Returns the draws of a category by name, in the order of the first of them; raises UnknownNameError.

    Mass and friction come last where no draw is called so.
    """
    if category not in _variants():
        raise UnknownNameError("category", category, _variants())
    notes: dict[str, Shipped] = {}
    made: list[ObjectShape] = []
    for variant in _variants()[category]:
        made += _explored(variant, notes)
    if made:
        for name in ("mass_kg", "friction"):
            values = [float(getattr(shape, name)) for shape in made]
            notes.setdefault(name, Shipped(kind="property", low=min(values), high=max(values)))
    return notes


def _explored(variant: Variant, notes: dict[str, Shipped]) -> list[ObjectShape]:
    """Runs a generator until many runs in a row showed nothing new and no option is left; returns the objects it made."""
    taken: set[tuple[str, Any]] = set()
    made, quiet = [], 0
    for seed in range(_MOST_RUNS):
        before = (len(notes), len(taken))
        shape = variant(_Recorder(rng=np.random.default_rng(seed), notes=notes, taken=taken))
        made += [shape] if isinstance(shape, ObjectShape) else []
        quiet = quiet + 1 if (len(notes), len(taken)) == before else 0
        if quiet >= _QUIET_RUNS and _all_options(notes, taken) == taken:
            break
    return made


def _all_options(notes: Mapping[str, Shipped], taken: set[tuple[str, Any]]) -> set[tuple[str, Any]]:
    """Returns all options and answers of the choices and chances that were drawn."""
    names = {name for name, _ in taken}
    return {(name, o) for name in names for o in (notes[name].options if notes[name].kind == "choice" else (True, False))}


@cache
def parameters_of(category: str) -> Mapping[str, Parameter]:
    """Returns what a file may say of the draws of a category, by name; raises UnknownNameError."""
    return {name: s.parameter(f"shape.{category}.{name}", name) for name, s in shipped_of(category).items()}


def parameters_toml(names: Sequence[str] = ()) -> str:
    """Returns the shipped distributions of categories (default: all) as tables that a suite's file may have."""
    return "\n".join(_table(name) for name in names or categories())


def _table(category: str) -> str:
    lines = [f'[shape."{category}"]']
    # An object's own measures first, then those of its parts.
    for name, shipped in sorted(shipped_of(category).items(), key=lambda row: row[0].count(".") > 0):
        low, high = shipped.limits(name)
        limits = "" if shipped.kind == "choice" else f"  # {low:.4g} .. {high:.4g}"
        if shipped.kind == "property" and shipped.low != shipped.high:
            lines.append(f"# {name}: {shipped.low:.4g} .. {shipped.high:.4g} as made;{limits[3:]} may be given")
        else:
            lines.append(f"{name} = {shipped.toml()}{limits}")
    return "\n".join([*lines, ""])


@lru_cache(maxsize=1)
def _variants() -> dict[str, tuple[Variant, ...]]:
    """Returns the generators of each category in all ways that suites call them."""
    from scenes.clutter.distractors import distractor
    from scenes.household.surfaces import FLOORS, WALLS, floor_surface, wall_surfaces, wall_tiles
    from scenes.objects import generators, kitchen, lamps, living, openings, people, plants, storage
    from scenes.objects.dressed import DRESSED, make_dressed
    from scenes.sky import SKIES, draw_sky

    variants: dict[str, tuple[Variant, ...]] = {name: (make,) for name, make in sorted(generators().items())}
    variants["lamp"] += (partial(lamps.pendant, drop_m=0.6),)
    variants["oven"] += (partial(kitchen.oven_of, half_y=0.298, top=0.9, half_x=0.3),)
    variants["person"] += (partial(people.seated, seat_m=0.45),)
    variants["potted plant"] += tuple(partial(plants.plant_for, where=where) for where in plants.PLANT_HEIGHTS_M)
    variants["sink"] += (partial(kitchen.sink_of, half_x=0.2, half_y=0.3), kitchen.wash_basin)
    variants["tv"] += (living.monitor,)
    for name in DRESSED:
        variants[name] += (partial(make_dressed, name),)
    row: dict[str, Any] = {"half_x": 0.3, "span_y": ((-1.0, 0.2), (0.8, 1.5))}
    return variants | {
        "cabinet": (
            storage.cabinet, storage.kitchen_front, partial(storage.base_units, **row, top=0.86, sink_at=-0.4),
            partial(storage.wall_units, **row, height=0.7, front=Material()),
        ),
        "counter": (storage.worktop, partial(storage.counter_top, **row, top=0.9, sink=(-0.4, 0.2, 0.3))),
        "curtain": (partial(openings.curtain, half_y=0.8, low=0.05, high=2.2, open_share=0.6),),
        "distractor": (partial(distractor, size_m=0.1),),
        "door": (partial(openings.door, half_y=0.45, height=2.05),),
        "floor": tuple(partial(floor_surface, room=room) for room in FLOORS),
        "rug": (partial(openings.rug, half_x=0.6, half_y=0.9),),
        "shelf": (storage.shelf,),
        "sky": tuple(
            partial(draw_sky, kind=kind, elevation_deg=30.0, azimuth_rad=0.0, turbidity=3.0, clouds=0.3) for kind in SKIES
        ),
        "table": (living.desk, living.coffee_table, living.round_coffee_table),
        "wall": (*(partial(wall_surfaces, room=room) for room in WALLS), wall_tiles),
        "window": (partial(openings.window, half_y=0.7, half_z=0.5), partial(openings.window, half_y=0.4, half_z=0.5)),
    }  # fmt: skip


__all__ = ["Shipped", "categories", "parameters_of", "parameters_toml", "shipped_of"]
