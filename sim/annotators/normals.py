"""Surface normals in the world, computed from the geometry that each pixel's ray meets: never drawn, never rounded to 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.transforms import rotation_from_quaternion
from sim._lens import pixel_rays
from sim.annotators._hits import Hits

Normals = NDArray[np.float32]


def shading_normals(hits: Hits, camera: Camera) -> Normals:
    """Returns Replicator's `normals`, float32 (H, W, 4): the corners' normals, interpolated, x y z in the world, unit length.

    The fourth number is 1 where something is; all four are 0 elsewhere. A surface that is seen from behind has the
    normal of the side that is seen. Replicator's pages leave the frame open; the world is what its users report.
    """
    return _packed(np.einsum("...k,...ki->...i", hits.weights, hits.normals_world[hits.triangle]), hits, camera)


def geometric_normals(hits: Hits, camera: Camera) -> Normals:
    """Returns the normals of the flat triangles themselves, in the same form as `shading_normals`."""
    return _packed(_facet_normals(hits), hits, camera)


def normals_to_png(normals: Normals) -> NDArray[np.uint8]:
    """Returns what BasicWriter writes as normals_N.png, uint8 (H, W, 4): (n * 0.5 + 0.5) * 255, cut to whole numbers."""
    return ((normals * np.float32(0.5) + np.float32(0.5)) * np.float32(255)).astype(np.uint8)


def _facet_normals(hits: Hits) -> NDArray[np.float64]:
    a, b, c = hits.corners_world.transpose(1, 0, 2)
    facet = np.cross(b - a, c - a)[hits.triangle]
    normals: NDArray[np.float64] = facet / np.maximum(np.linalg.norm(facet, axis=-1, keepdims=True), 1e-300)
    return normals


def _packed(normals: NDArray[np.float64], hits: Hits, camera: Camera) -> Normals:
    x, y = pixel_rays(camera)
    rays = np.stack([x, y, np.ones(x.shape)], axis=-1)
    rays = rays @ rotation_from_quaternion(camera.world_from_camera.quaternion_wxyz).T
    seen_from_behind = np.einsum("...i,...i->...", _facet_normals(hits), rays) > 0
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-300)
    packed = np.zeros((*normals.shape[:2], 4), dtype=np.float32)
    packed[..., :3] = np.where(seen_from_behind[..., None], -normals, normals)
    packed[..., 3] = 1.0
    packed[hits.triangle < 0] = 0.0
    return packed
