"""PoseWriter's folders (isaacsim.replicator.writers; default, dope and centerpose): images, cameras and objects, no masks.

    000000.json  000000.png  [000000_overlay.png]     in the folder, or in one folder per render product

Its known error in camera-frame poses is found against the keypoints, repaired and reported; see `_pose_objects`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.transforms import Pose
from sim._png import decode_channels
from sim.frame import UNKNOWN_BOX, BoxPx, Frame, ObjectTruth
from sim.readers._files import IMAGE_SUFFIXES, Files, decode_file, json_object
from sim.readers._isaac_camera import pinhole_of, why_no_camera
from sim.readers._isaac_survey import metadata_of
from sim.readers._layouts import finished
from sim.readers._pose_objects import PosedObject, View, read_object
from sim.readers.foreign import nominal_camera, projected_px, truth_of
from sim.readers.labels import LabelMap

_FRAME = re.compile(r"(?P<number>\d+)\.(?P<suffix>\w+)$")
_CORNERS = {"Center", "LDB", "LDF", "LUB", "LUF", "RDB", "RDF", "RUB", "RUF"}
_OTHER_LENS_PX = 2.0
_WHY = "PoseWriter does not write it"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseFile:
    """One json read: its format, camera and objects; the objects' boxes and poses are in the camera's frame."""

    format: str
    camera: Camera
    objects: tuple[PosedObject, ...]
    unit_stated: bool


@dataclass(frozen=True, kw_only=True)
class PoseWriterReader:
    """A ForeignReader; the frames are in order of number and then of render product."""

    folder: Path
    frames: tuple[Files, ...]
    left_out: tuple[str, ...]
    labels: LabelMap
    kind = "isaac-posewriter"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """FOLDER/NUMBER/PRODUCT."""
        root = self.folder.resolve().name
        return tuple(f"{root}/{files.number}/{files.product or 'view'}" for files in self.frames)

    @cached_property
    def absent(self) -> dict[str, str]:
        """Returns what PoseWriter cannot hold, unknown lenses, and the labels without category."""
        lost = {what: f"{_WHY}: {rest}" for what, rest in (
            ("semantic labels", "every pixel is void"), ("instances", "things have no masks and count as void"),
            ("depth", "depth is not scored"), ("visible boxes", "what shows of an object is known as a fraction only"),
        )}  # fmt: skip
        lost["amodal boxes"] = f"{_WHY}; the boxes around the projected corners stand in"
        lost["some objects"] = "those whose occlusion Isaac Sim does not know (-1) or that are hidden, PoseWriter leaves out"
        lenses = dict.fromkeys(why_no_camera(read.camera) for read in self._read if why_no_camera(read.camera))
        if lenses:
            lost["cameras"] = f"{'; '.join(lenses)}: intrinsics are not known and 3D boxes are not scored"
        unsaid = sum(thing.camera_from_box is None for read in self._read for thing in read.objects)
        if unsaid:
            lost["3D boxes"] = f"{unsaid} objects are flat or sheared, or of the format dope without their middle as origin"
        unknown = self.labels.describe_unknown(self._labels)
        return lost | ({"categories": unknown} if unknown else {})

    @cached_property
    def remarks(self) -> dict[str, str]:
        """Returns the judgement of the camera-frame poses, what was left out, and what was taken for granted."""
        things = [thing for read in self._read for thing in read.objects]
        found = {"format": ", ".join(sorted({read.format for read in self._read}))}
        found["camera-frame poses"] = judgement(things)
        if not all(read.unit_stated for read in self._read):
            found["units"] = "the files do not say the stage's unit; metres are assumed"
        if self.left_out:
            found["left out"] = "; ".join(self.left_out)
        if self.labels.unused(self._labels):
            found["labels"] = f"mapped but not there: {', '.join(self.labels.unused(self._labels))}"
        return found

    @cached_property
    def writer(self) -> tuple[str, int]:
        """The version and the seed that metadata.txt states."""
        about = metadata_of(self.folder)
        return about.version, about.seed

    @cached_property
    def _read(self) -> tuple[PoseFile, ...]:
        return tuple(self.pose_file(number) for number in range(len(self.frames)))

    @cached_property
    def _labels(self) -> set[str]:
        return {thing.label for read in self._read for thing in read.objects}

    def paths(self, number: int) -> list[Path]:
        """Returns the json and the image of one frame."""
        return sorted(self.frames[number].members.values())

    def rgb(self, number: int) -> NDArray[np.uint8]:
        """Reads the image, uint8 (H, W, 3)."""
        files = self.frames[number]
        if files.image is None:
            formats = ", ".join(IMAGE_SUFFIXES)
            raise DatasetError(f"{files.folder} has no image {files.number} of a format that is read ({formats}).")
        return decode_file(files.image, decode_channels)

    def pose_file(self, number: int) -> PoseFile:
        """Reads the json of one frame; raises DatasetError naming it."""
        files = self.frames[number]
        height, width, _ = self.rgb(number).shape
        return files.decode("pose", "json", lambda data: _pose_file(json_object(data), files.product, (width, height)))

    def camera(self, number: int) -> Camera:
        """Reads the camera; a NominalCamera stands in where its lens is no pinhole."""
        return self.pose_file(number).camera

    def frame(self, number: int) -> Frame:
        """Reads one frame: an image, a camera and objects with 3D boxes; no pixel has a label or a depth."""
        rgb, read = self.rgb(number), self.pose_file(number)
        records: list[ObjectTruth] = []
        for thing in read.objects:
            category = self.labels.category(thing.label)
            if category.is_thing:
                records.append(_record(thing, read.camera, len(records) + 1, category.id))
        nothing = np.zeros(rgb.shape[:2], dtype=np.uint8)
        truth = truth_of(None, nothing, nothing.astype(np.uint16), tuple(records))
        return Frame(name=self.names[number], rgb=rgb, camera=read.camera, truth=truth)


def judgement(things: list[PosedObject]) -> str:
    """Returns what was found of the camera-frame poses of all objects, in a sentence."""
    wrong = [thing for thing in things if thing.wrong]
    unjudged = sum(not thing.judged for thing in things)
    rest = f"; {unjudged} cannot be judged by their corners, and their poses are not used" if unjudged else ""
    if not wrong:
        right = len(things) - unjudged
        return f"{'all ' if right and not unjudged else ''}{right} agree with the keypoints and are left alone{rest}"
    known = sum(thing.known_error for thing in wrong)
    metres, degrees = [thing.error_m for thing in wrong], [thing.error_deg for thing in wrong]
    return (
        f"{len(wrong)} of {len(things)} were wrong ({known} by the known error, view @ local_to_world), by {min(metres):.3g} to "
        f"{max(metres):.3g} m and up to {max(degrees):.0f} degrees; repaired from the keypoints{rest}"
    )


def _record(thing: PosedObject, camera: Camera, number: int, category_id: int) -> ObjectTruth:
    world_from_camera = camera.world_from_camera.matrix()
    known = thing.camera_from_box is not None and not why_no_camera(camera)
    box: OrientedBox = thing.camera_from_box.moved(world_from_camera) if known and thing.camera_from_box else UNKNOWN_BOX
    body = thing.camera_from_body
    around = (projected_px(camera, box) if known else None) or _around(thing.corners_px, camera)
    return ObjectTruth(
        instance_id=number,
        category_id=category_id,
        body_name=thing.path.removeprefix("/World/") or f"object_{number}",
        visible_box_px=None,
        amodal_box_px=around,
        visible_fraction=thing.visible_fraction,
        box_world=box,
        world_from_body=Pose.from_matrix(world_from_camera @ body.matrix()) if known and body else box.outer_from_box,
    )


def _around(corners_px: NDArray[np.float64], camera: Camera) -> BoxPx:
    last = np.array([camera.width - 1, camera.height - 1])
    low, high = (np.clip(edge, 0, last).round().astype(int) for edge in (corners_px.min(axis=0), corners_px.max(axis=0)))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _pose_file(values: dict[str, Any], product: str, size: tuple[int, int]) -> PoseFile:
    about = values["camera_data"]
    stated = tuple(about.get("resolution", (about.get("width", size[0]), about.get("height", size[1]))))
    if stated != size:
        raise ValueError(f"it is of {stated[0]}x{stated[1]}, the image has {size[0]}x{size[1]}")
    order = tuple(str(name) for name in values["keypoint_order"])
    if set(order) != _CORNERS or len(order) != len(_CORNERS):
        raise ValueError(f"expected the keypoints {', '.join(sorted(_CORNERS))}, got {', '.join(order)}")
    projection = np.array(about["camera_projection_matrix"], dtype=np.float64).reshape(4, 4)
    unit_m = float(about.get("meters_per_scene_unit", 1.0))
    # The stated cx and cy add an offset in apertures to pixels; the projection has the principal point.
    principal = (1 - projection[2, 0]) * size[0] / 2, (1 + projection[2, 1]) * size[1] / 2
    intrinsics = float(about["intrinsics"]["fx"]), float(about["intrinsics"]["fy"]), *principal
    view = np.array(about["camera_view_matrix"], dtype=np.float64).reshape(4, 4)
    seen = View(view=view, intrinsics=intrinsics, unit_m=unit_m, order=order)
    rows = values["objects"]
    objects = tuple(read_object(row, seen) for row in rows)
    lens_px = max((_beside_pinhole_px(row, seen, size) for row in rows), default=0.0)
    metric = view.copy()
    metric[3, :3] *= unit_m
    near_m = max(float(projection[3, 2] / (1 + projection[2, 2])) * unit_m, 1e-3)
    camera: Camera = pinhole_of(metric, intrinsics, size, name=product or "view", near_m=near_m, far_m=max(1e6, 2 * near_m))
    if lens_px > _OTHER_LENS_PX:
        reason = f"corners are drawn up to {lens_px:.0f} px from where a pinhole draws them, by an unnamed lens"
        camera = nominal_camera(*size, reason=reason)
    return PoseFile(format=_format(rows), camera=camera, objects=objects, unit_stated="meters_per_scene_unit" in about)


def _beside_pinhole_px(row: dict[str, Any], view: View, size: tuple[int, int]) -> float:
    """Returns how far, at most, the file's projected keypoints lie from those of a pinhole, of those in the image."""
    points = row.get("cuboid_keypoints_camera_frame", row.get("keypoints_3d"))
    if points is None:
        return 0.0
    keypoints = np.array(points, dtype=np.float64)
    stated = np.array(row.get("cuboid_keypoints_projected", row.get("projected_cuboid")), dtype=np.float64)
    shown = (keypoints[:, 2] < 0) & (stated >= 0).all(axis=1) & (stated < size).all(axis=1)
    if not shown.any():
        return 0.0
    return float(np.abs(view.project(keypoints[shown]) - stated[shown]).max())


def _format(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "without objects"
    return "dope" if "class" in rows[0] else "centerpose" if "keypoints_3d" in rows[0] else "default"


def find_pose_writer(folder: Path, labels: LabelMap) -> PoseWriterReader | None:
    """Returns the reader of a folder, None where no json of PoseWriter is there; raises DatasetError without a whole frame."""
    frames: list[Files] = []
    left_out: list[str] = []
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        members: dict[str, dict[tuple[str, str], Path]] = {}
        for path in sorted(place.iterdir()):
            match = _FRAME.match(path.name)
            if match:
                kind = "pose" if match["suffix"] == "json" else "rgb"
                members.setdefault(match["number"], {})[kind, match["suffix"].lower()] = path
        if not any(_is_pose(files["pose", "json"]) for files in members.values() if ("pose", "json") in files):
            continue
        product = "" if place == folder else place.name
        ordered = sorted(members, key=int)
        kept, dropped = finished([Files(folder=place, product=product, number=n, members=members[n]) for n in ordered])
        frames += kept
        left_out += dropped
    if left_out and not frames:
        raise DatasetError(f"{folder} has no whole frame of PoseWriter: {'; '.join(left_out)}.")
    frames.sort(key=lambda files: (int(files.number), files.product))
    return PoseWriterReader(folder=folder, frames=tuple(frames), left_out=tuple(left_out), labels=labels) if frames else None


def _is_pose(path: Path) -> bool:
    with path.open("rb") as stream:
        return b'"camera_data"' in stream.read(4096)
