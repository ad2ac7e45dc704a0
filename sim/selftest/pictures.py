"""What a view showed beside what it must show: image, labels, depth, both expected, and where they differ."""

from __future__ import annotations

import numpy as np

from sim.pictures import Image, contact_sheet, depth_colours, depth_range, instance_colours
from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Expected

_LABEL, _DEPTH = (255, 0, 255), (255, 160, 0)
_DEPTH_LIMIT_M = 2e-3


def draw_view(seen: Evidence, expected: Expected) -> Image:
    """Returns a sheet of six pictures; in the last, magenta labels differ, orange depth, on the image made dark."""
    truth = seen.frame.truth
    body = {record.instance_id: record.body_name for record in truth.objects}
    row = {name: k for k, name in enumerate(expected.names)}
    named = np.vectorize(lambda k: row.get(body.get(int(k), ""), -1), otypes=[np.int64])(truth.instance)
    things = np.where(np.isin(expected.shown, [row[name] for name in expected.things]), expected.shown, -1)
    labels = (named != things) | (truth.semantic != expected.semantic())
    both = np.isfinite(truth.depth_m) & np.isfinite(expected.depth_m)
    apart = np.abs(np.where(both, truth.depth_m, 0.0) - np.where(both, expected.depth_m, 0.0))
    depth = (np.isfinite(truth.depth_m) != np.isfinite(expected.depth_m)) | (apart > _DEPTH_LIMIT_M)
    shown: Image = (0.4 * seen.frame.rgb).astype(np.uint8)
    shown[depth] = _DEPTH
    shown[labels] = _LABEL
    span = depth_range(expected.depth_m)
    cells = [
        seen.frame.rgb, instance_colours(named + 1), depth_colours(truth.depth_m, span),
        shown, instance_colours(things + 1), depth_colours(expected.depth_m, span),
    ]  # fmt: skip
    differ = f"differ: {int(labels.sum())} labels, {int(depth.sum())} depths"
    return contact_sheet(cells, columns=3, labels=["image", "labels", "depth", differ, "expected labels", "expected depth"])
