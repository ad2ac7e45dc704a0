"""The on-hardware self-test against the backend on the FAKE: all of it holds, and faults of Replicator itself are caught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rehearse
from sim.backend import open_backend
from sim.isaac.backend import IsaacBackend
from sim.isaac.settings import IsaacSettings
from sim.selftest.bench import Bench
from sim.selftest.checks import CHECKS
from sim.selftest.evidence import HasAnnotations
from sim.selftest.run import run_check, run_checks
from tests.sim.isaac.fake_replicator import installed

FAST = IsaacSettings(rt_subframes=1)
BY_NAME = {check.name: check for check in CHECKS}


@pytest.fixture(scope="module")
def kit():
    with installed() as fake:
        yield fake


@pytest.fixture(scope="module")
def backend(kit):
    made = IsaacBackend(FAST)
    yield made
    made.close()


LONG = {"agreement", "memory", "fresh image", "fresh labels"}


@pytest.mark.parametrize("some", [set(BY_NAME) - LONG, pytest.param(LONG, marks=pytest.mark.slow)], ids=["short", "long"])
def test_every_check_holds_on_the_fake(backend, some):
    assert isinstance(backend, HasAnnotations)
    checks = [check for check in CHECKS if check.name in some]
    findings = run_checks(Bench(backend, open_reference=open_backend, quick=True), checks)
    assert [(f.check, f.got, f.reason) for f in findings if f.verdict != "PASS"] == []
    for finding in findings:  # Replicator's own figure is not available, and the table says so
        assert ("-1 for labels above several meshes" in finding.reason) == (finding.check == "occlusion")


def _exclusive(value):
    value["data"]["x_max"] += 1
    return value


def _transposed(value):
    value["data"]["transform"] = value["data"]["transform"].transpose(0, 2, 1).copy()
    return value


def _zero(value):
    value[~np.isfinite(value)] = 0
    return value


def _renamed(value):
    info = value["info"]["idToLabels"]
    return value | {"info": {"idToLabels": {k: {"class": f"my_{v['class']}"} for k, v in info.items()}}}


def _exchanged(value):
    info = value["info"]["idToLabels"]
    keys = [key for key in info if int(key) > 1]
    turned = info | {key: info[other] for key, other in zip(keys, [*keys[1:], keys[0]], strict=True)}
    return value | {"info": value["info"] | {"idToLabels": turned}}


# (fault of Replicator's own answer, the annotator that has it, what is done to it, the check that catches it)
FAULTS = [
    ("2D boxes exclusive", "bounding_box_2d_tight", _exclusive, "2D boxes, tight"),
    ("loose boxes exclusive", "bounding_box_2d_loose", _exclusive, "2D boxes, loose"),
    ("background 0", "distance_to_image_plane", _zero, "background"),
    ("distance is depth", "distance_to_camera", lambda value: value * 0.99, "distance to the camera"),
    ("normals in other axes", "normals", lambda v: np.roll(v, 1, axis=-1), "normals"),
    ("motion to the right", "motion_vectors", lambda v: -v, "motion vectors, thing"),
    ("no motion", "motion_vectors", np.zeros_like, "motion vectors, camera"),
    ("points aside", "pointcloud", lambda v: v | {"data": v["data"] + np.float32(0.01)}, "point cloud"),
    ("labels of another taxonomy", "semantic_segmentation", _renamed, "label names"),
    ("prim paths exchanged", "instance_segmentation", _exchanged, "instance ids"),
    ("transforms transposed", "bounding_box_3d", _transposed, "3D boxes"),
]


@pytest.mark.parametrize(("words", "name", "change", "check"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_of_replicator_is_caught(backend, monkeypatch, words, name, change, check):
    from tests.sim.isaac.fake_replicator import annotators, replicator

    def wrong(kind, shot, kit):
        value = annotators.annotation(kind, shot, kit)
        return change(value) if kind == name else value

    monkeypatch.setattr(replicator, "annotation", wrong)
    finding = run_check(Bench(backend, open_reference=open_backend, quick=True), BY_NAME[check])
    assert finding.verdict == "FAIL", finding


@pytest.mark.slow
def test_the_command_runs_it_with_settings(kit, monkeypatch, tmp_path, capsys):
    from sim.selftest.session import self_test

    some = tuple(c for c in CHECKS if c.name in {"plane depth, head-on", "camera_params", "agreement"})
    monkeypatch.setattr("sim.selftest.session.self_test.__kwdefaults__", self_test.__kwdefaults__ | {"checks": some})
    monkeypatch.setattr(rehearse, "_leave", lambda status: status)  # this process goes on
    kit.steps.clear()
    assert rehearse.main(["doctor", "--backend", "isaac", "--isaac", "rt_subframes=1", "--quick", "--out", str(tmp_path)]) == 0
    assert "PASS: isaac, quick: 3 checks pass" in capsys.readouterr().out
    assert {s["rt_subframes"] for s in kit.steps} == {1}


def test_the_table_of_the_docs_has_these_faults_and_no_other():
    text = (Path(__file__).resolve().parents[3] / "docs" / "selftest.md").read_text()
    rows = {f"| {words} | `{name}` | {check} |" for words, name, _, check in FAULTS}
    assert {line for line in text.splitlines() if line.count("|") == 4 and line.split("|")[2].startswith(" `")} >= rows
    assert [row for row in rows if row not in text] == []
