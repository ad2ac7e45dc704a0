"""Truth of one loaded scene: MuJoCo's geoms become labels, and every object in view its record and its amodal mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.scene import Scene
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim._lookup import look_up
from sim._object_truth import BodyBounds, Window, box_of, record_of
from sim.frame import ObjectTruth, Truth
from sim.layers import Layers, ObjectMask, visible_parts

if TYPE_CHECKING:
    import mujoco

    from sim.mujoco.render import Canvas


class Truths:
    """The tables from a scene's geoms to labels, where its bodies stand, and what the last truth was made of."""

    def __init__(self, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._data = data
        self._things = [(model.body(body.name).id, body, BodyBounds.of(body)) for body in scene.things]
        self._category, self._instance, self._part = _labels_of_geoms(scene, model)
        self.stand_at({})

    def stand_at(self, world_from_body: Mapping[str, Pose]) -> None:
        """Takes over the pose of every body; `data` has them already."""
        self._poses = world_from_body
        self._seen: _Seen | None = None
        self._boxes: dict[str, OrientedBox] = {}

    def truth(self, canvas: Canvas, camera: Camera) -> Truth:
        """Renders depth and ids in one pass and makes the record of every object in view."""
        depth_m, ids = canvas.depth_and_ids(camera)
        instance = look_up(self._instance[canvas.geom_of_id], ids)
        records, masks = [], []
        for k in range(1, len(self._things) + 1):
            found = self._record(canvas, camera, k, depth_m, instance)
            if found is not None:
                records.append(found[0])
                masks.append(found[1])
        self._seen = _Seen(camera=camera, ids=ids, masks=tuple(masks))
        return Truth(
            depth_m=depth_m,
            semantic=look_up(self._category[canvas.geom_of_id], ids),
            instance=instance,
            objects=tuple(records),
        )

    def layers(self, canvas: Canvas, camera: Camera) -> Layers:
        """Returns what the last truth of that camera was made of; renders it where the last was another's."""
        if self._seen is None or self._seen.camera != camera:
            self.truth(canvas, camera)
        seen = self._seen
        assert seen is not None
        return Layers(parts=look_up(self._part[canvas.geom_of_id], seen.ids), amodal=seen.masks)

    def _record(
        self, canvas: Canvas, camera: Camera, instance_id: int, depth_m: NDArray[np.float32], instance: NDArray[np.uint16]
    ) -> tuple[ObjectTruth, ObjectMask] | None:
        body_id, body, bounds = self._things[instance_id - 1]
        pose = self._poses[body.name]
        if body.name not in self._boxes:
            self._boxes[body.name] = bounds.box_world(pose)

        def alone(window: Window, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
            return self._hidden(canvas, camera, body_id, window, where)

        return record_of(camera, instance_id, body, pose, self._boxes[body.name], depth_m, instance, alone)

    def _hidden(
        self, canvas: Canvas, camera: Camera, body_id: int, window: Window, where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Returns which pixels `where` in the window the body would have with nothing in front of it."""
        around = box_of(where)
        if around is None:
            return where
        left, top, right, bottom = around
        drawn: Window = (window[0] + left, window[1] + top, right - left + 1, bottom - top + 1)
        hidden = np.zeros_like(where)
        hidden[top : bottom + 1, left : right + 1] = canvas.alone(camera, self._data, body_id, drawn)
        return hidden & where


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What the last truth was made of: the camera, the ids that were drawn (H, W) and every object's amodal mask."""

    camera: Camera
    ids: NDArray[np.unsignedinteger]
    masks: tuple[ObjectMask, ...]


def _labels_of_geoms(
    scene: Scene, model: mujoco.MjModel
) -> tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.uint16]]:
    """Returns category, instance id and number of the visible part of every geom; the last entry stands for no geom."""
    category = np.zeros(model.ngeom + 1, dtype=np.uint8)
    instance, part = (np.zeros(model.ngeom + 1, dtype=np.uint16) for _ in range(2))
    instance_of = {body.name: k for k, body in enumerate(scene.things, start=1)}
    for k, (body, shown) in enumerate(visible_parts(scene), start=1):
        geom = model.geom(f"{body.name}/{shown.name}").id
        category[geom], instance[geom] = TAXONOMY.named(body.category).id, instance_of.get(body.name, 0)
        part[geom] = k
    return category, instance, part
