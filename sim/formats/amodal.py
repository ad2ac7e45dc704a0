"""Amodal masks that a data set does not hold, drawn again: one body alone, at its recorded pose, by the same renderer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.errors import BackendError, DatasetError
from scenes.scene import Body, Scene, SceneId
from sim.backend import Backend, open_backend
from sim.frame import Frame, ObjectTruth

_TOLERANCE = 0.01


class AmodalMasks:
    """Draws amodal masks; starts the simulator at the first object that something may hide, never for others."""

    def __init__(self, backend: str) -> None:
        self._name = backend
        self._backend: Backend | None = None

    def mask(self, frame: Frame, record: ObjectTruth, body: Body, scene_id: SceneId) -> NDArray[np.bool_]:
        """Returns the mask (H, W) that the object would have with nothing in front of it.

        Raises BackendError where the renderer cannot run here, DatasetError where what it draws contradicts the record.
        """
        visible: NDArray[np.bool_] = frame.truth.instance == record.instance_id
        if record.visible_fraction >= 1.0:
            return visible
        if self._backend is None:
            self._backend = _open(self._name)
        alone = replace(body, world_from_body=record.world_from_body)
        self._backend.load(Scene(id=scene_id, bodies=(alone,), lights=(), cameras=(), supports=()))
        whole = visible | (self._backend.render(frame.camera).truth.instance > 0)
        if abs(visible.sum() / max(int(whole.sum()), 1) - record.visible_fraction) > _TOLERANCE:
            raise DatasetError(
                f"Drawn again, {record.body_name} in frame {frame.name} has {int(visible.sum())} visible of {int(whole.sum())} "
                f"pixels, but its record says {record.visible_fraction:.3f}: another version of Rehearse made the data set."
            )
        return whole

    def close(self) -> None:
        """Frees the simulator."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None


def _open(name: str) -> Backend:
    try:
        return open_backend(name)
    except (ImportError, LookupError) as error:
        raise BackendError(f"The backend {name!r}, which made the data set, cannot run here: {error}") from error
