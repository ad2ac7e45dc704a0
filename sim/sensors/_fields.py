"""Fields that know their range: a table of plain values becomes a dataclass, or one sentence says which value is wrong.

The sentence names the file, the key, what was expected, what came, and the closest names of an unknown key.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from scenes.errors import SensorError

_T = TypeVar("_T")


def number(default: float | None, low: float, high: float, says: str, *, integer: bool = False) -> Any:
    """Returns a field that holds a number from `low` to `high`; where the default is None it may be left out."""
    return _field(default, says, kind="integer" if integer else "number", low=low, high=high)


def numbers(default: tuple[float, ...], lengths: Sequence[int], low: float, high: float, says: str) -> Any:
    """Returns a field that holds one of `lengths` numbers, each from `low` to `high`."""
    return _field(default, says, kind="numbers", lengths=tuple(lengths), low=low, high=high)


def choice(default: str, options: Sequence[str], says: str) -> Any:
    """Returns a field that holds one of a few words."""
    return _field(default, says, kind="choice", options=tuple(options))


def flag(default: bool, says: str) -> Any:
    """Returns a field that holds true or false."""
    return _field(default, says, kind="flag")


def words(says: str) -> Any:
    """Returns a field that holds text, empty by default."""
    return _field("", says, kind="words")


def shares(names: Sequence[str], says: str) -> Any:
    """Returns a field that holds pairs (name, number from 0 to 1), written as a table of known names."""
    return _field((), says, kind="shares", options=tuple(names))


def read_table(cls: type[_T], table: object, *, file: str, section: str) -> _T:
    """Returns the dataclass of a table of a file; raises SensorError for the first value that is wrong."""
    place = f"{file}: [{section}]" if section else f"{file}:"
    if not isinstance(table, Mapping):
        raise SensorError(f"{place} must be a table of keys and values, got {table!r}.")
    known = {f.name: f.metadata for f in dataclasses.fields(cls) if f.metadata}  # type: ignore[arg-type]  # only specs come here
    unknown = [key for key in table if key not in known]
    if unknown:
        raise SensorError(f"{place} has no key {unknown[0]!r} ({closest(str(unknown[0]), known)}).")
    return cls(**{key: _read(value, known[key], f"{place} {key}") for key, value in table.items()})


def closest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Returns what to say of an unknown name: the closest ones, or all where none is close."""
    near = difflib.get_close_matches(name, list(known), n=2, cutoff=0.5)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else f"known are: {', '.join(known)}"


def plain(value: Any) -> Any:
    """Returns the plain JSON values of a dataclass of such fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return value


def _field(default: Any, says: str, **metadata: Any) -> Any:
    return dataclasses.field(default=default, metadata={"says": says, **metadata})


def _read(value: Any, rule: Mapping[str, Any], place: str) -> Any:
    kind = rule["kind"]
    if kind == "numbers":
        return _read_numbers(value, rule, place)
    if kind == "shares":
        return _read_shares(value, rule, place)
    if kind in ("number", "integer"):
        return _read_number(value, rule, place)
    if kind == "choice" and value not in rule["options"]:
        raise SensorError(f"{place} must be one of {', '.join(map(repr, rule['options']))}, got {value!r}.")
    if kind == "flag" and not isinstance(value, bool):
        raise SensorError(f"{place} must be true or false, got {value!r}.")
    if kind == "words" and not isinstance(value, str):
        raise SensorError(f"{place} must be text, got {value!r}.")
    return value


def _read_number(value: Any, rule: Mapping[str, Any], place: str) -> float | int:
    whole = rule["kind"] == "integer"
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or not math.isfinite(value) or not rule["low"] <= value <= rule["high"]:
        what = "a whole number" if whole else "a number"
        raise SensorError(f"{place} must be {what} from {rule['low']:g} to {rule['high']:g}, got {value!r}.")
    return int(value) if whole else float(value)


def _read_numbers(value: Any, rule: Mapping[str, Any], place: str) -> tuple[float, ...]:
    lengths = " or ".join(map(str, rule["lengths"]))
    if not isinstance(value, list | tuple) or len(value) not in rule["lengths"]:
        got = f"{len(value)} values" if isinstance(value, list | tuple) else repr(value)
        raise SensorError(f"{place} must be a list of {lengths} numbers, got {got}.")
    return tuple(_read_number(v, {**rule, "kind": "number"}, f"{place}[{i}]") for i, v in enumerate(value))


def _read_shares(value: Any, rule: Mapping[str, Any], place: str) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, Mapping):
        raise SensorError(f"{place} must be a table of names and numbers from 0 to 1, got {value!r}.")
    for name in value:
        if name not in rule["options"]:
            raise SensorError(f"{place} names {name!r}, which does not exist ({closest(name, rule['options'])}).")
    shape = {"kind": "number", "low": 0.0, "high": 1.0}
    return tuple(sorted((name, _read_number(share, shape, f"{place}.{name}")) for name, share in value.items()))
