"""What frames may have wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scenes.camera import Camera
from scenes.transforms import Pose
from sim.backend import Backend
from sim.frame import Frame
from tests.sim.selftest.planted import BLOCK, Planted, with_records, with_truth


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
