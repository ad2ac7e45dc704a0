"""Back faces are left out only where nobody could have seen them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from scenes.camera import Camera, look_at
from scenes.meshes import joined, lathe, placed
from scenes.scene import Part
from scenes.suites import make_scene
from scenes.transforms import Pose
from sim.backend import open_backend
from sim.mujoco.closed import Solids, is_closed
from tests.sim.little_scenes import GREY, ball_mesh, block, box_mesh, camera_above, faceted, floor, scene_of


@pytest.fixture(scope="module")
def backend():
    started = open_backend("mujoco")
    yield started
    started.close()


BALL, BOX = ball_mesh(0.05, rings=8), box_mesh((0.1, 0.1, 0.1))
TUBE = faceted(BOX.vertices, BOX.faces[4:])
MESHES = {
    "ball": (BALL, True),
    "box": (BOX, True),
    "two boxes": (joined([BOX, placed(BOX, Pose((0.5, 0, 0)))]), True),
    "half a ball": (faceted(BALL.vertices, BALL.faces[: len(BALL.faces) // 2]), False),
    "tube": (TUBE, False),
    "box turned inside out": (faceted(BOX.vertices, BOX.faces[:, ::-1]), False),
    "one face the wrong way": (faceted(BOX.vertices, np.vstack([BOX.faces[:1, ::-1], BOX.faces[1:]])), False),
    "cup": (lathe([(0, 0), (0.04, 0), (0.04, 0.1), (0.036, 0.1), (0.036, 0.004), (0, 0.004)]), True),
}  # fmt: skip


@pytest.mark.parametrize("name", MESHES)
def test_closed_and_open_meshes_are_told_apart(name):
    mesh, closed = MESHES[name]
    assert is_closed(mesh) == closed
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces)
    assert closed == (solid.is_volume and solid.volume > 0)


@pytest.mark.parametrize("index", range(3))
def test_every_mesh_of_the_tabletop_is_closed_and_its_cameras_are_outside(index):
    scene = make_scene("tabletop", split="train", seed=1, index=index)
    solids = Solids.of(scene)
    assert all(solids.seen_from_outside(c, {b.name: b.world_from_body for b in scene.bodies}) for c in scene.cameras)


def test_a_camera_in_a_body_is_not_outside():
    scene = scene_of(floor(), block("box_01", (0.1, 0.1, 0.1), (0, 0, 1.0)))
    poses = {b.name: b.world_from_body for b in scene.bodies}
    assert not Solids.of(scene).seen_from_outside(camera_above(1.0), poses)
    assert not Solids.of(scene).seen_from_outside(camera_above(1.2), poses)  # the near plane is 5 cm away
    assert Solids.of(scene).seen_from_outside(camera_above(1.5), poses)


def test_an_open_mesh_is_drawn_from_behind_too(backend):
    sheet = faceted(np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    body = replace(block("box_01", (1, 1, 0.05), (0, 0, 0)), parts=(Part(name="all", mesh=sheet, material=GREY),))
    backend.load(scene_of(body))
    below = look_at(np.array([0.1, 0.1, -1.0]), np.array([0.0, 0.0, 0.0]))
    camera = Camera(name="below", width=32, height=24, fx=40, fy=40, cx=15.5, cy=11.5, world_from_camera=below)
    frame = backend.render(camera)
    assert (frame.truth.instance == 1).all()
    assert (frame.rgb.max(axis=-1) > 10).all()


def test_back_faces_leave_no_trace(backend):
    scene = make_scene("tabletop", split="val", seed=1, index=0)
    backend.load(scene)
    canvas = backend._loaded().canvas()
    for camera in (c.resized(320, 240) for c in scene.cameras):
        with_them, without = canvas.image(camera).astype(int), canvas.image(camera, back_faces=False).astype(int)
        different = np.abs(with_them - without).max(axis=-1) > 0
        assert different.sum() < 20  # of 76800: samples on outlines that front and back face share
