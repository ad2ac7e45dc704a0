"""Modelling operations against volumes and areas known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scenes.meshes import corner_normals, cuboid, extrude, joined, lathe, mesh, placed, subtract, sweep, warp
from scenes.scene import Mesh
from scenes.transforms import Pose, quaternion_about


def volume(shape: Mesh) -> float:
    a, b, c = (shape.vertices[shape.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def polygon_area(radius: float, sides: int) -> float:
    return sides / 2 * radius**2 * math.sin(2 * math.pi / sides)


def test_a_lathed_cylinder_has_the_volume_of_its_prism() -> None:
    shape = lathe([(0, 0), (0.05, 0), (0.05, 0.2), (0, 0.2)], segments=24)
    assert volume(shape) == pytest.approx(0.2 * polygon_area(0.05, 24))


def test_a_hollow_lathe_has_the_volume_of_its_wall() -> None:
    shape = lathe([(0, 0), (0.05, 0), (0.05, 0.2), (0.04, 0.2), (0.04, 0.01), (0, 0.01)], segments=24)
    wall = 0.2 * polygon_area(0.05, 24) - 0.19 * polygon_area(0.04, 24)
    assert volume(shape) == pytest.approx(wall)


def test_a_swept_tube_has_the_volume_of_its_section_times_its_length() -> None:
    path = np.stack([np.linspace(0, 0.3, 7), np.zeros(7), np.zeros(7)], axis=1)
    assert volume(sweep(path, np.full(7, 0.02), segments=12)) == pytest.approx(0.3 * polygon_area(0.02, 12))


def test_a_box_and_its_faces_show_the_whole_texture() -> None:
    box = cuboid((0.1, 0.2, 0.3))
    assert volume(box) == pytest.approx(8 * 0.1 * 0.2 * 0.3)
    assert (box.corner_uv.min(), box.corner_uv.max()) == (0.0, 1.0)


def test_subtraction_takes_away_the_overlap() -> None:
    big, small = cuboid((0.1, 0.1, 0.1)), cuboid((0.05, 0.05, 0.05), (0.1, 0.0, 0.0))
    assert volume(subtract(big, small)) == pytest.approx(0.008 - 0.05 * 0.1 * 0.1)


def test_an_extruded_polygon_keeps_its_volume_when_cut_fine() -> None:
    outline = [(0, 0), (0.2, 0), (0.2, 0.1), (0.1, 0.1), (0.1, 0.05), (0, 0.05)]
    shape = extrude(outline, 0.01, 0.02)
    assert volume(shape) == pytest.approx((0.2 * 0.1 - 0.1 * 0.05) * 0.01)
    edges = np.linalg.norm(np.diff(shape.vertices[shape.faces], axis=1), axis=2)
    assert len(shape.faces) > 100
    assert np.median(edges) < 0.02


def test_normals_are_smooth_round_a_cylinder_and_sharp_at_its_rim() -> None:
    shape = lathe([(0, 0), (0.05, 0), (0.05, 0.2), (0, 0.2)], segments=32)
    side = np.abs(shape.corner_normals[..., 2]) < 0.5
    radial = shape.vertices[shape.faces][side][:, :2]
    expected = radial / np.linalg.norm(radial, axis=1, keepdims=True)
    # averaged by area, so up to a third of a segment off
    np.testing.assert_allclose(shape.corner_normals[side][:, :2], expected, atol=4e-2)
    assert set(np.abs(shape.corner_normals[~side][:, 2]).round(5).tolist()) == {1.0}


def test_normals_of_a_box_are_its_face_normals() -> None:
    box = cuboid((0.1, 0.2, 0.3))
    normals = corner_normals(box.vertices, box.faces)
    np.testing.assert_allclose(np.abs(normals).max(axis=2), 1.0)


def test_rigid_motion_and_joining_keep_volumes() -> None:
    box = cuboid((0.1, 0.2, 0.3))
    moved = placed(box, Pose((1.0, 2.0, 3.0), quaternion_about((1, 1, 0), 0.7)))
    assert volume(moved) == pytest.approx(volume(box))
    assert volume(joined([box, moved])) == pytest.approx(2 * volume(box))


def test_warp_moves_every_vertex() -> None:
    scaled = warp(cuboid((0.1, 0.1, 0.1)), lambda points: points * [2.0, 1.0, 1.0])
    assert volume(scaled) == pytest.approx(2 * 0.008)


def test_faces_without_area_are_dropped() -> None:
    shape = mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2], [0, 1, 1]])
    assert len(shape.faces) == 1
