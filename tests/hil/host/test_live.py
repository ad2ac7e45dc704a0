"""A suite rendered while the clock runs: which frames are played is fixed, and a renderer that is behind is the host's fault."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from hil.figures.quality import score_session
from hil.host.live import Clip, LiveCamera
from hil.host.renderer import Renderer
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.verdict import judge
from scenes.errors import BackendError, UnknownNameError
from sim.capture import Capture
from sim.film import Film
from tests.hil.host.test_runner import check_accounts

FILM = Film(suite="tabletop", size=(48, 32), capture=Capture(sequence=4, motion="camera"))
SHORT = WarmUp(frames=4, seconds=0.0, windows=0)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The film's first frames, rendered once, by a clip."""
    folder = tmp_path_factory.mktemp("clip")
    with Clip(FILM, frames=16, folder=folder) as clip:
        assert clip.facts()["source"] == "a clip of 16 rendered frames, played again and again"
        yield [clip[i] for i in range(len(clip))]
    assert not list(folder.iterdir())


def unhurried(monkeypatch):
    """Lets a renderer start that is known to be too slow."""
    monkeypatch.setattr(LiveCamera, "_assert_speed", lambda _: None)


def test_every_due_frame_shows_its_own_frame_of_the_film(start_agent, played, tmp_path):
    with LiveCamera(FILM, 16, rate_hz=4.0, ahead_s=4.0, folder=tmp_path) as camera:
        session = run_session(
            camera, device=start_agent().address, rate_hz=4.0, duration_s=3.0, warm_up=SHORT, deadline_s=0.2, about=camera.facts()
        )
        check_accounts(session)
        assert [f.image for f in session.frames] == list(range(16))
        assert list(session.images) == [frame.name for frame in played]
        for record in (f for f in session.frames if f.return_ns is not None):
            assert np.array_equal(camera[record.image].rgb, played[record.image].rgb)
            depth_m = session.predictions[record.seq].depth_m
            assert np.array_equal(depth_m, 1 + played[record.image].rgb[..., 0].astype(np.float32) / 64)
        assert score_session(session, camera).to_dict() == score_session(session, played).to_dict()
    assert (session.dataset["frames"], session.dataset["frames_late"]) == (16, 0)
    assert session.dataset["source"] == "rendered live, every frame shown once"
    assert not list(tmp_path.iterdir())


def test_a_renderer_that_is_behind_makes_the_run_invalid(start_agent, played, tmp_path, monkeypatch):
    unhurried(monkeypatch)
    with LiveCamera(FILM, 84, rate_hz=500.0, ahead_s=0.01, folder=tmp_path) as camera:
        session = run_session(
            camera, device=start_agent().address, rate_hz=500.0, duration_s=0.16, warm_up=SHORT, claim=0.5, about=camera.facts()
        )
    check_accounts(session)
    assert session.dataset["frames_late"] > 0
    verdict = judge(session)
    assert verdict.status == "INVALID"
    assert "the renderer was behind" in verdict.reason
    assert max(record.image for record in session.frames if record.send_ns is not None) == 83  # late, but all through the film
    answered = {record.image: record.seq for record in session.frames if record.return_ns is not None}
    assert answered
    for image in answered.keys() & range(16):
        depth_m = session.predictions[answered[image]].depth_m
        assert np.array_equal(depth_m, 1 + played[image].rgb[..., 0].astype(np.float32) / 64)


def test_a_renderer_that_dies_is_no_fault_of_the_device(start_agent, played, tmp_path, monkeypatch):
    unhurried(monkeypatch)
    with LiveCamera(FILM, 64, rate_hz=15.0, ahead_s=0.4, folder=tmp_path) as camera:
        threading.Timer(0.5, os.kill, (camera._renderer._process.pid, signal.SIGKILL)).start()
        started = time.monotonic()
        session = run_session(
            camera, device=start_agent().address, rate_hz=15.0, duration_s=4.0, warm_up=SHORT, claim=0.5, about=camera.facts()
        )
    check_accounts(session)
    assert time.monotonic() - started < 4.0
    verdict = judge(session)
    assert (verdict.status, session.fault) == ("INVALID", None)
    assert "The renderer died after" in verdict.reason


def test_it_never_makes_more_than_was_asked_for(played, tmp_path):
    with Renderer(FILM, 16, ahead=3, folder=tmp_path) as renderer:
        while renderer.made < 3:
            assert renderer.wait(30.0)
        assert not renderer.wait(0.5)
        renderer.release()
        assert renderer.wait(10.0)
        assert not renderer.wait(0.2)
        assert np.array_equal(renderer.frame(3).truth.depth_m, played[3].truth.depth_m)


def test_an_error_of_the_simulator_is_told_as_it_is(tmp_path):
    film = Film(suite="tabletop", size=(48, 32), backend="mujocco")
    with Renderer(film, 2, ahead=2, folder=tmp_path) as renderer, pytest.raises(UnknownNameError, match="'mujocco'"):
        renderer.wait(60.0)


def test_a_renderer_that_cannot_keep_up_is_refused_with_what_can(monkeypatch, tmp_path):
    monkeypatch.setattr(Renderer, "frames_per_s", property(lambda _: 9.8))
    with pytest.raises(BackendError, match=r"makes 9\.8 frames a second .* --ahead 5.*--clip"):
        LiveCamera(FILM, 180, rate_hz=15.0, ahead_s=0.2, folder=tmp_path)
    assert not list(tmp_path.iterdir())
    with LiveCamera(FILM, 8, rate_hz=15.0, ahead_s=60.0, folder=tmp_path) as camera:  # all of it before the clock
        assert camera.ahead == 8


def test_frames_that_find_no_room_are_refused(tmp_path, monkeypatch):
    huge = Film(suite="tabletop", size=(640, 480))
    with pytest.raises(BackendError, match=r"need .* GiB on the disk .*--clip"):
        Renderer(huge, 10**7, ahead=2, folder=tmp_path)
    monkeypatch.setattr("hil.host.live.room_for_answers", lambda: 2.0**30)
    with pytest.raises(BackendError, match=r"answers to 9000 different frames take 20\.6 GiB .*--clip"):
        LiveCamera(huge, 9000, rate_hz=15.0, ahead_s=2.0, folder=tmp_path)
