"""Every annotation of a frame by Replicator's name, a pure function of what the backend saw; importing it starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenes.lazy import lazy_names

if TYPE_CHECKING:
    from sim.annotators.registry import ANNOTATORS, DEFAULT, Annotator, choose, decode, encode
    from sim.annotators.view import Sighting, View

__all__ = ["ANNOTATORS", "DEFAULT", "Annotator", "Sighting", "View", "choose", "decode", "encode"]

_HOME = {
    "ANNOTATORS": "sim.annotators.registry",
    "Annotator": "sim.annotators.registry",
    "DEFAULT": "sim.annotators.registry",
    "Sighting": "sim.annotators.view",
    "View": "sim.annotators.view",
    "choose": "sim.annotators.registry",
    "decode": "sim.annotators.registry",
    "encode": "sim.annotators.registry",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
