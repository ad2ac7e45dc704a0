"""The FAKE Kit: one stage, one timeline, one settings dictionary; PhysX is MuJoCo here, and so is RTX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scenes.transforms import Pose
from scenes.usd_read import read_scene
from sim.mujoco.backend import MujocoBackend


class FakeKit:
    """What runs behind the fake modules; a test may look into it and make it misbehave.

    stale_steps: so many coming steps give data of the world as it was before them; stale_pixels_only keeps
    camera_params and bounding_box_3d honest while the pictures lag.
    """

    def __init__(self, version: str = "6.2.0") -> None:
        self.version = version
        self.settings: dict[str, Any] = {"/omni/replicator/captureOnPlay": True}
        self.stage: Any = None
        self.timeline = FakeTimeline(self)
        self.rng = np.random.default_rng(7)
        self.stale_steps = 0
        self.stale_pixels_only = False
        self.steps: list[dict[str, Any]] = []
        self.launch_config: dict[str, Any] = {}
        self.renderer = MujocoBackend()
        self.alive_products = 0
        self.annotators_attached = 0
        self.opened = 0
        self.seeds: list[int] = []

    def open_stage(self, url: str) -> bool:
        """Opens a stage file; annotators still attached to the last one are the caller's mistake."""
        from pxr import Usd

        if self.alive_products or self.annotators_attached:
            raise RuntimeError("the fake: a stage was opened while render products or annotators of the last one are alive")
        if not Path(url).exists():
            return False
        self.stage = Usd.Stage.Open(url)
        self.scene = read_scene(Path(url)).scene
        self.renderer.load(self.scene)
        self.opened += 1
        return True

    def poses(self) -> dict[str, Pose]:
        """Reads where the stage has its bodies."""
        from pxr import UsdGeom

        cache, found = UsdGeom.XformCache(), {}
        for body in self.scene.bodies:
            prim = self.stage.GetPrimAtPath(f"/World/{body.name}")
            found[body.name] = Pose.from_matrix(np.array(cache.GetLocalToWorldTransform(prim), dtype=np.float64).T)
        return found

    def update(self) -> None:
        """One update of the application."""
        self.timeline.advance()

    def close(self) -> None:
        self.renderer.close()


class FakeTimeline:
    """The FAKE timeline: playing moves the dynamic bodies by MuJoCo and writes poses and speeds to the stage, as PhysX does."""

    def __init__(self, kit: FakeKit) -> None:
        self._kit = kit
        self._playing = False
        self._pending: bool | None = None
        self._time_s, self._rate = 0.0, 60.0
        self._end_s, self._looping = 1.0, True  # as Kit has it for a stage without an end
        self._start: dict[str, Pose] = {}

    def play(self) -> None:
        self._pending = True

    def stop(self) -> None:
        self._pending = False

    def commit(self) -> None:
        if self._pending is True and not self._playing:
            self._begin()
        elif self._pending is False:
            if self._playing:
                self._write(self._start, None)  # stopping resets the stage
            self._time_s = 0.0
        self._playing, self._pending = bool(self._pending), None

    def is_playing(self) -> bool:
        return self._playing

    def get_current_time(self) -> float:
        return self._time_s

    def set_time_codes_per_second(self, time_codes_per_second: float) -> None:
        self._rate = time_codes_per_second

    def set_current_time(self, time: float) -> None:
        self._time_s = time

    def set_end_time(self, end_time: float) -> None:
        self._end_s = end_time

    def set_looping(self, looping: bool) -> None:
        self._looping = looping

    def advance(self) -> None:
        if not self._playing:
            return
        if self._time_s + 1 / self._rate > self._end_s + 1e-9:
            if not self._looping:
                self._playing = False
                return
            self._time_s = 0.0
        import mujoco

        from sim.mujoco.settle import read_poses

        model, data = self._model, self._data
        mujoco.mj_step(model, data, max(1, round(1 / self._rate / model.opt.timestep)))
        self._time_s += 1 / self._rate
        self._write(read_poses(model, data, self._kit.scene), data)

    def _begin(self) -> None:
        import mujoco

        from sim.mujoco.model import build_model
        from sim.mujoco.settle import write_poses

        scene = self._kit.scene
        self._start = {name: pose for name, pose in self._kit.poses().items() if self._is_dynamic(name)}
        self._model = build_model(scene)
        self._data = mujoco.MjData(self._model)
        write_poses(self._model, self._data, self._start)
        for name in self._start:
            velocity, angular = self._velocities(name)
            address = int(self._model.body(name).dofadr[0])
            rotation = self._data.body(name).xmat.reshape(3, 3)
            self._data.qvel[address : address + 3] = velocity.Get() or (0, 0, 0)
            self._data.qvel[address + 3 : address + 6] = rotation.T @ np.radians(angular.Get() or (0, 0, 0))

    def _is_dynamic(self, name: str) -> bool:
        return next(b.dynamic for b in self._kit.scene.bodies if b.name == name)

    def _velocities(self, name: str) -> tuple[Any, Any]:
        from pxr import UsdPhysics

        body = UsdPhysics.RigidBodyAPI(self._kit.stage.GetPrimAtPath(f"/World/{name}"))
        return body.CreateVelocityAttr(), body.CreateAngularVelocityAttr()

    def _write(self, poses: dict[str, Pose], data: Any) -> None:
        from pxr import Gf, UsdGeom

        for name, pose in poses.items():
            ops = UsdGeom.Xformable(self._kit.stage.GetPrimAtPath(f"/World/{name}")).GetOrderedXformOps()
            ops[0].Set(Gf.Vec3d(*pose.position_m))
            ops[1].Set(Gf.Quatd(*pose.quaternion_wxyz))
            if data is not None:
                address = int(self._model.body(name).dofadr[0])
                speed = data.qvel[address : address + 3]
                spin = np.degrees(data.body(name).xmat.reshape(3, 3) @ data.qvel[address + 3 : address + 6])
                velocity, angular = self._velocities(name)
                velocity.Set(Gf.Vec3f(*map(float, speed)))
                angular.Set(Gf.Vec3f(*map(float, spin)))
