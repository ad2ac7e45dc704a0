"""Exact box IoU: analytic answers, Monte Carlo, Qhull as an oracle, and invariances at every size."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.scoring.box_iou import box_iou, box_iou_matrix
from scenes.box import OrientedBox
from scenes.transforms import IDENTITY_QUATERNION, Pose, quaternion_about, vec3

SIZES = [0.001, 0.02, 1.0, 1000.0]


def box(center=(0.0, 0.0, 0.0), size=(1.0, 1.0, 1.0), quaternion=IDENTITY_QUATERNION) -> OrientedBox:
    return OrientedBox(Pose(vec3(center), quaternion), vec3(size))


def turned(degrees: float, axis=(0.0, 0.0, 1.0)):
    return quaternion_about(axis, math.radians(degrees))


def random_box(rng, size=1.0, spread=0.4) -> OrientedBox:
    quaternion = quaternion_about(rng.normal(size=3).tolist(), float(rng.uniform(0, math.pi)))
    return box(size * rng.uniform(-spread, spread, 3), size * rng.uniform(0.2, 1.5, 3), quaternion)


def scaled(original: OrientedBox, factor: float) -> OrientedBox:
    center = np.array(original.outer_from_box.position_m) * factor
    return box(center, np.array(original.size_m) * factor, original.outer_from_box.quaternion_wxyz)


def one(first: OrientedBox, second: OrientedBox) -> float:
    return float(box_iou([first], [second])[0])


def qhull_iou(first: OrientedBox, second: OrientedBox) -> float:
    """Returns the IoU by half-space intersection about the deepest common point (linear programme) and Qhull's volume."""
    spatial = pytest.importorskip("scipy.spatial", reason="scipy comes with the dev extra")
    from scipy.optimize import linprog

    planes = []
    for each in (first, second):
        matrix = each.outer_from_box.matrix()
        for axis, sign in itertools.product(range(3), (1, -1)):
            normal = sign * matrix[:3, axis]
            planes.append([*normal, -(normal @ matrix[:3, 3] + each.size_m[axis] / 2)])
    planes = np.array(planes)
    deepest = linprog(
        [0, 0, 0, -1], A_ub=np.c_[planes[:, :3], np.ones(12)], b_ub=-planes[:, 3], bounds=[(None, None)] * 4
    )
    if not deepest.success or deepest.x[3] < 1e-6:
        return 0.0
    corners = spatial.HalfspaceIntersection(planes, deepest.x[:3]).intersections
    shared = spatial.ConvexHull(corners).volume
    return shared / (first.volume_m3 + second.volume_m3 - shared)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5, 0.999, 1.0, 1.5])
def test_axis_aligned_cubes_that_share_four_planes(size, shift):
    shared = max(0.0, 1 - shift)
    assert one(scaled(box(), size), scaled(box((shift, 0, 0)), size)) == pytest.approx(shared / (2 - shared), abs=1e-8)


@pytest.mark.parametrize("size", SIZES)
def test_boxes_of_two_heights_on_one_table(size):
    low, high = box((0, 0, 0.5)), box((0.25, 0.5, 1.0), (1.0, 1.0, 2.0))
    shared = 0.75 * 0.5 * 1.0
    assert one(scaled(low, size), scaled(high, size)) == pytest.approx(shared / (3 - shared), abs=1e-8)


@pytest.mark.parametrize("degrees", [0.0, 1e-13, 1e-11, 1e-9, 1e-7, 1e-5, 0.1, 10.0, 30.0, 45.0, 60.0, 90.0])
@pytest.mark.parametrize("size", SIZES)
def test_turned_squares_of_one_height_overlap_in_an_octagon(degrees, size):
    half = math.radians(min(degrees, 90 - degrees))
    octagon = 2 / (1 + math.sin(half) + math.cos(half)) if half > 0 else 1.0
    iou = one(scaled(box(), size), scaled(box(quaternion=turned(degrees)), size))
    assert iou == pytest.approx(octagon / (2 - octagon), abs=2e-8)


def test_a_box_inside_another():
    assert one(box(size=(3, 3, 3)), box((0.2, 0.1, -0.3), quaternion=turned(33, (1, 2, 3)))) == pytest.approx(1 / 27)


def test_a_corner_cut_off_by_a_turned_cube():
    # One face of a large turned box is the plane x + y + z = 1.5 - edge, which cuts a tetrahedron off the unit cube.
    axis = np.array([1.0, 1.0, 1.0]) / math.sqrt(3)
    across = np.cross(axis, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    frame = np.eye(4)
    frame[:3, :3] = np.stack([axis, across, np.cross(axis, across)], axis=1)
    edge = 0.4
    frame[:3, 3] = axis * ((1.5 - edge) / math.sqrt(3) + 5)
    large = OrientedBox(Pose.from_matrix(frame), (10.0, 10.0, 10.0))
    shared = edge**3 / 6
    assert one(box(), large) == pytest.approx(shared / (1001 - shared), rel=1e-7)


@pytest.mark.parametrize("size", SIZES)
def test_a_box_with_itself_is_one(rng, size):
    boxes = [random_box(rng, size) for _ in range(100)]
    np.testing.assert_allclose(box_iou(boxes, boxes), 1, atol=1e-9)


def test_a_box_with_itself_under_other_names_for_its_axes_is_one(rng):
    for original in (random_box(rng) for _ in range(20)):
        matrix = original.outer_from_box.matrix()
        renamed = np.eye(4)
        renamed[:3, :3], renamed[:3, 3] = matrix[:3, [1, 2, 0]], matrix[:3, 3]
        x, y, z = original.size_m
        assert one(original, OrientedBox(Pose.from_matrix(renamed), (y, z, x))) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize(
    "other", [box((1, 0, 0)), box((1, 1, 0)), box((1, 1, 1)), box((0, 0, 1), quaternion=turned(30)), box((3, 0, 0))],
    ids=["face", "edge", "corner", "turned face", "apart"],
)  # fmt: skip
def test_touching_is_zero(other):
    assert one(box(), other) == 0


@pytest.mark.parametrize("size", SIZES)
def test_agrees_with_qhull_on_random_boxes(rng, size):
    pairs = [(random_box(rng), random_box(rng)) for _ in range(60)]
    ours = box_iou([scaled(a, size) for a, _ in pairs], [scaled(b, size) for _, b in pairs])
    expected = np.array([qhull_iou(a, b) for a, b in pairs])
    assert (expected > 0.05).sum() > 20
    np.testing.assert_allclose(ours, expected, atol=1e-7)


@pytest.mark.parametrize("size", [0.002, 0.02, 0.2])
def test_agrees_with_qhull_on_boxes_that_stand_on_one_table_seen_by_a_camera(rng, size):
    camera_from_world = Pose((0.1, -0.3, 1.2), quaternion_about([1.0, 0.4, -0.2], 2.0)).matrix()
    first, second = [], []
    for _ in range(60):
        pair = []
        for _ in range(2):
            x, y, z = rng.uniform(0.3, 1.0, 3)
            turn = turned(float(rng.choice([0, 0, 90, rng.uniform(0, 90)])))
            pair.append(box((*rng.uniform(-0.2, 0.2, 2), z / 2), (x, y, z), turn))
        first.append(pair[0])
        second.append(pair[1])
    expected = [qhull_iou(a, b) for a, b in zip(first, second, strict=True)]
    moved = [[scaled(each, size).moved(camera_from_world) for each in boxes] for boxes in (first, second)]
    np.testing.assert_allclose(box_iou(*moved), expected, atol=1e-7)


def test_agrees_with_monte_carlo(rng):
    for _ in range(8):
        first, second = random_box(rng), random_box(rng, spread=0.3)
        points = (rng.random((100_000, 3)) - 0.5) * first.size_m
        matrix = np.linalg.inv(second.outer_from_box.matrix()) @ first.outer_from_box.matrix()
        inside = np.all(np.abs(points @ matrix[:3, :3].T + matrix[:3, 3]) <= np.array(second.size_m) / 2, axis=1).mean()
        shared = inside * first.volume_m3
        expected = shared / (first.volume_m3 + second.volume_m3 - shared)
        assert one(first, second) == pytest.approx(expected, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SIZES))
def test_symmetry_rigid_motion_and_scale_change_nothing(seed, size):
    rng = np.random.default_rng(seed)
    first, second = random_box(rng), random_box(rng)
    iou = one(first, second)
    assert 0 <= iou <= 1
    assert one(second, first) == pytest.approx(iou, abs=1e-8)
    assert one(scaled(first, size), scaled(second, size)) == pytest.approx(iou, abs=1e-8)
    motion = random_box(rng, 5.0).outer_from_box.matrix()
    assert one(first.moved(motion), second.moved(motion)) == pytest.approx(iou, abs=1e-8)


def test_thin_and_unequal_boxes(rng):
    knife = box(size=(0.2, 0.02, 0.001))
    assert one(knife, box((0, 0, 0.0005), (0.2, 0.02, 0.001))) == pytest.approx(1 / 3, abs=1e-7)
    assert one(knife, box(size=(20, 20, 20))) == pytest.approx(0.2 * 0.02 * 0.001 / 8000, rel=1e-6)


def test_matrix_is_every_pair(rng):
    first, second = [random_box(rng) for _ in range(4)], [random_box(rng) for _ in range(3)]
    expected = [[one(a, b) for b in second] for a in first]
    np.testing.assert_array_equal(box_iou_matrix(first, second), expected)
    assert box_iou_matrix([], second).shape == (0, 3)
    assert box_iou_matrix(first, []).shape == (4, 0)


def test_lists_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="as many first boxes as second"):
        box_iou([box()], [])
