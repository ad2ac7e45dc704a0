"""pycocotools reads the instances, and their masks, areas and boxes are those of the truth; panoptic ids decode as documented."""

from __future__ import annotations

import contextlib
import io
import json
import tracemalloc
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from scenes.taxonomy import TAXONOMY
from sim.formats.coco import CocoExport

coco_api = pytest.importorskip("pycocotools.coco")
# pycocotools has not caught up with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def load(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return coco_api.COCO(str(path))


def test_instances_are_the_truth_pixel_for_pixel(converted, dataset):
    api = load(converted("coco") / "annotations/instances.json")
    assert sorted(api.getImgIds()) == list(range(len(dataset)))
    for number, frame in enumerate(dataset):
        rows = api.loadAnns(api.getAnnIds(imgIds=number))
        visible = [r for r in frame.truth.objects if r.visible_box_px is not None]
        assert [row["instance_id"] for row in rows] == [r.instance_id for r in visible]
        for row, record in zip(rows, visible, strict=True):
            mask = frame.truth.instance == record.instance_id
            assert (api.annToMask(row).astype(bool) == mask).all()
            assert row["area"] == mask.sum()
            x0, y0, x1, y1 = record.visible_box_px
            assert row["bbox"] == [x0, y0, x1 - x0 + 1, y1 - y0 + 1]
            assert api.loadCats(row["category_id"])[0]["name"] == TAXONOMY[record.category_id].name
        image = cv2.imread(
            str(converted("coco") / "images" / api.loadImgs(number)[0]["file_name"]), cv2.IMREAD_UNCHANGED
        )
        assert (image[..., ::-1] == frame.rgb).all()
    assert api.getAnnIds() == list(range(1, len(api.anns) + 1))


def test_the_truth_scores_full_marks_in_cocoeval(converted, dataset, tmp_path):
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    api = load(converted("coco") / "annotations/instances.json")
    results = [
        {k: row[k] for k in ("image_id", "category_id", "segmentation")} | {"score": 1.0} for row in api.anns.values()
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        run = evaluation.COCOeval(api, api.loadRes(results), "segm")
        run.evaluate()
        run.accumulate()
        run.summarize()
    assert run.stats[0] == pytest.approx(1.0)


def test_panoptic_segments_are_the_truth(converted, dataset):
    folder = converted("coco") / "annotations"
    whole = json.loads((folder / "panoptic.json").read_bytes())
    names = {row["id"]: (row["name"], row["isthing"]) for row in whole["categories"]}
    assert names == {c.id: (c.name, int(c.is_thing)) for c in TAXONOMY if c.kind != "void"}
    for frame, annotation in zip(dataset, whole["annotations"], strict=True):
        rgb = cv2.imread(str(folder / "panoptic" / annotation["file_name"]))[..., ::-1].astype(np.int64)
        ids = rgb[..., 0] + 256 * rgb[..., 1] + 256**2 * rgb[..., 2]
        truth = frame.truth
        assert ((ids == 0) == (truth.semantic == 0)).all()
        assert {s["id"] for s in annotation["segments_info"]} == set(np.unique(ids)) - {0}
        for segment in annotation["segments_info"]:
            mask = ids == segment["id"]
            assert segment["area"] == mask.sum()
            assert set(truth.semantic[mask]) == {segment["category_id"]}
            assert len(set(truth.instance[mask])) == 1
            u, v = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
            assert segment["bbox"] == [u[0], v[0], u[-1] - u[0] + 1, v[-1] - v[0] + 1]


def test_polygons_keep_what_is_not_a_hole(converted, dataset):
    api = load(converted("coco", polygons=True) / "annotations/instances.json")
    kept = 0
    for row in api.anns.values():
        mask = dataset[row["image_id"]].truth.instance == row["instance_id"]
        assert isinstance(row["segmentation"], list)
        if row["holes"] == 0 and row["area"] > 100:
            got = api.annToMask(row).astype(bool)
            assert (got & mask).sum() / (got | mask).sum() > 0.88
            kept += 1
    assert kept > 5


class Many(Sequence[dict[str, Any]]):
    """The records of 4,000 frames of 8 objects, each made when it is asked for."""

    def __len__(self) -> int:
        return 4000

    def __getitem__(self, part):
        if part >= len(self):
            raise IndexError(part)
        rows = [{"category_id": 1, "bbox": [0, 0, 9, 9], "segmentation": "x" * 300} for _ in range(8)]
        return {"image": {"id": part, "file_name": f"{part:06d}.png"}, "instances": rows, "segments": [{"id": 1, "area": 3}]}


def test_the_annotations_of_many_frames_are_written_one_at_a_time(dataset, tmp_path):
    export = CocoExport(dataset)
    tracemalloc.start()
    try:
        export.finish(tmp_path, Many())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    path = tmp_path / "annotations/instances.json"
    assert path.stat().st_size > 10_000_000
    assert peak < 1_000_000
    ids = [row["id"] for row in json.loads(path.read_text())["annotations"]]
    assert ids == list(range(1, 32_001))
    assert len(json.loads((tmp_path / "annotations/panoptic.json").read_text())["annotations"]) == 4000
