"""What physics may have wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.scene import Scene
from scenes.transforms import Pose
from tests.sim.selftest.planted import Planted


def _moved_z(pose: Pose, by_m: float) -> Pose:
    x, y, z = pose.position_m
    return replace(pose, position_m=(x, y, z + by_m))


class Sinking(Planted):
    """Bodies sink 3 mm into the floor."""

    def settle(self):
        report = self.inner.settle()
        poses = {name: _moved_z(pose, -0.003) for name, pose in report.world_from_body.items()}
        self.inner.place(poses)
        return replace(report, world_from_body=poses)


class NeverFalling(Planted):
    """Calls the scene at rest as it was loaded."""

    def settle(self):
        report = self.inner.settle()
        poses = {b.name: b.world_from_body for b in self.scene.bodies if b.dynamic}
        self.inner.place(poses)
        return replace(report, world_from_body=poses)


class NotWrittenBack(Planted):
    """Settles, but goes on showing the world as it was loaded."""

    def settle(self):
        report = self.inner.settle()
        self.inner.place({b.name: b.world_from_body for b in self.scene.bodies if b.dynamic})
        return report


class OnTheMoon(Planted):
    """Bodies fall at half the speed."""

    def play(self, pushes, times_s):
        return self.inner.play(pushes, [0.7 * t for t in times_s])


class LosesAThing(Planted):
    """Does not load the largest thing of a suite's scene."""

    def load(self, scene: Scene) -> None:
        if scene.id.suite != "selftest":
            largest = max(scene.things, key=lambda b: float(np.prod(b.bounds_m()[1] - b.bounds_m()[0])))
            scene = replace(scene, bodies=tuple(b for b in scene.bodies if b is not largest))
        super().load(scene)
