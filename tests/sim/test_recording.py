"""Sequences and stereo pairs: what moves, what the files say, and that it does not matter how they were made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scenes.errors import DatasetError, SceneError, UnknownNameError
from scenes.motion import Push
from sim._recording import motion_of, record
from sim.annotators.flow import SEEN, flow
from sim.annotators.view import View
from sim.backend import Backend, open_backend
from sim.capture import Capture
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from tests.sim.little_scenes import ball, block, camera_above, floor, scene_of

SIZE = (96, 72)
FILM = Capture(annotators=("all",), sequence=3, rate_hz=10.0, motion="both")
PAIR = Capture(annotators=("default", "disparity", "disparity_state"), stereo_m=0.06)


@pytest.fixture(scope="module")
def backend():
    started = open_backend("mujoco")
    yield started
    started.close()


def spec(out: Path, capture: Capture, frames: int, workers: int = 1) -> GenerateSpec:
    return GenerateSpec(
        suite="tabletop", out=out, frames=frames, split="test", seed=4, size=SIZE, workers=workers, stages=False, capture=capture
    )


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Dataset:
    out = tmp_path_factory.mktemp("film")
    generate(spec(out, FILM, 6), progress=False)
    return Dataset.open(out)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Dataset:
    out = tmp_path_factory.mktemp("pairs")
    generate(spec(out, PAIR, 4), progress=False)
    return Dataset.open(out)


def views(backend: Backend, capture: Capture, *bodies) -> list[View]:
    scene = scene_of(floor(), *bodies)
    backend.load(scene)
    return list(record(backend, scene, capture, (64, 48), range(capture.frames_per_view)))


def test_frames_of_a_sequence_follow_each_other_on_the_clock(film):
    frames = list(film)
    assert [f.time_s for f in frames] == pytest.approx([0.0, 0.1, 0.2] * 2)
    assert [name.rpartition("/")[2] for name in film.names] == [f"camera_{c}-000{k}" for c in (0, 1) for k in range(3)]
    assert len({name.rpartition("/")[0] for name in film.names}) == 1
    assert len({f.camera.world_from_camera for f in frames}) == 6
    moved = [r.body_name for r in frames[0].truth.objects for s in frames[2].truth.objects
             if s.body_name == r.body_name and s.world_from_body != r.world_from_body]  # fmt: skip
    assert moved


def test_both_cameras_see_the_same_motion(film):
    first, second = film[2], film[5]
    poses = [{r.body_name: r.world_from_body for r in f.truth.objects} for f in (first, second)]
    shared = poses[0].keys() & poses[1].keys()
    assert shared
    assert all(poses[0][name] == poses[1][name] for name in shared)


def test_motion_vectors_are_the_backward_flow_and_the_first_has_none(film):
    for k in (0, 3):
        assert not film.annotation(k, "motion_vectors").any()
        assert not film.annotation(k, "optical_flow_backward").state.any()
        assert not film.annotation(k + 2, "optical_flow_forward").state.any()
    backward, vectors = film.annotation(1, "optical_flow_backward"), film.annotation(1, "motion_vectors")
    np.testing.assert_array_equal(vectors[..., :2], backward.pixels)
    assert (backward.state == SEEN).mean() > 0.7


def test_flow_finds_the_same_things_in_the_next_frame(film):
    forward = film.annotation(0, "optical_flow_forward")
    here, there = film[0].truth, film[1].truth
    v, u = np.nonzero(forward.state == SEEN)
    target = np.rint(np.stack([v, u], 1) + forward.pixels[v, u][:, ::-1]).astype(int)
    same = here.semantic[v, u] == there.semantic[target[:, 0], target[:, 1]]
    assert same.mean() > 0.95


def test_sequences_do_not_depend_on_the_workers(film, tmp_path):
    generate(spec(tmp_path, FILM, 6, workers=2), progress=False)
    assert [e.files for e in Dataset.open(tmp_path).manifest.frames] == [e.files for e in film.manifest.frames]


def test_the_manifest_says_how_it_was_recorded(film):
    values = json.loads((film.path / "manifest.json").read_text())
    capture = Capture.from_dict(values["capture"])
    assert (capture.sequence, capture.rate_hz, capture.motion, capture.stereo_m) == (3, 10.0, "both", None)
    assert "disparity" not in capture.annotators
    assert generate(spec(film.path, FILM, 6), progress=False).frames_made == 0


def test_pairs_lie_in_one_folder_per_eye(pairs):
    assert {p.name for p in pairs.path.iterdir()} == {"left", "right", "manifest.json", "metadata.txt"}
    for eye in ("left", "right"):
        assert (pairs.path / eye / "rgb" / "rgb_0001.png").is_file()
        assert (pairs.path / eye / "bounding_box_3d" / "bounding_box_3d_labels_0001.json").is_file()
        assert (pairs.path / eye / "disparity_state" / "disparity_state_0000.png").is_file()
        assert not (pairs.path / eye / "rgb" / "rgb_0002.png").exists()
    assert [name.rpartition("/")[2] for name in pairs.names] == [f"camera_{c}-{e}" for c in (0, 1) for e in ("left", "right")]
    pairs.verify()


def test_the_eyes_are_parallel_and_a_baseline_apart(pairs):
    left, right = pairs.camera(0), pairs.camera(1)
    apart = np.subtract(right.world_from_camera.position_m, left.world_from_camera.position_m)
    np.testing.assert_allclose(apart, 0.06 * left.world_from_camera.matrix()[:3, 0], atol=1e-12)
    assert left.world_from_camera.quaternion_wxyz == right.world_from_camera.quaternion_wxyz


@pytest.mark.parametrize(("eye", "sign"), [(0, -1), (1, 1)])
def test_disparity_leads_to_the_same_thing_in_the_other_eye(pairs, eye, sign):
    here, there = pairs[eye].truth, pairs[1 - eye].truth
    disparity, state = pairs.annotation(eye, "disparity"), pairs.annotation(eye, "disparity_state")
    v, u = np.nonzero(state == SEEN)
    target = u + sign * disparity[v, u]
    column = np.rint(target).astype(int)
    assert ((column >= 0) & (column < SIZE[0])).all()
    assert (here.instance[v, u] == there.instance[v, column]).mean() > 0.95
    other = pairs.annotation(1 - eye, "disparity")[v, column]
    assert np.median(np.abs(other - disparity[v, u])) < 0.2


def test_disparity_is_the_flow_to_the_other_eye(backend):
    capture = Capture(annotators=("disparity",), stereo_m=0.05)
    left, right = views(backend, capture, block("box_01", (0.03, 0.03, 0.1), (0, 0, 0.1)))
    assert left.number == right.number == 0
    to_right = flow(left.now, left.other_eye).pixels
    np.testing.assert_allclose(to_right[..., 0], -400 * 0.05 / left.frame.truth.depth_m, atol=1e-4)
    np.testing.assert_allclose(to_right[..., 1], 0, atol=1e-6)


def test_a_pushed_ball_slows_down_and_a_still_one_stays(backend):
    balls = (ball(f"orange_0{k}", 0.03, (0.2 * (k - 1), 0, 0.03), dynamic=True) for k in (1, 2))
    scene = scene_of(floor(), *balls)
    backend.load(scene)
    push = Push(body_name="orange_01", velocity_m_s=(0.0, 0.5, 0.0))
    times = [k / 10 for k in range(6)]
    stands = backend.play([push], times)
    y = np.array([stand["orange_01"].position_m[1] for stand in stands])
    assert y[0] == 0
    assert (np.diff(y) > 0).all()
    assert (np.diff(y, 2) < 0).any()
    assert y[1] == pytest.approx(0.05, abs=0.02)
    assert np.ptp([s["orange_02"].position_m for s in stands], axis=0).max() < 2e-3
    assert backend.render(camera_above()).truth.objects[0].world_from_body.position_m == (0, 0, 0.03)
    assert [dict(s) for s in backend.play([push], times)] == [dict(s) for s in stands]


def test_a_placed_body_is_seen_there_and_the_others_stay(backend):
    orange = ball("orange_01", 0.03, (0, 0, 0.03), dynamic=True)
    scene = scene_of(floor(), orange, block("box_01", (0.01,) * 3, (0.05, 0, 0.01), dynamic=True))
    backend.load(scene)
    pose = scene.bodies[1].world_from_body
    moved = type(pose)((0.0, 0.03, 0.03), pose.quaternion_wxyz)
    backend.place({"orange_01": moved})
    seen = {r.body_name: r.world_from_body for r in backend.render(camera_above()).truth.objects}
    assert seen == {"orange_01": moved, "box_01": scene.bodies[2].world_from_body}
    with pytest.raises(SceneError, match="floor cannot be moved"):
        backend.place({"floor": moved})
    with pytest.raises(SceneError, match="orange_01, box_01"):
        backend.play([Push(body_name="wall", velocity_m_s=(0, 0, 0))], [0.0])


@pytest.mark.parametrize("motion", ["camera", "objects", "both"])
def test_what_was_asked_to_move_moves(backend, motion):
    capture = Capture(annotators=("rgb",), sequence=3, rate_hz=5.0, motion=motion)
    seen = views(backend, capture, block("box_01", (0.02,) * 3, (0, 0, 0.02), dynamic=True))
    cameras = {v.frame.camera.world_from_camera for v in seen}
    things = {v.scene.bodies[1].world_from_body for v in seen}
    assert (len(cameras) > 1) == (motion != "objects")
    assert (len(things) > 1) == (motion != "camera")
    assert [v.before is None for v in seen] == [True, False, False]
    assert [v.after is None for v in seen] == [False, False, True]
    assert seen[1].before.frame is seen[0].frame
    assert seen[1].after.frame is seen[2].frame


def test_a_still_does_not_move(backend):
    assert motion_of(scene_of(floor()), Capture()).cameras == ()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"motion": "cameras"}, UnknownNameError, "Did you mean 'camera'"),
        ({"sequence": 0}, DatasetError, "at least 1 frame"),
        ({"rate_hz": 0.0}, DatasetError, "rate above 0"),
        ({"stereo_m": 0.0}, DatasetError, "above 0"),
        ({"annotators": ("disparity",)}, DatasetError, "stereo"),
    ],
)
def test_a_capture_that_makes_no_sense_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        Capture(**changes)


def test_frames_must_make_whole_sequences(tmp_path):
    with pytest.raises(DatasetError, match="multiple of 3"):
        spec(tmp_path, FILM, 4)
    with pytest.raises(DatasetError, match="multiple of 2"):
        spec(tmp_path, PAIR, 3)
