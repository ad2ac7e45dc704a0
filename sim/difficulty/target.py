"""A wanted distribution of difficulty: read from TOML, checked, and compared with what a set of objects has."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import SceneError, UnknownNameError
from scenes.suites import VIEWS_PER_SCENE
from sim.difficulty.measure import FIGURES, ObjectDifficulty, figure_of

# candidates = 4                       how many realisations of each scene to choose from, 1 or more (default 4)
# views = 12                           how many cameras of each to choose the three from, 3 or more (default 12)
# [visible_fraction]                   one table for each figure that is asked for: any of sim.difficulty.measure.FIGURES
# edges = [0.0, 0.25, 0.5, 0.75, 1.0]  bins are low <= value < high; what lies beyond counts to the first or last bin
# shares = [1, 1, 1, 1]                of the objects that show a pixel; 0 or more, scaled to a sum of 1
_CANDIDATES, _MOST_CANDIDATES = 4, 100
_VIEWS, _MOST_VIEWS = 12, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The wanted shares of one figure's bins; they sum to 1."""

    figure: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]

    def counts(self, objects: Iterable[ObjectDifficulty]) -> NDArray[np.int64]:
        """Counts the objects that show a pixel by bin; those without the figure are in none."""
        values = [figure_of(o, self.figure) for o in objects if o.size_px > 0]
        known = np.array([value for value in values if value is not None], dtype=np.float64)
        which = np.clip(np.searchsorted(self.edges, known, side="right") - 1, 0, len(self.shares) - 1)
        return np.bincount(which, minlength=len(self.shares)).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What difficulty the objects of a data set shall have, and what to choose from: realisations of a scene, views of each."""

    wanted: tuple[Wanted, ...]
    candidates: int = _CANDIDATES
    views: int = _VIEWS

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values, equal for equal targets."""
        return {
            "candidates": self.candidates, "views": self.views,
            "wanted": [{"figure": w.figure, "edges": list(w.edges), "shares": list(w.shares)} for w in self.wanted],
        }

    def distance(self, objects: Iterable[ObjectDifficulty]) -> float:
        """Returns how far objects are from the target: mean over the figures of half the sum of differences, 0 to 1."""
        objects = tuple(objects)
        return float(np.mean([_total_variation(w.counts(objects), w.shares) for w in self.wanted]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a data set has of one wanted figure: `counts` and `shares` by bin beside the wanted shares."""

    figure: str
    edges: tuple[float, ...]
    wanted: tuple[float, ...]
    shares: tuple[float, ...]
    counts: tuple[int, ...]
    distance: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        bins = zip(self.edges[:-1], self.edges[1:], self.shares, self.wanted, strict=True)
        return ", ".join(f"{low:g} to {high:g} {got:.2f} of {want:.2f}" for low, high, got, want in bins)


def reached(target: Target, objects: Iterable[ObjectDifficulty]) -> tuple[Reached, ...]:
    """Compares what objects have with what was wanted."""
    objects = tuple(objects)
    found = []
    for w in target.wanted:
        counts = w.counts(objects)
        shares = counts / max(int(counts.sum()), 1)
        found.append(
            Reached(
                figure=w.figure, edges=w.edges, wanted=w.shares, shares=tuple(float(s) for s in shares),
                counts=tuple(int(c) for c in counts), distance=_total_variation(counts, w.shares),
            )
        )  # fmt: skip
    return tuple(found)


def read_target(path: Path) -> Target:
    """Reads a target from a TOML file as the comment above shows; raises SceneError or UnknownNameError."""
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SceneError(f"Cannot read the target {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SceneError(f"{path} is not TOML: {error}.") from error
    return parse_target(values, str(path))


def parse_target(values: Mapping[str, Any], where: str) -> Target:
    """Checks a target given as a mapping; `where` names it in errors. Raises SceneError or UnknownNameError."""
    candidates = _whole(values, "candidates", _CANDIDATES, (1, _MOST_CANDIDATES), where)
    views = _whole(values, "views", _VIEWS, (VIEWS_PER_SCENE, _MOST_VIEWS), where)
    tables = {key: value for key, value in values.items() if key not in {"candidates", "views"}}
    if not tables:
        raise SceneError(f"{where} asks for nothing: give a table such as [visible_fraction] with edges and shares.")
    return Target(wanted=tuple(_wanted(key, tables[key], where) for key in sorted(tables)), candidates=candidates, views=views)


def _whole(values: Mapping[str, Any], key: str, default: int, bounds: tuple[int, int], where: str) -> int:
    value = values.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not bounds[0] <= value <= bounds[1]:
        raise SceneError(f"{where}: {key} is a whole number from {bounds[0]} to {bounds[1]}, got {value!r}.")
    return value


def _wanted(figure: str, table: Any, where: str) -> Wanted:
    if figure not in FIGURES:
        raise UnknownNameError(f"difficulty in {where}", figure, FIGURES)
    if not isinstance(table, Mapping) or set(table) != {"edges", "shares"}:
        raise SceneError(f"{where}: [{figure}] needs edges and shares, and nothing else.")
    edges, shares = (_numbers(table[key], f"{where}: {key} of [{figure}]") for key in ("edges", "shares"))
    if len(edges) != len(shares) + 1 or any(b <= a for a, b in itertools.pairwise(edges)):
        raise SceneError(f"{where}: [{figure}] needs rising edges, one more than shares; got {edges} and {shares}.")
    if min(shares) < 0 or sum(shares) <= 0:
        raise SceneError(f"{where}: the shares of [{figure}] are 0 or more, and not all 0; got {shares}.")
    return Wanted(figure=figure, edges=edges, shares=tuple(s / sum(shares) for s in shares))


def _numbers(values: Any, what: str) -> tuple[float, ...]:
    plain = isinstance(values, list | tuple) and len(values) > 0
    if not plain or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise SceneError(f"{what} is a list of numbers, got {values!r}.")
    return tuple(float(v) for v in values)


def _total_variation(counts: NDArray[np.int64], shares: tuple[float, ...]) -> float:
    total = int(counts.sum())
    return float(0.5 * np.abs(counts / total - shares).sum()) if total else 1.0
