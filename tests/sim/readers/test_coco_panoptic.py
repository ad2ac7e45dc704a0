"""COCO panoptic comes back as frames with the same segments, and what it cannot hold is not available, with a reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim.convert import ConvertSpec, convert
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from sim.inspect import inspect_dataset
from sim.readers.labels import category_named
from tests.sim.fake_frames import FakeSource


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("coco") / "ours"
    spec = GenerateSpec(suite="tabletop", out=folder, frames=4, split="test", size=(64, 48), workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    return folder


@pytest.fixture(scope="module")
def coco(ours) -> Path:
    convert(ConvertSpec(dataset=ours, out=ours.with_name("coco"), to="coco"), progress=False)
    return ours.with_name("coco")


@pytest.fixture
def folder(coco, tmp_path) -> Path:
    return Path(shutil.copytree(coco, tmp_path / "copy"))


def edit(folder, change):
    path = folder / "annotations" / "panoptic.json"
    values = json.loads(path.read_bytes())
    change(values)
    path.write_text(json.dumps(values))


def test_segments_come_back(ours, coco):
    wanted, found = Dataset.open(ours), Dataset.open(coco)
    assert found.names == wanted.names
    for theirs, frame in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(theirs.rgb, frame.rgb)
        np.testing.assert_array_equal(theirs.truth.semantic, frame.truth.semantic)
        visible = [r for r in frame.truth.objects if r.visible_box_px is not None]
        assert [r.visible_box_px for r in theirs.truth.objects] == [r.visible_box_px for r in visible]
        for a, b in zip(theirs.truth.objects, visible, strict=True):
            assert ((theirs.truth.instance == a.instance_id) == (frame.truth.instance == b.instance_id)).all()
        assert np.isnan(theirs.truth.depth_m).all()
        assert not any(r.has_box for r in theirs.truth.objects)
    assert {"depth", "3D boxes", "cameras"} <= set(found.absent)
    found.verify()


def test_what_was_read_can_be_written_again(coco, tmp_path):
    convert(ConvertSpec(dataset=coco, out=tmp_path / "again", to="coco"), progress=False)
    for a, b in zip(Dataset.open(tmp_path / "again"), Dataset.open(coco), strict=True):
        np.testing.assert_array_equal(a.rgb, b.rgb)
        np.testing.assert_array_equal(a.truth.semantic, b.truth.semantic)
        np.testing.assert_array_equal(a.truth.instance, b.truth.instance)


def test_it_can_be_inspected(coco, tmp_path):
    statistics = inspect_dataset(coco, tmp_path / "sheet.png")
    assert statistics.depth_range_m is None
    assert sum(statistics.visible_fraction_histogram) == 0
    assert (tmp_path / "sheet.png").stat().st_size > 0


def test_cocos_own_layout_is_found(folder):
    (folder / "annotations" / "panoptic.json").rename(folder / "annotations" / "panoptic_val2017.json")
    (folder / "annotations" / "panoptic").rename(folder / "annotations" / "panoptic_val2017")
    (folder / "images").rename(folder / "val2017")
    assert len(Dataset.open(folder)) == 4


def test_crowds_and_unknown_categories_are_void(folder):
    def change(values):
        values["categories"] += [{"id": 200, "name": "giraffe", "isthing": 1}]
        first, second = values["annotations"][:2]
        things = [s for s in first["segments_info"] if TAXONOMY[s["category_id"]].is_thing]
        things[0]["iscrowd"] = 1
        next(s for s in second["segments_info"] if TAXONOMY[s["category_id"]].is_thing)["category_id"] = 200

    before = Dataset.open(folder)
    objects = [len(before[k].truth.objects) for k in range(2)]
    void = [(before[k].truth.semantic == 0).sum() for k in range(2)]
    edit(folder, change)
    found = Dataset.open(folder)
    assert "'giraffe' are not in the taxonomy" in found.absent["categories"]
    assert [len(found[k].truth.objects) for k in range(2)] == [n - 1 for n in objects]
    assert all((found[k].truth.semantic == 0).sum() > n for k, n in enumerate(void))


@pytest.mark.parametrize(
    ("label", "name"),
    [("cup", "cup"), ("Wine_Glass", "wine glass"), ("wall-brick", "wall"), ("floor-wood", "floor"), ("table-merged", "table"),
     ("cup, dish", "cup"), ("giraffe", "void"), ("", "void")],
)  # fmt: skip
def test_foreign_names_are_matched_by_rule(label, name):
    assert category_named(label).name == name


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "annotations/panoptic.json").write_text("{"), "is not a COCO panoptic json"),
        (lambda f: (f / "annotations/panoptic.json").write_text('{"images": []}'), "is not a COCO panoptic json"),
        (lambda f: shutil.rmtree(f / "annotations/panoptic"), "pictures of ids .* are not there"),
        (lambda f: shutil.rmtree(f / "images"), "images .* are not there"),
        (lambda f: shutil.copy(f / "annotations/panoptic.json", f / "panoptic_val.json"), "several panoptic data sets"),
        (lambda f: (f / "annotations/panoptic/000002.png").write_bytes(b"x"), r"000002\.png is damaged"),
        (lambda f: (f / "images/000001.png").unlink(), r"Cannot read .*000001\.png"),
        (lambda f: edit(f, lambda v: v["annotations"][3]["segments_info"][0].pop("id")), "damaged at image .*KeyError"),
    ],
)
def test_what_is_wrong_is_named(folder, damage, message):
    damage(folder)
    with pytest.raises(DatasetError, match=message):
        Dataset.open(folder).verify()
