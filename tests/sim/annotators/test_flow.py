"""Flow of motions known on paper, against moved vertices, and visibility against an independent ray caster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.camera import look_at
from scenes.transforms import Pose, multiply, quaternion_about
from sim.annotators._hits import find_hits
from sim.annotators.flow import HIDDEN, OUT_OF_VIEW, SEEN, UNDEFINED, flow, motion_vectors
from sim.annotators.view import Sighting
from tests.sim.little_scenes import block, camera_above, floor, scene_of
from tests.sim.views import sighting_of

BOX = block("box_01", (0.02, 0.02, 0.05), (0.0, 0.0, 0.05))


def moved(camera, dx, dy=0.0, dz=0.0):
    x, y, z = camera.world_from_camera.position_m
    return replace(camera, world_from_camera=replace(camera.world_from_camera, position_m=(x + dx, y + dy, z + dz)))


def test_a_camera_that_moves_sideways_shifts_each_pixel_by_focal_length_over_depth(backend):
    scene, camera = scene_of(floor(), BOX), camera_above()
    here = sighting_of(backend, scene, camera)
    result = flow(here, sighting_of(backend, scene, moved(camera, 0.01)))
    assert result.pixels.dtype == np.float32
    assert result.state.dtype == np.uint8
    expected = -400 * 0.01 / here.frame.truth.depth_m
    np.testing.assert_allclose(result.pixels[..., 0], expected, atol=1e-4)
    np.testing.assert_allclose(result.pixels[..., 1], 0, atol=1e-6)


@pytest.mark.parametrize(
    ("step_m", "sign"),
    [
        pytest.param((-0.01, 0.0), (1, 0), id="left"),
        pytest.param((0.01, 0.0), (-1, 0), id="right"),
        pytest.param((0.0, 0.01), (0, 1), id="up"),
        pytest.param((0.0, -0.01), (0, -1), id="down"),
    ],
)
def test_motion_vectors_have_replicators_signs(backend, step_m, sign):
    """x > 0 is motion to the left, y > 0 motion upwards, in pixels: annotators_details of Replicator's documentation."""
    scene, camera = scene_of(floor(), BOX), camera_above()
    earlier = sighting_of(backend, scene, camera)
    now = sighting_of(backend, scene.with_poses({"box_01": Pose((*step_m, 0.05))}), camera)
    vectors = motion_vectors(flow(now, earlier))
    assert vectors.shape == (48, 64, 4)
    assert vectors.dtype == np.float32
    thing = now.frame.truth.instance == 1
    expected = np.array(sign) * 400 * 0.01 / 0.9
    np.testing.assert_allclose(vectors[thing][:, :2], np.broadcast_to(expected, (thing.sum(), 2)), atol=1e-4)
    assert not vectors[~thing].any()
    assert not vectors[..., 2:].any()


def test_what_stands_still_has_exactly_no_flow(backend, view):
    result = flow(view.now, view.now)
    assert not result.pixels.any()
    assert (result.state == np.where(np.isfinite(view.frame.truth.depth_m), SEEN, UNDEFINED)).all()
    nowhere = flow(view.now, None)
    assert not nowhere.pixels.any()
    assert not nowhere.state.any()


def test_what_leaves_the_image_and_what_goes_under_a_lid_is_told(backend):
    lid = block("lid", (0.03, 0.08, 0.01), (0.05, 0.0, 0.3), "plate")
    scene, camera = scene_of(floor(), BOX, lid), camera_above()
    here = sighting_of(backend, scene, camera)
    thing = here.frame.truth.instance == 1
    under = sighting_of(backend, scene.with_poses({"box_01": Pose((0.05, 0.0, 0.05))}), camera)
    away = sighting_of(backend, scene.with_poses({"box_01": Pose((0.3, 0.0, 0.05))}), camera)
    assert set(np.unique(flow(here, under).state[thing])) == {HIDDEN}
    assert set(np.unique(flow(here, away).state[thing])) == {OUT_OF_VIEW}
    behind = flow(here, sighting_of(backend, scene, moved(camera, 0.0, dz=-2.0)))
    assert (behind.state[thing] == UNDEFINED).all()
    back = flow(under, here)
    newly_seen = (under.frame.truth.instance == 0) & thing
    assert (back.state[newly_seen] == HIDDEN).all()


@pytest.fixture(scope="module")
def pair(backend, tabletop, camera) -> tuple[Sighting, Sighting]:
    """Two moments of a tabletop scene: the camera has gone round by 8 cm and every object has moved and turned."""
    rng = np.random.default_rng(3)
    poses = {}
    for body in tabletop.things:
        x, y, z = np.add(body.world_from_body.position_m, rng.uniform(-0.02, 0.02, 3))
        turn = quaternion_about(rng.normal(size=3).tolist(), 0.15)
        poses[body.name] = Pose((float(x), float(y), float(z)), multiply(turn, body.world_from_body.quaternion_wxyz))
    eye = np.add(camera.world_from_camera.position_m, (0.05, -0.04, 0.03))
    other = replace(camera, world_from_camera=look_at(eye, np.array(tabletop.supports[0].center_m), roll_rad=0.1))
    later = tabletop.with_poses(poses)
    return sighting_of(backend, tabletop, camera), sighting_of(backend, later, other)


def test_flow_is_that_of_the_moved_vertices(pair, view):
    here, there = pair
    hits = view.hits
    later = find_hits(there.scene, there.frame.camera, there.frame.truth.depth_m, np.zeros_like(view.layers.parts))
    points = np.einsum("...k,...ki->...i", hits.weights, later.corners_world[hits.triangle])
    camera = there.frame.camera
    local = (points - camera.world_from_camera.position_m) @ camera.world_from_camera.matrix()[:3, :3]
    v, u = np.mgrid[: camera.height, : camera.width]
    expected = camera.project(local) - np.stack([u, v], -1)
    result = flow(here, there)
    defined = result.state > 0
    assert defined.mean() > 0.99
    difference = np.abs(result.pixels - expected)[defined]
    assert np.median(difference) < 1e-4
    assert np.quantile(difference, 0.999) < 1e-2


def test_forth_and_back_is_where_it_started(pair):
    here, there = pair
    forth, back = flow(here, there), flow(there, here)
    v, u = np.nonzero(forth.state == SEEN)
    landed = np.stack([u, v], -1) + forth.pixels[v, u]
    column, row = np.clip(landed.round().astype(int), 0, np.array(there.frame.truth.depth_m.shape)[::-1] - 1).T
    round_trip = forth.pixels[v, u] + back.pixels[row, column]
    assert np.median(np.linalg.norm(round_trip, axis=1)) < 0.2


def test_visibility_agrees_with_an_independent_ray_caster(pair):
    pytest.importorskip("embreex")
    from tests.sim.annotators.rays import first_triangles, points_on, rays_of, soup_of

    here, there = pair
    soup = soup_of(there.scene)
    result = flow(here, there)
    height, width = result.state.shape
    v, u = np.argwhere((result.state == SEEN) | (result.state == HIDDEN))[::2].T
    target = np.stack([u, v], -1) + result.pixels[v, u].astype(np.float64)
    bodies = [body.name for body in here.scene.bodies]
    things = [bodies.index(body.name) for body in here.scene.things]
    mine = np.array([-1, *things])[here.frame.truth.instance[v, u]]
    # Where the surface is, by geometry: the point on its body, carried along, in the world of the other moment.
    start = soup_of(here.scene)
    origins, directions = rays_of(here.frame.camera, np.stack([u, v], -1).astype(np.float64))
    triangle = first_triangles(start, origins, directions)
    points = points_on(start, np.maximum(triangle, 0), origins, directions)
    motion = np.stack([
        there.world_from_body[name].matrix() @ np.linalg.inv(here.world_from_body[name].matrix()) for name in bodies
    ])[start.body[triangle]]  # fmt: skip
    points = np.einsum("nij,nj->ni", motion[:, :3, :3], points) + motion[:, :3, 3]
    eye = np.array(there.frame.camera.world_from_camera.position_m)
    sure, seen = np.ones(len(u), dtype=bool), None
    for shift in ((0, 0), (-1, -1), (1, -1), (-1, 1), (1, 1)):
        origins, directions = rays_of(there.frame.camera, target + shift)
        hit = first_triangles(soup, origins, directions)
        at = points_on(soup, np.maximum(hit, 0), origins, directions)
        free = (hit >= 0) & (np.linalg.norm(at - eye, axis=1) > np.linalg.norm(points - eye, axis=1) - 3e-3)
        if seen is None:
            seen = free
        sure &= (free == seen) & ((soup.body[hit] == mine) | (mine < 0) | ~free)
    assert height * width * 0.15 < sure.sum()
    assert (seen[sure] == (result.state[v, u] == SEEN)[sure]).mean() > 0.995
    assert (~seen[sure]).sum() > 25
