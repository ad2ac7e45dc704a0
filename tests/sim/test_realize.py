"""Scenes that settle: retried in order, counted by reason, and the same whenever they are made."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scenes.camera import Camera
from scenes.errors import SceneError
from scenes.scene import Scene
from scenes.suites import make_scene
from scenes.transforms import Pose
from sim.backend import SettleReport, SettleRule, open_backend
from sim.frame import Frame
from sim.mujoco.backend import MujocoBackend
from sim.realize import realize


class Scripted:
    """A backend that gives the reports that it was told to, and remembers what it was asked."""

    name = "scripted"

    def __init__(self, reports: Sequence[SettleReport]) -> None:
        self._reports = iter(reports)
        self.loaded: list[Scene] = []

    def load(self, scene: Scene) -> None:
        self.loaded.append(scene)

    def settle(self) -> SettleReport:
        return next(self._reports)

    def render(self, camera: Camera) -> Frame:
        raise NotImplementedError

    def close(self) -> None:
        pass


def report(*, at_rest: bool = True, lost: tuple[str, ...] = (), poses: dict[str, Pose] | None = None) -> SettleReport:
    return SettleReport(
        at_rest=at_rest,
        time_s=1.0,
        max_speed_m_s=0.5,
        max_angular_speed_rad_s=0.0,
        lost=lost,
        world_from_body=poses or {},
    )


def test_the_first_attempt_that_settles_is_taken() -> None:
    rejected = [report(lost=("cup_01",)), report(at_rest=False), report(at_rest=False)]
    name = make_scene("tabletop", split="val", seed=3, index=4, attempt=3).things[0].name
    pose = Pose((0.1, 0.2, 0.3))
    backend = Scripted([*rejected, report(poses={name: pose})])
    scene, counts = realize(backend, "tabletop", split="val", seed=3, index=4)
    assert counts == {"lost a body": 1, "not at rest": 2}
    assert [s.id.attempt for s in backend.loaded] == [0, 1, 2, 3]
    assert len({s.digest() for s in backend.loaded}) == 4
    assert scene.id.attempt == 3
    assert scene.things[0].world_from_body == pose


def test_it_gives_up_with_the_last_reason() -> None:
    backend = Scripted([report(at_rest=False), report(lost=("cup_01", "fork_02"))])
    with pytest.raises(SceneError, match=r"2 attempts.*lost cup_01, fork_02"):
        realize(backend, "tabletop", split="test", seed=0, index=0, max_attempts=2)


def test_a_scene_is_a_function_of_its_arguments() -> None:
    backend = open_backend("mujoco")
    try:
        forward = [realize(backend, "tabletop", split="train", seed=7, index=i)[0].digest() for i in range(4)]
        backward = [
            realize(backend, "tabletop", split="train", seed=7, index=i)[0].digest() for i in reversed(range(4))
        ]
    finally:
        backend.close()
    assert forward == backward[::-1]
    assert len(set(forward)) == 4


def test_what_is_jammed_into_another_is_made_again():
    backend = open_backend("mujoco")
    try:
        scene, rejected = realize(backend, "tabletop", split="test", seed=0, index=77)
        lenient = MujocoBackend(SettleRule(max_depth_m=0.01))
        jammed, none = realize(lenient, "tabletop", split="test", seed=0, index=77)
        lenient.close()
    finally:
        backend.close()
    assert (scene.id.attempt, rejected) == (1, {"wedged": 1})
    assert (jammed.id.attempt, none) == (0, {})
