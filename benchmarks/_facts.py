"""What ran on what, as tables: engine and settings, both machines, the data set; a fact nobody gave is `not measured`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks._page import card, table
from hil.session import Session


def provenance(session: Session) -> str:
    """Returns sentences on what carried the frames and on whether both ends were the same machine and clock."""
    return f"The device answered at {session.device}. {link_sentence(session.link)} Clocks: {session.clock_note}."


def link_sentence(link: Mapping[str, Any]) -> str:
    """Returns what carried the messages: encrypted or not, how fast, and how the answers were packed."""
    if not link:
        return "The link was not recorded."
    encrypted = "encrypted (CURVE)" if link.get("encrypted") else "not encrypted"
    rates = [f"{link[key]:,.0f} Mbit/s {way}" for key, way in (("up_mbit_s", "up"), ("down_mbit_s", "down")) if link.get(key)]
    answers = _mapping(link.get("answers"))
    said = f"; answers {_packed(answers)}" if answers else ""
    return f"The link was {encrypted}, {' and '.join(rates) or 'its rate not measured'}{said}."


def _packed(answers: Mapping[str, Any]) -> str:
    codec, size, raw = answers.get("codec"), answers.get("bytes", 0), answers.get("raw_bytes", 0)
    gain = f", {raw / size:.1f} times smaller" if codec != "raw" and size else ""
    return f"{'raw' if codec == 'raw' else f'packed with {codec}'}{gain} ({answers.get('why')})"


def fact_tables(session: Session) -> tuple[str, ...]:
    """Returns the cards of engine, device, host and data set."""
    engine = _mapping(session.agent.get("engine"))
    device = _mapping(session.agent.get("device"))
    return (
        f'<div class="two">{_facts("Engine", _engine_rows(engine))}{_facts("Data set", _dataset_rows(session.dataset))}</div>',
        f'<div class="two">{_facts("Device", _machine_rows(device))}{_facts("Host", _machine_rows(session.host))}</div>',
    )


def _facts(title: str, rows: list[tuple[str, object]]) -> str:
    return card(title, table(("fact", "value"), rows))


def _engine_rows(engine: Mapping[str, Any]) -> list[tuple[str, object]]:
    size = engine.get("input_size")
    rows: list[tuple[str, object]] = [
        ("network", engine.get("network")),
        ("file", engine.get("file")),
        ("digest", engine.get("digest")),
        ("engine", engine.get("name")),
        ("input, height x width", " x ".join(str(v) for v in size) if size else None),
    ]
    return rows + [(f"setting {key}", value) for key, value in _mapping(engine.get("settings")).items()]


def _machine_rows(machine: Mapping[str, Any]) -> list[tuple[str, object]]:
    memory = machine.get("memory_bytes")
    rows: list[tuple[str, object]] = [
        ("CPU", machine.get("cpu")),
        ("cores", machine.get("cores")),
        ("memory", f"{memory / 2**30:.1f} GiB" if memory else None),
        ("OS", machine.get("os")),
        ("Python", machine.get("python")),
        ("power mode", machine.get("power_mode")),
        ("clocks held at their highest", machine.get("clocks_held")),
    ]
    return rows + [(name, version or "not installed") for name, version in _mapping(machine.get("packages")).items()]


def _dataset_rows(dataset: Mapping[str, Any]) -> list[tuple[str, object]]:
    return [(key.replace("_", " "), _plain(value)) for key, value in dataset.items()]


def _plain(value: Any) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return ", ".join(str(v) for v in value) if isinstance(value, list | tuple) else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
