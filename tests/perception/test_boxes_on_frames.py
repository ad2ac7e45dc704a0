"""Boxes fitted to the true masks and depth of simulated frames overlap the true boxes: what geometry alone can reach."""

from __future__ import annotations

import numpy as np
import pytest

from perception.boxes3d import fit_boxes
from perception.scoring.box_iou import box_iou
from scenes.transforms import inverse
from sim.backend import open_backend
from sim.frame import Frame
from sim.realize import realize

SCENES = 4


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    backend = open_backend("mujoco")
    made = []
    for index in range(SCENES):
        scene, _ = realize(backend, "tabletop", split="train", seed=5, index=index)
        made += [backend.render(camera) for camera in scene.cameras]
    backend.close()
    return made


def true_ids(frame: Frame) -> tuple[np.ndarray, dict[int, int]]:
    """Returns the true segments as a predictor would give them: things by instance, stuff behind them."""
    instance = frame.truth.instance.astype(np.int32)
    category_of = {o.instance_id: o.category_id for o in frame.truth.objects}
    stuff = frame.truth.semantic.astype(np.int32) + 1000
    category_of.update({1000 + c: c for c in (1, 2, 3)})
    return np.where(instance > 0, instance, stuff), category_of


def test_most_boxes_from_true_masks_and_depth_overlap_the_true_ones(frames: list[Frame]) -> None:
    overlaps: list[float] = []
    for frame in frames:
        segment_id, category_of = true_ids(frame)
        c = frame.camera
        fitted = fit_boxes(segment_id, category_of, frame.truth.depth_m, fx=c.fx, fy=c.fy, cx=c.cx, cy=c.cy)
        camera_from_world = inverse(c.world_from_camera.matrix())
        seen = [o for o in frame.truth.objects if o.visible_fraction > 0.5 and (segment_id == o.instance_id).sum() > 400]
        for record in seen:
            box = fitted.get(record.instance_id)
            true_box = record.box_world.moved(camera_from_world)
            overlaps.append(0.0 if box is None else float(box_iou([box], [true_box])[0]))
    assert len(overlaps) > 40
    assert np.mean(overlaps) > 0.6
    assert np.mean(np.array(overlaps) > 0.25) > 0.85
