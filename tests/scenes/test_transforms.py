"""Group laws and round trips of rigid transforms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.transforms import (
    Pose,
    inverse,
    multiply,
    quaternion_about,
    quaternion_from_rotation,
    rotation_from_quaternion,
    transform_points,
)

angles = st.floats(-math.pi, math.pi)
axes = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda a: np.linalg.norm(a) > 0.1)
poses = st.builds(
    lambda p, axis, angle: Pose(p, quaternion_about(axis, angle)), st.tuples(*[st.floats(-5, 5)] * 3), axes, angles
)


@given(axes, angles)
def test_rotation_matrix_is_orthonormal_and_right_handed(axis: tuple[float, float, float], angle: float) -> None:
    rotation = rotation_from_quaternion(quaternion_about(axis, angle))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


@given(axes, angles)
def test_quaternion_survives_the_matrix(axis: tuple[float, float, float], angle: float) -> None:
    rotation = rotation_from_quaternion(quaternion_about(axis, angle))
    back = quaternion_from_rotation(rotation)
    assert back[0] >= 0
    np.testing.assert_allclose(rotation_from_quaternion(back), rotation, atol=1e-9)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)])
def test_half_turns_survive_the_matrix(axis: tuple[float, float, float]) -> None:
    rotation = rotation_from_quaternion(quaternion_about(axis, math.pi))
    np.testing.assert_allclose(rotation_from_quaternion(quaternion_from_rotation(rotation)), rotation, atol=1e-9)


@given(axes, angles, axes, angles)
def test_product_of_quaternions_is_product_of_rotations(
    axis_a: tuple[float, float, float], a: float, axis_b: tuple[float, float, float], b: float
) -> None:
    first, second = quaternion_about(axis_a, a), quaternion_about(axis_b, b)
    product = rotation_from_quaternion(multiply(first, second))
    np.testing.assert_allclose(product, rotation_from_quaternion(first) @ rotation_from_quaternion(second), atol=1e-12)


@given(poses)
def test_inverse_undoes_the_pose(pose: Pose) -> None:
    world_from_body = pose.matrix()
    np.testing.assert_allclose(inverse(world_from_body) @ world_from_body, np.eye(4), atol=1e-9)
    point = np.array([[0.3, -0.2, 0.9]])
    there = transform_points(world_from_body, point)
    np.testing.assert_allclose(transform_points(inverse(world_from_body), there), point, atol=1e-9)


def test_quarter_turn_about_z_takes_x_to_y() -> None:
    rotation = rotation_from_quaternion(quaternion_about((0, 0, 1), math.pi / 2))
    np.testing.assert_allclose(rotation @ [1, 0, 0], [0, 1, 0], atol=1e-12)
