"""The recorded API of Isaac Sim, as one table: names with their parameters, by version, and where each is known from."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tomllib

HERE = Path(__file__).parent / "api"
_P = inspect.Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name: what it is, its parameters, and the object that it returns, where the table follows it."""

    name: str
    kind: str
    parameters: tuple[str, ...]
    object: str
    source: str

    def signature(self) -> inspect.Signature:
        """Returns parameters that a call can be bound to; defaults are None."""
        made = []
        for word in self.parameters:
            name, equals, _ = word.partition("=")
            stars = len(name) - len(name.lstrip("*"))
            kind = (_P.POSITIONAL_OR_KEYWORD, _P.KEYWORD_ONLY, _P.VAR_KEYWORD)[stars]
            made.append(_P(name.lstrip("*"), kind, default=None if equals else _P.empty))
        return inspect.Signature(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTable:
    """Functions and classes by full name, objects by their name and member, writers, annotators and settings by name."""

    entries: Mapping[str, Entry]
    members: Mapping[str, Mapping[str, Entry]]
    writers: Mapping[str, tuple[str, ...]]
    annotators: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, str]
    launch_keys: Mapping[str, frozenset[str]]

    def has_module(self, name: str) -> bool:
        """Whether any recorded name lies in that module."""
        return any(entry.startswith(f"{name}.") for entry in self.entries)


@cache
def api_table(version: str = "6.2") -> ApiTable:
    """Reads the table as one version of Isaac Sim has it."""
    generated = json.loads((HERE / "isaacsim.json").read_text())
    recorded = tomllib.loads((HERE / "recorded.toml").read_text())
    entries = {name: _generated(name, values) for name, values in generated.items()}
    for name, values in recorded["functions"].items():
        entries[name] = Entry(
            name=name, kind="function", parameters=tuple(_of_version(values, version)), object=values.get("object", ""),
            source=values["source"],
        )
    app = {n.rpartition(".")[2]: e for n, e in entries.items() if n.startswith("isaacsim.SimulationApp.")}
    objects = {name: _members(name, values) for name, values in recorded["objects"].items()} | {"App": app}
    launch = generated["isaacsim.SimulationApp.DEFAULT_LAUNCHER_CONFIG"]["versions"]
    return ApiTable(
        entries=entries,
        members=objects,
        writers={k: tuple(v) for k, v in recorded["writers"].items() if k != "source"},
        annotators={k: tuple(v) for k, v in recorded["annotators"].items() if k != "source"},
        settings=recorded["settings"],
        launch_keys={full[:3]: frozenset(values["items"]) for full, values in launch.items()},
    )


def _of_version(values: Mapping[str, Any], version: str) -> list[str]:
    chosen = values["parameters"]
    for prefix, parameters in values.get("versions", {}).items():
        if version.startswith(prefix):
            chosen = parameters
    return chosen


def _generated(name: str, values: Mapping[str, Any]) -> Entry:
    """Takes the newest version's parameters where they differ."""
    facts = values if "parameters" in values or "items" in values else list(values["versions"].values())[-1]
    returns = "App" if name == "isaacsim.SimulationApp" else ""
    return Entry(
        name=name, kind=values["kind"], parameters=tuple(facts.get("parameters", ())), object=returns, source=values["source"]
    )


def _members(owner: str, values: Mapping[str, Any]) -> dict[str, Entry]:
    source = values["source"]
    made = {}
    for name, value in values.items():
        if name != "source":
            returns = value["object"] if isinstance(value, dict) else ""
            parameters = () if isinstance(value, dict) else tuple(value)
            kind = "attribute" if isinstance(value, dict) else "function"
            made[name] = Entry(name=f"{owner}.{name}", kind=kind, parameters=parameters, object=returns, source=source)
    return made
