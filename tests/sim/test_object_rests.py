"""Every small object comes to rest from each of its rests and neither sinks into the table nor floats over it."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.objects import generators
from scenes.objects.shape import cylinder, slab
from scenes.scene import Collider
from scenes.transforms import Pose, quaternion_about
from tests.sim.settled_objects import lowest_point_m, settle_all

SMALL = (
    "apple", "backpack", "banana", "book", "bottle", "bowl", "box", "broccoli", "cake", "can", "carrot", "cell phone",
    "clock", "cup", "donut", "fork", "hair drier", "keyboard", "knife", "laptop", "mouse", "orange", "pizza", "plate",
    "remote", "sandwich", "scissors", "spoon", "sports ball", "teddy bear", "toothbrush", "vase", "wine glass",
)  # fmt: skip
# What is seen may sink by the first and float by the second, in metres. Three objects of version 1 of the tabletop
# suite, which is frozen, do worse where their collider leaves a shoulder or a rim out.
SINKS_FLOATS = {"apple": (0.0055, 0.0015), "bowl": (0.001, 0.002), "cup": (0.0015, 0.0015)}
DEFAULT = (0.001, 0.0015)


def test_every_small_generator_is_here() -> None:
    assert set(SMALL) <= set(generators())


@pytest.mark.parametrize("category", SMALL)
@pytest.mark.parametrize(("split", "seeds"), [("train", (0, 1, 2)), ("test", (0,))])
def test_it_rests_on_what_is_seen_of_it(category: str, split: str, seeds: tuple[int, ...]) -> None:
    at_rest, results = settle_all([category], seeds, split)
    assert at_rest
    sinks, floats = SINKS_FLOATS.get(category, DEFAULT)
    for result in results:
        assert -0.001 < result.collider_m < 0.0005, result
        assert -sinks < result.visible_m < floats, result
        assert result.moved_m < 0.15, result


@pytest.mark.parametrize("kind", ["box", "cylinder", "capsule", "sphere"])
def test_the_lowest_point_is_that_of_points_on_the_surface(kind: str) -> None:
    rng = np.random.default_rng(4)
    half = (0.03, 0.05, 0.07)
    pose = Pose((0.1, -0.2, 0.5), quaternion_about((0.3, -0.4, 0.8), 1.1))
    own = Pose((0.02, 0.01, -0.03), quaternion_about((1.0, 0.2, 0.0), 0.6))
    collider = Collider(kind=kind, size_m=half, body_from_collider=own)  # type: ignore[arg-type]  # one of the four
    direction = rng.normal(size=(60000, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    a, b, c = half
    if kind == "box":
        local = np.sign(direction) * [a, b, c]
    elif kind == "sphere":
        local = a * direction
    elif kind == "capsule":
        local = a * direction + np.sign(direction[:, 2:]) * [0, 0, b]
    else:
        ring = direction[:, :2] / np.linalg.norm(direction[:, :2], axis=1, keepdims=True)
        local = np.column_stack([a * ring, b * np.sign(direction[:, 2])])
    matrix = pose.matrix() @ own.matrix()
    heights = local @ matrix[2, :3] + matrix[2, 3]
    assert lowest_point_m(collider, pose) == pytest.approx(heights.min(), abs=2e-5)


def test_helpers_stand_on_zero() -> None:
    assert lowest_point_m(cylinder(0.1, 0.0, 0.3), Pose()) == pytest.approx(0.0)
    assert lowest_point_m(slab((0.1, 0.2, 0.3), (0.0, 0.0, 0.3)), Pose()) == pytest.approx(0.0)
