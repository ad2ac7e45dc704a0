"""One simulator, and one settled tabletop scene, for all tests of annotators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scenes.camera import Camera
from scenes.scene import Scene
from sim.annotators.view import View
from sim.backend import Backend, open_backend
from sim.realize import realize


@pytest.fixture(scope="session")
def backend() -> Iterator[Backend]:
    started = open_backend("mujoco")
    yield started
    started.close()


@pytest.fixture(scope="session")
def tabletop(backend: Backend) -> Scene:
    """A scene with cups, a can, books and cutlery, some of them hidden in part."""
    return realize(backend, "tabletop", split="test", seed=4, index=1)[0]


@pytest.fixture(scope="session")
def camera(tabletop: Scene) -> Camera:
    return tabletop.cameras[0].resized(240, 180)


@pytest.fixture(scope="session")
def view(backend: Backend, tabletop: Scene, camera: Camera) -> View:
    backend.load(tabletop)
    frame = backend.render(camera)
    return View(frame=frame, scene=tabletop, layers=backend.layers(camera), number=7)
