"""Annotators through a lens: OpenCV undoes the distortion, Embree casts the rays, and nothing of sim says what is right."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scenes.camera import Camera, look_at
from scenes.distortion import Distortion
from scenes.transforms import Pose, multiply, quaternion_about
from sim._lens import points_of
from sim.annotators.cloud import point_cloud
from sim.annotators.distance import disparity, distance_to_camera
from sim.annotators.flow import SEEN, UNDEFINED, flow
from sim.annotators.normals import geometric_normals
from sim.annotators.occlusion import amodal_segmentation, rle_to_mask
from sim.annotators.view import View
from tests.sim.little_scenes import floor, scene_of
from tests.sim.views import sighting_of, view_of

BARREL = (-0.28, 0.08, 0.002, -0.0015, -0.01)
STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-14)


def with_lens(camera: Camera, coefficients: tuple[float, ...] = BARREL) -> Camera:
    return replace(camera, distortion=Distortion(coefficients=coefficients))


def cv_rays(camera: Camera) -> np.ndarray:
    """Returns every pixel's ray (H, W, 3), z = 1, by OpenCV."""
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    pixels = np.stack([u, v], axis=-1).reshape(-1, 1, 2)
    rays = cv2.undistortPoints(pixels, camera.matrix, np.array(camera.distortion.coefficients), criteria=STOP)[:, 0]
    return np.c_[rays, np.ones(len(rays))].reshape(camera.height, camera.width, 3)


def cv_project(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Returns the pixels (N, 2) of points (N, 3) in the camera's frame, by OpenCV."""
    zero = np.zeros(3)
    lens = np.array(camera.distortion.coefficients)
    return cv2.projectPoints(points.reshape(-1, 1, 3), zero, zero, camera.matrix, lens)[0][:, 0]


@pytest.fixture(scope="module")
def through(backend, tabletop, camera) -> View:
    return view_of(backend, tabletop, with_lens(camera))


def inner(view: View) -> np.ndarray:
    """Returns the pixels whose neighbours show the same part at about the same depth."""
    parts, square = view.layers.parts.astype(np.float32), np.ones((3, 3), np.uint8)
    depth = np.where(np.isfinite(view.frame.truth.depth_m), view.frame.truth.depth_m, 0)
    flat = cv2.dilate(depth, square) - cv2.erode(depth, square) < 0.02
    return (cv2.dilate(parts, square) == cv2.erode(parts, square)) & flat & (parts > 0)


def test_normals_and_clouds_are_those_of_rays_that_others_bend_and_cast(through, tabletop):
    pytest.importorskip("embreex")
    from tests.sim.annotators.rays import first_triangles, normals_at, points_on, soup_of

    camera, soup = through.frame.camera, soup_of(tabletop)
    world_from_camera = camera.world_from_camera.matrix()
    v, u = np.argwhere(inner(through))[::3].T
    directions = cv_rays(camera)[v, u] @ world_from_camera[:3, :3].T
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    origins = np.broadcast_to(world_from_camera[:3, 3], directions.shape)
    triangle = first_triangles(soup, origins, directions)
    points = points_on(soup, np.maximum(triangle, 0), origins, directions)
    smooth, facet = normals_at(soup, np.maximum(triangle, 0), points, directions)
    for ours, theirs in ((through.normals, smooth), (geometric_normals(through.hits, camera), facet)):
        assert ((ours[v, u, :3] * theirs).sum(1) > 0.9999).mean() > 0.995
    cloud = point_cloud(through.frame, through.normals)
    assert cloud.points.shape == (int((through.frame.truth.semantic > 0).sum()), 3)
    ours = points_of(camera, through.frame.truth.depth_m)[v, u] @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    error_m = np.linalg.norm(ours - points, axis=1)
    assert np.median(error_m) < 1e-5
    assert np.percentile(error_m, 99) < 1e-3
    distance_m = distance_to_camera(through.frame.truth.depth_m, camera)[v, u]
    assert np.median(np.abs(distance_m - np.linalg.norm(points - origins, axis=1))) < 1e-5


def test_every_pixel_that_shows_something_has_a_triangle(through):
    hit = through.hits.triangle >= 0
    assert (hit == (through.layers.parts > 0)).mean() > 0.9995
    error_m = np.abs(through.hits.depth_m - through.frame.truth.depth_m)[inner(through) & hit]
    assert np.median(error_m) < 1e-5


def test_flow_is_opencv_s_projection_of_the_moved_points(backend, tabletop, camera):
    rng = np.random.default_rng(5)
    poses = {}
    for body in tabletop.things:
        x, y, z = np.add(body.world_from_body.position_m, rng.uniform(-0.02, 0.02, 3))
        turn = quaternion_about(rng.normal(size=3).tolist(), 0.15)
        poses[body.name] = Pose((float(x), float(y), float(z)), multiply(turn, body.world_from_body.quaternion_wxyz))
    eye = np.add(camera.world_from_camera.position_m, (0.05, -0.04, 0.03))
    other = replace(camera, world_from_camera=look_at(eye, np.array(tabletop.supports[0].center_m), roll_rad=0.1))
    here = sighting_of(backend, tabletop, with_lens(camera))
    there = sighting_of(backend, tabletop.with_poses(poses), with_lens(other, (-0.1, 0.02, 0.001, 0.001)))
    found, truth = flow(here, there), here.frame.truth
    points = cv_rays(here.frame.camera) * np.where(np.isfinite(truth.depth_m), truth.depth_m, 1.0)[..., None]
    world = points @ camera.world_from_camera.matrix()[:3, :3].T + camera.world_from_camera.position_m
    for k, body in enumerate(tabletop.things, start=1):
        mine = truth.instance == k
        moved = there.world_from_body[body.name].matrix() @ np.linalg.inv(here.world_from_body[body.name].matrix())
        world[mine] = world[mine] @ moved[:3, :3].T + moved[:3, 3]
    local = (world - other.world_from_camera.position_m) @ other.world_from_camera.matrix()[:3, :3]
    v, u = np.nonzero(found.state > 0)
    expected = cv_project(there.frame.camera, local[v, u]) - np.stack([u, v], 1)
    assert len(u) > 0.95 * truth.depth_m.size
    np.testing.assert_allclose(found.pixels[v, u], expected, atol=1e-3)
    assert (found.state == SEEN).mean() > 0.5


def test_another_lens_alone_makes_flow_and_the_same_one_none(backend, tabletop, camera):
    here = sighting_of(backend, tabletop, with_lens(camera))
    assert not flow(here, here).pixels.any()
    other = sighting_of(backend, tabletop, with_lens(camera, (-0.2, 0.0, 0.0, 0.0)))
    assert np.abs(flow(here, other).pixels).max() > 0.5


def test_what_the_lens_folds_back_into_the_picture_has_no_flow(backend):
    """k1 < 0 draws rays beyond r = sqrt(-1 / (3 k1)) inwards again: they are drawn nowhere, whatever the formula says."""
    wide = Camera(
        name="c", width=96, height=72, fx=50.0, fy=50.0, cx=47.5, cy=35.5,
        world_from_camera=look_at(np.array([0.0, -0.3, 0.3]), np.array([0.0, 0.3, 0.0])),
    )  # fmt: skip
    scene = scene_of(floor(half_m=30.0))
    here = sighting_of(backend, scene, wide)
    lens = with_lens(replace(wide, fx=200.0, fy=200.0), (-0.55, 0.0, 0.0, 0.0))
    there = sighting_of(backend, scene, lens)
    x, y = wide.rays(*np.meshgrid(np.arange(96.0), np.arange(72.0)))
    folded = np.hypot(x, y) > np.sqrt(1 / (3 * 0.55))
    ground = np.isfinite(here.frame.truth.depth_m)
    state = flow(here, there).state
    assert (folded & ground).sum() > 50
    assert (state[folded] == UNDEFINED).all()
    assert (state[ground & ~folded] != UNDEFINED).all()


def test_a_box_s_corners_are_projected_into_its_amodal_box(through):
    camera = through.frame.camera
    world = camera.world_from_camera
    checked = 0
    for record in through.frame.truth.objects:
        corners = (record.box_world.corners() - world.position_m) @ world.matrix()[:3, :3]
        if corners[:, 2].min() < camera.near_m:
            continue
        u, v = cv_project(camera, corners).T
        left, top, right, bottom = record.amodal_box_px
        assert u.min() - 1 <= left <= right <= u.max() + 1
        assert v.min() - 1 <= top <= bottom <= v.max() + 1
        checked += 1
    assert checked >= 5


def test_amodal_masks_and_records_say_the_same(through):
    truth = through.frame.truth
    for entry, record in zip(amodal_segmentation(truth, through.layers), truth.objects, strict=True):
        mask = rle_to_mask(entry["segmentation"])
        v, u = np.nonzero(mask)
        assert (int(u.min()), int(v.min()), int(u.max()), int(v.max())) == record.amodal_box_px
        assert mask[truth.instance == record.instance_id].all()
        assert (truth.instance == record.instance_id).sum() / mask.sum() == pytest.approx(record.visible_fraction)


def test_eyes_that_are_not_rectified_have_no_disparity(through):
    with pytest.raises(ValueError, match="not rectified"):
        disparity(through.frame.truth.depth_m, through.frame.camera, 0.06)


def test_the_turning_point_is_where_the_drawn_radius_stops_to_grow():
    for coefficients in ((-0.3, 0.02, 0, 0, 0.001), (0.18, -0.42, 0, 0, 0.25), (0.1, 0, 0, 0, 0, -0.2, 0, 0)):
        lens = Distortion(coefficients=coefficients)
        r = np.linspace(0, 3, 30001)
        drawn = lens.distort(r, np.zeros_like(r))[0]
        falls = np.flatnonzero(np.diff(drawn) <= 0)
        turning = r[falls[0]] if len(falls) else np.inf
        inside = lens.draws(r, np.zeros_like(r))
        np.testing.assert_array_equal(inside[np.abs(r - turning) > 1e-3], (r < turning)[np.abs(r - turning) > 1e-3])


