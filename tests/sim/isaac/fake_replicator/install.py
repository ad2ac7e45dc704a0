"""Puts the FAKE in place of the modules isaacsim, omni and carb, held to the recorded table: other names do not exist."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from typing import Any

from sim.isaac import app, installation
from tests.sim.isaac.api_table import ApiTable, Entry, api_table
from tests.sim.isaac.fake_replicator.kit import FakeKit
from tests.sim.isaac.fake_replicator.replicator import FakeReplicator

_ROOTS = ("isaacsim", "omni", "carb")


@contextmanager
def installed(version: str = "6.2.0") -> Iterator[FakeKit]:
    """Installs the fake of one version in this process and takes it away again; OpenUSD is then the registry's.

    The explicit switch for that is here and nowhere else: `installation.foreign_usd_allowed`.
    """
    table = api_table(version[:3])
    kit = FakeKit(version)
    modules = _modules(table, _functions(kit, table))
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in _ROOTS}
    sys.modules.update(modules)
    was = app._running, app._opened
    installation.foreign_usd_allowed, app._running, app._opened = True, None, False
    try:
        yield kit
    finally:
        (app._running, app._opened), installation.foreign_usd_allowed = was, False
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(before)
        kit.close()


class Held:
    """A FAKE object whose members are those of the table, and whose calls must fit the recorded parameters."""

    def __init__(self, table: ApiTable, kind: str, inner: Any) -> None:
        self.__dict__.update(_table=table, _kind=kind, _inner=inner)

    def __getattr__(self, name: str) -> Any:
        member = self._table.members[self._kind].get(name)
        if member is None:
            raise AttributeError(f"the fake: {self._kind} has no {name} in the recorded table")
        value = getattr(self._inner, name)
        if member.kind == "attribute" and member.object in self._table.members:
            return Held(self._table, member.object, value)
        return _held(member, value, self._table) if callable(value) else value

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(self, *trace: object) -> None:
        self._inner.__exit__(*trace)


def _held(entry: Entry, function: Callable[..., Any], table: ApiTable) -> Callable[..., Any]:
    signature = entry.signature()

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"the fake: {entry.name}{signature}: {error}") from error
        values = {k: _bare(v) for k, v in bound.arguments.items()}
        more = values.pop("options", {}) if "**options" in entry.parameters else {}
        result = function(**values, **more)
        return Held(table, entry.object, result) if entry.object in table.members else result

    return call


def _bare(value: Any) -> Any:
    if isinstance(value, Held):
        return value._inner
    return [_bare(v) for v in value] if isinstance(value, list) else value


def _functions(kit: FakeKit, table: ApiTable) -> dict[str, Callable[..., Any]]:
    class SimulationApp:
        """The FAKE application."""

        def __init__(self, launch_config: dict[str, Any] | None = None, experience: str = "") -> None:
            assert sys.argv[1:] == [], "the fake: Kit would take our command line for its own"
            known = table.launch_keys.get(kit.version[:3])
            unknown = set(launch_config or {}) - known if known else set()
            if unknown:
                raise TypeError(f"the fake: SimulationApp has no {unknown}")
            kit.launch_config = dict(launch_config or {})

        def update(self) -> None:
            kit.update()

        def reset_render_settings(self) -> None:
            kit.settings["/rtx/post/dlss/execMode"] = 0  # as an opened stage may leave it

        def close(self, **_: Any) -> None:
            raise AssertionError("the fake: Kit ends the process here")

    class Settings:
        """FAKE settings."""

        def set(self, path: str, value: Any) -> None:
            assert path in table.settings, f"the fake: no recorded setting {path}"
            kit.settings[path] = value

    class Context:
        """The FAKE UsdContext."""

        def open_stage(self, url: str) -> bool:
            return kit.open_stage(url)

        def get_stage(self) -> Any:
            return kit.stage

        def get_stage_loading_status(self) -> tuple[str, int, int]:
            return "", 0, 0

    core, _, rest = kit.version.partition("-")
    return {
        "isaacsim.SimulationApp": SimulationApp,
        "isaacsim.core.version.get_version": lambda: (core, rest, *core.split("."), "", "", ""),
        "carb.settings.get_settings": Settings,
        "omni.usd.get_context": lambda name="": Context(),
        "omni.timeline.get_timeline_interface": lambda name="": kit.timeline,
        **FakeReplicator(kit).functions(),
    }


def _modules(table: ApiTable, functions: dict[str, Callable[..., Any]]) -> dict[str, types.ModuleType]:
    """Makes modules of every function that the fake has; a function that the table lacks is the fake's own mistake."""
    modules: dict[str, types.ModuleType] = {}
    for name, function in functions.items():
        entry = table.entries[name]
        parent = _module(name.rpartition(".")[0], modules)
        setattr(parent, name.rpartition(".")[2], _held(entry, function, table))
    return modules


def _module(name: str, modules: dict[str, types.ModuleType]) -> types.ModuleType:
    if name not in modules:
        made = types.ModuleType(name, f"A FAKE of {name}.")
        made.__spec__ = ModuleSpec(name, None)
        made.__path__ = []
        modules[name] = made
        above, _, last = name.rpartition(".")
        if above:
            setattr(_module(above, modules), last, made)
    return modules[name]
