"""The ray caster as a backend: the truth of a settled scene by exact rays, slowly; a second opinion on any renderer's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import BackendError
from scenes.scene import Scene
from scenes.taxonomy import TAXONOMY
from sim._object_truth import BodyBounds, box_of
from sim.backend import SettleReport
from sim.frame import Frame, ObjectTruth, Truth
from sim.proof.raycast import Hits, RayCaster


class RaycastBackend:
    """Satisfies `sim.backend.Backend` but for physics, which it has none of: it renders scenes as they were settled.

    Its rgb is no photograph: the categories' colours, darker where a surface turns away. 320x240 takes a second or two.
    """

    name = "raycast"

    def __init__(self) -> None:
        self._caster: RayCaster | None = None
        self._closed = False

    def load(self, scene: Scene) -> None:
        """Replaces the world with `scene`, at the poses that it states."""
        if self._closed:
            raise BackendError("The raycast backend was closed: open another one with open_backend('raycast').")
        self._caster = RayCaster(scene)

    def settle(self) -> SettleReport:
        """Raises BackendError always: rays know no physics."""
        self._loaded()
        raise BackendError(
            "The raycast backend has no physics: let another backend settle the scene, as `rehearse agree` does, and "
            "load it at its settled poses."
        )

    def render(self, camera: Camera) -> Frame:
        """Returns the truth as the rays have it; raises BackendError where nothing was loaded."""
        caster = self._loaded()
        scene = caster.scene
        u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
        hits = caster.hits(camera, np.stack([u, v], axis=-1).reshape(-1, 2))
        body, depth_m = (values.reshape(camera.height, camera.width) for values in hits.first())
        category, instance = _tables(scene)
        truth = Truth(
            depth_m=depth_m.astype(np.float32),
            semantic=category[body],
            instance=instance[body],
            objects=_records(scene, hits, instance[body]),
        )
        return Frame(name=f"{scene.id}/{camera.name}", rgb=_picture(camera, truth), camera=camera, truth=truth)

    def close(self) -> None:
        """Frees the scene; may be called twice."""
        self._caster = None
        self._closed = True

    def _loaded(self) -> RayCaster:
        if self._caster is None:
            raise BackendError("The raycast backend has no scene: call load(scene) before settle or render.")
        return self._caster


def _tables(scene: Scene) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Returns category and instance id by place in `scene.bodies`; the last entry, -1, is for nothing."""
    number = {body.name: k for k, body in enumerate(scene.things, start=1)}
    category = np.array([*(TAXONOMY.named(b.category).id for b in scene.bodies), 0], dtype=np.uint8)
    return category, np.array([*(number.get(b.name, 0) for b in scene.bodies), 0], dtype=np.uint16)


def _records(scene: Scene, hits: Hits, instance: NDArray[np.uint16]) -> tuple[ObjectTruth, ...]:
    """Makes the record of every thing that a ray meets, be it behind something else."""
    place = {body.name: k for k, body in enumerate(scene.bodies)}
    records = []
    for k, body in enumerate(scene.things, start=1):
        amodal = np.zeros(hits.rays, dtype=bool)
        amodal[hits.ray[hits.body == place[body.name]]] = True
        amodal_box = box_of(amodal.reshape(instance.shape))
        if amodal_box is None:
            continue
        visible = instance == k
        records.append(
            ObjectTruth(
                instance_id=k,
                category_id=TAXONOMY.named(body.category).id,
                body_name=body.name,
                visible_box_px=box_of(visible),
                amodal_box_px=amodal_box,
                visible_fraction=float(visible.sum() / amodal.sum()),
                box_world=BodyBounds.of(body).box_world(body.world_from_body),
                world_from_body=body.world_from_body,
            )
        )
    return tuple(records)


def _picture(camera: Camera, truth: Truth) -> NDArray[np.uint8]:
    """Returns the categories' colours, shaded by how much the surface faces the camera."""
    colours = np.array([category.colour for category in TAXONOMY], dtype=np.float64)[truth.semantic]
    points = camera.unproject(np.where(np.isfinite(truth.depth_m), truth.depth_m, 0.0))
    normal = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    length = np.linalg.norm(normal, axis=-1) * np.linalg.norm(points, axis=-1)
    facing = np.abs(np.einsum("hwk,hwk->hw", normal, points))
    shade = 0.35 + 0.65 * np.divide(facing, length, out=np.zeros_like(length), where=length > 0)
    picture: NDArray[np.uint8] = (colours * shade[..., None]).round().astype(np.uint8)
    return picture
