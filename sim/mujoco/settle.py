"""Settling in MuJoCo: single-threaded, from a fresh state, so the same scene ends at the same bits every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import mujoco
import numpy as np

from scenes.errors import SceneError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.transforms import Pose, vec3
from sim._lost import lost_bodies
from sim.backend import SettleReport, SettleRule

_CHECK_STEPS = 5


def settle(model: mujoco.MjModel, data: mujoco.MjData, scene: Scene, rule: SettleRule) -> SettleReport:
    """Steps `data` until the rule is met or its time is up; leaves the bodies moving as they are."""
    before = read_poses(model, data, scene)
    calm_s = 0.0
    speeds = (0.0, 0.0)
    while data.time < rule.max_time_s:
        with _no_log_file():
            mujoco.mj_step(model, data, _CHECK_STEPS)
        speeds = _largest_speeds(data)
        calm = speeds[0] < rule.max_speed_m_s and speeds[1] < rule.max_angular_speed_rad_s
        calm_s = calm_s + _CHECK_STEPS * model.opt.timestep if calm else 0.0
        if not np.isfinite(data.qpos).all() or (calm_s >= rule.hold_s and data.time >= rule.min_time_s):
            break
    if not np.isfinite(data.qpos).all():
        return SettleReport(
            at_rest=False, time_s=data.time, max_speed_m_s=np.inf, max_angular_speed_rad_s=np.inf,
            lost=tuple(before), world_from_body=before,
        )  # fmt: skip
    after = read_poses(model, data, scene)
    return SettleReport(
        at_rest=calm_s >= rule.hold_s,
        time_s=float(data.time),
        max_speed_m_s=speeds[0],
        max_angular_speed_rad_s=speeds[1],
        lost=lost_bodies(scene, before, after, rule),
        wedged=_wedged(model, data, scene, rule),
        world_from_body=after,
    )


def play(
    model: mujoco.MjModel, data: mujoco.MjData, scene: Scene, pushes: Sequence[Push], times_s: Sequence[float]
) -> list[dict[str, Pose]]:
    """Steps `data`, at rest, from the pushes on and returns the poses at each time, to the nearest time step."""
    for push in pushes:
        start = int(model.body(push.body_name).dofadr[0])
        rotation = data.body(push.body_name).xmat.reshape(3, 3)
        data.qvel[start : start + 3] = push.velocity_m_s
        data.qvel[start + 3 : start + 6] = rotation.T @ push.angular_velocity_rad_s  # MuJoCo has it in the body's frame
    poses, done = [], 0
    for time_s in times_s:
        steps = round(time_s / model.opt.timestep)
        if steps > done:
            with _no_log_file():
                mujoco.mj_step(model, data, steps - done)
            done = steps
        if not np.isfinite(data.qpos).all():
            raise SceneError(f"The physics of {scene.id} does not hold {time_s:g} s after the push: leave objects at rest.")
        poses.append(read_poses(model, data, scene))
    return poses


@contextmanager
def _no_log_file() -> Iterator[None]:
    """Keeps MuJoCo from writing its warnings to a file in the working directory; what they tell is in the report."""
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda _: None)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def read_poses(model: mujoco.MjModel, data: mujoco.MjData, scene: Scene) -> dict[str, Pose]:
    """Returns the pose of every dynamic body."""
    poses = {}
    for body in scene.bodies:
        if body.dynamic:
            q = data.qpos[_address(model, body.name) :][:7]
            w, x, y, z = (float(v) for v in (q[3:] if q[3] >= 0 else -q[3:]) / np.linalg.norm(q[3:]))
            poses[body.name] = Pose(vec3(q[:3]), (w, x, y, z))
    return poses


def write_poses(model: mujoco.MjModel, data: mujoco.MjData, world_from_body: Mapping[str, Pose]) -> None:
    """Puts the named dynamic bodies there with no speed, in a state that remembers nothing else."""
    mujoco.mj_resetData(model, data)
    for name, pose in world_from_body.items():
        start = _address(model, name)
        data.qpos[start : start + 3] = pose.position_m
        data.qpos[start + 3 : start + 7] = pose.quaternion_wxyz
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_camlight(model, data)


def _address(model: mujoco.MjModel, body_name: str) -> int:
    return int(model.jnt_qposadr[model.body(body_name).jntadr[0]])


def _largest_speeds(data: mujoco.MjData) -> tuple[float, float]:
    velocity = data.qvel.reshape(-1, 6)
    if not len(velocity):
        return 0.0, 0.0
    speed, angular = np.linalg.norm(velocity[:, :3], axis=1), np.linalg.norm(velocity[:, 3:], axis=1)
    return float(speed.max()), float(angular.max())


def _wedged(model: mujoco.MjModel, data: mujoco.MjData, scene: Scene, rule: SettleRule) -> tuple[str, ...]:
    mujoco.mj_forward(model, data)
    deep = [contact.geom for contact in data.contact[: data.ncon] if contact.dist < -rule.max_depth_m]
    bodies = {int(model.geom_bodyid[geom]) for pair in deep for geom in pair}
    return tuple(body.name for body in scene.bodies if body.dynamic and model.body(body.name).id in bodies)
