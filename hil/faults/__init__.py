"""Faults on purpose, by a seed: a proxy that stands between host and agent and does to their messages what networks do."""

from __future__ import annotations

from scenes.lazy import lazy_names

_HOME = {
    "Cut": "hil.faults.spec",
    "FaultProxy": "hil.faults.proxy",
    "Faults": "hil.faults.spec",
    "Line": "hil.faults.line",
    "parse_faults": "hil.faults.spec",
}

__all__ = ["Cut", "FaultProxy", "Faults", "Line", "parse_faults"]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
