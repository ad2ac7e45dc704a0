"""A profile on real frames: truth untouched and consistent, noise a function of the frame, everything written down."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from scenes.camera import Camera, look_at
from sim._frame_files import frame_files
from sim._frame_source import BackendSource
from sim.backend import open_backend
from sim.basicwriter import decode_sensed, encode_frame
from sim.dataset import Dataset
from sim.difficulty.clearance import clearances_m
from sim.generate import GenerateSpec, generate
from sim.realize import realize
from sim.sensors import IDEAL, SensorProfile, apply_sensor, load_profile, profile_names, sensor_camera
from sim.sensors.apply import sense
from sim.sensors.motion import mean_light, shutter_cameras
from sim.sensors.photometry import developed, light_from_srgb
from sim.sensors.profile import ColourSpec, DepthSpec, ExposureSpec, LensSpec, MotionSpec, NoiseSpec
from sim.sensors.randomness import stream
from tests.sim.fake_frames import make_camera, make_frame

SIZE = (96, 72)


@pytest.fixture(scope="module")
def world():
    backend = open_backend()
    scene, _ = realize(backend, "tabletop", split="val", seed=2, index=1)
    yield backend, scene
    backend.close()


@pytest.mark.parametrize("name", [n for n in profile_names() if n != "ideal"])
def test_truth_is_that_of_the_same_lens_without_the_sensor(world, name):
    backend, scene = world
    profile, camera = load_profile(name), scene.cameras[0].resized(*SIZE)
    sensed = sense(backend, scene, camera, profile, name="frame")
    clean = backend.render(sensor_camera(camera, profile))
    for map_name in ("depth_m", "semantic", "instance"):
        np.testing.assert_array_equal(getattr(sensed.truth, map_name), getattr(clean.truth, map_name))
    assert sensed.truth.objects == clean.truth.objects
    np.testing.assert_array_equal(sensed.sensed.rgb_ideal, clean.rgb)
    difference = np.abs(sensed.rgb.astype(int) - clean.rgb).mean()
    assert 1 < difference < 60
    assert (sensed.sensed.depth_m is None) == (profile.depth is None)


def test_a_depth_reading_is_the_truth_or_nothing_give_or_take_its_noise(world):
    backend, scene = world
    frame = sense(backend, scene, scene.cameras[1].resized(*SIZE), load_profile("stereo_d435"), name="frame")
    depth_m, truth_m = frame.sensed.depth_m, frame.truth.depth_m
    returned = depth_m > 0
    assert depth_m.dtype == np.float32
    assert 0.5 < returned.mean() < 0.98
    near = returned & (truth_m < 1.5)
    assert np.median(np.abs(depth_m - truth_m)[near]) < 0.004
    assert np.isfinite(depth_m).all()


def test_noise_is_a_function_of_the_frame_and_of_nothing_before_it(world):
    backend, scene = world
    profile, camera = load_profile("webcam"), scene.cameras[2].resized(*SIZE)
    first = sense(backend, scene, camera, profile, name="a")
    sense(backend, scene, camera, profile, name="b")
    again, other = (sense(backend, scene, camera, profile, name=n) for n in "ab")
    np.testing.assert_array_equal(first.rgb, again.rgb)
    assert (first.rgb != other.rgb).mean() > 0.3


def test_the_ideal_profile_changes_no_picture_and_no_camera():
    frame = make_frame(np.random.default_rng(1))
    same = apply_sensor(frame, IDEAL, scene=None, image=_no_image)
    np.testing.assert_array_equal(same.rgb, frame.rgb)
    assert same.sensed.rgb_ideal is None
    assert sensor_camera(frame.camera, IDEAL) == frame.camera


def _no_image(camera: Camera) -> np.ndarray:
    raise AssertionError("no sub-frame is needed")


def test_field_of_view_and_principal_point_are_the_profile_s():
    camera = sensor_camera(make_camera(), SensorProfile(lens=LensSpec(horizontal_fov_deg=90.0, principal_point=(0.05, -0.02))))
    assert camera.fx == pytest.approx(32)
    assert (camera.cx, camera.cy) == pytest.approx((31.5 + 3.2, 23.5 - 1.28))
    assert camera.distortion is None


def test_exposure_without_noise_scales_the_light():
    frame = make_frame(np.random.default_rng(1))
    darker = apply_sensor(frame, SensorProfile(exposure=ExposureSpec(stops=-1.0)), scene=None, image=_no_image)
    expected = developed(light_from_srgb(frame.rgb) * np.float32(0.5), ColourSpec())
    np.testing.assert_array_equal(darker.rgb, expected)


def test_a_depth_camera_alone_leaves_the_picture_as_it_is():
    frame = make_frame(np.random.default_rng(1))
    sensed = apply_sensor(frame, SensorProfile(depth=DepthSpec(random_loss=0.1)), scene=None, image=_no_image)
    np.testing.assert_array_equal(sensed.rgb, frame.rgb)
    assert sensed.sensed.rgb_ideal is None
    files = encode_frame(sensed, 3)
    assert "sensor_depth_0003.npy" in files
    assert "rgb_ideal_0003.png" not in files
    back = decode_sensed(3, files.__getitem__, has=files.__contains__)
    np.testing.assert_array_equal(back.depth_m, sensed.sensed.depth_m)


def test_sub_frames_lie_evenly_about_the_middle_and_about_a_pixel_apart():
    camera = make_camera(width=640, height=480)
    profile = SensorProfile(motion=MotionSpec(linear_m_s=0.4, angular_rad_s=0.2), exposure=ExposureSpec(time_s=0.02))
    cameras = shutter_cameras(camera, profile, nearest_m=0.5, rng=stream("shutter"))
    assert len(cameras) % 2 == 1
    assert len(cameras) >= 5
    assert cameras[len(cameras) // 2] is camera
    position = np.array([c.world_from_camera.position_m for c in cameras])
    np.testing.assert_allclose(np.diff(position, n=2, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(position.mean(axis=0), camera.world_from_camera.position_m, atol=1e-9)
    point = camera.world_from_camera.matrix() @ np.array([0.02, 0.01, 0.5, 1])
    seen = [c.project((np.linalg.inv(c.world_from_camera.matrix()) @ point)[:3]) for c in cameras]
    assert np.linalg.norm(np.diff(seen, axis=0), axis=1).max() < 1.5
    assert shutter_cameras(camera, SensorProfile(), nearest_m=0.5, rng=stream("x")) == (camera,)


def test_the_speed_has_the_stated_root_mean_square():
    camera = make_camera(width=640, height=480)
    profile = SensorProfile(motion=MotionSpec(linear_m_s=0.3, most_samples=3), exposure=ExposureSpec(time_s=0.1))
    paths = []
    for k in range(400):
        cameras = shutter_cameras(camera, profile, nearest_m=0.3, rng=stream("speed", k))
        ends = [np.array(c.world_from_camera.position_m) for c in (cameras[0], cameras[-1])]
        paths.append(np.linalg.norm(ends[1] - ends[0]) / 0.1 * len(cameras) / (len(cameras) - 1))
    assert np.sqrt(np.mean(np.square(paths))) == pytest.approx(0.3, rel=0.07)


def test_the_exposure_of_a_moving_edge_is_a_ramp_as_long_as_its_way():
    """A camera that turns past an edge: light rises linearly over the pixels that the edge passes."""
    camera = Camera(
        name="c", width=64, height=8, fx=100.0, fy=100.0, cx=31.5, cy=3.5,
        world_from_camera=look_at(np.array([1.0, 0, 0]), np.zeros(3))
    )  # fmt: skip
    shifts = np.arange(-5, 6)
    cameras = [replace(camera, cx=31.5 + s) for s in shifts]

    def edge(seen: Camera) -> np.ndarray:
        return np.where(np.arange(64) >= seen.cx, 255, 0).astype(np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)

    light = mean_light(cameras, edge)[0, :, 0]
    assert light[26] == 0
    np.testing.assert_allclose(light[27:38], np.arange(1, 12) / 11, atol=1e-6)


def test_a_data_set_has_the_sensor_s_files_and_its_profile_in_whatever_order_it_is_made(tmp_path):
    profile = replace(load_profile("structured_light"), motion=MotionSpec())
    spec = GenerateSpec(
        suite="tabletop", out=tmp_path, frames=4, split="val", seed=1, size=(64, 48), workers=2, stages=False, sensor=profile
    )
    generate(spec, progress=False)
    dataset = Dataset.open(tmp_path)
    source = BackendSource(spec)
    scene, _ = source.scene(1)
    files = frame_files(source.frame(0), 3, clearances_m(scene))
    source.close()
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == dataset.manifest.frames[3].files
    assert dataset.manifest.sensor is not None
    assert dataset.manifest.sensor["digest"] == profile.digest
    assert dataset.manifest.sensor["depth"]["kind"] == "structured_light"
    sensed = dataset.sensed(3)
    assert sensed.rgb_ideal.shape == (48, 64, 3)
    assert sensed.depth_m.shape == (48, 64)
    assert dataset[3].camera.distortion.coefficients == profile.lens.distortion
    assert generate(spec, progress=False).frames_made == 0, "the finished data set is recognised"
    with pytest.raises(ValueError, match=r"holds a data set with sensor 'structured_light \(\w+\)', but None was asked"):
        generate(replace(spec, sensor=IDEAL), progress=False)


def test_an_ideal_data_set_says_nothing_of_sensors(tmp_path):
    from tests.sim.fake_frames import FakeSource

    spec = GenerateSpec(suite="tabletop", out=tmp_path, frames=2, split="test", size=(64, 48), workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    dataset = Dataset.open(tmp_path)
    assert b"sensor" not in (tmp_path / "manifest.json").read_bytes()
    assert dataset.manifest.sensor is None
    assert dataset.sensed(0).depth_m is None
    assert dataset.sensed(0).rgb_ideal is None


def test_noise_alone_keeps_the_mean_of_the_picture(world):
    backend, scene = world
    profile = SensorProfile(noise=NoiseSpec(enabled=True, full_well_e=5000))
    frame = sense(backend, scene, scene.cameras[0].resized(*SIZE), profile, name="n")
    light, ideal = light_from_srgb(frame.rgb), light_from_srgb(frame.sensed.rgb_ideal)
    assert light.mean() == pytest.approx(ideal.mean(), rel=0.01)
