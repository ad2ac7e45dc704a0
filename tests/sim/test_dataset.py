"""A data set either gives back the frame that was written or names the file that is wrong."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scenes.errors import DatasetError
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from sim.manifest import Manifest, read_manifest
from tests.sim.fake_frames import FakeSource

Damage = Callable[[Path], object]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset") / "four_frames"
    spec = GenerateSpec(suite="tabletop", out=folder, frames=4, size=(64, 48), workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """Returns a copy that a test may damage."""
    return shutil.copytree(written, tmp_path / "copy")


def test_it_is_a_sequence_of_the_frames_that_were_made(written: Path) -> None:
    dataset = Dataset.open(str(written))
    source = FakeSource(GenerateSpec(suite="tabletop", out=written, frames=4, size=(64, 48)))
    assert len(dataset) == 4
    for number, frame in enumerate(dataset):
        source.scene(number // 3)
        made = source.frame(number % 3)
        np.testing.assert_array_equal(frame.rgb, made.rgb)
        np.testing.assert_array_equal(dataset.rgb(number), made.rgb)
        np.testing.assert_array_equal(frame.truth.depth_m, made.truth.depth_m)
        assert frame.truth.objects == made.truth.objects
        assert dataset.camera(number) == frame.camera == made.camera
        assert dataset.names[number] == frame.name == made.name
    assert dataset[-1].name == dataset[np.int64(3)].name
    for index in (4, -5):
        with pytest.raises(IndexError, match="has 4 frames"):
            dataset[index]
    dataset.verify()


def test_a_data_set_can_be_sent_to_a_process(written: Path) -> None:
    dataset = Dataset.open(written)
    assert pickle.loads(pickle.dumps(dataset)) == dataset


def _truncate(name: str) -> Damage:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-20])


def _flip(name: str) -> Damage:
    def flip(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return flip


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("rgb_0002.png", _truncate("rgb_0002.png")),
        ("rgb_0002.png", _flip("rgb_0002.png")),
        ("distance_to_image_plane_0002.npy", _truncate("distance_to_image_plane_0002.npy")),
        ("distance_to_image_plane_0002.npy", _flip("distance_to_image_plane_0002.npy")),
        ("semantic_segmentation_0002.png", _flip("semantic_segmentation_0002.png")),
        ("semantic_segmentation_labels_0002.json", _truncate("semantic_segmentation_labels_0002.json")),
        ("camera_params_0002.json", lambda f: (f / "camera_params_0002.json").write_text("{}")),
        ("objects_0002.json", lambda f: (f / "objects_0002.json").unlink()),
        ("instance_segmentation_0002.png", lambda f: (f / "instance_segmentation_0002.png").unlink()),
        (
            "semantic_segmentation_0002.png",
            lambda f: shutil.copy(f / "semantic_segmentation_0001.png", f / "semantic_segmentation_0002.png"),
        ),
    ],
)
def test_a_damaged_file_is_named_and_the_other_frames_stay_readable(folder: Path, name: str, damage: Damage) -> None:
    damage(folder)
    dataset = Dataset.open(folder)
    with pytest.raises(DatasetError, match=rf"{name}.*again"):
        dataset[2]
    with pytest.raises(DatasetError, match=name):
        dataset.verify()
    assert dataset[1].name == dataset.names[1]


def test_verify_also_reads_what_frames_are_not_made_of(folder: Path) -> None:
    _flip("bounding_box_3d_0003.npy")(folder)
    with pytest.raises(DatasetError, match=r"bounding_box_3d_0003\.npy is damaged"):
        Dataset.open(folder).verify()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (shutil.rmtree, "There is no folder .* `rehearse generate"),
        (lambda f: (f / "manifest.json").unlink(), r"looks like BasicWriter output without a manifest\.json"),
        (lambda f: [p.unlink() for p in f.iterdir() if p.is_file()], "is not a data set"),
        (lambda f: (f / "manifest.json").rename(f / ".generate"), "is not finished"),
        (_truncate("manifest.json"), r"manifest\.json is damaged"),
        (lambda f: (f / "manifest.json").write_text("[1]"), r"manifest\.json is damaged"),
        (lambda f: (f / "manifest.json").write_bytes(b"\xff"), r"manifest\.json is damaged"),
        (lambda f: _edit(f, schema_version=99), "has schema version 99, this Rehearse reads versions 1 to 2"),
        (lambda f: _edit(f, frames=[], frame_count=0), "has no frames"),
        (lambda f: _edit(f, frame_count=9), "announces 9 frames and lists 4"),
        (lambda f: _edit(f, size="big"), r"manifest\.json is damaged"),
    ],
)
def test_a_folder_that_is_not_a_whole_data_set_is_refused(folder: Path, make: Damage, message: str) -> None:
    make(folder)
    with pytest.raises(DatasetError, match=message):
        Dataset.open(folder)


def test_a_file_of_another_frame_under_a_right_digest_is_refused(folder: Path) -> None:
    values = json.loads((folder / "manifest.json").read_bytes())
    values["frames"][0]["name"] = "someone else"
    (folder / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(DatasetError, match="its manifest says otherwise"):
        Dataset.open(folder)[0]


def test_the_manifest_comes_back(written: Path) -> None:
    manifest = read_manifest(written)
    assert Manifest.from_dict(json.loads(json.dumps(manifest.to_dict()))) == manifest
    assert (manifest.suite, manifest.seed, manifest.size, manifest.rejected) == ("tabletop", 0, (64, 48), {"lost": 1})
    assert [entry.attempt for entry in manifest.frames] == [0, 0, 0, 1]
    assert len({entry.scene_digest for entry in manifest.frames}) == 2


def _edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))
