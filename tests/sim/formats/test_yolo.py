"""Labels rasterise back to the masks; an object in parts stays one object with the right box."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scenes.taxonomy import TAXONOMY
from sim.formats.outline import outlines
from sim.formats.yolo import one_loop

coco = pytest.importorskip("pycocotools.mask")
# pycocotools has not caught up with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def read_labels(path):
    """Returns (class, corners (n, 2)) of every line."""
    rows = [line.split() for line in path.read_text().splitlines()]
    return [(int(row[0]), np.array(row[1:], dtype=float).reshape(-1, 2)) for row in rows]


def test_labels_rasterise_back_to_the_masks(converted, dataset):
    folder = converted("yolo")
    _, _, listed = (folder / "data.yaml").read_text().partition("names:\n")
    names = [line.partition(": ")[2].strip('"') for line in listed.splitlines()]
    assert names == [c.name for c in TAXONOMY.things]
    simple = 0
    for number, frame in enumerate(dataset):
        height, width = frame.truth.instance.shape
        labels = read_labels(folder / "labels" / "test" / f"{number:06d}.txt")
        visible = [r for r in frame.truth.objects if r.visible_box_px is not None]
        assert [names[c] for c, _ in labels] == [TAXONOMY[r.category_id].name for r in visible]
        image = cv2.imread(str(folder / "images" / "test" / f"{number:06d}.png"))
        assert (image[..., ::-1] == frame.rgb).all()
        for (_, corners), record in zip(labels, visible, strict=True):
            assert corners.min() >= 0
            assert corners.max() <= 1
            mask = frame.truth.instance == record.instance_id
            x0, y0, x1, y1 = record.visible_box_px
            low, high = corners.min(0) * (width, height), corners.max(0) * (width, height)
            assert np.abs(np.concatenate([low - (x0, y0), high - (x1 + 1, y1 + 1)])).max() <= 0.76
            found = outlines(mask)
            if len(found.parts) == 1 and not found.holes and mask.sum() > 400:
                flat = (corners * (width, height)).reshape(-1).tolist()
                got = coco.decode(coco.frPyObjects([flat], height, width))[..., 0].astype(bool)
                assert (got & mask).sum() / (got | mask).sum() >= 0.95
                simple += 1
    assert simple > 5


def test_parts_hang_together_by_lines_of_no_width():
    mask = np.zeros((40, 60), np.uint8)
    cv2.rectangle(mask, (5, 5), (20, 30), 1, -1)
    cv2.rectangle(mask, (30, 10), (50, 20), 1, -1)
    cv2.rectangle(mask, (35, 30), (40, 35), 1, -1)
    loop = one_loop(outlines(mask.astype(bool)))
    fixed = (loop * 256).round().astype(np.int32)
    got = np.zeros_like(mask)
    # Sampled at pixel centres by the even-odd rule, which counts the joining lines twice.
    for v in range(40):
        for u in range(60):
            got[v, u] = _inside(fixed / 256, u + 0.5, v + 0.5)
    assert (got == mask).all()


def _inside(loop, x, y):
    a, b = loop, np.roll(loop, -1, axis=0)
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    return int((crosses & (at > x)).sum()) % 2
