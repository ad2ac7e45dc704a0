"""The native mode on the FAKE: BasicWriter's own files, whole or not there; randomised by the suite's file, with the seed set."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scenes.described import load
from scenes.errors import BackendError, DatasetError, UnknownNameError
from scenes.sampler import ShapeSampler
from scenes.scene import SceneId
from scenes.suites import SUITES
from sim.dataset import Dataset
from sim.isaac import native
from sim.isaac.long_runs import FILES, missing_files, restarting
from sim.isaac.native import NativeSpec, make_native, make_scenes_here
from sim.isaac.randomise import KINDS, Randomisation, description_of
from sim.isaac.settings import IsaacSettings
from sim.running.memory import Resident
from sim.running.process_executor import ProcessExecutor
from sim.running.run_plan import RunPlan
from tests.sim.isaac.fake_replicator import installed
from tests.sim.isaac.fake_replicator.writer import FakeBasicWriter

FAST = IsaacSettings(rt_subframes=1)


def spec_of(folder: Path, **more) -> NativeSpec:
    return NativeSpec(**{"suite": "tabletop", "out": folder, "scenes": 1, "size": (64, 48), "settings": FAST} | more)


def varied(kinds=KINDS, *, seed: int = 5, suite: str = "tabletop-clutter", split: str = "train") -> Randomisation:
    return Randomisation(kinds=tuple(kinds), description=description_of(suite), seed=seed, split=split)


@pytest.fixture
def kit():
    with installed() as fake:
        yield fake


@pytest.mark.parametrize(
    "suite", ["household", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tabletop", "tabletop-clutter"))]
)
def test_every_suite_is_written_by_basicwriter_and_read_back(kit, tmp_path, suite):
    spec = spec_of(tmp_path, suite=suite)
    make_scenes_here(spec, [0])
    folder = spec.folder(0)
    facts = json.loads((folder / "rehearse.json").read_text())
    assert len(facts["render_products"]) == 3
    assert missing_files(folder, spec.annotators, facts["render_products"], 1) == []
    found = Dataset.open(folder)
    assert (found.manifest.generator.backend, len(found), found.manifest.size) == ("isaac-basicwriter", 3, (64, 48))
    assert any(frame.truth.instance.any() for frame in found)
    assert (kit.alive_products, kit.annotators_attached, kit.seeds) == (0, 0, [])
    assert [path.name for path in tmp_path.iterdir()] == ["scene_000000"]  # no staging is left


def test_all_annotators_of_basicwriter(kit, tmp_path):
    spec = spec_of(tmp_path, annotators=tuple(FILES))
    make_scenes_here(spec, [0])
    camera = json.loads((spec.folder(0) / "rehearse.json").read_text())["render_products"][0]
    assert {path.name for path in (spec.folder(0) / camera).iterdir()} == set(FILES)


@pytest.fixture
def snapshots(kit, monkeypatch):
    """Returns what the stage has after each event: lights, materials, poses of things and of cameras."""
    taken: list[dict] = []
    send = native.next_variant
    monkeypatch.setattr(native, "next_variant", lambda: (send(), taken.append(_snapshot(kit.stage))))
    return taken


def _snapshot(stage) -> dict[str, list]:
    from pxr import Usd, UsdGeom, UsdShade

    found: dict[str, list] = {kind: [] for kind in KINDS}
    cache = UsdGeom.XformCache()
    for prim in Usd.PrimRange(stage.GetPseudoRoot()):
        kind = "lights" if "Light" in prim.GetTypeName() else "cameras" if prim.GetTypeName() == "Camera" else ""
        if kind == "lights":
            found[kind].append([prim.GetAttribute(f"inputs:{k}").Get() for k in ("intensity", "color")])
        if prim.GetTypeName() == "Mesh":
            found["materials"].append(str(UsdShade.MaterialBindingAPI(prim).GetDirectBinding().GetMaterialPath()))
        if prim.HasAPI("PhysicsRigidBodyAPI") or kind == "cameras":
            pose = np.round(np.array(cache.GetLocalToWorldTransform(prim)), 6)
            found[kind or "scatter"].append(pose.tolist())
    assert all(found.values())
    return found


def test_randomisation_follows_seed_and_scene_and_is_noted(kit, snapshots, tmp_path):
    for name, seed, scenes in (("a", 5, [0, 1]), ("again", 5, [1]), ("other", 6, [1])):
        spec = spec_of(tmp_path / name, variants=2, scenes=2, randomisation=varied(seed=seed), annotators=("rgb",))
        spec.out.mkdir()
        make_scenes_here(spec, scenes)
    first, a, again, other = snapshots[:2], snapshots[2:4], snapshots[4:6], snapshots[6:]
    assert a == again  # whatever the process made before
    for kind in KINDS:
        assert a[0][kind] != a[1][kind]
        assert a[0][kind] != other[0][kind]
    assert [c[3] for c in a[0]["cameras"]] != [c[3] for c in first[0]["cameras"]]
    noted = json.loads((tmp_path / "a/scene_000001/rehearse.json").read_text())["randomisation"]
    assert (noted["kinds"], noted["seed"], noted["split"]) == (list(KINDS), 5, "train")
    assert noted["replicator_seed"] == kit.seeds[1] == kit.seeds[2] != kit.seeds[0]
    assert noted["description"].endswith(".toml")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_its_own_and_nothing_else(snapshots, tmp_path, kind):
    spec = spec_of(tmp_path, suite="tabletop-clutter", variants=3, randomisation=varied([kind]), annotators=("rgb",))
    make_scenes_here(spec, [0])
    changed = {name for name in KINDS if any(taken[name] != snapshots[0][name] for taken in snapshots)}
    assert changed == {kind}


def test_cameras_keep_the_distances_of_the_file(snapshots, tmp_path):
    spec = spec_of(tmp_path, variants=2, randomisation=varied(["cameras"]), annotators=("rgb",))
    make_scenes_here(spec, [0])
    about = load(description_of("tabletop-clutter")).distributions["camera.distance_m"]
    rng = np.random.default_rng(0)
    draws = [about.draw(ShapeSampler(rng=rng, split="train")) for _ in range(300)]
    eyes = np.array([pose[3][:3] for taken in snapshots for pose in taken["cameras"]])
    about_id = SceneId(suite="tabletop", version=SUITES["tabletop"].version, split="train", seed=0, index=0)
    target = np.array(SUITES["tabletop"].make(about_id, 0).supports[0].center_m)
    away = np.linalg.norm(eyes - target, axis=1)
    assert (away > min(draws) - 0.02).all()
    assert (away < max(draws) + 0.02).all()


def test_a_scene_without_all_its_files_is_not_published(kit, tmp_path, monkeypatch):
    monkeypatch.setattr(FakeBasicWriter, "lose", "bounding_box_3d")
    spec = spec_of(tmp_path)
    with pytest.raises(BackendError, match=r"left out 9 files of scene 0, first .*bounding_box_3d_0000\.npy"):
        make_scenes_here(spec, [0])
    assert list(tmp_path.iterdir()) == []


def test_empty_files_are_missing_ones(tmp_path):
    (tmp_path / "rgb_0000.png").write_bytes(b"x")
    (tmp_path / "rgb_0001.png").touch()
    assert missing_files(tmp_path, ["rgb"], ["one"], 3) == ["rgb_0001.png", "rgb_0002.png"]




def _child_on_the_fake(spec, indices, said):
    with installed():
        native._child(spec, indices, said)


def _child_that_hangs_at_the_end(spec, indices, said):
    from sim.isaac import app

    app.leave = lambda _status: time.sleep(1000)
    with installed():
        native._child(spec, indices, said)


def _child_that_dies(spec, indices, said):
    os._exit(13)


def _child_that_fails(spec, indices, said):
    FakeBasicWriter.lose = "rgb"
    _child_on_the_fake(spec, indices, said)


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr("sim.isaac.installation.assert_installed", lambda: None)
    monkeypatch.setattr(native, "_JOIN_S", 1.0)
    return monkeypatch


@pytest.mark.slow
def test_processes_follow_each_other_and_a_hang_at_the_end_loses_nothing(here, tmp_path):
    here.setattr(native, "_child", _child_on_the_fake)
    spec = spec_of(tmp_path, scenes=2, settings=replace(FAST, restart_frames=3), annotators=("rgb",))
    assert make_native(spec)["processes"] == 2
    here.setattr(native, "_child", _child_that_hangs_at_the_end)
    started = time.monotonic()
    assert make_native(replace(spec, scenes=3))["processes"] == 1  # two are there already
    assert time.monotonic() - started < 60
    assert all(spec.done(i) for i in range(3))


@pytest.mark.parametrize(
    ("child", "said"),
    [
        (_child_that_dies, "it gave no reason"),
        pytest.param(_child_that_fails, "left out 3 files of scene 0", marks=pytest.mark.slow),
    ],
)
def test_no_whole_scene_is_said_with_the_last_reason(here, tmp_path, child, said):
    here.setattr(native, "_child", child)
    with pytest.raises(BackendError, match=f"no whole scene in 2 processes: .*{said}"):
        make_native(spec_of(tmp_path, annotators=("rgb",)), attempts=2)


def test_wrong_values_are_named(tmp_path):
    with pytest.raises(UnknownNameError, match="rgb"):
        spec_of(tmp_path, annotators=("rgbd",))
    with pytest.raises(DatasetError, match="at least 1 scene"):
        spec_of(tmp_path, scenes=0)
    with pytest.raises(UnknownNameError, match="lights"):
        varied(["light"])


def test_the_restart_policy_is_by_frames_and_by_memory():
    plan = restarting(RunPlan(), IsaacSettings(restart_frames=600, restart_mib=9000), 3)
    assert (plan.recycle_scenes, plan.recycle_mib) == (200, 9000)
    plan = restarting(RunPlan(), IsaacSettings(restart_frames=0, restart_mib=0), 3)
    assert (plan.recycle_scenes > 10**6, plan.recycle_mib) == (True, None)
    assert restarting(RunPlan(), IsaacSettings(restart_frames=1), 30).recycle_scenes == 1


def _job(index: int):
    import atexit

    atexit.register(time.sleep, 1000)
    return index


def test_a_worker_that_hangs_while_it_ends_is_ended(monkeypatch):
    monkeypatch.setattr("sim.running.process_executor._JOIN_S", 0.5)
    executor = ProcessExecutor(_job, 1, recycle_scenes=9, recycle_mib=None)
    executor.submit(3)
    executor.gather()
    started = time.monotonic()
    executor.close()
    assert time.monotonic() - started < 20


def test_a_worker_that_holds_too_much_memory_is_replaced(monkeypatch):
    held = Resident(now_mb=9001 * 2**20 / 1e6, peak_mb=9999.0)
    monkeypatch.setattr("sim.running.process_executor.resident", lambda _pid: held)
    executor = ProcessExecutor(abs, 1, recycle_scenes=9, recycle_mib=9000)
    executor.submit(3)
    executor.gather()
    assert executor._idle == []
    executor.close()
