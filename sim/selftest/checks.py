"""The list of every check by name, in the order in which they run: what it looks at, what it needs, what judges it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.selftest import (
    agreement_check,
    box_checks,
    camera_checks,
    depth_checks,
    label_checks,
    motion_checks,
    physics_checks,
    picture_checks,
    steady_checks,
    surface_checks,
)
from sim.selftest.bench import Bench
from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Expected
from sim.selftest.verdict import Outcome, all_of

Judge = Callable[[Evidence, Expected], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: it runs on the bench; `views` are the cameras it looks through, `needs` an ability that may be lacking."""

    name: str
    run: Callable[[Bench], Outcome]
    views: tuple[str, ...] = ()
    needs: str = ""

    @property
    def about(self) -> str:
        """The first line of what the check holds a backend to."""
        return (self.run.__doc__ or "").strip().splitlines()[0]


def of_view(name: str, judge: Judge, *views: str, needs: str = "") -> Check:
    """Returns a check that a judge of evidence makes of some views; it holds where each of them does."""

    def run(bench: Bench) -> Outcome:
        return all_of(*(judge(bench.seen(view), bench.expected(view)) for view in views))

    run.__doc__ = judge.__doc__
    return Check(name=name, run=run, views=views, needs=needs)


CHECKS: tuple[Check, ...] = (
    of_view("plane depth, head-on", depth_checks.plane_head_on, "head_on"),
    of_view("plane depth, tilted", depth_checks.plane_tilted, "tilted"),
    of_view("ball depth", depth_checks.ball, "corner"),
    of_view("background", depth_checks.background, "corner"),
    of_view("distance to the camera", depth_checks.distance_to_camera, "corner"),
    of_view("image x axis", camera_checks.image_x, "markers"),
    of_view("image y axis", camera_checks.image_y, "markers"),
    of_view("corners in the outline", camera_checks.outline, "corner"),
    of_view("pixel centres", camera_checks.pixel_centres, "corner"),
    of_view("focal length", camera_checks.focal_length, "corner"),
    of_view("camera of the frame", camera_checks.camera_record, "corner"),
    of_view("camera_params", camera_checks.camera_params, "corner"),
    of_view("instance ids", label_checks.instance_ids, "markers", "occlusion"),
    of_view("semantic of each instance", label_checks.semantic_of_instance, "markers", "occlusion", "watch"),
    of_view("label names", label_checks.label_names, "markers", "corner", "watch"),
    of_view("leaf prims", label_checks.leaf_ids, "markers"),
    of_view("records in view", label_checks.only_what_is_in_view, "markers", "occlusion"),
    of_view("2D boxes, tight", box_checks.tight_boxes, "markers", "occlusion"),
    of_view("2D boxes, loose", box_checks.loose_boxes, "markers", "occlusion"),
    of_view("3D boxes", box_checks.boxes_3d, "corner", "occlusion"),
    of_view("occlusion", box_checks.occlusion, "occlusion"),
    of_view("amodal masks", box_checks.amodal_masks, "occlusion", "markers"),
    of_view("normals", surface_checks.normals, "tilted"),
    of_view("point cloud", surface_checks.point_cloud, "tilted"),
    of_view("image exposure", picture_checks.exposure, "markers"),
    of_view("image matches labels", picture_checks.colours, "markers", "corner", needs="photograph"),
    Check(name="motion vectors, thing", run=motion_checks.thing_moves, views=("watch",)),
    Check(name="motion vectors, camera", run=motion_checks.camera_moves, views=("head_on",)),
    Check(name="fresh labels", run=motion_checks.labels_are_fresh, views=("watch",)),
    Check(name="fresh image", run=motion_checks.picture_is_fresh, views=("watch",), needs="photograph"),
    Check(name="repeatable", run=steady_checks.repeatable, views=("markers",)),
    Check(name="settle, dropped cube", run=physics_checks.cube_comes_to_rest, needs="physics"),
    Check(name="settle, crooked stack", run=physics_checks.stack_lies_flat, needs="physics"),
    Check(name="settled poses are seen", run=physics_checks.settled_is_seen, needs="physics"),
    Check(name="free fall", run=physics_checks.free_fall, needs="physics"),
    Check(name="memory", run=steady_checks.memory, needs="process"),
    Check(name="agreement", run=agreement_check.agrees),
)
