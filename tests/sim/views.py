"""Views of little scenes: what annotators look at, without a data set around it."""

from __future__ import annotations

from scenes.camera import Camera
from scenes.scene import Scene
from sim.annotators.view import Sighting, View
from sim.backend import Backend


def view_of(backend: Backend, scene: Scene, camera: Camera) -> View:
    """Returns one still view of a scene as it stands."""
    backend.load(scene)
    frame = backend.render(camera)
    return View(frame=frame, scene=scene, layers=backend.layers(camera))


def sighting_of(backend: Backend, scene: Scene, camera: Camera) -> Sighting:
    """Returns one look at a scene as it stands."""
    backend.load(scene)
    return Sighting(frame=backend.render(camera), scene=scene)
