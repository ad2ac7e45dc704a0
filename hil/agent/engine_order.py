"""What perceives is ordered by value, so that a thread and a process of its own open the very same thing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.agent.perceiving import TimedPerceiver
from scenes.errors import EngineError


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOrder:
    """An engine file with its backend and threads, or a `maker`; inside an emulation where there is a model `emulate`.

    The file's digest has to be `sha256` where that is given; `unsigned` takes a file of which nothing says its digest.

    `maker` is "package.module:function", a perceiver of your own: the function is called with `arguments` (strings) in
    the process that perceives. It is never taken from the link.
    """

    path: str | None = None
    backend: str = "auto"
    threads: int | None = None
    precision: str = "auto"
    sha256: str | None = None
    unsigned: bool = True
    maker: str | None = None
    arguments: tuple[str, ...] = ()
    emulate: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.path is None and self.maker is None and self.emulate is None:
            raise ValueError("An agent needs an engine file, a perceiver or a model to emulate.")

    @property
    def what(self) -> str:
        """What it opens, in a word for a sentence."""
        return self.path or self.maker or "the emulated device"

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EngineOrder:
        """Reads what `to_dict` returned, through msgpack or JSON."""
        return cls(**{**values, "arguments": tuple(values.get("arguments", ()))})


def open_ordered(order: EngineOrder) -> tuple[TimedPerceiver, dict[str, Any]]:
    """Opens it here and returns it with its facts; raises EngineError or RehearseError in one sentence."""
    perceiver, facts = _open_inner(order)
    if order.emulate is not None:
        return emulated(perceiver, facts, order.emulate, order.seed)
    assert perceiver is not None
    return perceiver, facts


def emulated(
    perceiver: TimedPerceiver | None, facts: dict[str, Any], model: str, seed: int
) -> tuple[TimedPerceiver, dict[str, Any]]:
    """Returns a device that is none around a perceiver, or around nothing; raises RehearseError for the model."""
    from hil.agent.emulator import Emulator
    from hil.agent.service import parse_service

    emulator = Emulator(parse_service(model), seed=seed, perceiver=perceiver)
    return emulator, {**facts, **emulator.facts()}


def _open_inner(order: EngineOrder) -> tuple[TimedPerceiver | None, dict[str, Any]]:
    if order.maker is not None:
        return _make(order.maker, order.arguments), {"name": "injected"}
    return (None, {}) if order.path is None else _open_file(order.path, order)


def _make(maker: str, arguments: tuple[str, ...]) -> TimedPerceiver:
    module, _, name = maker.partition(":")
    try:
        made: TimedPerceiver = getattr(importlib.import_module(module), name)(*arguments)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise EngineError(f"Cannot make a perceiver with {maker!r}: {error}.") from error
    return made


def _open_file(path: str, order: EngineOrder) -> tuple[TimedPerceiver, dict[str, Any]]:
    from perception.engine import open_engine, precision_named
    from perception.perceiver import Perceiver

    engine = open_engine(
        path, backend=order.backend, threads=order.threads, precision=precision_named(order.precision), sha256=order.sha256,
        unsigned=order.unsigned,
    )  # fmt: skip
    metadata = engine.metadata
    facts = {
        "name": engine.name, "digest": engine.digest, "network": metadata.network, "file": Path(path).name,
        "input_size": list(metadata.input_size), "categories": list(metadata.categories),
        "settings": {str(key): str(value)[:200] for key, value in engine.settings.items()},
    }  # fmt: skip
    return Perceiver(engine), facts
