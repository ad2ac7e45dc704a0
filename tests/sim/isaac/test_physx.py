"""Settling by PhysX under the same stop rule as every backend, on the FAKE, whose timeline ends and loops as Kit's does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scenes.errors import SceneError
from scenes.motion import Push
from scenes.transforms import Pose
from sim.backend import SettleRule
from sim.isaac.backend import IsaacBackend
from sim.isaac.settings import IsaacSettings
from tests.sim.isaac.fake_replicator import installed
from tests.sim.little_scenes import ball, block, camera_above, floor, ring, scene_of

DROPPED = scene_of(floor(), block("box_01", (0.03,) * 3, (0.0, 0.0, 0.2), dynamic=True))


@pytest.fixture(scope="module")
def kit():
    with installed() as fake:
        yield fake


def opened(rule: SettleRule | None = None) -> IsaacBackend:
    return IsaacBackend(IsaacSettings(physics="physx"), rule=rule)


def test_a_dropped_box_rests_by_the_rule_and_stays_there(kit):
    backend = opened()
    backend.load(DROPPED)
    report = backend.settle()
    assert report.accepted, report.reason()
    assert 0.3 <= report.time_s < 2.0
    assert report.max_speed_m_s < 0.01
    assert report.world_from_body["box_01"].position_m[2] == pytest.approx(0.03, abs=2e-3)
    # Stopping the timeline resets the stage: the report's poses are put back.
    frame = backend.render(camera_above())
    assert frame.truth.objects[0].world_from_body == report.world_from_body["box_01"]
    assert kit.settings["/app/player/useFixedTimeStepping"] is True
    assert not kit.timeline.is_playing()
    backend.close()


@pytest.mark.parametrize(
    ("rule", "least_s", "at_rest"),
    [
        (SettleRule(min_time_s=1.5), 1.5, True), (SettleRule(hold_s=0.9), 0.9, True),
        (SettleRule(max_time_s=0.12), 0.12, False), (SettleRule(max_speed_m_s=0.0, max_time_s=1.3), 1.3, False),
    ],
    ids=["not before", "held", "not after", "never calm"],
)  # fmt: skip
def test_each_part_of_the_rule_counts_also_beyond_a_second(kit, rule, least_s, at_rest):
    backend = opened(rule)
    backend.load(DROPPED)
    report = backend.settle()
    assert (report.at_rest, report.accepted) == (at_rest, at_rest)
    assert report.time_s >= least_s - 0.011
    assert report.time_s <= rule.max_time_s + 0.011
    backend.close()


def test_what_falls_off_is_lost_and_a_ball_stays_in_its_ring(kit):
    backend = opened()
    backend.load(scene_of(floor(half_m=0.3), block("gone", (0.03,) * 3, (0.8, 0.0, 0.03), dynamic=True)))
    assert backend.settle().lost == ("gone",)
    backend.load(scene_of(floor(), ring(0.1, 0.06), ball("orange_01", 0.03, (0.05, 0.02, 0.15), dynamic=True)))
    report = backend.settle()
    assert report.accepted, report.reason()
    assert math.hypot(*report.world_from_body["orange_01"].position_m[:2]) < 0.071
    backend.close()


def test_a_push_is_played_in_degrees_a_second_and_undone(kit):
    backend = opened()
    backend.load(scene_of(block("cube", (0.05,) * 3, (0.0, 0.0, 1.0), dynamic=True)))
    push = Push(body_name="cube", velocity_m_s=(0.4, 0.0, 0.0), angular_velocity_rad_s=(0.0, 0.0, 1.0))
    start, later = backend.play([push], [0.0, 0.2])
    assert start["cube"].position_m == (0.0, 0.0, 1.0)
    np.testing.assert_allclose(later["cube"].position_m, (0.08, 0.0, 1.0 - 9.81 * 0.02), atol=5e-3)
    assert 2 * math.asin(later["cube"].quaternion_wxyz[3]) == pytest.approx(0.2, abs=5e-3)
    seen = backend.render(camera_above(2.0)).truth.objects[0].world_from_body
    assert seen.position_m == (0.0, 0.0, 1.0)
    backend.close()


def test_what_was_moving_when_time_was_up_is_at_rest_again(kit):
    backend = opened(SettleRule(max_time_s=0.15))
    backend.load(DROPPED)
    assert backend.settle().max_speed_m_s > 1.0
    backend.place({"box_01": Pose((0.0, 0.0, 1.0))})
    (later,) = backend.play([], [0.1])
    assert later["box_01"].position_m[2] == pytest.approx(1.0 - 9.81 * 0.1**2 / 2, abs=5e-3)
    backend.close()


def test_a_timeline_that_stands_still_is_said(kit, monkeypatch):
    backend = opened()
    backend.load(DROPPED)
    monkeypatch.setattr(kit, "update", lambda: None)
    with pytest.raises(SceneError, match="stands still after 200 updates"):
        backend.settle()
    assert not kit.timeline.is_playing()
    backend.close()


def test_settled_poses_are_mujocos_by_default(kit):
    from sim.backend import open_backend

    mine, other = IsaacBackend(IsaacSettings()), open_backend("mujoco")
    for backend in (mine, other):
        backend.load(DROPPED)
    assert mine.settle().world_from_body == other.settle().world_from_body
    mine.close()
    other.close()
