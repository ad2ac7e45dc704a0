"""Faults that a simulator's adapter may have, each a thin wrapper of a backend that is right, and the check that must tell.

A `Planted` backend changes frames on their way; `writing` leaves frames alone and has raw annotations with a fault.
`python -m tests.sim.selftest.faults` prints the table of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.sim.selftest.file_faults import (
    _exclusive_rows,
    _inverted_rows,
    _transposed_rows,
    box_file,
    column_vectors,
    in_the_camera,
    one_label_missing,
    only_things_move,
    paths_exchanged,
    planar,
    relabelled,
    two_classes_exchanged,
)
from tests.sim.selftest.frame_faults import (
    Leaking,
    OneFrameLate,
    PictureLate,
    Trembling,
    VisibleLayers,
    black,
    distance,
    exclusive_tight,
    flipped,
    hidden_left_out,
    inverted_occlusion,
    opengl_camera,
    picture_upside_down,
    rolled,
    scaled_depth,
    swapped_ids,
    thick_things,
    transposed_pose,
    visible_for_amodal,
    wrong_semantic,
    zero_background,
)
from tests.sim.selftest.physics_faults import LosesAThing, NeverFalling, NotWrittenBack, OnTheMoon, Sinking
from tests.sim.selftest.planted import Planted, seeing, through, writing


@dataclass(frozen=True)
class Fault:
    """A fault in words, the backend that has it, and the check that must catch it."""

    words: str
    backend: type[Planted]
    check: str


FAULTS = (
    Fault("distance to the camera in place of depth", seeing(distance), "plane depth, head-on"),
    Fault("depth too large by 0.2 %", seeing(scaled_depth), "plane depth, tilted"),
    Fault("things 2 mm too near", seeing(thick_things), "ball depth"),
    Fault("background 0 in place of +inf", seeing(zero_background), "background"),
    Fault("distance_to_camera holds planar depth", writing("distance_to_camera", planar), "distance to the camera"),
    Fault("image mirrored (x flipped)", seeing(flipped(1)), "image x axis"),
    Fault("image upside down (y flipped)", seeing(flipped(0)), "image y axis"),
    Fault("maps shifted by a pixel", seeing(rolled), "corners in the outline"),
    Fault("pixel centres off by a half", through(lambda c: replace(c, cx=c.cx + 0.5, cy=c.cy + 0.5)), "pixel centres"),
    Fault("field of view off by 1 %", through(lambda c: replace(c, fx=1.01 * c.fx, fy=1.01 * c.fy)), "focal length"),
    Fault("vertical aperture off by 2 %", through(lambda c: replace(c, fy=1.02 * c.fy)), "focal length"),
    Fault("camera pose in OpenGL's axes", seeing(opengl_camera), "camera of the frame"),
    Fault("camera_params with a column-vector view", writing("camera_params", column_vectors), "camera_params"),
    Fault("two things' ids swapped", seeing(swapped_ids), "instance ids"),
    Fault("prim paths swapped in the id map", writing("instance_segmentation", paths_exchanged), "instance ids"),
    Fault("semantic map contradicts the instances", seeing(wrong_semantic), "semantic of each instance"),
    Fault(
        "semantic labels contradict the instances'", writing("semantic_segmentation", two_classes_exchanged),
        "semantic of each instance",
    ),
    Fault("labels in upper case", writing("semantic_segmentation", relabelled(str.upper)), "label names"),
    Fault("a label missing in the map", writing("semantic_segmentation", one_label_missing), "label names"),
    Fault("leaf prims swapped", writing("instance_id_segmentation", paths_exchanged), "leaf prims"),
    Fault("hidden things left out", seeing(hidden_left_out), "records in view"),
    Fault("tight boxes exclusive, in frames", seeing(exclusive_tight), "2D boxes, tight"),
    Fault("tight boxes exclusive, in files", writing("bounding_box_2d_tight", box_file(_exclusive_rows)), "2D boxes, tight"),
    Fault("loose boxes of visible pixels", seeing(visible_for_amodal), "2D boxes, loose"),
    Fault("loose boxes exclusive, in files", writing("bounding_box_2d_loose", box_file(_exclusive_rows)), "2D boxes, loose"),
    Fault("poses transposed", seeing(transposed_pose), "3D boxes"),
    Fault("box transforms transposed, in files", writing("bounding_box_3d", box_file(_transposed_rows)), "3D boxes"),
    Fault("occlusion inverted, in frames", seeing(inverted_occlusion), "occlusion"),
    Fault("occlusion inverted, in files", writing("bounding_box_2d_loose", box_file(_inverted_rows)), "occlusion"),
    Fault("visible masks for amodal ones", VisibleLayers, "amodal masks"),
    Fault("normals in the camera's frame", writing("normals", in_the_camera), "normals"),
    Fault(
        "points in the camera's frame",
        writing("pointcloud", lambda c, e: replace(c, points=in_the_camera(c.points, e, points=True))), "point cloud",
    ),
    Fault("image black", seeing(black), "image exposure"),
    Fault("image upside down over right labels", seeing(picture_upside_down), "image matches labels"),
    Fault("red and blue exchanged", seeing(lambda f: replace(f, rgb=f.rgb[..., ::-1].copy())), "image matches labels"),
    Fault("motion vectors reversed", writing("motion_vectors", lambda vectors, _: -vectors), "motion vectors, thing"),
    Fault("motion vectors without the camera's motion", writing("motion_vectors", only_things_move), "motion vectors, camera"),
    Fault("one frame late", OneFrameLate, "fresh labels"),
    Fault("image alone one frame late", PictureLate, "fresh image"),
    Fault("every other frame half a pixel aside", Trembling, "repeatable"),
    Fault("bodies sink 3 mm", Sinking, "settle, dropped cube"),
    Fault("physics never runs", NeverFalling, "settle, crooked stack"),
    Fault("settled poses not written back", NotWrittenBack, "settled poses are seen"),
    Fault("weak gravity", OnTheMoon, "free fall"),
    Fault("a megabyte kept of every frame", Leaking, "memory"),
    Fault("a thing of the scene not loaded", LosesAThing, "agreement"),
)  # fmt: skip


def rows() -> list[str]:
    """Returns the rows of the table in the docs."""
    return [f"| {fault.words} | {fault.check} |" for fault in FAULTS]


if __name__ == "__main__":
    print("\n".join(["| planted fault | caught by |", "|---|---|", *rows()]))
