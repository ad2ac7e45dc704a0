"""Faults that a simulator's adapter may have, each a thin wrapper of a backend that is right, and the check that must tell.

A `Planted` backend changes frames on their way; `writing` leaves frames alone and has raw annotations with a fault.
`python -m tests.sim.selftest.faults` prints the table of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from scenes.camera import Camera
from scenes.scene import Scene
from scenes.transforms import Pose, inverse, transform_points
from sim.annotators.segmentation import Segmentation
from sim.backend import Backend
from sim.frame import Frame, Truth
from sim.selftest.evidence import Evidence

BLOCK = 1 << 20
ON: WeakKeyDictionary = WeakKeyDictionary()


class Planted:
    """A backend with nothing wrong; its subclasses have."""

    name = "planted"

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    def load(self, scene: Scene) -> None:
        """Puts the bodies back where the inner backend holds this very scene already: that saves most of a test's time."""
        self.scene = scene
        if ON.get(self.inner) is scene:
            self.inner.place({b.name: b.world_from_body for b in scene.bodies if b.dynamic})
            return
        ON.pop(self.inner, None)
        self.inner.load(scene)
        ON[self.inner] = scene

    def settle(self):
        return self.inner.settle()

    def camera(self, camera: Camera) -> Camera:
        return camera

    def seen(self, frame: Frame) -> Frame:
        return frame

    def render(self, camera: Camera) -> Frame:
        return self.seen(replace(self.inner.render(self.camera(camera)), camera=camera))

    def place(self, world_from_body) -> None:
        self.inner.place(world_from_body)

    def play(self, pushes, times_s):
        return self.inner.play(pushes, times_s)

    def layers(self, camera: Camera):
        return self.inner.layers(self.camera(camera))

    def close(self) -> None:
        """The inner one is shared."""


def with_truth(frame: Frame, **changes) -> Frame:
    truth = frame.truth
    maps = {"depth_m": truth.depth_m, "semantic": truth.semantic, "instance": truth.instance, "objects": truth.objects}
    return replace(frame, truth=Truth(**(maps | changes)))


def with_records(frame: Frame, change: Callable) -> Frame:
    return with_truth(frame, objects=tuple(change(r) for r in frame.truth.objects))


def seeing(change: Callable[[Frame], Frame]) -> type[Planted]:
    """Returns a backend whose frames are changed."""
    return type("Changed", (Planted,), {"seen": lambda _, frame: change(frame)})


def through(change: Callable[[Camera], Camera]) -> type[Planted]:
    """Returns a backend that draws with another camera than it says."""
    return type("Through", (Planted,), {"camera": lambda _, camera: change(camera)})


def writing(name: str, change: Callable) -> type[Planted]:
    """Returns a backend whose own annotation of that name is changed; `change` gets the right one and the evidence."""

    class Files(Planted):
        last: Evidence | None = None
        now: Evidence | None = None

        def place(self, world_from_body) -> None:
            super().place(world_from_body)
            self.scene = self.scene.with_poses(dict(world_from_body))

        def render(self, camera: Camera) -> Frame:
            frame = super().render(camera)
            before = self.now.now if self.now else None
            self.now = Evidence(frame, self.scene, layers=self.inner.layers(camera), before=before)
            return frame

        def annotations(self, camera: Camera):
            assert self.now is not None
            assert self.now.frame.camera == camera
            return {name: change(self.now.annotation(name), self.now)}

    return Files


# --- what frames may have wrong


def flipped(axis: int) -> Callable[[Frame], Frame]:
    def change(frame: Frame) -> Frame:
        truth = frame.truth
        maps = {k: np.flip(getattr(truth, k), axis).copy() for k in ("depth_m", "semantic", "instance")}
        return replace(with_truth(frame, **maps), rgb=np.flip(frame.rgb, axis).copy())

    return change


def rolled(frame: Frame) -> Frame:
    maps = {k: np.roll(getattr(frame.truth, k), 1, axis=1) for k in ("depth_m", "semantic", "instance")}
    return with_truth(frame, **maps)


def distance(frame: Frame) -> Frame:
    points = frame.camera.unproject(frame.truth.depth_m)
    length = np.where(np.isfinite(frame.truth.depth_m), np.linalg.norm(points, axis=-1), np.inf)
    return with_truth(frame, depth_m=length.astype(np.float32))


def zero_background(frame: Frame) -> Frame:
    depth_m = frame.truth.depth_m
    return with_truth(frame, depth_m=np.where(np.isfinite(depth_m), depth_m, 0).astype(np.float32))


def scaled_depth(frame: Frame) -> Frame:
    return with_truth(frame, depth_m=frame.truth.depth_m * np.float32(1.002))


def thick_things(frame: Frame) -> Frame:
    nearer = frame.truth.depth_m - np.float32(0.002) * (frame.truth.instance > 0)
    return with_truth(frame, depth_m=nearer.astype(np.float32))


def swapped_ids(frame: Frame) -> Frame:
    """Exchanges the names of two things, as a map that is read by number instead of by path would."""
    if len(frame.truth.objects) < 2:
        return frame
    a, b = frame.truth.objects[:2]
    other = {a.instance_id: b.body_name, b.instance_id: a.body_name}
    return with_records(frame, lambda r: replace(r, body_name=other.get(r.instance_id, r.body_name)))


def wrong_semantic(frame: Frame) -> Frame:
    """Gets past the frame's own check, as a map that is changed after it was made would."""
    changed = with_truth(frame, semantic=frame.truth.semantic.copy())
    changed.truth.semantic.setflags(write=True)
    changed.truth.semantic[frame.truth.instance == 1] = 0
    return changed


def transposed_pose(frame: Frame) -> Frame:
    def change(record):
        matrix = record.world_from_body.matrix()
        matrix[:3, :3] = matrix[:3, :3].T
        pose = Pose.from_matrix(matrix)
        return replace(record, world_from_body=pose, box_world=replace(record.box_world, outer_from_box=pose))

    return with_records(frame, change)


def exclusive(box):
    return None if box is None else (box[0], box[1], box[2] + 1, box[3] + 1)


def exclusive_tight(frame: Frame) -> Frame:
    return with_records(frame, lambda r: replace(r, visible_box_px=exclusive(r.visible_box_px)))


def visible_for_amodal(frame: Frame) -> Frame:
    return with_records(frame, lambda r: replace(r, amodal_box_px=r.visible_box_px or r.amodal_box_px))


def inverted_occlusion(frame: Frame) -> Frame:
    return with_records(frame, lambda r: replace(r, visible_fraction=1 - r.visible_fraction))


def hidden_left_out(frame: Frame) -> Frame:
    return with_truth(frame, objects=tuple(r for r in frame.truth.objects if r.visible_fraction > 0))


def black(frame: Frame) -> Frame:
    return replace(frame, rgb=np.zeros_like(frame.rgb))


def picture_upside_down(frame: Frame) -> Frame:
    return replace(frame, rgb=frame.rgb[::-1].copy())


def opengl_camera(frame: Frame) -> Frame:
    matrix = frame.camera.world_from_camera.matrix() @ np.diag([1.0, -1.0, -1.0, 1.0])
    return replace(frame, camera=replace(frame.camera, world_from_camera=Pose.from_matrix(matrix)))


class OneFrameLate(Planted):
    """Shows the world as it was at the call before."""

    frame: Frame | None = None

    def seen(self, frame: Frame) -> Frame:
        late, self.frame = self.frame, frame
        return late if late is not None and late.camera == frame.camera else frame


class PictureLate(OneFrameLate):
    """Only the image is late; the labels are fresh."""

    def seen(self, frame: Frame) -> Frame:
        return replace(frame, rgb=super().seen(frame).rgb)


class Trembling(Planted):
    """Draws every other frame half a pixel aside."""

    odd = False

    def render(self, camera: Camera) -> Frame:
        self.odd = not self.odd
        return super().render(camera)

    def camera(self, camera: Camera) -> Camera:
        return replace(camera, cx=camera.cx + 0.5 * self.odd, cy=camera.cy + 0.5 * self.odd)


class VisibleLayers(Planted):
    """Takes visible masks for amodal ones."""

    def layers(self, camera: Camera):
        layers, instance = super().layers(camera), self.inner.render(camera).truth.instance
        return replace(layers, amodal=tuple(_visible(mask, instance) for mask in layers.amodal))


def _visible(mask, instance):
    h, w = mask.mask.shape
    shown = instance[mask.top : mask.top + h, mask.left : mask.left + w] == mask.instance_id
    return replace(mask, mask=mask.mask & shown)


class Leaking(Planted):
    """Keeps a megabyte of every frame."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.kept: list[np.ndarray] = []

    def seen(self, frame: Frame) -> Frame:
        self.kept.append(np.ones(BLOCK, dtype=np.uint8))
        return frame


# --- what physics may have wrong


def _moved_z(pose: Pose, by_m: float) -> Pose:
    x, y, z = pose.position_m
    return replace(pose, position_m=(x, y, z + by_m))


class Sinking(Planted):
    """Bodies sink 3 mm into the floor."""

    def settle(self):
        report = self.inner.settle()
        poses = {name: _moved_z(pose, -0.003) for name, pose in report.world_from_body.items()}
        self.inner.place(poses)
        return replace(report, world_from_body=poses)


class NeverFalling(Planted):
    """Calls the scene at rest as it was loaded."""

    def settle(self):
        report = self.inner.settle()
        poses = {b.name: b.world_from_body for b in self.scene.bodies if b.dynamic}
        self.inner.place(poses)
        return replace(report, world_from_body=poses)


class NotWrittenBack(Planted):
    """Settles, but goes on showing the world as it was loaded."""

    def settle(self):
        report = self.inner.settle()
        self.inner.place({b.name: b.world_from_body for b in self.scene.bodies if b.dynamic})
        return report


class OnTheMoon(Planted):
    """Bodies fall at half the speed."""

    def play(self, pushes, times_s):
        return self.inner.play(pushes, [0.7 * t for t in times_s])


class LosesAThing(Planted):
    """Does not load the largest thing of a suite's scene."""

    def load(self, scene: Scene) -> None:
        if scene.id.suite != "selftest":
            largest = max(scene.things, key=lambda b: float(np.prod(b.bounds_m()[1] - b.bounds_m()[0])))
            scene = replace(scene, bodies=tuple(b for b in scene.bodies if b is not largest))
        super().load(scene)


# --- what files may have wrong


def box_file(change: Callable[[np.ndarray], None]) -> Callable:
    def changed(value, evidence):
        array, labels, paths = value
        array = array.copy()
        change(array)
        return array, labels, paths

    return changed


def _exclusive_rows(array: np.ndarray) -> None:
    array["x_max"] += 1
    array["y_max"] += 1


def _transposed_rows(array: np.ndarray) -> None:
    array["transform"] = array["transform"].transpose(0, 2, 1).copy()


def _inverted_rows(array: np.ndarray) -> None:
    array["occlusionRatio"] = 1 - array["occlusionRatio"]


def relabelled(change: Callable[[str], str]) -> Callable:
    def changed(value: Segmentation, evidence):
        maps = {key: {"class": change(label["class"])} for key, label in value.maps[0].items()}
        return replace(value, maps=(maps,))

    return changed


def one_label_missing(value: Segmentation, evidence) -> Segmentation:
    labels = dict(value.maps[0])
    labels.pop(max(labels, key=int))
    return replace(value, maps=(labels,))


def two_classes_exchanged(value: Segmentation, evidence) -> Segmentation:
    labels = dict(value.maps[0])
    a, b = sorted(labels, key=int)[-2:]
    labels[a], labels[b] = labels[b], labels[a]
    return replace(value, maps=(labels,))


def paths_exchanged(value: Segmentation, evidence) -> Segmentation:
    paths = dict(value.maps[0])
    a, b = sorted(paths, key=int)[-2:]
    paths[a], paths[b] = paths[b], paths[a]
    return replace(value, maps=(paths, *value.maps[1:]))


def in_the_camera(vectors: np.ndarray, evidence: Evidence, *, points: bool = False) -> np.ndarray:
    camera_from_world = inverse(evidence.frame.camera.world_from_camera.matrix())
    if points:
        return transform_points(camera_from_world, vectors).astype(np.float32)
    turned = vectors.copy()
    turned[..., :3] = vectors[..., :3] @ camera_from_world[:3, :3].T
    return turned


def planar(_distance_m: np.ndarray, evidence: Evidence) -> np.ndarray:
    return evidence.frame.truth.depth_m


def only_things_move(vectors: np.ndarray, evidence: Evidence) -> np.ndarray:
    return vectors * (evidence.frame.truth.instance > 0)[..., None]


def column_vectors(params: dict, evidence) -> dict:
    view = np.reshape(params["cameraViewTransform"], (4, 4)).T.reshape(-1).tolist()
    return params | {"cameraViewTransform": view}


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
