"""A dome is seen where nothing stands before it, in its true direction, and changes no label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.camera import Camera, look_at
from scenes.dome import Dome, directions, seen, srgb_of_linear
from sim.mujoco.backend import MujocoBackend
from tests.scenes.small_scene import small_scene


def smooth_dome(height: int = 96) -> Dome:
    """Returns a dome whose colour says the direction: red along x, green along y, blue along z."""
    return Dome(image=srgb_of_linear(0.5 + 0.45 * directions(height)), intensity=0.8)


def looking(along: tuple[float, float, float]) -> Camera:
    eye = np.array([0.3, -0.2, 3.0])  # over everything
    return Camera(
        name="eye", width=80, height=60, fx=45.0, fy=45.0, cx=39.5, cy=29.5,
        world_from_camera=look_at(eye, eye + np.array(along), roll_rad=0.1),
    )  # fmt: skip


@pytest.fixture(scope="module")
def backend() -> MujocoBackend:
    backend = MujocoBackend()
    yield backend  # type: ignore[misc]  # a fixture
    backend.close()


@pytest.mark.parametrize("along", [(1, 0.1, 0.2), (-1, 0.2, 0.1), (0.1, 1, 0.2), (0.2, -1, 0.1), (0.1, 0.2, 1)])
def test_every_pixel_of_open_sky_shows_its_direction(backend: MujocoBackend, along: tuple[float, float, float]) -> None:
    scene = replace(small_scene(), dome=smooth_dome())
    backend.load(scene)
    camera = looking(along)
    frame = backend.render(camera)
    nothing = np.isinf(frame.truth.depth_m)
    assert nothing.mean() > 0.6
    u, v = np.meshgrid(np.arange(80), np.arange(60))
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    expected = seen(scene.dome.image, rays @ camera.world_from_camera.matrix()[:3, :3].T)
    inside = nothing & (np.roll(nothing, 1, 0) & np.roll(nothing, -1, 0) & np.roll(nothing, 1, 1) & np.roll(nothing, -1, 1))
    error = np.abs(frame.rgb.astype(int) - expected.astype(int)).max(axis=-1)[inside]
    assert np.quantile(error, 0.99) <= 4


def test_a_dome_changes_no_label_and_nothing_that_is_not_sky(backend: MujocoBackend) -> None:
    bare = small_scene()
    camera = bare.cameras[0].resized(160, 120)
    backend.load(bare)
    without = backend.render(camera)
    backend.load(replace(bare, dome=smooth_dome()))
    under = backend.render(camera)
    for name in ("depth_m", "semantic", "instance"):
        np.testing.assert_array_equal(getattr(under.truth, name), getattr(without.truth, name))
    sky = np.isinf(under.truth.depth_m)
    assert sky.any()
    assert (under.truth.semantic[sky] == 0).all()
    assert (under.truth.instance[sky] == 0).all()
    assert (under.rgb[sky] != without.rgb[sky]).any(axis=-1).mean() > 0.9
    edge = sum(np.roll(sky, d, a) != sky for d in (1, -1) for a in (0, 1)) > 0
    np.testing.assert_array_equal(under.rgb[~sky & ~edge], without.rgb[~sky & ~edge])


def test_a_dome_is_drawn_with_and_without_back_faces(backend: MujocoBackend) -> None:
    backend.load(replace(small_scene(), dome=smooth_dome()))
    canvas = backend._loaded().canvas()
    camera = looking((1, 0, 0.3))
    np.testing.assert_array_equal(canvas.image(camera, back_faces=True), canvas.image(camera, back_faces=False))
