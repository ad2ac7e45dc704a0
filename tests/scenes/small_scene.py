"""A hand-made scene with every kind of body, collider, look, light and camera that a stage can hold."""

from __future__ import annotations

import numpy as np

from scenes.camera import Camera, focal_px, look_at
from scenes.scene import Body, Collider, Light, Material, Mesh, Part, Scene, SceneId, Support
from scenes.transforms import Pose, Vec3, quaternion_about

_BOX_FACES = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
_QUAD_UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)


def box_mesh(half_m: Vec3, center_m: Vec3 = (0.0, 0.0, 0.0)) -> Mesh:
    """Returns a closed box with flat normals and the whole texture on every side."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    vertices = signs * half_m + center_m
    faces = np.concatenate([_BOX_FACES[:, [0, 1, 2]], _BOX_FACES[:, [0, 2, 3]]]).astype(np.int32)
    uv = np.concatenate([np.tile(_QUAD_UV[[0, 1, 2]], (6, 1, 1)), np.tile(_QUAD_UV[[0, 2, 3]], (6, 1, 1))])
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Mesh(
        vertices=vertices,
        faces=faces,
        corner_uv=uv,
        corner_normals=np.repeat(normals[:, None], 3, axis=1).astype(np.float32),
    )


def _body(name: str, category: str, half_m: Vec3, pose: Pose, material: Material, *, mass_kg: float = 0.0) -> Body:
    parts = (Part(name="shell", mesh=box_mesh(half_m), material=material),)
    colliders = (Collider(kind="box", size_m=half_m),)
    return Body(
        name=name, category=category, parts=parts, colliders=colliders, world_from_body=pose, mass_kg=mass_kg,
        dynamic=mass_kg > 0, friction=0.5 if mass_kg else 0.8,
    )  # fmt: skip


def small_scene(index: int = 0) -> Scene:
    """Returns a table with a turned box, and a can and two cups with textures and all kinds of colliders."""
    pattern = np.random.default_rng(index).integers(0, 256, (8, 16, 3), dtype=np.uint8)
    plain, printed = Material(colour=(0.4, 0.3, 0.2)), Material(colour=(0.9, 0.8, 1.0), texture=pattern, roughness=0.3)
    table = _body("table", "table", (0.6, 0.4, 0.02), Pose((0.0, 0.0, 0.7)), plain)
    turned = Pose((0.1, 0.05, 0.77), quaternion_about((0.2, 0.1, 1.0), 0.7))
    box = _body("box_0", "box", (0.06, 0.04, 0.05), turned, printed, mass_kg=0.3)
    tilted = Pose((0.04, 0.0, 0.0), quaternion_about((1, 0, 0), 1.2))
    can = Body(
        name="can_0", category="can", world_from_body=Pose((-0.15, 0.1, 0.78)), mass_kg=0.35, dynamic=True, friction=0.5,
        parts=(
            Part(name="side", mesh=box_mesh((0.03, 0.03, 0.06)), material=printed),
            Part(name="lid", mesh=box_mesh((0.028, 0.028, 0.002), (0, 0, 0.062)), material=Material(metallic=1.0)),
        ),
        colliders=(
            Collider(kind="cylinder", size_m=(0.03, 0.06, 0.0)),
            Collider(kind="capsule", size_m=(0.01, 0.03, 0.0), body_from_collider=tilted),
            Collider(kind="sphere", size_m=(0.02, 0.0, 0.0), body_from_collider=Pose((0, 0, 0.06))),
        ),
    )  # fmt: skip
    glass = _body("glass_0", "wine glass", (0.03, 0.03, 0.08), Pose((-0.05, -0.15, 0.8)), plain, mass_kg=0.2)
    views = [look_at(np.array(eye), np.array([0.0, 0.0, 0.75])) for eye in ((0.9, -0.6, 1.3), (-0.7, -0.8, 1.5))]
    cameras = tuple(
        Camera(name=f"view_{i}", width=640, height=480, fx=focal_px(640, 0.9), fy=focal_px(640, 0.9), cx=319.5, cy=239.5,
               world_from_camera=pose)
        for i, pose in enumerate(views)
    )  # fmt: skip
    lights = (
        Light(
            name="sun", kind="sun", position_m=(0, 0, 3), direction=(0.3, 0.2, -1.0), colour=(1, 1, 1), intensity=0.6
        ),
        Light(
            name="lamp", kind="lamp", position_m=(1, 1, 2.2), direction=(0, 0, -1), colour=(1, 0.9, 0.8), intensity=0.4
        ),
    )
    return Scene(
        id=SceneId(suite="tabletop", version=1, split="test", seed=0, index=index),
        bodies=(table, box, can, glass), lights=lights, cameras=cameras,
        supports=(Support(center_m=(0.0, 0.0, 0.72), half_extent_m=(0.6, 0.4)),),
    )  # fmt: skip
