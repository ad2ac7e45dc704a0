"""Normals against geometry known on paper, and against an independent ray caster on a real scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.camera import Camera, look_at
from scenes.meshes import lathe
from scenes.scene import Body, Collider, Part
from scenes.transforms import Pose, quaternion_about, transform_points
from sim.annotators.normals import geometric_normals, normals_to_png, shading_normals
from sim.annotators.view import View
from tests.sim.backend_conformance import tilted_camera
from tests.sim.little_scenes import GREY, block, camera_above, faceted, floor, scene_of
from tests.sim.views import view_of


def sphere(radius_m: float, at_m: tuple[float, float, float]) -> Body:
    """Returns a smooth-shaded ball of 96 x 96 faces."""
    angle = np.linspace(0, np.pi, 97)
    mesh = lathe([(float(radius_m * np.sin(a)), float(-radius_m * np.cos(a))) for a in angle], segments=96)
    return Body(
        name="orange_01", category="orange", parts=(Part(name="all", mesh=mesh, material=GREY),),
        colliders=(Collider(kind="sphere", size_m=(radius_m, 0, 0)),), world_from_body=Pose(at_m), mass_kg=0.1, dynamic=False,
    )  # fmt: skip


def test_a_plane_has_its_normal_at_every_pixel(backend):
    view = view_of(backend, scene_of(floor(half_m=20.0)), tilted_camera())
    for normals in (view.normals, geometric_normals(view.hits, view.frame.camera)):
        assert normals.dtype == np.float32
        np.testing.assert_allclose(normals, np.broadcast_to([0, 0, 1, 1], normals.shape), atol=1e-6)


def test_a_turned_box_shows_the_normals_of_its_faces(backend):
    turn = quaternion_about((1, 2, 3), 0.7)
    box = block("box_01", (0.1, 0.12, 0.14), (0, 0, 0.2))
    scene = scene_of(box).with_poses({"box_01": Pose((0, 0, 0.2), turn)})
    view = view_of(backend, scene, tilted_camera())
    axes = Pose((0, 0, 0), turn).matrix()[:3, :3]
    seen = view.normals[view.frame.truth.instance == 1]
    alignment = np.abs(seen[:, :3] @ axes)
    np.testing.assert_allclose(np.sort(alignment, axis=1), np.broadcast_to([0, 0, 1], alignment.shape), atol=1e-5)
    assert len(np.unique(alignment.argmax(1))) == 3
    assert not view.normals[view.frame.truth.instance == 0].any()


def test_a_smooth_sphere_has_radial_normals(backend):
    radius, at = 0.06, (0.01, -0.02, 0.1)
    camera = camera_above(0.6)
    view = view_of(backend, scene_of(sphere(radius, at)), camera)
    mask = view.frame.truth.instance == 1
    depth = view.frame.truth.depth_m[mask].astype(np.float64)
    assert mask.sum() > 500
    grid = np.argwhere(mask)[:, ::-1]
    local = np.stack([(grid[:, 0] - camera.cx) / camera.fx * depth, (grid[:, 1] - camera.cy) / camera.fy * depth, depth], 1)
    points = transform_points(camera.world_from_camera.matrix(), local)
    radial = (points - at) / np.linalg.norm(points - at, axis=1, keepdims=True)
    shading = view.normals[mask][:, :3]
    flat = geometric_normals(view.hits, camera)[mask][:, :3]
    # The mesh's own corner normals are averages of its faces, off by up to half a hundredth near the poles.
    assert np.median(np.linalg.norm(shading - radial, axis=1)) < 1e-3
    assert np.linalg.norm(shading - radial, axis=1).max() < 8e-3
    assert np.pi / 200 < np.linalg.norm(flat - radial, axis=1).max() < np.pi / 80


def test_a_surface_seen_from_behind_shows_the_side_that_is_seen(backend):
    below = look_at(np.array([0.1, 0.1, -1.0]), np.array([0.0, 0.0, -0.1]))
    whole = block("floor", (1.0, 1.0, 0.05), (0, 0, 0), "floor")
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])
    mesh = faceted(corners, np.array([[0, 1, 2], [0, 2, 3]]))  # its front is above
    sheet = replace(whole, parts=(Part(name="all", mesh=mesh, material=GREY),))
    camera = Camera(name="below", width=32, height=24, fx=40, fy=40, cx=15.5, cy=11.5, world_from_camera=below)
    view = view_of(backend, scene_of(sheet), camera)
    np.testing.assert_allclose(view.normals, np.broadcast_to([0, 0, -1, 1], view.normals.shape), atol=1e-6)


def test_triangles_behind_the_camera_are_met_where_they_reach_before_it(backend):
    camera = tilted_camera()
    view = view_of(backend, scene_of(floor(half_m=50.0)), camera)
    np.testing.assert_allclose(view.hits.depth_m, view.frame.truth.depth_m, rtol=1e-5)


def test_the_hit_is_where_the_depth_says(view: View):
    known = np.isfinite(view.frame.truth.depth_m)
    assert ((view.hits.triangle >= 0) == known).all()
    error = np.abs(view.hits.depth_m - view.frame.truth.depth_m)[known]
    assert np.median(error) < 1e-6
    assert error.max() < 1e-3
    np.testing.assert_allclose(view.hits.weights[known].sum(-1), 1.0)
    assert (view.hits.weights >= 0).all()


def test_normals_agree_with_an_independent_ray_caster(view: View):
    pytest.importorskip("embreex")
    from tests.sim.annotators.rays import first_triangles, normals_at, points_on, rays_of, soup_of

    camera = view.frame.camera
    soup = soup_of(view.scene)
    pixels = np.stack(np.meshgrid(np.arange(camera.width), np.arange(camera.height)), -1).reshape(-1, 2).astype(np.float64)
    origins, directions = rays_of(camera, pixels)
    hit = first_triangles(soup, origins, directions)
    # Away from edges: the same triangle lies under the four corners of the pixel too, shrunk to a tenth.
    sure = hit >= 0
    for du, dv in ((-0.1, -0.1), (0.1, -0.1), (-0.1, 0.1), (0.1, 0.1)):
        sure &= first_triangles(soup, *rays_of(camera, pixels + np.array([du, dv]))) == hit
    points = points_on(soup, np.maximum(hit, 0), origins, directions)
    smooth, facet = normals_at(soup, np.maximum(hit, 0), points, directions)
    assert sure.mean() > 0.8
    for ours, theirs in ((view.normals, smooth), (geometric_normals(view.hits, camera), facet)):
        difference = np.abs(ours.reshape(-1, 4)[:, :3] - theirs).max(axis=1)[sure]
        assert difference.max() < 1e-4
    assert (view.hits.triangle.reshape(-1)[sure] == hit[sure]).mean() > 0.9999


def test_the_picture_is_basicwriters_formula(view: View):
    picture = normals_to_png(view.normals)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, ((view.normals * 0.5 + 0.5) * 255).astype(np.uint8))
    assert (picture[..., 3] == 255).all()


def test_both_kinds_are_of_unit_length(view: View):
    for normals in (shading_normals(view.hits, view.frame.camera), geometric_normals(view.hits, view.frame.camera)):
        np.testing.assert_allclose(np.linalg.norm(normals[..., :3], axis=-1), normals[..., 3], atol=1e-6)
