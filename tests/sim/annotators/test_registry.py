"""Every annotator comes back from its files bit for bit, and a data set holds those that were asked for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from scenes.errors import DatasetError, UnknownNameError
from sim.annotators.registry import ANNOTATORS, DEFAULT, annotator_of, choose, decode, encode
from sim.annotators.view import View
from sim.basicwriter import encode_frame, kind_of
from sim.capture import Capture
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate

BASICWRITER = {
    "rgb", "normals", "distance_to_camera", "distance_to_image_plane", "semantic_segmentation", "instance_segmentation",
    "instance_id_segmentation", "bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d", "occlusion",
    "motion_vectors", "camera_params", "pointcloud",
}  # fmt: skip


def same(a: object, b: object) -> bool:
    """Returns whether two values are equal in type and in every bit."""
    if isinstance(a, np.ndarray):
        assert isinstance(b, np.ndarray)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


@pytest.fixture(scope="module")
def moving(view: View) -> View:
    """The view with neighbours in time and space: itself, as if it stood still, and an eye 6 cm beside."""
    camera = view.frame.camera
    x, y, z = camera.world_from_camera.position_m
    aside = dataclasses.replace(camera.world_from_camera, position_m=(x + 0.06, y, z))
    other = dataclasses.replace(view.frame, camera=dataclasses.replace(camera, world_from_camera=aside))
    return dataclasses.replace(
        view, before=view.now, after=view.now, other_eye=dataclasses.replace(view.now, frame=other)
    )


def test_all_of_basicwriters_annotators_for_rigid_scenes_are_there():
    assert set(ANNOTATORS) >= BASICWRITER


@pytest.mark.parametrize("name", ANNOTATORS)
def test_a_value_comes_back_from_its_files(moving: View, name: str):
    annotator = ANNOTATORS[name]
    value = annotator.compute(moving)
    files = annotator.codec.encode(value)
    assert tuple(files) == annotator.codec.files
    assert same(value, decode(name, files.__getitem__))
    assert all(annotator_of(file) == name for file in files)


def test_the_default_is_what_a_frame_is_written_as(view: View):
    assert encode(view, DEFAULT) == encode_frame(view.frame, view.number)


@pytest.mark.parametrize("name", DEFAULT)
def test_the_two_ways_to_write_the_default_agree(view: View, name: str):
    annotator = ANNOTATORS[name]
    assert {kind_of(n): d for n, d in encode(view, [name]).items()} == annotator.codec.encode(annotator.compute(view))


def test_choosing():
    assert choose(["default"]) == DEFAULT
    assert choose(["normals", "rgb", "normals"]) == ("rgb", "normals")
    assert "motion_vectors" not in choose(["all"])
    assert {"motion_vectors", "disparity"} <= set(choose(["all"], sequence=True, stereo=True))
    with pytest.raises(UnknownNameError, match="Did you mean 'normals'"):
        choose(["normal"])
    with pytest.raises(DatasetError, match=r"--sequence LENGTH"):
        choose(["motion_vectors"])
    with pytest.raises(DatasetError, match=r"--stereo"):
        choose(["disparity"])
    with pytest.raises(DatasetError, match="at least one"):
        choose([])
    with pytest.raises(UnknownNameError):
        decode("normal", dict.__getitem__)


def spec(out: Path, *names: str, **changes: object) -> GenerateSpec:
    capture = Capture(annotators=names)
    return GenerateSpec(
        suite="tabletop", out=out, frames=1, split="val", seed=2, size=(96, 72), workers=1, stages=False, capture=capture
    )


def test_a_data_set_holds_what_was_asked_for_and_says_so(tmp_path: Path):
    generate(spec(tmp_path, "rgb", "normals"), progress=False)
    assert {p.name for p in tmp_path.iterdir()} == {
        "rgb_0000.png", "normals_0000.png", "normals_0000.npy", "manifest.json", "metadata.txt",
    }  # fmt: skip
    dataset = Dataset.open(tmp_path)
    assert dataset.annotation(0, "normals").shape == (72, 96, 4)
    np.testing.assert_array_equal(dataset.annotation(-1, "rgb"), dataset.rgb(0))
    dataset.verify()
    with pytest.raises(DatasetError, match=r"Frame 0 .* has no .*--annotators rgb,normals"):
        dataset[0]
    with pytest.raises(DatasetError, match=r"has no occlusion_0000\.npy"):
        dataset.annotation(0, "occlusion")
    with pytest.raises(UnknownNameError, match="normals"):
        dataset.annotation(0, "normal")
    with pytest.raises(DatasetError, match="capture"):
        generate(spec(tmp_path, "rgb"), progress=False)
    (tmp_path / "normals_0000.npy").write_bytes(b"")
    with pytest.raises(DatasetError, match="damaged"):
        dataset.annotation(0, "normals")


def test_more_annotators_change_no_byte_of_the_others(tmp_path: Path):
    generate(spec(tmp_path / "default", "default"), progress=False)
    generate(spec(tmp_path / "more", "default", "occlusion", "normals"), progress=False)
    first, second = (Dataset.open(tmp_path / name) for name in ("default", "more"))
    few, many = first.manifest.frames[0].files, second.manifest.frames[0].files
    assert few == {name: many[name] for name in few}
    assert len(many) == len(few) + 3
    assert second[0].truth.objects == first[0].truth.objects
