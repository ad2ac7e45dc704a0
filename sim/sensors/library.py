"""Profiles by name or from a TOML file: read whole, checked value by value, never half understood."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomllib

from scenes.errors import SensorError, UnknownNameError
from sim.sensors._fields import closest, read_table
from sim.sensors.profile import SECTIONS, DepthSpec, SensorProfile

_FOLDER = "profiles"


def profile_names() -> tuple[str, ...]:
    """Returns the names of the shipped profiles, in alphabetical order."""
    folder = files("sim.sensors") / _FOLDER
    return tuple(sorted(p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")))


def load_profile(name: str | Path) -> SensorProfile:
    """Returns a shipped profile by its name, or the profile of a file whose name ends with .toml.

    Raises UnknownNameError for a name, SensorError for a file that cannot be read or holds a wrong value.
    """
    text = str(name)
    if text.endswith(".toml"):
        return parse_profile(_read(Path(name)), file=Path(name).name)
    if text not in profile_names():
        raise UnknownNameError("sensor profile", text, profile_names())
    return parse_profile((files("sim.sensors") / _FOLDER / f"{text}.toml").read_text("utf-8"), file=f"{text}.toml")


def parse_profile(text: str, *, file: str) -> SensorProfile:
    """Returns the profile of a TOML document; `file` is what errors call it. Raises SensorError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SensorError(f"{file} is not TOML: {error}.") from error
    top = {key: value for key, value in tables.items() if key not in SECTIONS}
    wrong = [key for key, value in top.items() if isinstance(value, dict)]
    if wrong:
        raise SensorError(f"{file}: there is no section [{wrong[0]}] ({closest(wrong[0], SECTIONS)}).")
    parts: dict[str, Any] = {
        key: read_table(cls, tables[key], file=file, section=key) for key, cls in SECTIONS.items() if key in tables
    }
    _check(parts, file)
    head = read_table(SensorProfile, {"name": file.removesuffix(".toml")} | top, file=file, section="")
    return replace(head, **parts)


def _check(parts: dict[str, Any], file: str) -> None:
    """Raises SensorError where two values do not fit together."""
    depth = parts.get("depth")
    if isinstance(depth, DepthSpec):
        if depth.min_m >= depth.max_m:
            raise SensorError(f"{file}: [depth] max_m must be above min_m = {depth.min_m:g}, got {depth.max_m:g}.")
        if depth.grazing_deg[0] > depth.grazing_deg[1]:
            raise SensorError(f"{file}: [depth] grazing_deg must not fall, got {list(depth.grazing_deg)}.")
    noise = parts.get("noise")
    if noise is not None and noise.black_level_dn >= 2**noise.bits / 2:
        raise SensorError(
            f"{file}: [noise] black_level_dn must be below half of the {2**noise.bits} numbers of {noise.bits} bits, "
            f"got {noise.black_level_dn:g}."
        )


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SensorError(f"Cannot read the sensor profile {path}: {reason}.") from error
