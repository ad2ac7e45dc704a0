"""Objects let go over a wide floor, each from each of its rests, and where their lowest points are once they rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenes.meshes import cuboid
from scenes.objects import ObjectShape, make_object
from scenes.objects.shape import slab
from scenes.sampler import ShapeSampler
from scenes.scene import Body, Collider, Material, Part, Scene, SceneId, Support
from scenes.transforms import Pose, Quaternion, rotation_from_quaternion, transform_points
from sim.backend import open_backend

SPACING_M = 0.8
DROP_M = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Rested:
    """One object at rest: heights over the floor of its lowest collider point and visible vertex, and how far it went."""

    category: str
    seed: int
    rest: int
    collider_m: float
    visible_m: float
    moved_m: float


def lowest_point_m(collider: Collider, world_from_body: Pose) -> float:
    """Returns the height of a primitive's lowest point, from its support function; independent of the simulator."""
    matrix = world_from_body.matrix() @ collider.body_from_collider.matrix()
    a, b, c = collider.size_m
    x, y, z = (abs(float(v)) for v in matrix[2, :3])
    reach = {
        "box": a * x + b * y + c * z,
        "sphere": a,
        "capsule": b * z + a,
        "cylinder": b * z + a * math.sqrt(max(0.0, 1 - z * z)),
    }[collider.kind]
    return float(matrix[2, 3]) - reach


def _visible(shape: ObjectShape) -> np.ndarray:
    return np.concatenate([part.mesh.vertices[np.unique(part.mesh.faces)] for part in shape.parts])


def _place(shape: ObjectShape, rest: Quaternion, x: float, y: float) -> Pose:
    rotation = rotation_from_quaternion(rest)
    lowest = min(
        float((_visible(shape) @ rotation.T)[:, 2].min()),
        *(lowest_point_m(collider, Pose((0.0, 0.0, 0.0), rest)) for collider in shape.colliders),
    )
    return Pose((x, y, DROP_M - lowest), rest)


def settle_all(categories: list[str], seeds: tuple[int, ...], split: str = "train") -> tuple[bool, list[Rested]]:
    """Settles every rest of every object in one scene, far apart; returns whether all came to rest, and each result."""
    jobs = []
    for category in categories:
        for seed in seeds:
            shape = make_object(category, ShapeSampler(rng=np.random.default_rng(seed), split=split))  # type: ignore[arg-type]  # a literal
            rests = list(dict.fromkeys(shape.rests))
            jobs += [(category, seed, k, shape, rest) for k, rest in enumerate(rests)]
    side = math.ceil(math.sqrt(len(jobs)))
    bodies, start = [], {}
    for k, (category, _, _, shape, rest) in enumerate(jobs):
        pose = _place(shape, rest, SPACING_M * (k % side - side / 2), SPACING_M * (k // side - side / 2))
        start[f"b{k}"] = pose
        bodies.append(
            Body(
                name=f"b{k}", category=category, parts=shape.parts, colliders=shape.colliders, world_from_body=pose,
                mass_kg=shape.mass_kg, dynamic=True, friction=shape.friction, rolling_friction_m=shape.rolling_friction_m,
            )
        )  # fmt: skip
    half = (SPACING_M * side, SPACING_M * side, 0.1)
    floor = Body(
        name="floor", category="floor", parts=(Part(name="top", mesh=cuboid(half), material=Material()),),
        colliders=(slab(half, (0.0, 0.0, 0.0)),), world_from_body=Pose((0.0, 0.0, -0.1)), mass_kg=0.0, dynamic=False,
    )  # fmt: skip
    scene = Scene(
        id=SceneId(suite="rests", version=1, split="train", seed=0, index=0), bodies=(floor, *bodies), lights=(), cameras=(),
        supports=(Support(center_m=(0.0, 0.0, 0.0), half_extent_m=half[:2]),),
    )  # fmt: skip
    backend = open_backend("mujoco")
    try:
        backend.load(scene)
        report = backend.settle()
    finally:
        backend.close()
    results = []
    for k, (category, seed, number, shape, _) in enumerate(jobs):
        pose = report.world_from_body[f"b{k}"]
        visible = transform_points(pose.matrix(), _visible(shape))
        results.append(
            Rested(
                category=category, seed=seed, rest=number, visible_m=float(visible[:, 2].min()),
                collider_m=min(lowest_point_m(c, pose) for c in shape.colliders),
                moved_m=float(np.linalg.norm(np.subtract(pose.position_m, start[f"b{k}"].position_m)[:2])),
            )
        )  # fmt: skip
    return report.at_rest, results
