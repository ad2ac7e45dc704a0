"""Windows and boxes of objects, without a renderer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.box import OrientedBox
from scenes.transforms import Pose
from sim._object_truth import BodyBounds, box_of, may_hide, window_of
from tests.sim.little_scenes import block, camera_above

BOX = OrientedBox(Pose((0.0, 0.0, 0.05)), (0.1, 0.1, 0.1))


def test_a_window_holds_the_projected_box() -> None:
    assert window_of(camera_above(1.1), BOX) == (11, 3, 42, 42)


@pytest.mark.parametrize(
    "at_m",
    [
        pytest.param((0.0, 0.0, 2.0), id="behind"),
        pytest.param((0.0, 0.0, -20.0), id="beyond far"),
        pytest.param((1.0, 0.0, 0.0), id="beside"),
        pytest.param((0.0, -1.0, 0.0), id="below"),
    ],
)
def test_no_window_out_of_view(at_m: tuple[float, float, float]) -> None:
    assert window_of(camera_above(1.1), replace(BOX, outer_from_box=Pose(at_m))) is None


def test_a_box_at_the_camera_may_be_anywhere() -> None:
    assert window_of(camera_above(1.1), replace(BOX, outer_from_box=Pose((0.0, 0.0, 1.1)))) == (0, 0, 64, 48)


@pytest.mark.parametrize(
    ("depth_m", "expected"),
    [
        pytest.param(0.5, True, id="something before the box"),
        pytest.param(1.05, True, id="something inside the box"),
        pytest.param(1.2, False, id="something behind the box"),
        pytest.param(np.inf, False, id="nothing"),
    ],
)
def test_only_what_is_nearer_than_the_box_ends_can_hide_it(depth_m: float, expected: bool) -> None:
    camera = camera_above(1.1)
    window = (31, 23, 2, 2)
    depth = np.full((2, 2), depth_m, dtype=np.float32)
    assert (may_hide(camera, BOX, window, depth, np.ones((2, 2), dtype=bool)) == expected).all()
    assert not may_hide(camera, BOX, window, depth, np.zeros((2, 2), dtype=bool)).any()


def test_rays_that_miss_the_box_hide_nothing() -> None:
    camera = camera_above(1.1)
    depth = np.full((48, 64), 0.1, dtype=np.float32)
    hides = may_hide(camera, BOX, (0, 0, 64, 48), depth, np.ones((48, 64), dtype=bool))
    assert box_of(hides) == (12, 4, 51, 43)
    assert hides.sum() == 40 * 40


@pytest.mark.parametrize("shape", [(5, 7), (1, 1)])
def test_the_box_of_a_mask(shape: tuple[int, int], rng: np.random.Generator) -> None:
    mask = rng.random(shape) < 0.3
    assert box_of(np.zeros(shape, dtype=bool)) is None
    mask[0, 0] = True
    v, u = np.nonzero(mask)
    assert box_of(mask, 10, 20) == (10 + u.min(), 20 + v.min(), 10 + u.max(), 20 + v.max())


def test_bounds_follow_the_body() -> None:
    body = block("a", (0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    box = BodyBounds.of(body).box_world(Pose((1.0, 2.0, 3.0), (np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5))))
    np.testing.assert_allclose(box.size_m, (0.2, 0.4, 0.6))
    np.testing.assert_allclose(np.ptp(box.corners(), axis=0), (0.4, 0.2, 0.6), atol=1e-12)
    np.testing.assert_allclose(box.corners().mean(axis=0), (1.0, 2.0, 3.0))
