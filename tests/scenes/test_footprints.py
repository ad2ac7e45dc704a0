"""Footprints: overlap is exact, distances are Euclid's, and a floor plan never lets solids share room."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.floorplan import FloorPlan, Piece
from scenes.footprints import Rect, Volume, hull, volumes
from scenes.objects._assembly import Assembly
from scenes.relations import WALLS, against, around, at, beside, facing, in_front_of, on_wall, wall_turn
from scenes.scene import Material
from scenes.transforms import transform_points

rects = st.builds(
    lambda x, y, a, b, t: Rect(center_m=(x, y), half_m=(a, b), turn_rad=t),
    *(st.floats(-1, 1),) * 2, *(st.floats(0.1, 0.8),) * 2, st.floats(-4, 4),
)  # fmt: skip


def block(x, y, z):
    made = Assembly(body=Material())
    made.box("body", (x, y, z), (0, 0, z))
    return made.finish("cabinet", 1.0)


@given(rects, rects)
def test_overlap_is_what_dense_points_say(a, b):
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, 41),) * 2), axis=-1).reshape(-1, 2)
    points = (grid * a.half_m) @ a.axes() + a.center_m
    nearest = float(b.distance_m(points).min())
    step = 0.05 * max(a.half_m)
    if a.overlaps(b):
        assert nearest <= 2 * step
    else:
        assert nearest >= -1e-9
        assert b.grown(-1e-6).distance_m(points).min() > 0.0


@given(rects, rects)
def test_overlap_does_not_depend_on_the_order(a, b):
    assert a.overlaps(b) == b.overlaps(a)


def test_distance_is_to_the_nearest_edge_or_corner():
    rect = Rect(center_m=(1.0, 0.0), half_m=(1.0, 0.5), turn_rad=math.pi / 2)
    np.testing.assert_allclose(
        rect.distance_m(np.array([[1.0, 2.0], [1.8, 0.0], [1.0, 0.2], [4.5, 5.0]])), [1.0, 0.3, 0.0, 5.0], atol=1e-12
    )


def test_volumes_meet_only_where_height_and_floor_meet():
    low = Volume(rect=Rect(center_m=(0, 0), half_m=(1, 1)), low_m=0.0, high_m=0.5)
    over = Volume(rect=Rect(center_m=(0, 0), half_m=(1, 1)), low_m=0.5, high_m=1.0)
    assert not low.meets(over)
    assert low.meets(Volume(rect=over.rect, low_m=0.4, high_m=1.0))


@pytest.mark.parametrize("wall", WALLS)
def test_what_stands_against_a_wall_touches_it_with_its_back_and_looks_inward(wall):
    shape = block(0.3, 0.5, 0.4)
    pose = against(wall, shape, 2.0, 1.5, 0.2, gap_m=0.0)
    forward = pose.matrix()[:3, 0]
    np.testing.assert_allclose(forward[:2], [math.cos(wall_turn(wall)), math.sin(wall_turn(wall))], atol=1e-12)
    back = transform_points(pose.matrix(), np.array([-0.3, 0.0, 0.0]))
    depth = 2.0 if wall % 2 == 0 else 1.5
    assert float(back[:2] @ forward[:2]) == pytest.approx(-depth)
    assert hull(shape, pose).rect.within(2.0, 1.5)


def test_relations_keep_their_gap_and_never_overlap():
    shape, other = block(0.3, 0.5, 0.4), block(0.2, 0.25, 0.3)
    pose = on_wall(1, 2.0, 2.0, 0.3, off_m=0.3)
    for near in (
        beside(shape, pose, other, 1, 0.1),
        beside(shape, pose, other, -1, 0.1),
        in_front_of(shape, pose, other, 0.1, facing=True),
    ):
        a, b = hull(shape, pose).rect, hull(other, near).rect
        assert not a.overlaps(b)
        assert a.grown(0.0501).overlaps(b.grown(0.0501))
    assert facing(1.0, 0.0, (0.0, 0.0)).matrix()[0, 0] == pytest.approx(-1.0)


def test_chairs_around_a_table_look_at_it_from_its_edge():
    table, chair = block(0.4, 0.8, 0.35), block(0.2, 0.2, 0.22)
    poses = list(around(table, at(0.5, -0.2, 0.0, 0.7), 6, 0.05, chair))
    assert len(poses) == 6
    edge = hull(table, at(0.5, -0.2, 0.0, 0.7)).rect
    for pose in poses:
        front = transform_points(pose.matrix(), np.array([[0.2, 0.0, 0.0], [0.3, 0.0, 0.0]]))
        near, nearer = edge.distance_m(front[:, :2])
        assert near == pytest.approx(0.05, abs=1e-9)
        assert nearer == 0.0


def test_a_plan_refuses_what_overlaps_leaves_the_room_or_stands_in_a_zone():
    plan = FloorPlan(half_x_m=2.0, half_y_m=2.0, height_m=2.5)
    shape = block(0.3, 0.3, 0.4)
    zone = Rect(center_m=(0.0, 1.0), half_m=(0.4, 0.4))
    first = plan.put(Piece(shape=shape, world_from_body=at(0, 0)), zone=zone)
    assert not plan.fits(shape, at(0.5, 0))
    assert plan.fits(shape, at(0.7, 0))
    assert not plan.fits(shape, at(1.8, 0))
    assert not plan.fits(shape, at(0.0, 1.0))
    assert plan.fits(shape, at(0.0, 1.0), heed_zones=False)
    assert not plan.fits(shape, at(0.0, 0.0, 2.2))
    assert plan.fits(shape, at(0.0, 0.0, 0.8), close_to=(first,), heed_zones=False)
    plan.take_back(first)
    assert plan.fits(shape, at(0.0, 1.0))
    with pytest.raises(ValueError, match="last piece"):
        plan.take_back(first)


def test_free_floor_is_what_a_robot_can_reach_without_turning_back():
    plan = FloorPlan(half_x_m=2.0, half_y_m=2.0, height_m=2.5)
    assert plan.free_floor_m2(0.25) == pytest.approx(3.5**2, rel=0.06)
    wall = block(0.1, 1.98, 0.5)
    plan.put(Piece(shape=wall, world_from_body=at(0.5, 0)))
    assert plan.free_floor_m2(0.25) == pytest.approx((2.4 - 0.5) * 3.5, rel=0.1)
    assert len(volumes(wall, at(0, 0))) == 1
