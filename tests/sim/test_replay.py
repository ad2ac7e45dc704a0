"""A frame made again is the same in every byte of its labels, and where it is not, the first field that differs is named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import rehearse
from scenes.errors import DatasetError
from scenes.transforms import Pose
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from sim.replay import Field, Replay, compare, entry_of, replay_dataset, replay_id
from tests.sim.proof.test_proof import Rendered, scaled_depth, wrong_category


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("replay") / "data"
    spec = GenerateSpec(suite="tabletop", out=out, frames=5, split="train", seed=1, size=(96, 72), workers=1, stages=False)
    generate(spec, progress=False)
    return out


@pytest.fixture(scope="module")
def rendered():
    made = Rendered()
    yield made
    made.backend.close()


def test_a_frame_of_a_data_set_by_number_and_by_name(folder):
    for frame in ("4", Dataset.open(folder).names[4]):
        found = replay_dataset(folder, frame)
        assert found.verdict == "match"
        assert [field.equal for field in found.images] == [True, True]
        assert found.frame.endswith("000001/camera_1")
        names = [field.name for field in found.fields]
        assert names[:3] == ["attempt", "scene_digest", "camera"]
        assert "distance_to_image_plane_0004.npy" in names
        assert any(name.startswith("pose of ") for name in names)
    for frame in ("5", "-1", "camera_0"):
        with pytest.raises(DatasetError, match="0 to 4"):
            replay_dataset(folder, frame)


def test_a_frame_by_its_name_alone():
    found, digests = replay_id("tabletop-v1/val/seed3/000002/camera_1", size=(64, 48))
    assert found.verdict == "match"
    assert [field.equal for field in found.images] == [True, True]
    assert digests["rgb_0000.png"] == found.images[0].got
    assert digests["scene_digest"] == next(f.got for f in found.fields if f.name == "scene_digest")


class Made:
    """What `compare` takes, with the frame exchanged."""

    def __init__(self, scene, frame):
        self.scene, self.frame = scene, frame


@pytest.mark.parametrize(
    ("spoil", "first"),
    [
        (lambda _, frame: frame, None),
        (scaled_depth, "distance_to_image_plane_0000.npy"),
        (wrong_category, "semantic_segmentation_0000.png"),
        (lambda _, frame: replace(frame, rgb=frame.rgb // 2), None),
        (lambda _, frame: replace(frame, camera=replace(frame.camera, fx=frame.camera.fx + 1e-9)), "camera"),
    ],
    ids=["same", "depth", "ids", "image", "camera"],
)
def test_the_first_field_that_differs_is_named(rendered, spoil, first):
    frame = rendered.frames[0]
    entry = entry_of(Made(rendered.scene, frame))
    found = compare(entry, 0, Made(rendered.scene, spoil(rendered, frame)), against="itself", disk=frame)
    assert (found.first_difference.name if found.first_difference else None) == first
    assert found.verdict == ("match" if first is None else "differs")
    assert found.to_dict()["first_difference"] == first
    assert first is None or first in found.describe()


def test_a_scene_that_differs_is_told_before_its_labels(rendered):
    frame, body = rendered.frames[0], rendered.scene.things[0]
    x, y, z = body.world_from_body.position_m
    moved = rendered.scene.with_poses({body.name: Pose((x + 1e-12, y, z), body.world_from_body.quaternion_wxyz)})
    found = compare(entry_of(Made(rendered.scene, frame)), 0, Made(moved, frame), against="itself", disk=frame)
    assert found.first_difference.name == "scene_digest"


def test_the_command_line(folder, capsys):
    assert rehearse.main(["replay", str(folder), "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "match"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["frames"][1]["scene_digest"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert rehearse.main(["replay", str(folder), "1"]) == 1
    assert "differs first in scene_digest: expected 000000" in capsys.readouterr().out
    assert rehearse.main(["replay", "tabletop-v1/no"]) == 2
    assert "not the name of a frame" in capsys.readouterr().err


def test_an_image_of_another_machine_is_told_apart():
    image = Field(name="rgb_0000.png", expected="a", got="b")
    found = Replay(frame="f", against="g", fields=(Field(name="x", expected="1", got="1"),), images=(image,))
    assert found.verdict == "match"
    assert "other bytes" in found.describe()
    assert found.to_dict()["images_equal"] is False
