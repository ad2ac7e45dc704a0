"""What a backend showed of one view: its frame, what lay behind, and every annotation as Replicator would hand it over.

A backend that has raw annotations of its own says so by a method `annotations(camera)`, which returns them by
Replicator's names in the form that `sim.annotators.decode` gives; they are judged in place of what our writer makes of
the frame. So one set of checks serves our files and those that Isaac Sim wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.scene import Scene
from sim.annotators.registry import ANNOTATORS, decode, encode
from sim.annotators.view import Sighting, View
from sim.backend import Backend
from sim.basicwriter import numbered
from sim.frame import Frame, ObjectTruth
from sim.layers import Layers


@runtime_checkable
class HasAnnotations(Protocol):
    """A backend with raw annotations: those of the camera that it rendered last, by Replicator's names."""

    def annotations(self, camera: Camera) -> Mapping[str, Any]:
        """Returns values such as `sim.annotators.decode` gives; what is missing is taken from the frame."""
        ...


class Evidence:
    """One frame with its scene as it stood, its layers (None: the backend has none) and its annotations."""

    def __init__(
        self,
        frame: Frame,
        scene: Scene,
        *,
        layers: Layers | None = None,
        own: Mapping[str, Any] | None = None,
        before: Sighting | None = None,
    ) -> None:
        self.frame = frame
        self.scene = scene
        self.layers = layers
        self.before = before
        self._values = dict(own or {})

    @property
    def now(self) -> Sighting:
        """The frame with its scene, to be the `before` of another one."""
        return Sighting(frame=self.frame, scene=self.scene)

    def annotation(self, name: str) -> Any:
        """Returns an annotation as it is read back from its files; None where it needs layers and there are none."""
        if name not in self._values:
            self._values[name] = self._written(name)
        return self._values[name]

    def record(self, body_name: str) -> ObjectTruth | None:
        """Returns the frame's record of a body, None where it has none."""
        return next((r for r in self.frame.truth.objects if r.body_name == body_name), None)

    def mask(self, body_name: str) -> NDArray[np.bool_]:
        """Returns the pixels that the frame gives to a body, bool (H, W)."""
        record = self.record(body_name)
        instance = self.frame.truth.instance
        found: NDArray[np.bool_] = np.zeros(instance.shape, dtype=bool)
        return found if record is None else np.asarray(instance == record.instance_id)

    def _written(self, name: str) -> Any:
        if self.layers is None and ANNOTATORS[name].needs == "its scene":
            return None
        nothing = Layers(parts=np.zeros(self.frame.truth.instance.shape, dtype=np.uint16), amodal=())
        view = View(frame=self.frame, scene=self.scene, layers=self.layers or nothing, before=self.before)
        files = encode(view, [name])
        return decode(name, lambda kind: files[numbered(kind, view.number)])


def look(backend: Backend, scene: Scene, camera: Camera, *, before: Evidence | None = None) -> Evidence:
    """Renders one view of the scene that the backend holds, `scene` being it at the poses of this moment."""
    frame = backend.render(camera)
    return Evidence(
        frame,
        scene,
        layers=backend.layers(camera) if hasattr(backend, "layers") else None,
        own=backend.annotations(camera) if isinstance(backend, HasAnnotations) else None,
        before=before.now if before else None,
    )
