"""Rooms and clutter under physics: nothing in anything, nothing floats, what settles stays, and truth has static things."""

from __future__ import annotations

import functools
import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest

mujoco = pytest.importorskip("mujoco")

from scenes.errors import LayoutError
from scenes.suites import make_scene
from scenes.taxonomy import TAXONOMY
from scenes.usd import write_stage
from scenes.usd_check import check_stage
from sim.backend import SettleRule, open_backend
from sim.basicwriter import decode_frame, encode_frame
from sim.mujoco.model import build_model
from sim.mujoco.settle import settle, write_poses

_SPEC = importlib.util.spec_from_file_location(
    "household_scenes", Path(__file__).parents[1] / "scenes" / "household_scenes.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
rooms = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(rooms)

DEEP_M = 0.001
NEAR_M = 0.007  # what stands or hangs is at most this far from what carries it
KINDS = pytest.mark.parametrize("kind", rooms.ROOMS)


@functools.cache
def settled(kind: str):
    """Returns (scene, model, data, report) of a room after settling, the first attempt that is accepted."""
    return settle_first(
        lambda attempt: rooms.make_scene(rooms.file_for(kind), split="train", seed=3, index=0, attempt=attempt)
    )[:4]


def settle_first(make):
    rejected = 0
    for attempt in range(20):
        try:
            scene = make(attempt)
        except LayoutError:
            rejected += 1
            continue
        model = build_model(scene)
        data = mujoco.MjData(model)
        write_poses(model, data, {b.name: b.world_from_body for b in scene.bodies if b.dynamic})
        report = settle(model, data, scene, SettleRule())
        if report.accepted:
            write_poses(model, data, dict(report.world_from_body))
            mujoco.mj_forward(model, data)
            return scene, model, data, report, rejected
        rejected += 1
    raise AssertionError("no attempt was accepted")


def static_gaps(scene, model, data):
    """Yields (body, other, distance in metres, negative inside) of the nearest pairs of colliders of static bodies."""
    static = {model.body(b.name).id for b in scene.bodies if not b.dynamic}
    geoms = [g for g in range(model.ngeom) if model.geom_contype[g] and model.geom_bodyid[g] in static]
    center, reach = data.geom_xpos, model.geom_rbound
    for a, b in itertools.combinations(geoms, 2):
        if model.geom_bodyid[a] == model.geom_bodyid[b]:
            continue
        if np.linalg.norm(center[a] - center[b]) > reach[a] + reach[b] + NEAR_M:
            continue
        gap = mujoco.mj_geomDistance(model, data, a, b, NEAR_M, None)
        if gap < NEAR_M:
            yield int(model.geom_bodyid[a]), int(model.geom_bodyid[b]), float(gap)


@KINDS
def test_no_furniture_is_in_other_furniture_and_all_of_it_stands_or_hangs_on_something(kind):
    scene, model, data, _ = settled(kind)
    name = {model.body(b.name).id: b.name for b in scene.bodies}
    carried = set()
    for a, b, gap in static_gaps(scene, model, data):
        assert gap > -DEEP_M, (name[a], name[b], gap)
        carried |= {a, b}
    loose = [b.name for b in scene.bodies if not b.dynamic and b.colliders and model.body(b.name).id not in carried]
    assert loose == []


@KINDS
def test_after_settling_no_contact_is_deep_and_no_object_floats(kind):
    scene, model, data, report = settled(kind)
    assert report.accepted
    assert_rests(scene, model, data)


def assert_rests(scene, model, data):
    assert data.contact.dist[: data.ncon].min(initial=0.0) > -DEEP_M
    touching = {int(model.geom_bodyid[g]) for pair in data.contact.geom[: data.ncon] for g in pair}
    floating = [b.name for b in scene.bodies if b.dynamic and model.body(b.name).id not in touching]
    assert floating == []


def test_static_things_have_instances_boxes_and_survive_the_disk():
    scene = settled("kitchen")[0]
    backend = open_backend("mujoco")
    try:
        backend.load(scene)
        frames = [backend.render(camera.resized(160, 120)) for camera in scene.cameras]
    finally:
        backend.close()
    seen = {record.body_name: record for frame in frames for record in frame.truth.objects}
    static = {b.name: b for b in scene.things if not b.dynamic}
    assert set(seen) & set(static)
    for name in set(seen) & set(static):
        assert seen[name].world_from_body == static[name].world_from_body
        assert scene.things[seen[name].instance_id - 1].name == name
    for number, frame in enumerate(frames):
        again = decode_frame(number, encode_frame(frame, number).__getitem__)
        np.testing.assert_array_equal(again.truth.instance, frame.truth.instance)
        np.testing.assert_array_equal(again.truth.semantic, frame.truth.semantic)
        assert again.truth.objects == frame.truth.objects


def test_a_distractor_is_void_without_an_instance_and_has_depth(tmp_path):
    path = tmp_path / "odd.toml"
    path.write_text(
        '[suite]\nkind = "clutter"\n[objects]\ncount = 2\nheap = 0\n[distractors]\ncount = 4\nsize_m = 0.15\n'
    )
    scene = settle_first(lambda attempt: make_scene(str(path), split="train", seed=0, index=0, attempt=attempt))[0]
    backend = open_backend("mujoco")
    try:
        backend.load(scene)
        truth = backend.render(scene.cameras[0].resized(160, 120)).truth
    finally:
        backend.close()
    void = truth.semantic == 0
    assert void.any()
    assert np.isfinite(truth.depth_m[void]).all()
    assert not truth.instance[void].any()
    assert all(TAXONOMY[r.category_id].is_thing for r in truth.objects)


@pytest.mark.parametrize("suite", ["household", "tabletop-clutter"])
def test_stages_keep_the_label_rules(suite, tmp_path):
    scene = make_scene(suite, split="test", seed=1, index=0)
    write_stage(scene, tmp_path / "scene.usdc")
    assert check_stage(tmp_path / "scene.usdc") == []


def test_clutter_settles():
    rejected = 0
    for index in range(6):
        scene, model, data, _, turned_down = settle_first(
            lambda attempt, i=index: make_scene("tabletop-clutter", split="train", seed=0, index=i, attempt=attempt)
        )
        assert_rests(scene, model, data)
        rejected += turned_down
    assert rejected <= 6


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("suite", "count"), [("household", 100), ("tabletop-clutter", 100)])
def test_a_hundred_scenes_settle_with_nothing_deep_and_nothing_floating(suite, count):
    rejected = 0
    for index in range(count):
        scene, model, data, _, turned_down = settle_first(
            lambda attempt, i=index: make_scene(suite, split="val", seed=9, index=i, attempt=attempt)
        )
        assert_rests(scene, model, data)
        if suite == "household":
            assert all(gap > -DEEP_M for _, _, gap in static_gaps(scene, model, data)), str(scene.id)
        rejected += turned_down
    print(f"{suite}: {rejected} attempts rejected before {count} accepted scenes")
    assert rejected < count / 2
