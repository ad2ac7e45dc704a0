"""What the camera sees: backends, frames with their ground truth, and data sets on disk. Importing it starts nothing.

`generate` and `realize` are modules: `from sim.generate import generate`, `from sim.realize import realize`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenes.lazy import lazy_names

if TYPE_CHECKING:
    from sim.backend import BACKEND_NAMES, Backend, SettleReport, SettleRule, open_backend
    from sim.dataset import Dataset
    from sim.film import Film
    from sim.frame import Frame, ObjectTruth, Sensed, Truth
    from sim.generate import GenerateSpec

__all__ = [
    "BACKEND_NAMES",
    "Backend",
    "Dataset",
    "Film",
    "Frame",
    "GenerateSpec",
    "ObjectTruth",
    "Sensed",
    "SettleReport",
    "SettleRule",
    "Truth",
    "open_backend",
]

_HOME = {
    "BACKEND_NAMES": "sim.backend",
    "Backend": "sim.backend",
    "Dataset": "sim.dataset",
    "Film": "sim.film",
    "Frame": "sim.frame",
    "GenerateSpec": "sim.generate",
    "ObjectTruth": "sim.frame",
    "Sensed": "sim.frame",
    "SettleReport": "sim.backend",
    "SettleRule": "sim.backend",
    "Truth": "sim.frame",
    "open_backend": "sim.backend",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
