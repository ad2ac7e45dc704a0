"""Physics against paper: a dropped cube rests at half its height, a crooked stack lies flat, and a free fall takes its time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenes.motion import Push
from scenes.transforms import Pose, rotation_from_quaternion
from sim.backend import SettleReport
from sim.selftest.bench import Bench
from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Expected
from sim.selftest.stage import Stage, physics_stage
from sim.selftest.verdict import Outcome, all_of, within

_CUBE_MM, _STACK_MM, _TILT_DEG, _FALL_MM, _OVERLAP = 1.0, 2.0, 1.0, 5.0, 0.95
_GRAVITY_M_S2 = 9.81
_BRICKS = ("brick_0", "brick_1", "brick_2")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """The physics stage after it settled: what the backend reports, what it then shows, and what that must look like."""

    stage: Stage
    report: SettleReport
    seen: Evidence
    expected: Expected


def cube_comes_to_rest(bench: Bench) -> Outcome:
    """A cube dropped from 5 cm comes to rest by the settle rule, upright, its middle half its height above the floor."""
    settled = _settled(bench)
    report, pose = settled.report, settled.report.world_from_body["cube"]
    half_m = settled.stage.solids["cube"].half_m[2]
    told = report.reason() or f"at rest after {report.time_s:.2f} s"
    accepted = Outcome(expected="at rest, nothing lost", got=told, holds=report.accepted)
    height = Outcome(
        expected=f"{1e3 * half_m:.1f} mm above the floor",
        got=f"{1e3 * pose.position_m[2]:.2f} mm above the floor",
        tolerance=f"{_CUBE_MM:g} mm",
        holds=1e3 * abs(pose.position_m[2] - half_m) <= _CUBE_MM,
    )
    return all_of(accepted, height, within("upright", _tilt_deg(pose), _TILT_DEG, "deg", what="tilted by"))


def stack_lies_flat(bench: Bench) -> Outcome:
    """Three bricks that are let go crooked above each other end flat, each on the one below."""
    settled = _settled(bench)
    poses = [settled.report.world_from_body[name] for name in _BRICKS]
    half_m = settled.stage.solids[_BRICKS[0]].half_m[2]
    known = half_m * (2 * np.arange(len(poses)) + 1)
    heights = np.array([pose.position_m[2] for pose in poses])
    told = ", ".join(f"{1e3 * h:.1f}" for h in known)
    return all_of(
        within(f"at {told} mm", 1e3 * float(np.abs(heights - known).max()), _STACK_MM, "mm"),
        within("flat", max(_tilt_deg(pose) for pose in poses), _TILT_DEG, "deg", what="tilted by"),
    )


def settled_is_seen(bench: Bench) -> Outcome:
    """The frame after settling shows every body at the pose that the report gives."""
    settled = _settled(bench)
    overlaps = {}
    for name in settled.expected.things:
        known = settled.expected.visible(name)
        found = settled.seen.mask(name)
        overlaps[name] = float((known & found).sum() / max(int((known | found).sum()), 1))
    worst = min(overlaps, key=lambda name: overlaps[name])
    return Outcome(
        expected="each body where the report says", got=f"overlap {overlaps[worst]:.3f} at least ({worst})",
        tolerance=f"overlap {_OVERLAP}", holds=overlaps[worst] >= _OVERLAP,
    )  # fmt: skip


def free_fall(bench: Bench) -> Outcome:
    """A pushed cube in the air falls by g t^2 / 2 and keeps its speed sideways; afterwards it stands where it stood."""
    settled = _settled(bench)
    bench.put_on(settled.stage)
    start, speed_m_s, times_s = Pose((-0.2, 0.0, 0.5)), 0.4, (0.1, 0.2)
    bench.place({"cube": start})
    shown = bench.look(settled.stage.camera("rest"))
    poses = bench.backend.play([Push(body_name="cube", velocity_m_s=(speed_m_s, 0.0, 0.0))], times_s)
    worst_m = 0.0
    for time_s, moment in zip(times_s, poses, strict=True):
        known = np.add(start.position_m, (speed_m_s * time_s, 0.0, -_GRAVITY_M_S2 * time_s**2 / 2))
        worst_m = max(worst_m, float(np.abs(np.subtract(moment["cube"].position_m, known)).max()))
    again = bench.look(settled.stage.camera("rest"))
    same = np.array_equal(shown.frame.truth.instance, again.frame.truth.instance)
    back = Outcome(expected="then where it stood", got="where it stood" if same else "it stays elsewhere", holds=same)
    return all_of(within("by g t^2 / 2 and v t", 1e3 * worst_m, _FALL_MM, "mm"), back)


def _settled(bench: Bench) -> Settled:
    if "settled" not in bench.memo:
        stage = physics_stage()
        bench.put_on(stage)
        report = bench.backend.settle()
        bench.moved(report.world_from_body)
        camera = stage.camera("rest")
        bench.memo["settled"] = Settled(stage=stage, report=report, seen=bench.look(camera), expected=bench.expect(camera))
    settled: Settled = bench.memo["settled"]
    return settled


def _tilt_deg(pose: Pose) -> float:
    """Returns the angle between the body's z axis and the world's."""
    return math.degrees(math.acos(float(np.clip(rotation_from_quaternion(pose.quaternion_wxyz)[2, 2], -1.0, 1.0))))
