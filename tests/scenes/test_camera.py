"""The camera's convention: pixel centres at integers, OpenCV axes, and what resizing keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scenes.camera import Camera, focal_px, look_at, points_in_camera
from scenes.transforms import Pose


def camera(width: int = 640, height: int = 480) -> Camera:
    focal = focal_px(width, math.radians(60))
    pose = look_at(np.array([1.0, 0.5, 1.5]), np.array([0.0, 0.0, 0.75]), roll_rad=0.1)
    return Camera(
        name="c", width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2, world_from_camera=pose
    )  # fmt: skip


def test_look_at_puts_the_target_on_the_axis_and_up_above() -> None:
    view = camera()
    target, above = points_in_camera(view, np.array([[0.0, 0.0, 0.75], [0.0, 0.0, 0.85]]))
    np.testing.assert_allclose(target[:2], 0, atol=1e-12)
    assert target[2] == pytest.approx(math.sqrt(1 + 0.25 + 0.75**2))
    assert above[1] < 0, "y points down"


def test_look_at_refuses_a_vertical_view() -> None:
    with pytest.raises(ValueError, match="not vertical"):
        look_at(np.array([0.0, 0.0, 2.0]), np.array([0.0, 0.0, 0.0]))


def test_the_field_of_view_spans_the_pixels_edge_to_edge() -> None:
    view = camera()
    half = math.tan(math.radians(30))
    u, _ = view.project(np.array([half, 0.0, 1.0]))
    assert u == pytest.approx(639.5), "the right edge of the last pixel"


def test_unproject_is_the_inverse_of_project() -> None:
    view = camera(40, 30)
    depth = np.random.default_rng(0).uniform(0.3, 3.0, size=(30, 40))
    pixels = view.project(view.unproject(depth))
    v, u = np.mgrid[:30, :40]
    np.testing.assert_allclose(pixels, np.stack([u, v], axis=-1), atol=1e-9)


def test_resizing_keeps_the_rays_of_the_image_corners() -> None:
    big, small = camera(), camera().resized(320, 240)
    assert (small.fx, small.cx) == (pytest.approx(big.fx / 2), 159.5)
    ray = np.array([0.21, -0.13, 1.0])
    np.testing.assert_allclose((small.project(ray) + 0.5) * 2, big.project(ray) + 0.5, atol=1e-9)


def test_round_trip_through_plain_values() -> None:
    assert Camera.from_dict(camera().to_dict()) == camera()


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"fx": -1.0}, {"near_m": 0.0}, {"far_m": 0.001}], ids=str
)
def test_nonsense_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="needs"):
        Camera.from_dict({**camera().to_dict(), **change})


def test_matrix_agrees_with_project() -> None:
    view = camera()
    point = np.array([0.1, 0.2, 0.9])
    homogeneous = view.matrix @ point
    np.testing.assert_allclose(homogeneous[:2] / homogeneous[2], view.project(point))
    assert view.world_from_camera != Pose()
