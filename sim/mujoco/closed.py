"""When back faces can be left undrawn without a trace: every mesh is closed, and the camera is in none of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.scene import Mesh, Scene
from scenes.transforms import Pose, inverse, transform_points

# How much farther than the near plane the camera must be from a part's box, as a factor: the corners of a wide view.
NEAR_FACTOR = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solids:
    """Whether all visible meshes of a scene are closed, and the bounds of each part in its body's frame, (P, 3) each."""

    closed: bool
    body_names: tuple[str, ...]
    low_m: NDArray[np.float64]
    high_m: NDArray[np.float64]

    @classmethod
    def of(cls, scene: Scene) -> Solids:
        """Reads a scene; takes 5 ms or so."""
        shown = [(body.name, part.mesh) for body in scene.bodies for part in body.parts]
        vertices = [mesh.vertices[mesh.faces.reshape(-1)] for _, mesh in shown]
        return cls(
            closed=all(is_closed(mesh) for _, mesh in shown),
            body_names=tuple(name for name, _ in shown),
            low_m=np.array([v.min(axis=0) for v in vertices]).reshape(-1, 3),
            high_m=np.array([v.max(axis=0) for v in vertices]).reshape(-1, 3),
        )

    def seen_from_outside(self, camera: Camera, world_from_body: dict[str, Pose]) -> bool:
        """Returns whether all meshes are closed and the camera and its near plane are outside the box of every part."""
        if not self.closed:
            return False
        body_from_world = {name: inverse(world_from_body[name].matrix()) for name in dict.fromkeys(self.body_names)}
        eye = np.array(camera.world_from_camera.position_m)
        at = np.array([transform_points(body_from_world[name], eye) for name in self.body_names]).reshape(-1, 3)
        margin = NEAR_FACTOR * camera.near_m
        inside = (at > self.low_m - margin) & (at < self.high_m + margin)
        return not inside.all(axis=1).any()


def is_closed(mesh: Mesh) -> bool:
    """Returns whether each edge belongs to two faces that run through it in opposite directions, and faces look outwards.

    Corners at the same place count as one. Only the whole is looked at: a mesh of several closed pieces is closed.
    """
    _, place = np.unique(np.ascontiguousarray(mesh.vertices).view([("", np.float64)] * 3), return_inverse=True)
    faces = place.reshape(-1).astype(np.int64)[mesh.faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    start, end = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    count = int(faces.max(initial=0)) + 1
    there, back = np.sort(start * count + end), np.sort(end * count + start)
    a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    return bool(np.array_equal(there, back)) and float(np.einsum("ij,ij->", np.cross(a, b), c)) > 0
