"""Folders that Isaac Sim wrote are scored as far as their annotators allow; what is not there has no figure, never a zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.scoring import score_folder, slice_folder
from perception.store import write_predictions
from scenes.box import OrientedBox
from scenes.transforms import Pose
from sim.dataset import Dataset
from tests.perception.scoring.label_maps import perfect_prediction
from tests.sim.readers import isaac_folder as isaac

SOME_BOX = OrientedBox(Pose((0.0, 0.0, 1.0)), (0.1, 0.1, 0.1))


def predicted(folder, out):
    """Predicts what is known and something finite for what is not."""
    pairs = []
    for frame in Dataset.open(folder):
        depth_m = np.where(np.isnan(frame.truth.depth_m), 1.5, frame.truth.depth_m).astype(np.float32)
        filled = replace(frame, truth=replace(frame.truth, depth_m=depth_m))
        answer = perfect_prediction(filled)
        segments = tuple(
            s if s.box_camera is None or np.isfinite(s.box_camera.corners()).all() else replace(s, box_camera=SOME_BOX)
            for s in answer.segments
        )
        pairs.append((frame.name, replace(answer, segments=segments)))
    write_predictions(out, pairs)
    return score_folder(out, folder)


def labelled(folder):
    isaac.rgb(folder)
    isaac.semantic(folder)
    isaac.instance(folder)
    return folder


def test_labels_alone_score_masks_and_no_depth_and_no_boxes(tmp_path):
    scores = predicted(labelled(tmp_path / "isaac"), tmp_path / "out")
    assert scores["pq"].value == pytest.approx(1)
    assert scores["mask_ap"].value == pytest.approx(1)
    for key in ("absrel_pooled", "box_ap", "box_iou_mean"):
        assert scores[key].value is None or np.isnan(scores[key].value), key


def test_all_annotators_score_everything(tmp_path):
    folder = labelled(tmp_path / "isaac")
    isaac.camera(folder)
    isaac.depth(folder, np.full(isaac.IDS.shape, 2.0))
    low, high = (-0.1, -0.1, 0.9), (0.1, 0.1, 1.1)
    isaac.boxes_3d(folder, [isaac.box_3d(low, high, np.eye(4), k, 0.0) for k in (1, 0)], ["/World/Cup", "/World/Bowl"])
    scores = predicted(folder, tmp_path / "out")
    for key in ("pq", "mask_ap", "box_ap"):
        assert scores[key].value == pytest.approx(1), key
    assert scores["absrel_pooled"].value == pytest.approx(0)


def test_an_image_alone_has_no_figure(tmp_path):
    isaac.rgb(tmp_path / "isaac")
    scores = predicted(tmp_path / "isaac", tmp_path / "out")
    known = {key for key, _, n in scores.rows() if n and scores[key].value is not None and np.isfinite(scores[key].value)}
    assert not known & {"pq", "mask_ap", "miou", "box_ap", "absrel_pooled"}


def test_slices_by_what_is_not_known_put_nothing_into_a_bin(tmp_path):
    folder = labelled(tmp_path / "isaac")
    predicted(folder, tmp_path / "out")
    fraction, size = slice_folder(tmp_path / "out", folder, ["visible_fraction", "size"])
    assert (fraction.unmeasured, sum(b.things for b in fraction.bins)) == (2, 0)
    assert (size.unmeasured, sum(b.things for b in size.bins)) == (0, 2)
    for by in ("distance", "truncation"):
        (table,) = slice_folder(tmp_path / "out", folder, [by])
        assert table.unmeasured + sum(b.things for b in table.bins) == 2
