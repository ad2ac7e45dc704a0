"""MuJoCo in a process of its own: the same answers as here, on another Python if asked for, without OpenUSD."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scenes.errors import BackendError, SceneError
from scenes.motion import Push
from scenes.transforms import Pose
from sim.backend import SettleRule, open_backend
from sim.isaac.settler import MujocoElsewhere, SettlerProcess
from tests.sim.backend_conformance import same, tilted_camera
from tests.sim.little_scenes import block, floor, scene_of

SCENE = scene_of(floor(), block("box_01", (0.03,) * 3, (0.0, 0.0, 0.1), dynamic=True))


@pytest.fixture(scope="module")
def here():
    backend = open_backend("mujoco")
    backend.load(SCENE)
    yield backend
    backend.close()


def test_it_is_the_backend_elsewhere(here):
    there = MujocoElsewhere()
    there.load(SCENE)
    here.load(SCENE)
    assert there.settle() == here.settle()
    camera = tilted_camera()
    assert same(there.render(camera), here.render(camera))
    assert (there.layers(camera).parts == here.layers(camera).parts).all()
    for backend in (there, here):
        backend.place({"box_01": Pose((0.05, 0.0, 0.3))})
    push = [Push(body_name="box_01", velocity_m_s=(0.1, 0, 0))]
    assert there.play(push, [0.1, 0.2]) == list(here.play(push, [0.1, 0.2]))
    with pytest.raises(SceneError, match="nobody"):
        there.place({"nobody": Pose((0, 0, 0))})
    there.close()
    there.close()


@pytest.fixture
def without_usd(tmp_path: Path) -> dict[str, str]:
    """Returns an environment in which importing pxr ends the process."""
    (tmp_path / "pxr.py").write_text("import os; os._exit(44)")
    (tmp_path / "isaacsim.py").write_text("import os; os._exit(45)")
    return dict(os.environ) | {"PYTHONPATH": str(tmp_path)}


def test_it_settles_without_openusd_by_the_rule_of_each_request(without_usd):
    settler = SettlerProcess(SettleRule(max_time_s=0.05), python=sys.executable, environment=without_usd)
    report = settler.settle(SCENE)
    assert (report.at_rest, report.time_s) == (False, pytest.approx(0.05, abs=0.011))
    settler.close()


def test_the_mujoco_that_isaac_sim_pins_is_refused(without_usd, tmp_path):
    folder = tmp_path / "mujoco-3.12.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: mujoco\nVersion: 3.12.0\n")
    settler = SettlerProcess(environment=without_usd)
    with pytest.raises(BackendError, match=r"settled by MuJoCo 4, and .* has 3\.12\.0 .* settler=PYTHON"):
        settler.settle(SCENE)
    settler.close()


def test_a_python_that_is_not_there_or_dies_is_said(without_usd, tmp_path, monkeypatch):
    monkeypatch.setenv("REHEARSE_SETTLER", "/elsewhere/python")
    with pytest.raises(BackendError, match="no Python at /elsewhere/python"):
        SettlerProcess().settle(SCENE)
    monkeypatch.delenv("REHEARSE_SETTLER")
    with pytest.raises(BackendError, match="no Python at /nowhere/python"):
        SettlerProcess(python="/nowhere/python").settle(SCENE)
    (tmp_path / "mujoco.py").write_text("import os; os._exit(46)")
    settler = SettlerProcess(environment=without_usd)
    with pytest.raises(BackendError, match=r"ended with status 46: .* extra \[sim\]"):
        settler.settle(SCENE)
    settler.close()
