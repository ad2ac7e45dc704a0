"""A backend that is right but for one thing, and the ways to make one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from weakref import WeakKeyDictionary

from scenes.camera import Camera
from scenes.scene import Scene
from sim.backend import Backend
from sim.frame import Frame, Truth
from sim.selftest.evidence import Evidence

BLOCK = 1 << 20
ON: WeakKeyDictionary = WeakKeyDictionary()


class Planted:
    """A backend with nothing wrong; its subclasses have."""

    name = "planted"

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    def load(self, scene: Scene) -> None:
        """Puts the bodies back where the inner backend holds this very scene already: that saves most of a test's time."""
        self.scene = scene
        if ON.get(self.inner) is scene:
            self.inner.place({b.name: b.world_from_body for b in scene.bodies if b.dynamic})
            return
        ON.pop(self.inner, None)
        self.inner.load(scene)
        ON[self.inner] = scene

    def settle(self):
        return self.inner.settle()

    def camera(self, camera: Camera) -> Camera:
        return camera

    def seen(self, frame: Frame) -> Frame:
        return frame

    def render(self, camera: Camera) -> Frame:
        return self.seen(replace(self.inner.render(self.camera(camera)), camera=camera))

    def place(self, world_from_body) -> None:
        self.inner.place(world_from_body)

    def play(self, pushes, times_s):
        return self.inner.play(pushes, times_s)

    def layers(self, camera: Camera):
        return self.inner.layers(self.camera(camera))

    def close(self) -> None:
        """The inner one is shared."""


def with_truth(frame: Frame, **changes) -> Frame:
    truth = frame.truth
    maps = {"depth_m": truth.depth_m, "semantic": truth.semantic, "instance": truth.instance, "objects": truth.objects}
    return replace(frame, truth=Truth(**(maps | changes)))


def with_records(frame: Frame, change: Callable) -> Frame:
    return with_truth(frame, objects=tuple(change(r) for r in frame.truth.objects))


def seeing(change: Callable[[Frame], Frame]) -> type[Planted]:
    """Returns a backend whose frames are changed."""
    return type("Changed", (Planted,), {"seen": lambda _, frame: change(frame)})


def through(change: Callable[[Camera], Camera]) -> type[Planted]:
    """Returns a backend that draws with another camera than it says."""
    return type("Through", (Planted,), {"camera": lambda _, camera: change(camera)})


def writing(name: str, change: Callable) -> type[Planted]:
    """Returns a backend whose own annotation of that name is changed; `change` gets the right one and the evidence."""

    class Files(Planted):
        last: Evidence | None = None
        now: Evidence | None = None

        def place(self, world_from_body) -> None:
            super().place(world_from_body)
            self.scene = self.scene.with_poses(dict(world_from_body))

        def render(self, camera: Camera) -> Frame:
            frame = super().render(camera)
            before = self.now.now if self.now else None
            self.now = Evidence(frame, self.scene, layers=self.inner.layers(camera), before=before)
            return frame

        def annotations(self, camera: Camera):
            assert self.now is not None
            assert self.now.frame.camera == camera
            return {name: change(self.now.annotation(name), self.now)}

    return Files
