"""The box files of one BasicWriter frame by prim path: row order is arbitrary, pixel boxes are inclusive, -1 is not known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.transforms import Pose, vec3
from sim.frame import UNKNOWN_BOX, BoxPx
from sim.readers._files import Files, array_of, json_object
from sim.readers._isaac_camera import unit_m
from sim.readers._isaac_pixels import label_of

KINDS = ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d")
_FIELDS_2D = ("semanticId", "x_min", "y_min", "x_max", "y_max", "occlusionRatio")
_FIELDS_3D = (*_FIELDS_2D, "z_min", "z_max", "transform")
_SHEAR = 1e-3


@dataclass(slots=True, kw_only=True)
class Boxes:
    """What the box files say of one prim; None is what they do not say."""

    label: str = ""
    tight: BoxPx | None = None
    loose: BoxPx | None = None
    visible_fraction: float = float("nan")
    box_world: OrientedBox = UNKNOWN_BOX
    world_from_body: Pose | None = None
    why_no_box: str = field(default="")


def has_boxes(files: Files, kind: str) -> bool:
    """Returns whether a box file is there with the prim paths without which its rows belong to no one."""
    return bool(files.find(kind, "npy") and files.find(f"{kind}_prim_paths", "json"))


def read_boxes(files: Files, size: tuple[int, int] | None = None) -> dict[str, Boxes]:
    """Returns by prim path what the box files say; pixel boxes are clipped to an image of `size` (width, height)."""
    found: dict[str, Boxes] = {}
    for kind in KINDS:
        if not has_boxes(files, kind):
            continue
        rows = files.decode(kind, "npy", _rows_3d if kind == "bounding_box_3d" else _rows_2d)
        paths = files.decode(f"{kind}_prim_paths", "json", partial(_paths, count=len(rows)))
        named = files.find(f"{kind}_labels", "json")
        labels = files.decode(f"{kind}_labels", "json", json_object) if named else {}
        for path, row in zip(paths, rows, strict=True):
            about = found.setdefault(path, Boxes())
            # The row's number is of this file's labels alone; it is no id of a segmentation.
            about.label = label_of(labels.get(str(row["semanticId"]), about.label))
            if 0 <= row["occlusionRatio"] <= 1:  # -1 and nan: not known
                about.visible_fraction = 1.0 - float(row["occlusionRatio"])
            if kind == "bounding_box_3d":
                _add_box(about, row, unit_m(files))
            elif kind == "bounding_box_2d_tight":
                about.tight = _pixels(row, size)
            else:
                about.loose = _pixels(row, size)
    return found


def _rows_2d(data: bytes) -> NDArray[np.void]:
    return _rows(data, _FIELDS_2D)


def _rows_3d(data: bytes) -> NDArray[np.void]:
    return _rows(data, _FIELDS_3D)


def _rows(data: bytes, fields: tuple[str, ...]) -> NDArray[np.void]:
    rows = array_of(data)
    names = rows.dtype.names or ()
    if rows.ndim != 1 or not set(fields) <= set(names):
        raise ValueError(f"expected rows of {', '.join(fields)}, got {rows.shape} of {', '.join(names) or rows.dtype}")
    return rows


def _paths(data: bytes, count: int) -> list[str]:
    paths = json.loads(data)
    if not isinstance(paths, list) or len(paths) != count:
        got = len(paths) if isinstance(paths, list) else type(paths).__name__
        raise ValueError(f"expected a prim path for each of the {count} boxes, got {got}")
    return [str(path) for path in paths]


def _pixels(row: NDArray[np.void], size: tuple[int, int] | None) -> BoxPx | None:
    x0, y0, x1, y1 = (int(row[name]) for name in ("x_min", "y_min", "x_max", "y_max"))
    if size is not None:
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, size[0] - 1), min(y1, size[1] - 1)
    return (x0, y0, x1, y1) if x0 <= x1 and y0 <= y1 else None


def _add_box(about: Boxes, row: NDArray[np.void], unit: float) -> None:
    """Adds box and pose of a row: extents before the scale, which the rows of the row-vector transform carry."""
    transform = row["transform"].astype(np.float64)
    low = np.array([row["x_min"], row["y_min"], row["z_min"]], dtype=np.float64)
    high = np.array([row["x_max"], row["y_max"], row["z_max"]], dtype=np.float64)
    if not (np.isfinite(transform).all() and np.isfinite(low + high).all()):
        about.why_no_box = "not finite"
        return
    scale = np.linalg.norm(transform[:3, :3], axis=1)
    size = (high - low) * scale * unit
    if not (size > 0).all():
        about.why_no_box = "without thickness"
        return
    axes = transform[:3, :3] / scale[:, None]
    if np.abs(axes @ axes.T - np.eye(3)).max() > _SHEAR:
        about.why_no_box = "sheared"
        return
    mirrored = bool(np.linalg.det(axes) < 0)
    if mirrored:
        axes[0] *= -1  # the same box; what its body's pose is, a rotation cannot say
    world_from_body: NDArray[Any] = np.eye(4)
    world_from_body[:3, :3], world_from_body[:3, 3] = axes.T, transform[3, :3] * unit
    world_from_box = world_from_body.copy()
    world_from_box[:3, 3] = (np.append((low + high) / 2, 1.0) @ transform)[:3] * unit
    about.box_world = OrientedBox(Pose.from_matrix(world_from_box), vec3(size))
    about.world_from_body = None if mirrored else Pose.from_matrix(world_from_body)
