"""A suite's file, read and checked: every parameter of its kind has a distribution, and whatever is wrong is named.

The parameters of a kind and their limits stand in the kind's schema; a file gives distributions for any of them, and
those that it leaves out are as in the shipped file of that kind. Equal descriptions have equal digests, however written.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from scenes.distributions import KINDS, Distribution, Value, read_distribution
from scenes.errors import SceneError
from scenes.sampler import ShapeSampler


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One key of a file: its dotted name, the type of its values, their limits or names, and what it means."""

    key: str
    type: Literal["number", "count", "name"]
    meaning: str
    low: float = 0.0
    high: float = 1.0
    names: tuple[Value, ...] = ()

    def problem(self, distribution: Distribution) -> str | None:
        """Returns "expected ..., got ..." where a distribution can give a value outside the limits, else None."""
        if self.type == "name" and distribution.kind not in ("constant", "choice"):
            return f"expected one name or a choice of names, got {distribution.kind} {distribution.values()}"
        for value in distribution.values():
            if self.type == "name":
                if value not in self.names:
                    close = difflib.get_close_matches(str(value), [str(n) for n in self.names], n=1, cutoff=0.5)
                    hint = f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(map(str, self.names))})"
                    return f"expected names of its list, got {value!r}{hint}"
            elif isinstance(value, str) or not self.low <= value <= self.high:
                return f"expected {self.type}s within {self.low:g} .. {self.high:g}, got {value!r}"
        if self.type == "count" and not _is_whole(distribution):
            return f"expected whole numbers (a constant, integer or choice), got {distribution.kind} {distribution.values()}"
        return None


def number(key: str, low: float, high: float, meaning: str) -> Parameter:
    """Returns a parameter whose values are numbers within limits."""
    return Parameter(key=key, type="number", low=low, high=high, meaning=meaning)


def count(key: str, low: int, high: int, meaning: str) -> Parameter:
    """Returns a parameter whose values are whole numbers within limits."""
    return Parameter(key=key, type="count", low=low, high=high, meaning=meaning)


def chance(key: str, meaning: str) -> Parameter:
    """Returns a parameter whose values are probabilities."""
    return number(key, 0, 1, meaning)


def name(key: str, names: tuple[str, ...], meaning: str) -> Parameter:
    """Returns a parameter whose values are names of a list."""
    return Parameter(key=key, type="name", names=names, meaning=meaning)


def _is_whole(distribution: Distribution) -> bool:
    return distribution.kind == "integer" or (
        distribution.kind in ("constant", "choice") and all(isinstance(v, int) for v in distribution.options)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Description:
    """A suite as data: its name (the file's stem), kind and version, and a distribution by dotted key.

    `shapes` are the distributions that the file has for draws of the catalogue's generators, by category and name.
    """

    name: str
    kind: str
    version: int
    distributions: Mapping[str, Distribution]
    shapes: Mapping[str, Mapping[str, Distribution]] = field(default_factory=dict)

    def digest(self) -> str:
        """Returns a sha256, in hex, over kind, version and every distribution."""
        rows = {key: self.distributions[key].canonical() for key in sorted(self.distributions)}
        shapes = {
            category: {name: given[name].canonical() for name in sorted(given)}
            for category, given in sorted(self.shapes.items())
        }
        said = [self.kind, self.version, rows, *([shapes] if shapes else [])]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class Draws:
    """Draws the parameters of a description by name, from one sampler."""

    def __init__(self, description: Description, sampler: ShapeSampler) -> None:
        self._distributions = description.distributions
        self.sampler = sampler.with_overrides(description.shapes)

    def value(self, key: str) -> Value:
        """Returns a value of the parameter of that dotted key."""
        return self._distributions[key].draw(self.sampler)

    def least(self, key: str) -> float:
        """Returns the smallest number that the parameter can have; draws nothing."""
        return min(float(value) for value in self._distributions[key].values())

    def number(self, key: str) -> float:
        """Returns a number."""
        return float(self.value(key))

    def count(self, key: str) -> int:
        """Returns a whole number."""
        return int(self.value(key))

    def name(self, key: str) -> str:
        """Returns a name."""
        return str(self.value(key))

    def chance(self, key: str) -> bool:
        """Returns True with the probability that the parameter has."""
        return self.sampler.chance(key, self.number(key))


def read_description(
    path: Path, schemas: Mapping[str, tuple[Parameter, ...]], defaults: Mapping[str, Path]
) -> Description:
    """Reads a suite's TOML file; `schemas` and `defaults` give the parameters and the shipped file of each kind.

    Raises SceneError in one sentence that names file, key, what was expected and what came.
    """
    values = _parse(path)
    suite, shape_tables = values.pop("suite", None), values.pop("shape", {})
    if not isinstance(suite, Mapping):
        raise SceneError(f"{path}: expected a table [suite] with kind and version, got {suite!r}.")
    _assert_keys(path, "suite.", suite, ("kind", "version"))
    kind, version = str(suite.get("kind")), suite.get("version", 1)
    if kind not in schemas:
        raise SceneError(
            f"{path}: suite.kind: expected one of {', '.join(sorted(schemas))}, got {kind!r}{_closest(kind, schemas)}."
        )
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SceneError(f"{path}: suite.version: expected a whole number of 1 or more, got {version!r}.")
    parameters = {parameter.key: parameter for parameter in schemas[kind]}
    given = {key: _checked(path, key, value, parameters) for key, value in _leaves(values, parameters)}
    shapes = {category: _read_shape(path, category, table) for category, table in shape_tables.items()}
    missing = [key for key in parameters if key not in given]
    if missing and path.resolve() == defaults[kind].resolve():
        raise SceneError(f"{path}: {missing[0]}: expected a distribution in the shipped file of this kind, got none.")
    if missing:
        shipped = read_description(defaults[kind], schemas, defaults)
        given |= {key: shipped.distributions[key] for key in missing}
    return Description(name=path.stem, kind=kind, version=version, distributions=given, shapes=shapes)


def _read_shape(path: Path, category: str, table: Any) -> dict[str, Distribution]:
    """Reads a table [shape."category"]: distributions for draws of the category's generators."""
    from scenes.parameters import categories, parameters_of

    if category not in categories():
        hint = _closest(category, categories())
        raise SceneError(f"{path}: shape.{category}: expected a category of the catalogue, got an unknown one{hint}.")
    if not isinstance(table, Mapping):
        raise SceneError(f'{path}: shape.{category}: expected a table [shape."{category}"], got {table!r}.')
    parameters = {f"shape.{category}.{name}": parameter for name, parameter in parameters_of(category).items()}
    leaves = _leaves(table, parameters, f"shape.{category}.")
    return {key.removeprefix(f"shape.{category}."): _checked(path, key, value, parameters) for key, value in leaves}


def _parse(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SceneError(f"Cannot read the suite {str(path)!r}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SceneError(f"{path}: expected a TOML file, got an error: {error}.") from error


def _leaves(
    values: Mapping[str, Any], parameters: Mapping[str, Parameter], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yields (dotted key, value); tables are opened until they are a parameter or name a distribution."""
    for key, value in values.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and dotted not in parameters and not set(value).intersection(KINDS):
            yield from _leaves(value, parameters, f"{dotted}.")
        else:
            yield dotted, value


def _checked(path: Path, key: str, value: Any, parameters: Mapping[str, Parameter]) -> Distribution:
    if key not in parameters:
        raise SceneError(
            f"{path}: {key}: expected a parameter of this kind, got an unknown one{_closest(key, parameters)}."
        )
    try:
        distribution = read_distribution(value)
    except ValueError as error:
        raise SceneError(f"{path}: {key}: {_sentence(str(error))}") from error
    problem = parameters[key].problem(distribution)
    if problem:
        raise SceneError(f"{path}: {key} ({parameters[key].meaning}): {_sentence(problem)}")
    return distribution


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _assert_keys(path: Path, prefix: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise SceneError(
                f"{path}: {prefix}{key}: expected {' or '.join(known)}, got an unknown key{_closest(key, known)}."
            )


def _closest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
