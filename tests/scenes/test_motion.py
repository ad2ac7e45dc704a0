"""Paths are smooth and pass through their poses; a scene's motion depends on the scene alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from scenes.camera import look_at
from scenes.motion import Path, make_motion
from scenes.suites import make_scene
from scenes.transforms import Pose, quaternion_about


@pytest.fixture(scope="module")
def scene():
    return make_scene("tabletop", split="test", seed=2, index=5)


def wandering(rng: np.random.Generator, count: int) -> Path:
    times = tuple(float(t) for t in np.cumsum(rng.uniform(0.2, 1.5, count)))
    poses = []
    for k in range(count):
        x, y, z = (float(v) for v in rng.normal(size=3))
        poses.append(Pose((x, y, z), quaternion_about((0.1, 0.2, 1.0), 0.3 * k)))
    return Path(times_s=times, poses=tuple(poses))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_path_passes_through_its_poses_and_stands_still_outside(rng, count):
    path = wandering(rng, count)
    assert tuple(path.at(t) for t in path.times_s) == path.poses
    assert path.at(path.times_s[0] - 1) == path.poses[0]
    assert path.at(path.times_s[-1] + 1) == path.poses[-1]


@pytest.mark.parametrize("count", [2, 3, 7])
def test_positions_follow_the_natural_cubic_spline(rng, count):
    path = wandering(rng, count)
    spline = CubicSpline(path.times_s, [p.position_m for p in path.poses], bc_type="natural")
    times = np.linspace(path.times_s[0], path.times_s[-1], 23)
    np.testing.assert_allclose([path.at(float(t)).position_m for t in times], spline(times), atol=1e-12)


def test_quaternions_stay_of_unit_length_and_take_the_short_way(rng):
    path = wandering(rng, 7)
    flipped = replace(path.poses[3], quaternion_wxyz=tuple(-v for v in path.poses[3].quaternion_wxyz))
    other = replace(path, poses=(*path.poses[:3], flipped, *path.poses[4:]))
    for t in np.linspace(path.times_s[0], path.times_s[-1], 31)[1:-1]:
        pose = path.at(float(t))
        assert np.linalg.norm(pose.quaternion_wxyz) == pytest.approx(1)
        np.testing.assert_allclose(pose.matrix(), other.at(float(t)).matrix(), atol=1e-12)


def test_a_path_that_goes_back_in_time_is_refused():
    with pytest.raises(ValueError, match="rise"):
        Path(times_s=(0.0, 0.0), poses=(Pose(), Pose()))
    with pytest.raises(ValueError, match="as many"):
        Path(times_s=(0.0,), poses=())


def test_the_same_scene_moves_the_same_way(scene):
    first, again = (make_motion(scene, 2.0, camera=True, objects=True) for _ in range(2))
    assert first == again
    other = make_motion(make_scene("tabletop", split="test", seed=2, index=6), 2.0, camera=True, objects=True)
    assert first.cameras[0].poses[1:] != other.cameras[0].poses[1:]
    only = make_motion(scene, 2.0, camera=False, objects=True)
    assert only.cameras == ()
    assert only.pushes == first.pushes


def test_cameras_begin_where_they_stand_and_keep_the_table_in_view(scene):
    motion = make_motion(scene, 3.0, camera=True, objects=False)
    table = scene.supports[0]
    for camera, path in zip(scene.cameras, motion.cameras, strict=True):
        assert path.at(0.0) == camera.world_from_camera
        travelled = 0.0
        before = np.array(path.at(0.0).position_m)
        for t in np.linspace(0, 3, 46):
            pose = path.at(float(t))
            eye, forward = np.array(pose.position_m), pose.matrix()[:3, 2]
            hit = eye + (table.center_m[2] - eye[2]) / forward[2] * forward
            assert (np.abs(hit[:2] - table.center_m[:2]) < np.array(table.half_extent_m) + 0.2).all()
            assert eye[2] > table.center_m[2]
            assert np.linalg.norm(eye - before) < 0.05
            travelled += float(np.linalg.norm(eye - before))
            before = eye
        assert travelled > 0.1


def test_the_first_step_keeps_the_roll_of_the_camera(scene):
    pose = look_at(np.array([0.6, 0.3, 1.2]), np.array(scene.supports[0].center_m), roll_rad=0.05)
    rolled = replace(scene, cameras=(replace(scene.cameras[0], world_from_camera=pose),))
    path = make_motion(rolled, 1.0, camera=True, objects=False).cameras[0]
    right, down = path.poses[-1].matrix()[:3, 0], path.poses[-1].matrix()[:3, 1]
    assert np.arctan2(-right[2], -down[2]) == pytest.approx(0.05, abs=1e-9)


def test_pushes_are_along_the_table_and_name_dynamic_things(scene):
    motion = make_motion(scene, 1.0, camera=False, objects=True)
    movable = {body.name for body in scene.bodies if body.dynamic}
    assert 1 <= len(motion.pushes) <= len(movable)
    for push in motion.pushes:
        assert push.body_name in movable
        assert 0.2 < np.linalg.norm(push.velocity_m_s) < 0.8
        assert push.velocity_m_s[2] == 0


def test_a_scene_without_things_has_no_pushes(scene):
    empty = replace(scene, bodies=tuple(body for body in scene.bodies if not body.dynamic))
    assert make_motion(empty, 1.0, camera=False, objects=True).pushes == ()
