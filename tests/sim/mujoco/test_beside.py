"""Truth drawn beside the image is the truth drawn before it, byte for byte; what fails there is heard here; nothing stays."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from scenes.errors import BackendError
from scenes.scene import Scene
from scenes.suites import make_scene
from sim.backend import SettleRule, open_backend
from sim.mujoco import place
from sim.mujoco.backend import MujocoBackend
from sim.mujoco.lens import LensCanvas
from sim.mujoco.place import Beside
from sim.mujoco.second_display import NoSecondDisplayError, draws_in_software, open_second, renderer_of_current
from sim.sensors.apply import sensor_camera
from sim.sensors.library import load_profile
from tests.sim.backend_conformance import BackendConformance, same
from tests.sim.little_scenes import block, camera_above, floor, scene_of

THREAD = "rehearse-draws-beside"
SUITES = ("tabletop", "tabletop-clutter", "household")


def opened_beside() -> MujocoBackend:
    backend = MujocoBackend(SettleRule())
    if not backend.draw_beside():
        backend.close()
        pytest.skip("no second display with the same software rendering on this machine")
    return backend


@pytest.fixture(scope="module")
def backend() -> Iterator[MujocoBackend]:
    started = opened_beside()
    yield started
    started.close()


@pytest.fixture
def fresh_backend() -> Iterator[MujocoBackend]:
    started = opened_beside()
    yield started
    started.close()


@pytest.fixture(scope="module")
def in_turn() -> Iterator[MujocoBackend]:
    started = MujocoBackend()
    yield started
    started.close()


def drawing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def little_scene() -> Scene:
    return scene_of(floor(), block("box_01", (0.05, 0.05, 0.05), (0.0, 0.0, 0.05)))


class TestBesideConforms(BackendConformance):
    """Every backend's promises, kept by two threads too."""


@pytest.mark.parametrize("lens", ["ideal", "webcam"])
@pytest.mark.parametrize("suite", SUITES)
def test_images_labels_and_layers_are_those_of_one_thread(backend, in_turn, suite, lens):
    scene = make_scene(suite, split="train", seed=11, index=1)
    cameras = [sensor_camera(c.resized(160, 120), load_profile(lens)) for c in scene.cameras]
    for each in (backend, in_turn):
        each.load(scene)
    for camera in (*cameras, cameras[0]):
        assert same(backend.render(camera), in_turn.render(camera))
        here, there = in_turn.layers(camera), backend.layers(camera)
        np.testing.assert_array_equal(there.parts, here.parts)
        assert len(there.amodal) == len(here.amodal)
        for a, b in zip(there.amodal, here.amodal, strict=True):
            assert (a.instance_id, a.left, a.top) == (b.instance_id, b.left, b.top)
            np.testing.assert_array_equal(a.mask, b.mask)


def test_bodies_that_are_moved_are_seen_moved_by_both(backend, in_turn):
    scene = make_scene("tabletop", split="train", seed=11, index=2)
    camera = scene.cameras[0].resized(160, 120)
    frames = []
    for each in (backend, in_turn):
        each.load(scene)
        first = each.render(camera)
        settled = each.settle().world_from_body
        name, pose = next(iter(settled.items()))
        x, y, z = pose.position_m
        each.place({name: dataclasses.replace(pose, position_m=(x, y, z + 0.1))})
        frames.append((first, each.render(camera)))
    assert same(frames[0][0], frames[1][0])
    assert same(frames[0][1], frames[1][1])
    assert not same(*frames[0])


def test_image_and_labels_are_drawn_at_once_each_in_its_own_thread(backend, monkeypatch):
    both, drawn = threading.Barrier(2, timeout=20), {}

    def meets(name):
        real = getattr(LensCanvas, name)

        def meeting(self, *arguments, **options):
            drawn[name] = threading.current_thread().name
            both.wait()
            return real(self, *arguments, **options)

        monkeypatch.setattr(LensCanvas, name, meeting)

    backend.load(little_scene())
    meets("image")
    meets("depth_and_ids")
    backend.render(camera_above())
    assert drawn == {"image": threading.main_thread().name, "depth_and_ids": THREAD}


@pytest.mark.parametrize("what", ["image", "depth_and_ids", "alone"])
def test_what_fails_in_either_thread_is_raised_and_the_next_frame_is_whole(backend, in_turn, monkeypatch, what):
    scene = make_scene("tabletop", split="train", seed=11, index=3)
    camera = scene.cameras[0].resized(160, 120)
    backend.load(scene)
    in_turn.load(scene)
    with monkeypatch.context() as broken:
        broken.setattr(LensCanvas, what, lambda *_, **__: (_ for _ in ()).throw(BackendError(f"{what} failed")))
        with pytest.raises(BackendError, match=f"{what} failed"):
            backend.render(camera)
    assert same(backend.render(camera), in_turn.render(camera))


def test_an_image_that_fails_waits_for_the_truth(backend, monkeypatch):
    image_failed, done = threading.Event(), []
    real = LensCanvas.depth_and_ids

    def late(self, camera):
        assert image_failed.wait(20)
        done.append(real(self, camera))
        return done[0]

    def fails(*_, **__):
        image_failed.set()
        raise KeyboardInterrupt

    backend.load(little_scene())
    monkeypatch.setattr(LensCanvas, "depth_and_ids", late)
    monkeypatch.setattr(LensCanvas, "image", fails)
    with pytest.raises(KeyboardInterrupt):
        backend.render(camera_above())
    assert done


def test_closing_ends_the_thread_whatever_was_drawn():
    before = len(drawing_threads())
    for draws in (False, True):
        backend = opened_beside()
        assert backend.draw_beside()  # asked twice, there is still one
        assert len(drawing_threads()) == before + 1
        if draws:
            backend.load(little_scene())
            backend.render(camera_above())
        backend.close()
        backend.close()
        assert len(drawing_threads()) == before


@pytest.mark.parametrize("renderer", [("NVIDIA Corporation", "NVIDIA L40S", "4.6.0"), ("Mesa", "llvmpipe (other)", "1")])
def test_where_the_second_context_would_draw_otherwise_there_is_none(renderer, monkeypatch, in_turn):
    before = len(drawing_threads())
    monkeypatch.setattr(place, "renderer_of_current", lambda: renderer)
    backend = MujocoBackend()
    try:
        assert not backend.draw_beside()
        assert len(drawing_threads()) == before
        for each in (backend, in_turn):
            each.load(little_scene())
        assert same(backend.render(camera_above()), in_turn.render(camera_above()))
    finally:
        backend.close()


def test_a_renderer_of_another_name_is_refused_in_its_own_thread():
    opened_beside().close()  # or skip
    with ThreadPoolExecutor(1) as thread, pytest.raises(NoSecondDisplayError, match="llvmpipe of another day"):
        thread.submit(open_second, ("", "llvmpipe of another day", "")).result(60)


def test_no_thread_is_left_where_the_display_cannot_be_opened(monkeypatch):
    before = len(drawing_threads())

    def broken(_like):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(place, "open_second", broken)
    with closing(MujocoBackend()) as backend:
        with pytest.raises(RuntimeError, match="out of memory"):
            backend.draw_beside()
        assert len(drawing_threads()) == before


def test_a_process_that_closes_at_its_very_end_ends_quietly(root_dir):
    code = """
import atexit
from sim.mujoco.backend import MujocoBackend
from tests.sim.little_scenes import block, camera_above, floor, scene_of
backend = MujocoBackend()
print(backend.draw_beside())
atexit.register(backend.close)
backend.load(scene_of(floor(), block("box_01", (0.05, 0.05, 0.05), (0.0, 0.0, 0.05))))
print(len(backend.render(camera_above()).truth.objects))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=root_dir, capture_output=True, text=True, timeout=120, check=False)
    if done.stdout.startswith("False"):
        pytest.skip("no second display with the same software rendering on this machine")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["True", "1"], "")


@pytest.mark.parametrize("lacking", ["mujoco.egl", "eglGetPlatformDisplayEXT", "display"])
def test_without_a_surfaceless_display_it_says_what_is_missing(lacking, monkeypatch, in_turn):
    from mujoco.egl import egl_ext  # reads MUJOCO_GL's platform as it is imported

    in_turn.load(little_scene())
    in_turn.render(camera_above())  # its context is current in this thread
    like = renderer_of_current()
    if not draws_in_software(like):
        pytest.skip("no software rendering here")
    if lacking == "mujoco.egl":  # as with MUJOCO_GL=osmesa
        monkeypatch.setitem(sys.modules, "mujoco.egl", None)
    elif lacking == "display":
        monkeypatch.setattr("mujoco.egl.egl_ext.eglGetPlatformDisplayEXT", lambda *_: egl_ext.EGL_NO_DISPLAY)
    else:
        monkeypatch.delattr(f"mujoco.egl.egl_ext.{lacking}")
    with pytest.raises(NoSecondDisplayError, match="no surfaceless display on this machine"):
        open_second(like)
    assert not in_turn.draw_beside()


def test_a_closed_backend_draws_nothing_beside():
    closed = MujocoBackend()
    closed.close()
    with pytest.raises(BackendError, match="closed"):
        closed.draw_beside()


def test_a_backend_by_name_draws_in_one_thread():
    before = len(drawing_threads())
    backend = open_backend("mujoco")
    backend.close()
    assert len(drawing_threads()) == before


def test_work_is_done_in_order_and_what_it_raises_is_raised():
    started = opened_beside()
    try:
        thread = started._labels_at
        assert isinstance(thread, Beside)
        seen: list[int] = []
        waits = [thread.start(lambda k=k: seen.append(k)) for k in range(5)]
        for wait in waits:
            wait()
        assert seen == list(range(5))
        with pytest.raises(ZeroDivisionError):
            thread.start(lambda: 1 / 0)()
        assert thread.start(lambda: threading.current_thread().name)() == THREAD
    finally:
        started.close()
