"""What the pages know of a frame: one short row per object for filters, and every outline of it for the viewer."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.camera import points_in_camera
from scenes.taxonomy import TAXONOMY
from scenes.transforms import inverse
from sim.frame import Frame, ObjectTruth
from sim.pictures import box_segments, instance_colour

# The edges of depth histograms in metres: twenty to a factor of ten, from 10 cm to 20 m.
DEPTH_EDGES_M = np.geomspace(0.1, 20.0, 47)


def frame_rows(frame: Frame) -> list[list[float]]:
    """Returns per object [category id, visible fraction, visible pixels, distance of its box's centre in metres]."""
    pixels = visible_pixels(frame)
    return [
        [r.category_id, round(r.visible_fraction, 4), pixels[r.instance_id], round(distance_m(frame, r), 3)]
        for r in frame.truth.objects
    ]  # fmt: skip


def frame_detail(frame: Frame, notes: dict[str, str]) -> dict[str, Any]:
    """Returns what the viewer draws and lists: boxes in pixels, projected edges of 3D boxes, names and figures."""
    camera_from_world = inverse(frame.camera.world_from_camera.matrix())
    pixels = visible_pixels(frame)
    objects = []
    for record in frame.truth.objects:
        edges = box_segments(frame.camera, record.box_world.moved(camera_from_world))
        objects.append({
            "id": record.instance_id,
            "category": record.category_id,
            "body": record.body_name,
            "colour": "#{:02x}{:02x}{:02x}".format(*instance_colour(record.instance_id)),
            "visible": round(record.visible_fraction, 4),
            "pixels": pixels[record.instance_id],
            "distance": round(distance_m(frame, record), 3),
            "tight": record.visible_box_px,
            "loose": record.amodal_box_px,
            "edges": np.round(edges, 1).tolist(),
            "size": [round(float(edge), 3) for edge in record.box_world.size_m],
        })  # fmt: skip
    stuff = [int(c) for c in np.unique(frame.truth.semantic) if c and not TAXONOMY[int(c)].is_thing]
    return {"objects": objects, "stuff": stuff, "notes": notes}


def visible_pixels(frame: Frame) -> dict[int, int]:
    """Returns the number of pixels that each object of the frame shows."""
    counts = np.bincount(frame.truth.instance.reshape(-1))
    return {
        r.instance_id: int(counts[r.instance_id]) if r.instance_id < len(counts) else 0 for r in frame.truth.objects
    }


def distance_m(frame: Frame, record: ObjectTruth) -> float:
    """Returns how far the centre of an object's box is from the camera."""
    centre = np.asarray(record.box_world.outer_from_box.position_m)
    return float(np.linalg.norm(points_in_camera(frame.camera, centre)))


def depth_counts(frame: Frame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Returns the histogram of the frame's depth over DEPTH_EDGES_M."""
    depth_m = frame.truth.depth_m
    return np.histogram(depth_m[np.isfinite(depth_m)], DEPTH_EDGES_M)[0].astype(np.int64)
