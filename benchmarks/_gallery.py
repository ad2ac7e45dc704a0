"""The pictures of one frame, truth and prediction side by side in the same colours and over the same depth span; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.pictures import (
    depth_error_map,
    instance_colour,
    overlay_segments,
    panoptic_depth_map,
    panoptic_overlay,
)
from perception.prediction import Prediction
from scenes.taxonomy import TAXONOMY
from scenes.transforms import inverse
from sim.frame import Frame, Truth
from sim.pictures import contact_sheet, depth_colours, depth_range, draw_box_edges

Rgb = NDArray[np.uint8]

ERROR_LIMIT = 0.1
_STUFF_BASE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One captioned picture with what a screen reader says about it."""

    rgb: Rgb
    name: str
    caption: str
    alt: str


def frame_pictures(frame: Frame, prediction: Prediction) -> tuple[Picture, ...]:
    """Returns the eight pictures of one frame: the panoptic-depth colour map first, then input, labels, boxes and depth."""
    span_m = depth_range(frame.truth.depth_m)
    things = [TAXONOMY[o.category_id].name for o in frame.truth.objects if o.visible_box_px is not None]
    listing = ", ".join(things) or "no object"
    thing_near, thing_far = thing_bounds(frame.truth)
    found = sum(TAXONOMY[s.category_id].is_thing for s in prediction.segments)
    fitted = sum(s.box_camera is not None for s in prediction.segments)
    return (
        _picture(
            panoptic_depth_map(prediction, near_m=thing_near, far_m=thing_far),
            "Panoptic-depth colour map.",
            f"Predicted: every object in the colour of its own depth, background in slate. {found} objects found.",
            f"Each predicted object filled with one colour for its depth; the frame holds {listing}.",
        ),
        _picture(frame.rgb, "Input.", f"What the camera saw: {len(things)} objects.", f"A rendered table with {listing}."),
        _picture(
            truth_overlay(frame), "True labels.", "Panoptic truth.", f"The image under the true segments of {listing}."
        ),
        _picture(
            panoptic_overlay(frame.rgb, prediction, labels=False),
            "Predicted labels.",
            "Same colours as the truth.",
            f"The image under {len(prediction.segments)} predicted segments, {found} of them objects.",
        ),
        _picture(
            box_picture(frame, prediction),
            "3D boxes.",
            f"White: truth. Colour: {fitted} fitted by the robot.",
            f"{fitted} predicted 3D boxes drawn as wire frames over the image beside the true ones.",
        ),
        _picture(
            depth_colours(frame.truth.depth_m, span_m), "True depth.", "", "The true depth, red is near, blue is far."
        ),
        _picture(
            depth_colours(prediction.depth_m, span_m), "Predicted depth.", "", "The predicted depth, red is near, blue is far."
        ),
        _picture(
            depth_error_map(prediction.depth_m, frame.truth.depth_m, limit=ERROR_LIMIT),
            "Depth error.",
            _error_caption(frame.truth, prediction),
            "Relative depth error: white is right, red is too far, blue is too near.",
        ),
    )


def picture_sheet(shown: Sequence[tuple[Frame, Prediction]]) -> Rgb:
    """Returns one row for each frame: input, predicted labels, panoptic-depth colour map, 3D boxes."""
    rows = []
    for frame, prediction in shown:
        near_m, far_m = thing_bounds(frame.truth)
        rows += [
            frame.rgb,
            panoptic_overlay(frame.rgb, prediction, labels=False),
            panoptic_depth_map(prediction, near_m=near_m, far_m=far_m),
            box_picture(frame, prediction),
        ]
    labels = ("input", "predicted labels", "panoptic-depth colour map", "3D boxes (white: truth)")
    return contact_sheet(rows, columns=len(labels), labels=labels * len(shown), cell_width=400)


def truth_overlay(frame: Frame) -> Rgb:
    """Returns the image under its true segments, in the colours of `perception.pictures.panoptic_overlay`."""
    truth = frame.truth
    stuff = np.where(truth.semantic > 0, _STUFF_BASE + truth.semantic.astype(np.int32), 0)
    ids = np.where(truth.instance > 0, truth.instance.astype(np.int32), stuff)
    category_of = {o.instance_id: o.category_id for o in truth.objects}
    return overlay_segments(frame.rgb, ids, category_of | {_STUFF_BASE + c.id: c.id for c in TAXONOMY.stuff})


def box_picture(frame: Frame, prediction: Prediction) -> Rgb:
    """Returns the image with the true boxes in white and the predicted ones in their categories' colours."""
    picture: Rgb = (frame.rgb * 0.72).astype(np.uint8)
    camera_from_world = inverse(frame.camera.world_from_camera.matrix())
    for record in frame.truth.objects:
        if record.visible_box_px is not None:
            picture = draw_box_edges(picture, frame.camera, record.box_world.moved(camera_from_world), (255, 255, 255))
    for segment in prediction.segments:
        if segment.box_camera is not None:
            colour = instance_colour(segment.category_id, segment.id)
            picture = draw_box_edges(picture, frame.camera, segment.box_camera, colour, thickness_px=2)
    return picture


def thing_bounds(truth: Truth) -> tuple[float, float]:
    """Returns the nearest and farthest median depth of a visible thing in metres, a little widened."""
    ids = np.unique(truth.instance[truth.instance > 0])
    medians = [float(np.median(truth.depth_m[truth.instance == i])) for i in ids]
    if not medians:
        return depth_range(truth.depth_m)
    margin = max(0.03, 0.08 * (max(medians) - min(medians)))
    return max(min(medians) - margin, 0.01), max(medians) + margin


def _error_caption(truth: Truth, prediction: Prediction) -> str:
    known = np.isfinite(truth.depth_m) & (truth.depth_m > 0)
    if not known.any():
        return "No true depth in this frame."
    known &= np.isfinite(prediction.depth_m)
    if not known.any():
        return "No depth in this answer."
    relative = np.abs(prediction.depth_m[known] - truth.depth_m[known]) / truth.depth_m[known]
    return f"AbsRel {100 * float(relative.mean()):.1f} % in this frame."


def _picture(rgb: Rgb, name: str, caption: str, alt: str) -> Picture:
    return Picture(rgb=rgb, name=name, caption=caption, alt=alt)
