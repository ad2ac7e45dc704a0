"""An independent ray caster over a scene's meshes: Embree finds the triangle, trimesh the weights. Shares no code with sim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from trimesh.ray.ray_pyembree import RayMeshIntersector

from scenes.camera import Camera
from scenes.scene import Scene


@dataclass(frozen=True, kw_only=True)
class Soup:
    """The triangles of all visible parts in the world, their corner normals and their bodies' positions in the scene."""

    mesh: trimesh.Trimesh
    caster: RayMeshIntersector
    normals: NDArray[np.float64]
    body: NDArray[np.int64]


def soup_of(scene: Scene) -> Soup:
    triangles, normals, body = [], [], []
    for k, b in enumerate(scene.bodies):
        w, x, y, z = b.world_from_body.quaternion_wxyz
        rotation = trimesh.transformations.quaternion_matrix([w, x, y, z])[:3, :3]
        for part in b.parts:
            triangles.append((part.mesh.vertices @ rotation.T + b.world_from_body.position_m)[part.mesh.faces])
            normals.append(part.mesh.corner_normals.astype(np.float64) @ rotation.T)
            body.append(np.full(len(part.mesh.faces), k))
    corners = np.concatenate(triangles)
    mesh = trimesh.Trimesh(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), process=False)
    return Soup(mesh=mesh, caster=RayMeshIntersector(mesh), normals=np.concatenate(normals), body=np.concatenate(body))


def rays_of(camera: Camera, pixels: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns origins and unit directions in the world of rays through pixels (N, 2)."""
    world_from_camera = camera.world_from_camera.matrix()
    local = np.stack(
        [(pixels[:, 0] - camera.cx) / camera.fx, (pixels[:, 1] - camera.cy) / camera.fy, np.ones(len(pixels))], 1
    )
    directions = local @ world_from_camera[:3, :3].T
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.broadcast_to(world_from_camera[:3, 3], directions.shape), directions


def first_triangles(soup: Soup, origins: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the first triangle of every ray, -1 where none is met."""
    hit: NDArray[np.int64] = soup.caster.intersects_first(origins, directions)
    return hit


def points_on(
    soup: Soup, triangle: NDArray[np.int64], origins: NDArray[np.float64], directions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns where rays meet the planes of their triangles."""
    corner, facet = soup.mesh.triangles[triangle, 0], soup.mesh.face_normals[triangle]
    distance = ((corner - origins) * facet).sum(1) / (directions * facet).sum(1)
    points: NDArray[np.float64] = origins + distance[:, None] * directions
    return points


def normals_at(
    soup: Soup, triangle: NDArray[np.int64], points: NDArray[np.float64], directions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the interpolated unit normals and the facets' normals, both on the side that the rays come from."""
    facet = soup.mesh.face_normals[triangle]
    weights = trimesh.triangles.points_to_barycentric(soup.mesh.triangles[triangle], points)
    smooth = np.einsum("nk,nki->ni", weights, soup.normals[triangle])
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    towards = -np.sign((facet * directions).sum(1))[:, None]
    return smooth * towards, facet * towards
