"""The ray caster meets what analytic geometry and Embree meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from scenes.scene import Scene
from scenes.suites import make_scene
from scenes.transforms import Pose, inverse, quaternion_about, transform_points
from sim.proof.raycast import RayCaster
from tests.sim.little_scenes import ball, block, camera_above, floor, scene_of


def all_pixels(camera):
    return np.stack(np.meshgrid(np.arange(camera.width), np.arange(camera.height)), axis=-1).reshape(-1, 2)


def test_a_ball_is_as_deep_as_the_formula_says():
    radius, camera = 0.05, camera_above(fx=500.0)
    caster = RayCaster(scene_of(ball("ball", radius, (0.0, 0.0, 0.0))))
    body, depth_m = caster.hits(camera, all_pixels(camera)).first()
    x, y = (all_pixels(camera) - (camera.cx, camera.cy)).T / np.array([[camera.fx], [camera.fy]])
    ray = np.stack([x, y, np.ones_like(x)], axis=1)
    # |t d - c| = r with c one metre ahead
    a, b, c = (ray**2).sum(axis=1), ray[:, 2], 1 - radius**2
    inside = b * b - a * c > 1e-5
    expected = (b - np.sqrt(np.maximum(b * b - a * c, 0))) / a
    assert inside.sum() > 800
    assert_array_equal(body[inside], 0)
    assert_allclose(depth_m[inside], expected[inside], atol=2e-4)  # facets of 128 x 64
    assert np.isinf(depth_m[body < 0]).all()


def test_near_and_far_bound_what_is_met():
    scene = scene_of(block("low", (0.5, 0.5, 0.05), (0, 0, 0.0)), block("high", (0.5, 0.5, 0.05), (0, 0, 0.6)))
    middle = np.array([[31, 23]])
    answers = ((0.05, 10, "high", 0.35), (0.4, 10, "high", 0.45), (0.5, 10, "low", 0.95), (0.5, 0.9, None, np.inf))
    for near, far, name, depth in answers:
        body, depth_m = RayCaster(scene).hits(camera_above(near_m=near, far_m=far), middle).first()
        assert (scene.bodies[body[0]].name if body[0] >= 0 else None) == name
        assert depth_m[0] == pytest.approx(depth)


def test_all_crossings_come_in_order_and_from_both_sides():
    scene = scene_of(block("low", (0.5, 0.5, 0.05), (0, 0, 0.0)), block("high", (0.5, 0.5, 0.05), (0, 0, 0.6)))
    hits = RayCaster(scene).hits(camera_above(), np.array([[30, 23], [31, 20]]))
    assert_array_equal(hits.ray, [0] * 4 + [1] * 4)
    assert_array_equal(hits.body, [1, 1, 0, 0] * 2)
    assert_allclose(hits.depth_m, [0.35, 0.45, 0.95, 1.05] * 2)


def test_a_moved_body_is_met_where_it_went():
    scene = scene_of(floor(), block("box", (0.03, 0.03, 0.03), (0, 0, 0.03)))
    moved = {"box": Pose((0.02, 0.0, 0.13), quaternion_about((1, 2, 3), 0.4))}
    pixels = all_pixels(camera_above())
    there = RayCaster(scene).hits(camera_above(), pixels, world_from_body=moved).first()
    anew = RayCaster(scene.with_poses(moved)).hits(camera_above(), pixels).first()
    assert_array_equal(there[0], anew[0])
    assert_allclose(there[1], anew[1], rtol=1e-12)
    assert not np.array_equal(there[1], RayCaster(scene).hits(camera_above(), pixels).first()[1])


@pytest.fixture(scope="module")
def tabletop() -> Scene:
    return make_scene("tabletop", split="train", seed=1, index=2)


def test_a_limit_changes_the_work_and_not_the_answer(tabletop, rng):
    caster, camera = RayCaster(tabletop), tabletop.cameras[0].resized(160, 120)
    pixels = rng.integers(0, (160, 120), (600, 2))
    body, depth_m = caster.hits(camera, pixels).first()
    for limit_m in (depth_m, depth_m * 0.9, depth_m + 0.05, np.full(600, 0.1), np.full(600, np.inf)):
        limited = caster.hits(camera, pixels, limit_m=limit_m).first()
        assert_array_equal(limited[0], body)
        assert_array_equal(limited[1], depth_m)


@pytest.mark.parametrize("view", range(3))
def test_embree_meets_the_same(tabletop, view):
    pytest.importorskip("embreex")
    trimesh = pytest.importorskip("trimesh")
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    camera = tabletop.cameras[view].resized(160, 120)
    triangles, owner = [], []
    for k, body in enumerate(tabletop.bodies):
        for part in body.parts:
            world = transform_points(body.world_from_body.matrix(), part.mesh.vertices)
            triangles.append(world[part.mesh.faces])
            owner.append(np.full(len(part.mesh.faces), k))
    corners = np.concatenate(triangles).reshape(-1, 3)
    mesh = trimesh.Trimesh(vertices=corners, faces=np.arange(len(corners)).reshape(-1, 3), process=False)
    world_from_camera = camera.world_from_camera.matrix()
    direction = camera.unproject(np.ones((120, 160))).reshape(-1, 3) @ world_from_camera[:3, :3].T
    origin = np.broadcast_to(world_from_camera[:3, 3], direction.shape)
    points, ray, triangle = RayMeshIntersector(mesh).intersects_location(origin, direction, multiple_hits=False)
    depth_m = np.full(160 * 120, np.inf)
    depth_m[ray] = transform_points(inverse(world_from_camera), points)[:, 2]
    embree = np.full(160 * 120, -1)
    embree[ray] = np.concatenate(owner)[triangle]

    body, own_depth_m = RayCaster(tabletop).hits(camera, all_pixels(camera)).first()
    same = body == embree
    assert same.mean() > 0.9995  # Embree is single precision: outlines
    both = same & (body >= 0)
    assert np.median(np.abs(own_depth_m[both] - depth_m[both])) < 1e-6


def test_a_scene_without_bodies_is_empty():
    scene = replace(scene_of(floor()), bodies=())
    body, depth_m = RayCaster(scene).hits(camera_above(), np.array([[1, 2], [3, 4]])).first()
    assert_array_equal(body, [-1, -1])
    assert np.isinf(depth_m).all()
