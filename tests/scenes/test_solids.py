"""Solids are closed, face outward and have the volume that geometry books give."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh

from scenes.meshes import extrude, lathe
from scenes.objects.wedges import sector_boxes
from scenes.scene import Mesh
from scenes.solids import closed_tube, ellipsoid, loft, planar, rounded_rectangle, rounded_slab, rumpled, sector


def solid(mesh: Mesh) -> trimesh.Trimesh:
    """Returns the mesh as another library sees it, with equal positions merged."""
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)


def ring(count: int = 200) -> np.ndarray:
    turn = np.arange(count) * 2 * np.pi / count
    return np.stack([0.1 * np.cos(turn), 0.1 * np.sin(turn), 0 * turn], axis=1)


CASES = {
    "ellipsoid": (ellipsoid((0.1, 0.2, 0.3), (1, 2, 3), segments=96, rows=64), 4 / 3 * math.pi * 0.006),
    "torus": (closed_tube(ring(), 0.02, 48), 2 * math.pi**2 * 0.1 * 0.02**2),
    "flat torus": (closed_tube(ring(), 0.02, 48, 0.5), math.pi**2 * 0.1 * 0.02**2),
    "sharp slab": (rounded_slab((0.1, 0.2, 0.03), corner_m=1e-4, bevel_m=1e-6), 8 * 0.1 * 0.2 * 0.03),
    "round slab": (
        rounded_slab((0.1, 0.2, 0.03), corner_m=0.05, bevel_m=1e-6, steps=32),
        0.06 * (0.08 - (4 - math.pi) * 0.05**2),
    ),
    "cylinder": (loft([np.column_stack([ring()[:, :2], np.full(200, z)]) for z in (0.0, 0.3)]), math.pi * 0.003),
    "wedge": (extrude(sector(0.1, 0.3, 0.3 + math.pi / 2, steps=400), 0.02, 1.0), math.pi / 4 * 0.01 * 0.02),
    "ring": (extrude(sector(0.1, 0.0, math.pi, 0.06, steps=400), 0.02, 1.0), math.pi / 2 * (0.01 - 0.0036) * 0.02),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_closed_and_has_its_volume(name: str) -> None:
    mesh, volume = CASES[name]
    seen = solid(mesh)
    assert seen.is_watertight
    assert seen.is_winding_consistent
    assert seen.volume == pytest.approx(volume, rel=0.005)


def test_rumpling_keeps_a_solid_closed_and_moves_it_no_farther_than_asked() -> None:
    ball = ellipsoid((0.05, 0.05, 0.05))
    moved = rumpled(ball, np.random.default_rng(0), 0.002, 0.02)
    assert solid(moved).is_watertight
    distance = np.linalg.norm(moved.vertices - ball.vertices, axis=1)
    assert 0.0005 < distance.mean() < 0.002
    assert distance.max() < 0.002 * 6 / math.sqrt(3)


def test_planar_lays_the_whole_texture_over_the_top() -> None:
    mesh = planar(rounded_slab((0.1, 0.2, 0.01), (3, 4, 5), corner_m=0.01, bevel_m=0.001))
    uv = mesh.corner_uv.reshape(-1, 2)
    points = mesh.vertices[mesh.faces].reshape(-1, 3)
    np.testing.assert_allclose(uv[:, 0], (points[:, 0] - 2.9) / 0.2, atol=1e-5)
    np.testing.assert_allclose(uv[:, 1], (points[:, 1] - 3.8) / 0.4, atol=1e-5)
    flipped = planar(lathe([(0, 0), (0.1, 0), (0.1, 0.1), (0, 0.1)]), (0, 2), (False, True))
    top = np.isclose(flipped.vertices[flipped.faces][..., 2], 0.1)
    assert (flipped.corner_uv[top][:, 1] == 0).all()


def test_a_rounded_rectangle_turns_left_and_stays_within_its_sides() -> None:
    outline = rounded_rectangle(0.2, 0.1, 0.03)
    nxt = np.roll(outline, -1, axis=0)
    area = 0.5 * np.sum(outline[:, 0] * nxt[:, 1] - outline[:, 1] * nxt[:, 0])
    assert area == pytest.approx(4 * 0.02 - (4 - math.pi) * 0.03**2, rel=0.01)
    np.testing.assert_allclose(np.abs(outline).max(axis=0), (0.2, 0.1))


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.7), (0.4, 4.9), (0.0, 5.5)])
def test_boxes_cover_a_sector_and_little_else(start: float, end: float) -> None:
    boxes = sector_boxes(0.1, start, end, 0.0, 0.02, (0.5, 0.0, 0.0))
    rng = np.random.default_rng(1)
    points = rng.uniform((0.37, -0.13, 0.0), (0.63, 0.13, 0.02), (20000, 3))
    inside = np.zeros(len(points), dtype=bool)
    for box in boxes:
        matrix = np.linalg.inv(box.body_from_collider.matrix())
        local = points @ matrix[:3, :3].T + matrix[:3, 3]
        inside |= (np.abs(local) <= box.size_m).all(axis=1)
    x, y = points[:, 0] - 0.5, points[:, 1]
    turn, reach = np.arctan2(y, x) % (2 * math.pi), np.hypot(x, y)
    truly = (reach < 0.1) & (turn > start) & (turn < end)
    assert inside[truly].mean() > 0.9
    assert (inside & ~truly).sum() / truly.sum() < 0.12
