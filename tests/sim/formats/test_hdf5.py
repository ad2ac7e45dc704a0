"""HDF5 files hold every bit of every frame; a plain h5py reads them by BlenderProc's keys; equal data sets give equal bytes."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim._png import decode_any
from sim.capture import Capture
from sim.convert import ConvertSpec, convert
from sim.dataset import Dataset
from sim.formats.hdf5 import read_hdf5_frame
from sim.generate import GenerateSpec, generate
from tests.sim.test_generate import contents

h5py = pytest.importorskip("h5py", reason="h5py is not installed (the hdf5 extra)")


def assert_same_frame(one, other):
    assert (one.name, one.time_s, one.camera) == (other.name, other.time_s, other.camera)
    assert one.truth.objects == other.truth.objects
    for name in ("depth_m", "semantic", "instance"):
        first, second = getattr(one.truth, name), getattr(other.truth, name)
        assert first.dtype == second.dtype
        assert first.tobytes() == second.tobytes()
    assert one.rgb.tobytes() == other.rgb.tobytes()


def test_every_frame_comes_back_bit_for_bit(converted, dataset):
    folder = converted("hdf5")
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "scene_000000.hdf5", "scene_000001.hdf5"]
    number = 0
    for path in sorted(folder.glob("*.hdf5")):
        with h5py.File(path) as file:
            for key in file:
                assert key == f"{number:06d}"
                assert_same_frame(read_hdf5_frame(file[key]), dataset[number])
                number += 1
    assert number == len(dataset)


def test_blenderprocs_keys_are_plain_arrays_in_one_chunk_each(converted, dataset):
    with h5py.File(converted("hdf5") / "scene_000000.hdf5") as file:
        group, truth = file["000001"], dataset[1].truth
        for key, dtype in (("colors", "u1"), ("depth", "<f4"), ("class_segmaps", "u1"), ("instance_segmaps", "<u2")):
            assert group[key].dtype == np.dtype(dtype)
            assert (group[key].chunks, group[key].compression) == (group[key].shape, "gzip")
        names = json.loads(file.attrs["category_names"])
        for row in json.loads(group["instance_attribute_maps"].asstr()[()]):
            seen = group["class_segmaps"][()][group["instance_segmaps"][()] == row["idx"]]
            assert set(seen.tolist()) <= {row["category_id"]}
            assert names[str(row["category_id"])] == row["category"] == TAXONOMY[row["category_id"]].name
        assert len(json.loads(group["instance_attribute_maps"].asstr()[()])) == len(truth.objects)
        about = json.loads(file.attrs["rehearse"])
        assert (about["suite"], about["scene"]) == ("tabletop", dataset.names[0].rpartition("/")[0])


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    out = tmp_path_factory.mktemp("hdf5") / "pairs"
    capture = Capture(annotators=("all",), stereo_m=0.06)
    spec = GenerateSpec(suite="tabletop", out=out, frames=2, size=(64, 48), workers=1, stages=False, capture=capture)
    generate(spec, progress=False)
    return out


def test_every_other_annotation_is_there_too(full, tmp_path):
    summary = convert(ConvertSpec(dataset=full, out=tmp_path / "h", to="hdf5"), progress=False)
    assert summary.lost == ()
    dataset, checked = Dataset.open(full), set()
    with h5py.File(tmp_path / "h" / "scene_000000.hdf5") as file:
        for number in range(2):
            files = file[f"{number:06d}"]["files"]
            for name, data in dataset.files(number):
                stem, _, suffix = name.rpartition("/")[2].rpartition(".")
                key = f"{stem.rpartition('_')[0]}.{suffix}"
                if key not in files:
                    continue
                if suffix == "json":
                    assert files[key].asstr()[()].encode() == data
                else:
                    array = decode_any(data) if suffix == "png" else np.load(io.BytesIO(data))
                    assert files[key].dtype == array.dtype
                    assert files[key][()].tobytes() == array.tobytes()
                checked.add(key)
    assert {"normals.npy", "normals.png", "bounding_box_3d.npy", "pointcloud.npy", "disparity.npy"} <= checked
    assert {"amodal_segmentation.json", "camera_params.json", "panoptic.png"} <= checked


def test_equal_data_sets_give_equal_bytes(real, converted, tmp_path):
    convert(ConvertSpec(dataset=real, out=tmp_path / "again", to="hdf5"), progress=False)
    assert contents(tmp_path / "again") == contents(converted("hdf5"))


def test_a_group_that_is_no_frame_is_named(tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w") as file, pytest.raises(DatasetError, match=r"x\.hdf5/a is not a frame"):
        read_hdf5_frame(file.create_group("a"))


def test_without_h5py_the_error_says_how_to_get_it(real, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(DatasetError, match=r"pip install 'rehearse-perception\[hdf5\]'"):
        convert(ConvertSpec(dataset=real, out=tmp_path / "o", to="hdf5"), progress=False)
