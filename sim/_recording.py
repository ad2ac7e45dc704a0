"""The frames of one scene as annotators see them: each with what lies behind it and, in time and space, beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scenes.scene import Scene
from sim.annotators.view import View
from sim.backend import Backend
from sim.capture import Capture


def record(backend: Backend, scene: Scene, capture: Capture, size: tuple[int, int], numbers: range) -> Iterator[View]:
    """Yields the views of a scene that the backend holds, settled, one for each of `numbers`."""
    for camera, number in zip(scene.cameras, numbers, strict=False):
        resized = camera.resized(*size)
        frame = replace(backend.render(resized), name=f"{scene.id}/{camera.name}")
        yield View(frame=frame, scene=scene, layers=backend.layers(resized), number=number)
