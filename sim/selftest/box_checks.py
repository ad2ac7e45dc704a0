"""Boxes against paper: inclusive pixel boxes, boxes in the world, and how much of a thing is hidden."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.frame import BoxPx
from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Expected, box_px
from sim.selftest.solids import Floats
from sim.selftest.verdict import Outcome, all_of, skipped, within

_CORNER_MM, _FRACTION, _AMODAL_SHARE = 1.0, 0.02, 0.02

Boxes = dict[str, BoxPx | None]


def tight_boxes(seen: Evidence, expected: Expected) -> Outcome:
    """Tight boxes hold the visible pixels, first and last column and row, both inclusive; what is hidden has none."""
    known: Boxes = {name: box_px(expected.visible(name)) for name in expected.things}
    known = {name: box for name, box in known.items() if box is not None}
    frame: Boxes = {r.body_name: r.visible_box_px for r in seen.frame.truth.objects if r.visible_box_px is not None}
    return all_of(
        _same_boxes("in the frame", known, frame),
        _same_boxes("in bounding_box_2d_tight", known, _boxes_in(seen.annotation("bounding_box_2d_tight"))),
    )


def loose_boxes(seen: Evidence, expected: Expected) -> Outcome:
    """Loose boxes hold the pixels that a thing would have with nothing in front, within the image."""
    known: Boxes = {name: box_px(expected.amodal[name]) for name in expected.things}
    frame: Boxes = {r.body_name: r.amodal_box_px for r in seen.frame.truth.objects}
    return all_of(
        _same_boxes("in the frame", known, frame),
        _same_boxes("in bounding_box_2d_loose", known, _boxes_in(seen.annotation("bounding_box_2d_loose"))),
    )


def boxes_3d(seen: Evidence, expected: Expected) -> Outcome:
    """3D boxes have their corners where the bodies have theirs; in bounding_box_3d by extents and row-vector transform."""
    array, _, paths = seen.annotation("bounding_box_3d")
    rows = {_body_of(path): row for path, row in zip(paths, array, strict=True)}
    worst = dict.fromkeys(("in the frame", "by the pose", "in bounding_box_3d"), 0.0)
    for name in expected.things:
        record, row, known = seen.record(name), rows.get(name), expected.corners_world(name)
        pose = expected.world_from_body(name).matrix()
        apart = {
            "in the frame": _apart(None if record is None else record.box_world.corners(), known),
            "by the pose": _apart(None if record is None else record.world_from_body.matrix(), pose),
            "in bounding_box_3d": _apart(None if row is None else _corners_of(row), known),
        }
        worst = {where: max(worst[where], apart[where]) for where in worst}
    return all_of(
        *(within("corners where they are", 1e3 * w, _CORNER_MM, "mm", what=f"{where} off by") for where, w in worst.items())
    )


def occlusion(seen: Evidence, expected: Expected) -> Outcome:
    """The visible fraction and Replicator's occlusion ratio, 0 fully visible to 1 fully hidden, are the pixels' count."""
    known = {name: expected.visible_fraction(name) for name in expected.things}
    array, _, paths = seen.annotation("bounding_box_2d_loose")
    ratio = {_body_of(path): 1.0 - float(row["occlusionRatio"]) for path, row in zip(paths, array, strict=True)}
    frame = {r.body_name: r.visible_fraction for r in seen.frame.truth.objects}
    return all_of(_fractions("in the frame", known, frame), _fractions("by occlusionRatio", known, ratio))


def amodal_masks(seen: Evidence, expected: Expected) -> Outcome:
    """The layers hold every thing's pixels with nothing in front of it."""
    if seen.layers is None:
        return skipped("the backend has no layers")
    ids = {r.instance_id: r.body_name for r in seen.frame.truth.objects}
    size = seen.frame.truth.instance.shape
    masks = {ids.get(layer.instance_id, ""): layer.full(*size) for layer in seen.layers.amodal}
    shares = []
    for name in expected.things:
        known = expected.amodal[name]
        shares.append(float((masks.get(name, np.zeros(size, dtype=bool)) != known).sum() / known.sum()))
    return within("the whole silhouette of each", 100 * max(shares, default=np.nan), 100 * _AMODAL_SHARE, "% of its pixels")


def _same_boxes(where: str, known: Boxes, found: Boxes) -> Outcome:
    wrong = [f"{name} {found.get(name, 'missing')}, not {box}" for name, box in known.items() if found.get(name) != box]
    wrong += [f"{name} {found[name]}, not there" for name in sorted(found.keys() - known.keys())]
    if wrong:
        more = f"; and {len(wrong) - 2} more" if len(wrong) > 2 else ""
        return Outcome(expected="x_min, y_min, x_max, y_max inclusive", got=f"{where} {'; '.join(wrong[:2])}{more}", holds=False)
    return Outcome(expected="x_min, y_min, x_max, y_max inclusive", got=f"{len(known)} boxes equal {where}", holds=True)


def _boxes_in(value: Any) -> Boxes:
    array, _, paths = value
    found: Boxes = {}
    for path, row in zip(paths, array, strict=True):
        found[_body_of(path)] = int(row["x_min"]), int(row["y_min"]), int(row["x_max"]), int(row["y_max"])
    return found


def _body_of(path: str) -> str:
    """Returns the body of a prim path /World/BODY or of a prim below it."""
    parts = str(path).split("/")
    return parts[2] if len(parts) > 2 else str(path)


def _corners_of(row: Any) -> Floats:
    low = np.array([row["x_min"], row["y_min"], row["z_min"]], dtype=np.float64)
    high = np.array([row["x_max"], row["y_max"], row["z_max"]], dtype=np.float64)
    signs = np.array([(x, y, z, 1) for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float64)
    local = np.concatenate([low + signs[:, :3] * (high - low), signs[:, 3:]], axis=1)
    world: Floats = (local @ np.asarray(row["transform"], dtype=np.float64))[:, :3]
    return world


def _apart(found: Floats | None, known: Floats) -> float:
    """Returns the largest difference of two arrays; inf where there is none."""
    return float("inf") if found is None else float(np.nan_to_num(np.abs(found - known), nan=np.inf).max())


def _fractions(where: str, known: dict[str, float], found: dict[str, float]) -> Outcome:
    """Replicator says -1, here 2, or nan where it has no figure: what is not available is no error, but no proof either."""
    have = {name: value for name, value in found.items() if name in known and np.isfinite(value) and value <= 1.0}
    if not have:
        return skipped(f"no figure {where} (Replicator gives -1 for labels above several meshes)")
    worst = max(have, key=lambda name: abs(have[name] - known[name]))
    return Outcome(
        expected=f"{worst} {known[worst]:.3f} visible",
        got=f"{worst} {have[worst]:.3f} {where}",
        tolerance=f"{_FRACTION}",
        holds=abs(have[worst] - known[worst]) <= _FRACTION,
    )
