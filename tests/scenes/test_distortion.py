"""The lens against OpenCV's own, and against itself: there and back, and its slope against differences."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.camera import Camera
from scenes.distortion import Distortion
from scenes.transforms import Pose

LENSES = {
    "barrel": (-0.28, 0.07, 0.0, 0.0),
    "pincushion": (0.18, -0.1, 0.001, -0.002, 0.05),
    "decentred": (-0.05, 0.0, 0.01, -0.012, 0.0),
    "rational": (0.6, -0.4, 0.0004, -0.0007, 0.03, 0.9, -0.35, 0.01),
}


def camera(coefficients: tuple[float, ...], *, width: int = 320, height: int = 240) -> Camera:
    return Camera(
        name="c", width=width, height=height, fx=0.9 * width, fy=0.92 * width, cx=width / 2 + 3.2, cy=height / 2 - 1.7,
        world_from_camera=Pose(), distortion=Distortion(coefficients=coefficients),
    )  # fmt: skip


@pytest.mark.parametrize("coefficients", LENSES.values(), ids=LENSES)
def test_points_are_drawn_where_opencv_draws_them(coefficients, rng):
    lens = camera(coefficients)
    points = rng.uniform((-0.5, -0.4, 1.0), (0.5, 0.4, 1.5), (500, 3))
    theirs, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), lens.matrix, np.array(coefficients))
    np.testing.assert_allclose(lens.project(points), theirs[:, 0], atol=1e-9)


@pytest.mark.parametrize("coefficients", LENSES.values(), ids=LENSES)
def test_rays_are_those_of_opencv_to_a_millionth_of_a_pixel(coefficients):
    lens = camera(coefficients)
    u, v = np.meshgrid(np.linspace(0, 319, 30), np.linspace(0, 239, 30))
    x, y = lens.rays(u, v)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-14)
    pixels = np.stack([u, v], axis=-1).reshape(-1, 1, 2)
    theirs = cv2.undistortPoints(pixels, lens.matrix, np.array(coefficients), criteria=criteria)
    np.testing.assert_allclose(np.stack([x, y], axis=-1).reshape(-1, 2), theirs[:, 0], atol=1e-6 / lens.fx)


@given(
    k=st.tuples(*[st.floats(-0.2, 0.2)] * 2, *[st.floats(-0.01, 0.01)] * 2, st.floats(-0.05, 0.05)),
    at=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.4, 0.4)),
)
def test_there_and_back_is_where_one_started(k, at):
    lens = Distortion(coefficients=k)
    x, y = (np.array([value]) for value in at)
    np.testing.assert_allclose(lens.undistort(*lens.distort(x, y)), (x, y), atol=1e-9)


@pytest.mark.parametrize("coefficients", LENSES.values(), ids=LENSES)
def test_the_jacobian_is_that_of_finite_differences(coefficients, rng):
    lens, step = Distortion(coefficients=coefficients), 1e-6
    x, y = rng.uniform(-0.5, 0.5, (2, 100))
    xx, xy, yy = lens.jacobian(x, y)
    along_x = np.subtract(lens.distort(x + step, y), lens.distort(x - step, y)) / (2 * step)
    along_y = np.subtract(lens.distort(x, y + step), lens.distort(x, y - step)) / (2 * step)
    np.testing.assert_allclose((along_x[0], along_x[1], along_y[0], along_y[1]), (xx, xy, xy, yy), atol=1e-8)


def test_a_point_that_no_ray_reaches_is_nan():
    x, y = Distortion(coefficients=(-0.5, 0.0, 0.0, 0.0)).undistort(np.array([0.1, 2.0]), np.array([0.0, 0.0]))
    assert np.isfinite(x[0])
    assert np.isnan(x[1])
    assert np.isnan(y[1])


def test_depth_comes_back_to_the_pixels_it_was_seen_at(rng):
    lens = camera(LENSES["decentred"])
    depth_m = rng.uniform(0.3, 2.0, (240, 320)).astype(np.float32)
    v, u = np.mgrid[:240, :320]
    np.testing.assert_allclose(lens.project(lens.unproject(depth_m)), np.stack([u, v], axis=-1), atol=1e-7)


def test_a_camera_with_a_lens_comes_back_from_json_and_a_pinhole_says_nothing_of_one():
    lens = camera(LENSES["rational"])
    assert Camera.from_dict(lens.to_dict()) == lens
    pinhole = replace(lens, distortion=None)
    assert "distortion" not in pinhole.to_dict()
    assert "distortion" not in repr(lens), "the digests of scenes are made of it"
    assert Camera.from_dict(pinhole.to_dict()) == pinhole


@pytest.mark.parametrize("coefficients", [(), (0.1, 0.2), (0.1, 0.2, 0.0, float("nan"))])
def test_coefficients_that_make_no_lens_are_refused(coefficients):
    with pytest.raises(ValueError, match="4, 5 or 8 finite numbers"):
        Distortion(coefficients=coefficients)
