"""The objects of a PoseWriter file in the camera's frame, by their keypoints; its camera-frame poses are judged, never trusted.

PoseWriter multiplies row-vector matrices in the wrong order: view @ local_to_world in place of local_to_world @ view. So
location, rotation and quaternion in the camera frame are wrong unless the object stands unrotated at the origin, while
keypoints are right. The default format has local_to_world, which gives the true pose. Centerpose has 3D keypoints. Dope
has only projected corners: of the pose as it is and the pose with the error undone the one is taken through which a box
can be laid onto those corners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.transforms import Pose, rotation_from_quaternion, vec3

Matrix = NDArray[np.float64]
_GL_TO_CV = np.array([1.0, -1.0, -1.0])
# Corner names are Left/Right, Down/Up, Back/Front: the low and the high end of x, y and z in the object's own frame.
_SIGNS = {"L": -1.0, "R": 1.0, "D": -1.0, "U": 1.0, "B": -1.0, "F": 1.0}
_FITS_PX = 1.5  # corners are rounded to whole pixels
_SAME_DEG = 0.5
_ORTHOGONAL = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A PoseWriter camera: row-vector view (4, 4) in stage units, and fx, fy, cx, cy with pixel centres at + 0.5."""

    view: Matrix
    intrinsics: tuple[float, float, float, float]
    unit_m: float
    order: tuple[str, ...]

    def project(self, points: Matrix) -> Matrix:
        """Maps points (n, 3) with OpenGL's axes, z < 0, to pixels (n, 2)."""
        fx, fy, cx, cy = self.intrinsics
        return np.stack([cx - fx * points[:, 0] / points[:, 2], cy + fy * points[:, 1] / points[:, 2]], axis=-1)

    def signs(self) -> Matrix:
        """Returns -1, 0 or 1 of every keypoint along x, y and z."""
        return np.array([[0.0] * 3 if name == "Center" else [_SIGNS[letter] for letter in name] for name in self.order])


@dataclass(frozen=True, slots=True, kw_only=True)
class PosedObject:
    """One object: box and pose in metres with OpenCV's axes; None where the file does not say them.

    `wrong` says that the camera-frame pose of the file is not the object's, by `error_m` metres and `error_deg` degrees.
    """

    label: str
    path: str
    visible_fraction: float
    corners_px: Matrix
    camera_from_box: OrientedBox | None
    camera_from_body: Pose | None
    wrong: bool
    known_error: bool
    error_m: float
    error_deg: float


def read_object(values: Mapping[str, Any], view: View) -> PosedObject:
    """Reads one entry of `objects` in any of the three formats; raises KeyError, TypeError or ValueError."""
    visibility = float(values["visibility"])
    projected = values.get("cuboid_keypoints_projected", values.get("projected_cuboid"))
    common: dict[str, Any] = {
        "label": str(values["label"] if "label" in values else values["class"]),
        "path": str(values.get("prim_path", "")),
        # Visibility is 1 - |occlusion|, so an occlusion of -1, which is "not known", comes out as 0.
        "visible_fraction": visibility if 0 < visibility <= 1 else float("nan"),
        "corners_px": _numbers(projected, (len(view.order), 2), "the projected corners"),
    }
    if "cuboid_keypoints_camera_frame" in values:
        return PosedObject(**common, **_default(values, view))
    if "keypoints_3d" in values:
        return PosedObject(**common, **_centerpose(values, view))
    return PosedObject(**common, **_dope(values, view, common["corners_px"]))


def _default(values: Mapping[str, Any], view: View) -> dict[str, Any]:
    keypoints = _numbers(values["cuboid_keypoints_camera_frame"], (len(view.order), 3), "the keypoints")
    world_from_local = _numbers(values["local_to_world_transform"], (4, 4), "local_to_world_transform")
    true = world_from_local @ view.view
    wrong = view.view @ world_from_local
    location = _numbers(values["location_camera_frame"], (3,), "location_camera_frame")
    rotation = _numbers(values["rotation_matrix_camera_frame"], (3, 3), "rotation_matrix_camera_frame")
    quaternion = _numbers(values["quat_wxyz_camera_frame"], (4,), "quat_wxyz_camera_frame")
    right, known = (_same(m, location, rotation, reach=_reach(world_from_local, view)) for m in (true, wrong))
    unscaled = _unscaled(true[:3, :3])
    return {
        "camera_from_box": _box_of(keypoints, view),
        "camera_from_body": None if unscaled is None else _pose(unscaled, true[3, :3], view.unit_m),
        "wrong": not right,
        "known_error": known and not right,
        "error_m": float(np.linalg.norm(location - true[3, :3])) * view.unit_m,
        "error_deg": 0.0 if unscaled is None else _angle_deg(_row_rotation(quaternion), unscaled),
    }


def _centerpose(values: Mapping[str, Any], view: View) -> dict[str, Any]:
    keypoints = _numbers(values["keypoints_3d"], (len(view.order), 3), "keypoints_3d")
    location, rotation = _pose_in_file(values)
    box = _box_of(keypoints, view)
    middle, true = keypoints[view.order.index("Center")], _axes(keypoints, view)[0]
    undone_rotation, undone_location = _undone(location, rotation, view)
    radius = float(np.linalg.norm(keypoints - middle, axis=1).max())
    away, undone_away = (float(np.linalg.norm(point - middle)) for point in (location, undone_location))
    turned = _angle_deg(rotation, true)
    # A body's origin may lie outside its box: a place alone is held wrong only where undoing the error brings it closer.
    wrong = turned > _SAME_DEG or (away > radius and undone_away < away)
    return {
        "camera_from_box": box,
        "camera_from_body": None if box is None else box.outer_from_box,
        "wrong": wrong,
        "known_error": wrong and (undone_away < away or _angle_deg(undone_rotation, true) < turned),
        "error_m": away * view.unit_m if wrong else 0.0,
        "error_deg": turned,
    }


def _dope(values: Mapping[str, Any], view: View, corners_px: Matrix) -> dict[str, Any]:
    location, rotation = _pose_in_file(values)
    undone_rotation, undone_location = _undone(location, rotation, view)
    as_it_is = _fitted_box(rotation, location, corners_px, view)
    undone = _fitted_box(undone_rotation, undone_location, corners_px, view)
    same = np.allclose(location, undone_location, atol=1e-3) and _angle_deg(rotation, undone_rotation) < _SAME_DEG
    wrong = as_it_is is None and not same
    box = undone if wrong else as_it_is
    pose = (undone_rotation, undone_location) if wrong else (rotation, location)
    return {
        "camera_from_box": box,
        "camera_from_body": None if box is None else _pose(*pose, view.unit_m),
        "wrong": wrong,
        "known_error": wrong and undone is not None,
        "error_m": float(np.linalg.norm(location - pose[1])) * view.unit_m,
        "error_deg": _angle_deg(rotation, pose[0]),
    }


def _pose_in_file(values: Mapping[str, Any]) -> tuple[Matrix, Matrix]:
    x, y, z, w = _numbers(values["quaternion_xyzw"], (4,), "quaternion_xyzw")
    return _numbers(values["location"], (3,), "location"), _row_rotation(np.array([w, x, y, z]))


def _undone(location: Matrix, rotation: Matrix, view: View) -> tuple[Matrix, Matrix]:
    """Returns rotation and location with the wrong order of view and object undone; exact for objects without scale."""
    turn, shift = view.view[:3, :3], view.view[3, :3]
    world_from_body = turn.T @ rotation
    place = location - shift @ world_from_body
    return world_from_body @ turn, place @ turn + shift


def _fitted_box(rotation: Matrix, location: Matrix, corners_px: Matrix, view: View) -> OrientedBox | None:
    """Returns the box at a pose whose corners project onto `corners_px` (n, 2), None where no box does.

    Each pixel coordinate is one equation, linear in the six ends of the box along the axes of the body.
    """
    fx, fy, cx, cy = view.intrinsics
    signs = view.signs()
    low, high = (1 - signs) / 2, (1 + signs) / 2
    ends = np.concatenate([low, high], axis=1)  # a keypoint is this mixture of (low xyz, high xyz)
    axes = np.concatenate([rotation, rotation])
    rows = ends[:, :, None] * axes[None]
    ahead, aside, up = -rows[..., 2], rows[..., 0], rows[..., 1]
    u, v = corners_px[:, :1] - cx, corners_px[:, 1:] - cy
    equations = np.concatenate([u * ahead - fx * aside, v * ahead + fy * up])
    wanted = np.concatenate([u[:, 0] * location[2] + fx * location[0], v[:, 0] * location[2] - fy * location[1]])
    solved = np.linalg.lstsq(equations, wanted, rcond=None)[0]
    points = ends @ (solved[:, None] * axes) + location
    if (points[:, 2] >= 0).any() or (solved[3:] <= solved[:3]).any():
        return None
    if np.abs(view.project(points) - corners_px).max() > _FITS_PX:
        return None
    return _box_of(points, view)


def _axes(keypoints: Matrix, view: View) -> tuple[Matrix, Matrix]:
    """Returns the unit axes of the box as rows (3, 3), with OpenGL's axes, and its edges (3,)."""
    corners = np.array([name != "Center" for name in view.order])
    edges = view.signs()[corners].T @ keypoints[corners] / 4
    size = np.linalg.norm(edges, axis=1)
    return edges / np.where(size > 0, size, 1.0)[:, None], size


def _box_of(keypoints: Matrix, view: View) -> OrientedBox | None:
    """Returns the box of 3D keypoints in metres with OpenCV's axes; None for a flat or sheared one."""
    axes, size = _axes(keypoints, view)
    if not (size > 0).all() or np.abs(axes @ axes.T - np.eye(3)).max() > _ORTHOGONAL:
        return None
    axes[0] *= np.sign(np.linalg.det(axes))  # a mirrored object has the same box
    middle = keypoints[view.order.index("Center")]
    return OrientedBox(_pose(axes, middle, view.unit_m), vec3(size * view.unit_m))


def _pose(rows: Matrix, location: Matrix, unit_m: float) -> Pose:
    camera_from_body = np.eye(4)
    camera_from_body[:3, :3] = (rows * _GL_TO_CV).T
    camera_from_body[:3, 3] = location * _GL_TO_CV * unit_m
    return Pose.from_matrix(camera_from_body)


def _unscaled(rows: Matrix) -> Matrix | None:
    scale = np.linalg.norm(rows, axis=1)
    unit = rows / np.where(scale > 0, scale, 1.0)[:, None]
    proper = np.abs(unit @ unit.T - np.eye(3)).max() < _ORTHOGONAL and np.linalg.det(unit) > 0
    return unit if proper else None


def _same(matrix: Matrix, location: Matrix, rotation: Matrix, *, reach: float) -> bool:
    """Returns whether a file's location and rotation are those of a matrix, by the five digits that its view has."""
    near = np.abs(matrix[3, :3] - location).max() < 1e-4 * max(1.0, reach)
    return bool(near and np.abs(matrix[:3, :3] - rotation).max() < 1e-4 * max(1.0, float(np.abs(rotation).max())))


def _reach(world_from_local: Matrix, view: View) -> float:
    return float(np.abs(world_from_local[3, :3]).max() + np.abs(view.view[3, :3]).max()) * max(
        1.0, float(np.abs(world_from_local[:3, :3]).max())
    )


def _row_rotation(quaternion_wxyz: Matrix) -> Matrix:
    """Returns the rotation as a row-vector matrix."""
    length = float(np.linalg.norm(quaternion_wxyz))
    if not 0.5 < length < 2:
        raise ValueError(f"expected a unit quaternion, got {quaternion_wxyz.tolist()}")
    return rotation_from_quaternion(tuple(quaternion_wxyz / length)).T


def _angle_deg(first: Matrix, second: Matrix) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(first @ second.T) - 1) / 2, -1, 1))))


def _numbers(values: Any, shape: Sequence[int], what: str) -> Matrix:
    array = np.array(values, dtype=np.float64)
    if array.shape != tuple(shape) or not np.isfinite(array).all():
        raise ValueError(f"expected {what} as {' x '.join(str(n) for n in shape)} finite numbers, got {array.shape}")
    return array
