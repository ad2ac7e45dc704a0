"""PhysX settles by the same rule as every backend: the timeline runs in fixed steps until bodies rest or time is up.

Poses and speeds are read back from USD, which PhysX is told to write. Its replay is not promised to be the same twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scenes.errors import SceneError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.transforms import Pose
from sim._labels import prim_path
from sim._lost import lost_bodies
from sim.backend import SettleReport, SettleRule
from sim.isaac.app import Running
from sim.isaac.kit import Settings, Timeline
from sim.isaac.stage import OpenedStage

if TYPE_CHECKING:
    from typing_extensions import Self

_UPDATES_PER_S = 100
_STEPS_PER_S = 500
_SCENE = "/World/PhysicsScene"
_LONGEST_S = 3600.0
# A timeline that does not go on would be waited for for ever.
_STUCK_UPDATES = 200


class PhysxWorld:
    """The dynamic bodies of an opened stage under PhysX."""

    def __init__(self, running: Running, stage: OpenedStage, scene: Scene) -> None:
        """Tells PhysX to step finely and alike every time, and to write what it does to USD."""
        self._running, self._stage, self._scene = running, stage, scene
        self._names = [body.name for body in scene.bodies if body.dynamic]
        _prepare(stage)

    def settle(self, start: Mapping[str, Pose], rule: SettleRule) -> SettleReport:
        """Runs from these poses at rest until the rule is met; the stage then shows the poses of the report."""
        time_s, calm_s, speeds = 0.0, 0.0, (0.0, 0.0)
        with _Playing(self._running) as clock:
            while time_s < rule.max_time_s:
                before, time_s = time_s, clock.tick()
                speeds = self._speeds()
                calm = speeds[0] < rule.max_speed_m_s and speeds[1] < rule.max_angular_speed_rad_s
                calm_s = calm_s + time_s - before if calm else 0.0
                if calm_s >= rule.hold_s and time_s >= rule.min_time_s:
                    break
            after = self._poses()
        self._stop(after)
        return SettleReport(
            at_rest=calm_s >= rule.hold_s, time_s=time_s, max_speed_m_s=speeds[0], max_angular_speed_rad_s=speeds[1],
            lost=lost_bodies(self._scene, start, after, rule), world_from_body=after,
        )  # fmt: skip

    def play(
        self, start: Mapping[str, Pose], pushes: Sequence[Push], times_s: Sequence[float]
    ) -> list[dict[str, Pose]]:
        """Returns the poses at each time after the pushes, to the nearest update; the stage then shows `start` again."""
        from pxr import Gf

        for push in pushes:
            velocity, angular = self._velocities(push.body_name)
            velocity.Set(Gf.Vec3f(*push.velocity_m_s))
            angular.Set(Gf.Vec3f(*(math.degrees(v) for v in push.angular_velocity_rad_s)))
        poses: list[dict[str, Pose]] = []
        with _Playing(self._running) as clock:
            time_s = 0.0
            for wanted in times_s:
                while time_s < wanted - 0.5 / _UPDATES_PER_S:
                    time_s = clock.tick()
                poses.append(self._poses() if wanted > 0 else dict(start))
        self._stop(start)
        return poses

    def _stop(self, world_from_body: Mapping[str, Pose]) -> None:
        """Puts the bodies there at rest: stopping the timeline puts them back where they were let go."""
        from pxr import Gf

        self._stage.place(world_from_body)
        for name in self._names:
            for attribute in self._velocities(name):
                attribute.Set(Gf.Vec3f(0.0))

    def _velocities(self, name: str) -> tuple[Any, Any]:
        """Returns the attributes of velocity (m/s) and angular velocity (degrees/s), both in the world."""
        from pxr import UsdPhysics

        body = UsdPhysics.RigidBodyAPI(self._stage.prim(prim_path(name)))
        return body.CreateVelocityAttr(), body.CreateAngularVelocityAttr()

    def _speeds(self) -> tuple[float, float]:
        values = [[a.Get() or (0.0, 0.0, 0.0) for a in self._velocities(name)] for name in self._names]
        if not values:
            return 0.0, 0.0
        lengths = np.linalg.norm(np.array(values, dtype=np.float64), axis=-1)
        return float(lengths[:, 0].max()), math.radians(float(lengths[:, 1].max()))

    def _poses(self) -> dict[str, Pose]:
        from pxr import Usd, UsdGeom

        poses = {}
        for name in self._names:
            xform = UsdGeom.Xformable(self._stage.prim(prim_path(name)))
            row_vector = np.array(xform.ComputeLocalToWorldTransform(Usd.TimeCode.Default()), dtype=np.float64)
            if not np.isfinite(row_vector).all():
                raise SceneError(f"PhysX lost {name} of {self._scene.id}: its pose is no number.")
            poses[name] = Pose.from_matrix(row_vector.reshape(4, 4).T)
        return poses


class _Playing:
    """The timeline while it plays; `tick` renders nothing that is kept and returns the simulated seconds so far."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def __enter__(self) -> Self:
        import omni.timeline

        self._timeline: Timeline = omni.timeline.get_timeline_interface()
        # A stage without an end has one of a second or less, where a timeline that loops begins again at 0.
        self._timeline.set_looping(False)
        self._timeline.set_current_time(0.0)
        self._timeline.set_end_time(_LONGEST_S)
        self._timeline.set_time_codes_per_second(float(_UPDATES_PER_S))
        self._timeline.play()
        self._timeline.commit()
        self._start_s = float(self._timeline.get_current_time())
        return self

    def tick(self) -> float:
        before = now = float(self._timeline.get_current_time())
        for _ in range(_STUCK_UPDATES):
            self._running.app.update()
            now = float(self._timeline.get_current_time())
            if now > before:
                return now - self._start_s
        raise SceneError(
            f"Isaac Sim's timeline stands still after {_STUCK_UPDATES} updates: settle with MuJoCo (physics=settled)."
        )

    def __exit__(self, *_: object) -> None:
        self._timeline.stop()
        self._timeline.commit()


def _prepare(stage: OpenedStage) -> None:
    import carb.settings
    from pxr import Sdf

    settings: Settings = carb.settings.get_settings()
    for path, value in {
        "/app/player/useFixedTimeStepping": True,
        "/physics/updateToUsd": True,
        "/physics/updateVelocitiesToUsd": True,
    }.items():
        settings.set(path, value)
    scene = stage.prim(_SCENE)
    scene.AddAppliedSchema("PhysxSceneAPI")
    for name, kind, setting in (
        ("timeStepsPerSecond", Sdf.ValueTypeNames.UInt, _STEPS_PER_S),
        ("enableEnhancedDeterminism", Sdf.ValueTypeNames.Bool, True),
        ("enableGPUDynamics", Sdf.ValueTypeNames.Bool, False),
        ("enableStabilization", Sdf.ValueTypeNames.Bool, True),
        ("broadphaseType", Sdf.ValueTypeNames.Token, "MBP"),
        ("solverType", Sdf.ValueTypeNames.Token, "TGS"),
    ):
        scene.CreateAttribute(f"physxScene:{name}", kind).Set(setting)
