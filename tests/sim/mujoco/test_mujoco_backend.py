"""The MuJoCo backend: the conformance suite, its shortcuts against the long way, and machines without EGL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from scenes.errors import BackendError, UnknownNameError
from scenes.scene import Part
from scenes.suites import make_scene
from sim._object_truth import box_of
from sim.backend import Backend, SettleRule, open_backend
from sim.mujoco.backend import MujocoBackend
from sim.mujoco.model import SEEN, build_model
from tests.sim.backend_conformance import BackendConformance
from tests.sim.little_scenes import GREY, ball, ball_mesh, block, camera_above, faceted, floor, scene_of


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    started = open_backend("mujoco")
    yield started
    started.close()


@pytest.fixture
def fresh_backend() -> Iterator[Backend]:
    started = open_backend("mujoco")
    yield started
    started.close()


class TestMujocoBackend(BackendConformance):
    """Every backend's promises, kept by this one."""


@pytest.mark.parametrize("index", range(3))
def test_hidden_pixels_found_the_short_way_are_those_of_the_object_drawn_alone(
    backend: MujocoBackend, index: int
) -> None:
    scene = make_scene("tabletop", split="train", seed=5, index=index)
    backend.load(scene)
    backend.settle()
    world = backend._loaded()
    for camera in (c.resized(320, 240) for c in scene.cameras):
        truth = backend.render(camera).truth
        records = {r.instance_id: r for r in truth.objects}
        for k, body in enumerate(scene.things, start=1):
            full = (0, 0, camera.width, camera.height)
            alone = world.canvas().alone(camera, world.data, world.model.body(body.name).id, full)
            visible = truth.instance == k
            assert not (visible & ~alone).any()
            if not alone.any():
                assert k not in records
                continue
            # Where nothing hides it an object may still differ by a pixel that two draws round differently.
            assert abs(records[k].visible_fraction - visible.sum() / alone.sum()) < 2e-3 + 1 / alone.sum()
            np.testing.assert_allclose(records[k].amodal_box_px, box_of(alone), atol=1)


def test_every_corner_keeps_its_normal() -> None:
    model = build_model(scene_of(floor(), ball("orange_01", 0.05, (0, 0, 0.1)), block("a", (0.1, 0.2, 0.3), (0, 1, 1))))
    for k in range(model.nmesh):
        faces = slice(model.mesh_faceadr[k], model.mesh_faceadr[k] + model.mesh_facenum[k])
        corners = model.mesh_vert[model.mesh_vertadr[k] + model.mesh_face[faces]]
        facet = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        facet /= np.linalg.norm(facet, axis=1, keepdims=True)
        normals = model.mesh_normal[model.mesh_normaladr[k] + model.mesh_facenormal[faces]]
        np.testing.assert_allclose((normals * facet[:, None]).sum(axis=-1), 1.0, atol=1e-4)


def test_what_is_seen_weighs_nothing_and_touches_nothing() -> None:
    scene = scene_of(
        floor(), ball("orange_01", 0.05, (0, 0, 0.1), dynamic=True), block("a", (0.1,) * 3, (1, 0, 0.1), dynamic=True)
    )
    model = build_model(scene)
    seen = model.geom_group == SEEN
    assert not model.geom_contype[seen].any()
    assert not model.geom_conaffinity[seen].any()
    for body in scene.bodies:
        assert model.body(body.name).mass[0] == pytest.approx(body.mass_kg if body.dynamic else 0.0)


def test_a_world_that_blows_up_is_lost_not_reset(fresh_backend: MujocoBackend, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    fresh_backend.load(scene_of(floor(), block("a", (0.03,) * 3, (0, 0, 0.05), dynamic=True)))
    fresh_backend._loaded().model.opt.gravity[2] = -1e200
    report = fresh_backend.settle()
    assert (report.at_rest, report.lost) == (False, ("a",))
    assert fresh_backend.render(camera_above()).truth.objects[0].body_name == "a"
    assert list(tmp_path.iterdir()) == []


def test_the_rule_is_the_callers() -> None:
    backend = MujocoBackend(SettleRule(min_time_s=0.9, max_time_s=1.0))
    try:
        backend.load(scene_of(floor(), block("a", (0.03,) * 3, (0, 0, 0.03), dynamic=True)))
        assert backend.settle().time_s == pytest.approx(0.9, abs=0.02)
    finally:
        backend.close()


def test_a_mesh_may_be_open_or_flat() -> None:
    whole = ball_mesh(0.05, rings=8)
    half = faceted(whole.vertices, whole.faces[: len(whole.faces) // 2])
    sheet = faceted(np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    for mesh in (half, sheet):
        parts = (Part(name="all", mesh=mesh, material=GREY),)
        model = build_model(scene_of(replace(block("a", (0.1,) * 3, (0, 0, 0)), parts=parts)))
        assert model.mesh_facenum[0] == len(mesh.faces)


def test_an_unknown_backend_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="mujoco"):
        open_backend("mojoco")


def test_without_the_egl_library_it_says_so(monkeypatch) -> None:
    def missing(*_: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'eglQueryString'")

    monkeypatch.setattr("mujoco.egl.GLContext", missing)
    with pytest.raises(BackendError, match=r"its library was not found.*libegl1"):
        open_backend("mujoco")


def test_without_mujoco_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco.egl", None)
    with pytest.raises(BackendError, match=r"mujoco.*rehearse-perception\[sim\]"):
        open_backend("mujoco")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param(
            {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent.json"},
            "apt-get install libegl1 libgl1-mesa-dri",
            id="no driver",
        ),
        pytest.param({"PYOPENGL_PLATFORM": "glx"}, "PYOPENGL_PLATFORM", id="another platform"),
        pytest.param({"MUJOCO_EGL_DEVICE_ID": "999"}, "MUJOCO_EGL_DEVICE_ID", id="no such device"),
        pytest.param({"MUJOCO_GL": "glfw"}, "MUJOCO_GL=egl", id="a window system"),
    ],
)
def test_without_egl_it_says_what_to_install(environment: dict[str, str], expected: str) -> None:
    code = "from sim import open_backend\nfrom scenes.errors import BackendError\n"
    code += "try:\n    open_backend('mujoco')\nexcept BackendError as error:\n    print(error)\n"
    env = {**os.environ, "MUJOCO_GL": "egl", **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert done.stdout.count("\n") == 1
