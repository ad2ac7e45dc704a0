"""The truth of a frame from Replicator's maps, with the records that every backend gives; what they cannot say is computed.

Replicator's occlusion ratio is -1 for an object of several meshes under one label, as ours are (reference, 2.2). What an
object would show with nothing in front is found by rays on the very meshes of the stage, in the pixels where something
may stand before it; what is visible, and all maps, are the renderer's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import BackendError
from scenes.scene import Body, Scene
from scenes.transforms import Pose
from sim._object_truth import BodyBounds, Window, record_of
from sim.frame import ObjectTruth, Truth
from sim.isaac.annotate import Maps
from sim.isaac.optics import Optics
from sim.layers import Layers, ObjectMask
from sim.proof.raycast import RayCaster


class TruthMaker:
    """Makes truths of one scene; rays into a body are prepared when it is first hidden."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._casters: dict[str, RayCaster] = {}
        self._bounds = {body.name: BodyBounds.of(body) for body in scene.things}
        number = {body.name: k for k, body in enumerate(scene.things, start=1)}
        self._instance_of = np.array([0, *(number.get(b.name, 0) for b in scene.bodies)], dtype=np.uint16)

    def truth(self, optics: Optics, maps: Maps, world_from_body: Mapping[str, Pose]) -> tuple[Truth, Layers]:
        """Returns the truth of a capture and its layers; raises BackendError where the annotators contradict each other."""
        camera = optics.camera
        depth_m = optics.depth(maps.depth_m, maps.part)
        instance = self._instance_of[optics.ids(maps.body)]
        records, masks = [], []
        for k, body in enumerate(self.scene.things, start=1):
            found = self._record(camera, k, body, world_from_body[body.name], depth_m, instance)
            if found is not None:
                records.append(found[0])
                masks.append(found[1])
        try:
            truth = Truth(
                depth_m=depth_m, semantic=optics.ids(maps.semantic), instance=instance, objects=tuple(records)
            )
        except ValueError as error:
            raise BackendError(
                f"Replicator's semantic_segmentation and instance_segmentation contradict each other: {error} Use one GPU, "
                "and see docs/isaac-sim.md."
            ) from error
        return truth, Layers(parts=optics.ids(maps.part), amodal=tuple(masks))

    def _record(
        self, camera: Camera, k: int, body: Body, pose: Pose, depth_m: NDArray[np.float32], instance: NDArray[np.uint16]
    ) -> tuple[ObjectTruth, ObjectMask] | None:
        box_world = self._bounds[body.name].box_world(pose)

        def alone(window: Window, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
            return self._hit(camera, body, pose, window, where)

        return record_of(camera, k, body, pose, box_world, depth_m, instance, alone)

    def _hit(
        self, camera: Camera, body: Body, pose: Pose, window: Window, where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Returns which pixels `where` in the window have a ray that meets the body, alone in the world."""
        v, u = np.nonzero(where)
        found = np.zeros_like(where)
        if len(u):
            if body.name not in self._casters:
                self._casters[body.name] = RayCaster(replace(self.scene, bodies=(body,)))
            pixels = np.stack([u + window[0], v + window[1]], axis=-1)
            hits = self._casters[body.name].hits(camera, pixels, world_from_body={body.name: pose})
            met = np.unique(hits.ray)
            found[v[met], u[met]] = True
        return found
