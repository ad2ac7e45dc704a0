"""Rooms of the household suite: pure functions of their id, furnished by relations, with floor to drive on."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

from scenes.footprints import Rect, Volume
from scenes.scene import Body, Scene
from scenes.suites import VIEWS_PER_SCENE, make_scene
from scenes.taxonomy import TAXONOMY
from scenes.transforms import transform_points

_SPEC = importlib.util.spec_from_file_location("household_scenes", Path(__file__).parent / "household_scenes.py")
assert _SPEC is not None
assert _SPEC.loader is not None
rooms = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(rooms)

ESSENTIAL = {
    "kitchen": {"oven", "sink", "counter", "cabinet"}, "dining": {"dining table"}, "living": {"couch"},
    "bedroom": {"bed"}, "office": {"table"}, "bathroom": {"toilet", "sink"},
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", rooms.ROOMS)


def boxes(body: Body) -> list[Volume]:
    """Returns the prism about each collider of a body, in the world."""
    return [_box(body, collider) for collider in body.colliders]


def _box(body, collider):
    a, b, c = collider.size_m
    half = {"box": (a, b, c), "sphere": (a, a, a), "cylinder": (a, a, b), "capsule": (a, a, a + b)}[collider.kind]
    signs = np.array(np.meshgrid(*((-1, 1),) * 3)).reshape(3, -1).T
    world = transform_points(body.world_from_body.matrix() @ collider.body_from_collider.matrix(), signs * half)
    low, high = world.min(axis=0), world.max(axis=0)
    rect = Rect(center_m=tuple((low + high)[:2] / 2), half_m=tuple((high - low)[:2] / 2))
    return Volume(rect=rect, low_m=float(low[2]), high_m=float(high[2]))


def inner(scene: Scene) -> tuple[float, float]:
    """Returns the inner half edges of the room."""
    walls = {b.name: b.world_from_body.position_m for b in scene.bodies if b.category == "wall"}
    return walls["wall_east"][0] - 0.05, walls["wall_north"][1] - 0.05


def test_the_same_id_gives_the_same_scene_in_any_order():
    order = [(0, "train"), (1, "train"), (0, "test")]
    first = {key: make_scene("household", split=key[1], seed=1, index=key[0]).digest() for key in order}
    again = {key: make_scene("household", split=key[1], seed=1, index=key[0]).digest() for key in reversed(order)}
    assert first == again
    assert len(set(first.values())) == len(order)


@KINDS
def test_a_room_has_what_its_kind_needs_and_a_whole_shell(kind):
    scene = rooms.room_scene(kind)
    categories = {body.category for body in scene.bodies}
    assert ESSENTIAL[kind] <= categories
    assert {"floor", "ceiling", "wall", "door", "window"} <= categories
    assert len(scene.cameras) == VIEWS_PER_SCENE
    assert all(body.dynamic or TAXONOMY.named(body.category).kind != "void" for body in scene.bodies)
    assert scene.lights


@KINDS
def test_everything_is_inside_the_room(kind):
    scene = rooms.room_scene(kind)
    half_x, half_y = inner(scene)
    for body in scene.bodies:
        if body.category in ("floor", "ceiling", "wall"):
            continue
        corners = np.concatenate(
            [transform_points(body.world_from_body.matrix(), part.mesh.vertices) for part in body.parts]
        )
        assert np.abs(corners[:, 0]).max() < half_x + 1e-6, body.name
        assert np.abs(corners[:, 1]).max() < half_y + 1e-6, body.name
        assert corners[:, 2].min() > -1e-6, body.name


@KINDS
def test_cameras_are_at_a_robots_height_over_free_floor_and_outside_of_everything(kind):
    scene = rooms.room_scene(kind)
    half_x, half_y = inner(scene)
    solids = [(body.name, volume) for body in scene.bodies for volume in boxes(body) if not body.dynamic]
    for camera in scene.cameras:
        eye = np.array(camera.world_from_camera.position_m)
        assert 0.29 < eye[2] < 1.61
        assert abs(eye[0]) < half_x - 0.1
        assert abs(eye[1]) < half_y - 0.1
        for name, volume in solids:
            beside = float(volume.rect.distance_m(eye[:2])) > 0.05 or not volume.low_m < eye[2] < volume.high_m
            assert beside, (camera.name, name)


@KINDS
def test_cameras_see_things(kind):
    scene = rooms.room_scene(kind)
    for camera in scene.cameras:
        camera_from_world = np.linalg.inv(camera.world_from_camera.matrix())
        middles = np.array([transform_points(b.world_from_body.matrix(), sum(b.bounds_m()) / 2) for b in scene.things])
        local = transform_points(camera_from_world, middles)
        u, v = camera.project(local[local[:, 2] > 0.1]).T
        assert ((u > 0) & (u < camera.width) & (v > 0) & (v < camera.height)).sum() >= 1


def test_chairs_at_a_table_look_at_it_and_people_sit_on_seats():
    seated, looking = 0, []
    for index in range(2):
        scene = rooms.room_scene("dining", index)
        table = next(b for b in scene.bodies if b.category == "dining table").world_from_body.position_m
        for body in scene.bodies:
            x, y, _ = body.world_from_body.position_m
            if body.category == "chair" and math.dist((x, y), table[:2]) < 1.35:
                toward = np.array([table[0] - x, table[1] - y])
                looking.append(float(body.world_from_body.matrix()[:2, 0] @ toward / np.linalg.norm(toward)))
            if body.category == "person" and body.bounds_m()[1][2] < 1.45:
                seats = [b for b in scene.bodies if b.category in ("chair", "bench", "couch")]
                assert min(math.dist((x, y), s.world_from_body.position_m[:2]) for s in seats) < 1.0
                seated += 1
    assert seated >= 1
    assert np.median(looking) > 0.8


def test_beds_couches_and_cupboards_stand_against_walls():
    for kind, category in (("bedroom", "bed"), ("living", "couch"), ("office", "table")):
        scene = rooms.room_scene(kind)
        half = np.array(inner(scene))
        body = next(b for b in scene.bodies if b.category == category)
        low, _ = body.bounds_m()
        back = transform_points(body.world_from_body.matrix(), np.array([low[0], 0.0, 0.0]))[:2]
        assert (half - np.abs(back)).min() < 0.05, category


@KINDS
def test_a_robot_has_floor_to_drive_on(kind):
    import cv2

    scene = rooms.room_scene(kind)
    half_x, half_y = inner(scene)
    grid = np.stack(
        np.meshgrid(np.arange(-half_x, half_x, 0.1), np.arange(-half_y, half_y, 0.1), indexing="ij"), axis=-1
    )
    free = (np.abs(grid) < (half_x - 0.25, half_y - 0.25)).all(axis=-1)
    for body in scene.bodies:
        for volume in boxes(body):
            if (
                body.category not in ("floor", "wall", "ceiling")
                and not body.dynamic
                and volume.high_m > 0.03
                and volume.low_m < 1.6
            ):
                free &= volume.rect.distance_m(grid) > 0.25
    _, _, stats, _ = cv2.connectedComponentsWithStats(free.astype(np.uint8), connectivity=4)
    assert stats[1:, cv2.CC_STAT_AREA].max() * 0.01 > 1.2


def test_every_kind_of_room_and_most_categories_come_up():
    seen = {b.category for kind in rooms.ROOMS for b in rooms.room_scene(kind).bodies}
    assert {
        c.name
        for c in TAXONOMY.things
        if c.name in ("chair", "couch", "bed", "dining table", "oven", "toilet", "person", "lamp", "sink")
    } <= seen
    assert {
        "floor",
        "wall",
        "ceiling",
        "window",
        "door",
        "curtain",
        "rug",
        "cabinet",
        "counter",
        "shelf",
        "table",
    } <= seen
