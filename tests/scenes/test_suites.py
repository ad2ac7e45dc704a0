"""A scene is a pure function of its identity, and what it holds fits the promise of the suite."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.errors import SceneError, UnknownNameError
from scenes.suites import VIEWS_PER_SCENE, make_scene
from scenes.transforms import Pose


def test_the_same_identity_gives_the_same_scene_whatever_was_made_before() -> None:
    first = make_scene("tabletop", split="train", seed=0, index=7).digest()
    make_scene("tabletop", split="test", seed=3, index=1)
    assert make_scene("tabletop", split="train", seed=0, index=7).digest() == first


def test_each_part_of_the_identity_gives_another_scene() -> None:
    base = {"split": "train", "seed": 0, "index": 7, "attempt": 0}
    changes = [{}, {"split": "val"}, {"split": "test"}, {"seed": 1}, {"index": 8}, {"attempt": 1}]
    digests = {make_scene("tabletop", **{**base, **change}).digest() for change in changes}  # type: ignore[arg-type]  # keywords by name
    assert len(digests) == len(changes)


@pytest.mark.parametrize("index", range(12))
def test_a_scene_has_a_room_a_table_three_views_and_three_to_twelve_things(index: int) -> None:
    scene = make_scene("tabletop", split="train", seed=0, index=index)
    assert 3 <= len(scene.things) <= 12
    assert len(scene.cameras) == VIEWS_PER_SCENE
    assert {b.category for b in scene.bodies if not b.dynamic} == {"floor", "wall", "table"}
    assert all(body.dynamic for body in scene.things)
    assert scene.lights


@pytest.mark.parametrize("index", range(6))
def test_things_start_clear_of_each_other_and_above_the_table(index: int) -> None:
    scene = make_scene("tabletop", split="train", seed=0, index=index)
    top = scene.supports[0].center_m[2]
    for body in scene.things:
        corners = np.array(np.meshgrid(*np.array(body.bounds_m()).T)).reshape(3, -1).T
        world = corners @ body.world_from_body.matrix()[:3, :3].T + body.world_from_body.position_m
        assert world[:, 2].min() > top - 0.01, body.name


def test_most_things_are_in_most_views() -> None:
    inside, total = 0, 0
    for index in range(10):
        scene = make_scene("tabletop", split="train", seed=0, index=index)
        for view in scene.cameras:
            world_from_camera = view.world_from_camera.matrix()
            centers = np.array([b.world_from_body.position_m for b in scene.things])
            local = (centers - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
            u, v = view.project(local).T
            inside += int(((u > 0) & (u < view.width) & (v > 0) & (v < view.height) & (local[:, 2] > 0)).sum())
            total += len(centers)
    assert inside / total > 0.6


@pytest.mark.parametrize(
    ("suite", "split", "message"),
    [("tabeltop", "train", "Did you mean 'tabletop'"), ("tabletop", "tests", "Did you mean 'test'")],
)
def test_unknown_names_are_refused_with_the_closest(suite: str, split: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        make_scene(suite, split=split, seed=0, index=0)


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(SceneError, match="must not be negative"):
        make_scene("tabletop", split="train", seed=-1, index=0)


def test_moving_bodies_gives_a_new_scene_and_leaves_the_old_one() -> None:
    scene = make_scene("tabletop", split="train", seed=0, index=0)
    name = scene.things[0].name
    moved = scene.with_poses({name: Pose((9.0, 9.0, 9.0))})
    assert moved.things[0].world_from_body.position_m == (9.0, 9.0, 9.0)
    assert scene.things[0].world_from_body.position_m != (9.0, 9.0, 9.0)
    assert moved.digest() != scene.digest()
