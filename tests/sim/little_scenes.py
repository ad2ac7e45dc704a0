"""Small scenes whose picture is known on paper: boxes, balls and plates before a camera that looks straight down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.camera import Camera
from scenes.scene import Body, Collider, Light, Material, Mesh, Part, Scene, SceneId, Support
from scenes.transforms import Pose, Vec3

GREY = Material(colour=(0.5, 0.5, 0.5))
SUN = Light(name="sun", kind="sun", position_m=(0, 0, 3), direction=(0, 0, -1), colour=(1, 1, 1), intensity=0.6)
_UNIT = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
_QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def faceted(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """Returns a flat-shaded mesh whose uv is its top view, u along x and v along y."""
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    low, span = vertices.min(axis=0), np.ptp(vertices, axis=0)
    uv = (corners[..., :2] - low[:2]) / span[:2]
    return Mesh(
        vertices=vertices.astype(np.float64),
        faces=faces.astype(np.int32),
        corner_uv=uv.astype(np.float32),
        corner_normals=np.repeat(normals[:, None], 3, axis=1).astype(np.float32),
    )


def box_mesh(half_m: Vec3) -> Mesh:
    """Returns a box about the origin."""
    faces = np.array([f for a, b, c, d in _QUADS for f in ((a, b, c), (a, c, d))])
    return faceted(_UNIT * half_m, faces)


def ball_mesh(radius_m: float, rings: int = 64) -> Mesh:
    """Returns a sphere of latitudes and longitudes about the origin, its vertices on the sphere."""
    theta, phi = np.linspace(0, np.pi, rings + 1)[1:-1], np.arange(2 * rings) * np.pi / rings
    around = np.stack(
        [
            np.outer(np.sin(theta), np.cos(phi)),
            np.outer(np.sin(theta), np.sin(phi)),
            np.outer(np.cos(theta), phi * 0 + 1),
        ],
        -1,
    )
    vertices = np.concatenate([[(0, 0, 1)], around.reshape(-1, 3), [(0, 0, -1)]]) * radius_m
    n, last, faces = 2 * rings, len(vertices) - 1, []
    for j in range(n):
        k = (j + 1) % n
        faces.append((0, 1 + j, 1 + k))
        faces.append((last, last - n + k, last - n + j))
        for row in range(rings - 2):
            a, b = 1 + row * n, 1 + (row + 1) * n
            faces += [(a + j, b + j, b + k), (a + j, b + k, a + k)]
    return faceted(vertices, np.array(faces))


def block(
    name: str, half_m: Vec3, at_m: Vec3, category: str = "box", *, dynamic: bool = False, look: Material = GREY
) -> Body:
    """Returns a box-shaped body."""
    return Body(
        name=name, category=category, parts=(Part(name="all", mesh=box_mesh(half_m), material=look),),
        colliders=(Collider(kind="box", size_m=half_m),), world_from_body=Pose(at_m), mass_kg=0.2, dynamic=dynamic,
    )  # fmt: skip


def ball(name: str, radius_m: float, at_m: Vec3, *, dynamic: bool = False, rolling_friction_m: float = 0.002) -> Body:
    """Returns a ball, an orange by category."""
    return Body(
        name=name, category="orange", parts=(Part(name="all", mesh=ball_mesh(radius_m), material=GREY),),
        colliders=(Collider(kind="sphere", size_m=(radius_m, 0, 0)),), world_from_body=Pose(at_m), mass_kg=0.1,
        dynamic=dynamic, rolling_friction_m=rolling_friction_m,
    )  # fmt: skip


def floor(look: Material = GREY, half_m: float = 3.0) -> Body:
    """Returns a floor whose top is z = 0."""
    return block("floor", (half_m, half_m, 0.05), (0, 0, -0.05), "floor", look=look)


def ring(radius_m: float, height_m: float, pieces: int = 12) -> Body:
    """Returns a static ring of boxes on the floor, a bowl by category, that a smaller ball cannot leave."""
    parts, colliders = [], []
    half = (0.005, float(radius_m * np.tan(np.pi / pieces)) + 0.004, height_m / 2)
    for i in range(pieces):
        angle = 2 * np.pi * i / pieces
        pose = Pose(
            (float(radius_m * np.cos(angle)), float(radius_m * np.sin(angle)), height_m / 2),
            (float(np.cos(angle / 2)), 0.0, 0.0, float(np.sin(angle / 2))),
        )
        matrix = pose.matrix()
        mesh = box_mesh(half)
        moved = faceted(mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3], mesh.faces)
        parts.append(Part(name=f"piece_{i}", mesh=moved, material=GREY))
        colliders.append(Collider(kind="box", size_m=half, body_from_collider=pose))
    return Body(
        name="ring", category="bowl", parts=tuple(parts), colliders=tuple(colliders), world_from_body=Pose(),
        mass_kg=1.0, dynamic=False,
    )  # fmt: skip


def scene_of(*bodies: Body, support_half_m: float = 0.5, index: int = 0) -> Scene:
    """Returns a scene with one sun, one camera and one support on the floor."""
    return Scene(
        id=SceneId(suite="little", version=1, split="test", seed=0, index=index), bodies=bodies, lights=(SUN,),
        cameras=(camera_above(),), supports=(Support(center_m=(0, 0, 0), half_extent_m=(support_half_m, support_half_m)),),
    )  # fmt: skip


def camera_above(height_m: float = 1.0, **changes: float) -> Camera:
    """Returns a 64 x 48 camera of 400 px focal length that looks straight down, image x along world x, image y along -y."""
    world_from_camera = np.diag([1.0, -1.0, -1.0, 1.0])
    world_from_camera[2, 3] = height_m
    camera = Camera(
        name="above", width=64, height=48, fx=400.0, fy=400.0, cx=31.5, cy=23.5,
        world_from_camera=Pose.from_matrix(world_from_camera), near_m=0.05, far_m=10.0,
    )  # fmt: skip
    return replace(camera, **changes)  # type: ignore[arg-type]  # only numbers are changed
