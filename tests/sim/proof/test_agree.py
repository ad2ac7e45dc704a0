"""The gate passes what is the same, names what is planted, and tells a user in a table, a picture and an exit status."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

import rehearse
from scenes.errors import SceneError, UnknownNameError
from sim import backend as backends
from sim.frame import Frame
from sim.frame_id import FrameId
from sim.generate import GenerateSpec, generate
from sim.mujoco.backend import MujocoBackend
from sim.proof.agree import agree_backends, agree_dataset
from sim.proof.agreement import compare_frames
from tests.sim.proof.test_proof import FAULTS, Rendered, _largest, flipped_y, missing_object, shifted_camera

SCENE = FrameId(suite="tabletop", version=1, split="test", seed=4, index=1)


@pytest.fixture(scope="module")
def rendered():
    made = Rendered()
    yield made
    made.backend.close()


class FlippingBackend(MujocoBackend):
    """A backend whose images are upside down."""

    name = "flipping"

    def render(self, camera) -> Frame:
        return flipped_y(None, super().render(camera))  # type: ignore[arg-type]


@pytest.fixture
def flipping(monkeypatch):
    monkeypatch.setitem(backends._BACKENDS, "flipping", (__name__, "FlippingBackend"))
    monkeypatch.setattr(backends.importlib, "import_module", _import(backends.importlib.import_module))
    return "flipping"


def _import(original):
    import sys

    return lambda name, *rest: sys.modules[__name__] if name == __name__ else original(name, *rest)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_difference_is_found_from_both_sides(rendered, fault):
    frame = rendered.frames[0]
    other = fault(rendered, frame)
    for first, second in ((frame, other), (other, frame)):
        found = compare_frames(first, second)
        assert found.complaints()
    assert compare_frames(frame, frame).complaints() == []
    assert compare_frames(other, other).complaints() == []


def test_the_object_and_the_pixels_that_differ_are_named(rendered):
    frame = rendered.frames[0]
    gone = next(r for r in frame.truth.objects if r.instance_id == _largest(frame)[-1])
    found = compare_frames(frame, missing_object(rendered, frame))
    row = next(o for o in found.objects if o.name == gone.body_name)
    assert row.pixels[1] == 0
    assert row.iou == 0
    assert row.agreeing == 0 < row.checked
    u, v = row.first_px
    assert frame.truth.instance[v, u] == gone.instance_id
    assert frame.truth.instance[found.labels_differ].tolist().count(gone.instance_id) == row.checked
    assert found.table()[1][0] in {gone.body_name, "table"}  # what differs most comes first
    assert any(gone.body_name in said for said in found.complaints())
    assert json.loads(json.dumps(found.to_dict()))["agrees"] is False


def test_a_shifted_camera_is_told_as_such(rendered):
    assert "the cameras differ" in compare_frames(rendered.frames[0], shifted_camera(rendered, rendered.frames[0])).complaints()


def test_sizes_must_match(rendered):
    small = rendered.again(rendered.scene.cameras[0].resized(64, 48))
    with pytest.raises(ValueError, match="one size"):
        compare_frames(rendered.frames[0], small)


def test_two_backends_on_one_scene(tmp_path, flipping):
    same = agree_backends(SCENE, ("mujoco", "mujoco"), views=2, size=(96, 72), out=tmp_path)
    assert same.agrees
    assert same.pictures == ()
    assert [f.name for f in same.frames] == [f"tabletop-v1/test/seed4/000001/camera_{k}" for k in (0, 1)]
    wrong = agree_backends(SCENE, ("mujoco", flipping), views=1, size=(96, 72), out=tmp_path)
    assert not wrong.agrees
    picture = cv2.imread(str(wrong.pictures[0]))
    assert picture.shape[1] > 4 * 300
    assert (picture == (255, 0, 255)).all(axis=-1).sum() > 500  # the map of differences
    assert "differs tabletop-v1/test/seed4/000001/camera_0" in wrong.describe()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("agree") / "data"
    spec = GenerateSpec(suite="tabletop", out=out, frames=4, split="test", seed=4, size=(96, 72), workers=1, stages=False)
    generate(spec, progress=False)
    return out


def test_a_data_set_against_a_fresh_render(folder, tmp_path):
    report = agree_dataset(folder, frames=2, out=tmp_path)
    assert report.agrees
    assert [f.agreement.depth_max_error_m for f in report.frames] == [0, 0]
    assert [f.name[-15:] for f in report.frames] == ["000000/camera_0", "000001/camera_0"]
    assert agree_dataset(folder, frames=1, backend="raycast").agrees


def test_the_command_line_says_which_and_exits_with_one(folder, tmp_path, capsys, monkeypatch, flipping):
    assert rehearse.main(["agree", str(folder), "--frames", "1", "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agrees"] is True
    arguments = ["agree", "tabletop", "--index", "1", "--seed", "4", "--split", "test", "--size", "96x72"]
    arguments += ["--frames", "1", "--backends", "mujoco,flipping", "--out", str(tmp_path)]
    assert rehearse.main(arguments) == 1
    said = capsys.readouterr().out
    assert "checked pixels disagree" in said
    assert "depth error" in said
    assert "first at" in said
    assert rehearse.main(["agree", str(tmp_path / "none")]) == 2


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("tabletop", SceneError, "not the name of a frame"),
        ("tabeltop-v1/test/seed0/000000/camera_0", UnknownNameError, "Did you mean 'tabletop'"),
        ("tabletop-v9/test/seed0/000000/camera_0", SceneError, "of version 9 .* makes version 1"),
    ],
)
def test_a_name_that_says_nothing_is_refused(name, error, message):
    with pytest.raises(error, match=message):
        FrameId.parse(name)


def test_a_name_is_read_as_it_is_written():
    parsed = FrameId.parse("tabletop-v1/val/seed12/000345/camera_2")
    assert parsed == FrameId(suite="tabletop", version=1, split="val", seed=12, index=345, camera="camera_2")
    assert FrameId.parse("tabletop-v1/val/seed12/000345") == replace(parsed, camera=None)


def test_background_is_compared_too(rendered):
    frame = rendered.frames[0]
    sky = frame.truth.depth_m.copy()
    sky[:20] = np.inf
    truth = replace(frame.truth, depth_m=sky, semantic=np.where(np.isinf(sky), 0, frame.truth.semantic).astype(np.uint8),
                    instance=np.where(np.isinf(sky), 0, frame.truth.instance).astype(np.uint16))  # fmt: skip
    emptied = replace(frame, truth=truth)
    assert compare_frames(emptied, emptied).complaints() == []
    assert compare_frames(frame, emptied).complaints()
