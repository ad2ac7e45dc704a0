"""The objects of a PoseWriter file in the camera's frame, by their keypoints; its camera-frame poses are judged, never trusted.

PoseWriter multiplies row-vector matrices in the wrong order: view @ local_to_world in place of local_to_world @ view. So
location, rotation and quaternion in the camera frame are wrong unless the object stands unrotated at the origin, while
keypoints are right. The default format has local_to_world, which gives the true pose. Centerpose has 3D keypoints. Dope
has only projected corners: of the pose as it is and the pose with the error undone the one is taken that those corners
allow. How large an object is, dope does not say; it follows where the object's origin is its middle.
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

    `wrong` says that the camera-frame pose of the file is not the object's, by `error_m` metres and `error_deg` degrees;
    it says nothing where not `judged`.
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
    judged: bool = True


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
    poses = [(rotation, location), _undone(location, rotation, view)]
    right = _chosen(poses, corners_px, view)
    nothing = {"camera_from_box": None, "camera_from_body": None, "known_error": False, "error_m": 0.0, "error_deg": 0.0}
    if right is None:
        return nothing | {"wrong": False, "judged": False}
    true_rotation, true_location = poses[right]
    return {
        "camera_from_box": _centred_box(true_rotation, true_location, corners_px, view),
        "camera_from_body": _pose(true_rotation, true_location, view.unit_m),
        "wrong": right == 1,
        "known_error": right == 1,
        "error_m": float(np.linalg.norm(location - true_location)) * view.unit_m,
        "error_deg": _angle_deg(rotation, true_rotation),
    }


def _chosen(poses: Sequence[tuple[Matrix, Matrix]], corners_px: Matrix, view: View) -> int | None:
    """Returns which of two poses the corners allow: 0 where they are one, None where they allow neither or both.

    A turn is judged with the box anywhere, since an object's origin need not be its middle; a place by a box around it.
    """
    (rotation, location), (other_rotation, other_location) = poses
    same_turn = _angle_deg(rotation, other_rotation) < _SAME_DEG
    if same_turn and np.allclose(location, other_location, atol=1e-3):
        return 0
    turns = [_turn_fits(pose[0], corners_px, view) for pose in poses]
    if turns[0] != turns[1]:
        return turns.index(True)
    boxes = [_centred_box(*pose, corners_px, view) is not None for pose in poses]
    return boxes.index(True) if turns[0] and boxes[0] != boxes[1] else None


def _pose_in_file(values: Mapping[str, Any]) -> tuple[Matrix, Matrix]:
    x, y, z, w = _numbers(values["quaternion_xyzw"], (4,), "quaternion_xyzw")
    return _numbers(values["location"], (3,), "location"), _row_rotation(np.array([w, x, y, z]))


def _undone(location: Matrix, rotation: Matrix, view: View) -> tuple[Matrix, Matrix]:
    """Returns rotation and location with the wrong order of view and object undone; exact for objects without scale."""
    turn, shift = view.view[:3, :3], view.view[3, :3]
    world_from_body = turn.T @ rotation
    place = location - shift @ world_from_body
    return world_from_body @ turn, place @ turn + shift


def _equations(corners_px: Matrix, view: View) -> Matrix:
    """Returns (2, n, 3): for point p of keypoint i, equation @ p is 0 where p projects onto u, and onto v."""
    fx, fy, cx, cy = view.intrinsics
    u, v = corners_px[:, 0] - cx, corners_px[:, 1] - cy
    zero = np.zeros_like(u)
    return np.stack([np.stack([zero + fx, zero, u], axis=-1), np.stack([zero, zero - fy, v], axis=-1)])


def _turn_fits(rotation: Matrix, corners_px: Matrix, view: View) -> bool:
    """Returns whether a box with these axes, of any size at any place, projects onto `corners_px` (n, 2).

    The equations are linear in the box's two ends along its axes and homogeneous, for a box twice as far and twice as
    large looks the same: the smallest singular vector solves them.
    """
    signs = view.signs()
    ends = np.concatenate([(1 - signs) / 2, (1 + signs) / 2], axis=1)  # a keypoint mixes (low xyz, high xyz) like this
    axes = np.concatenate([rotation, rotation])
    matrix = np.concatenate(_equations(corners_px, view) @ axes.T * ends[None])
    solved = np.linalg.svd(matrix)[2][-1]
    points = (ends * solved) @ axes
    points *= -np.sign(points[:, 2].sum())
    if (points[:, 2] > -1e-9).any():
        return False
    return bool(np.abs(view.project(points) - corners_px).max() < _FITS_PX)


def _centred_box(rotation: Matrix, location: Matrix, corners_px: Matrix, view: View) -> OrientedBox | None:
    """Returns the box with its middle at `location` whose corners project onto `corners_px`, None where none does."""
    signs = view.signs()
    equations = _equations(corners_px, view)
    matrix = np.concatenate(equations @ rotation.T * signs[None])
    half = np.linalg.lstsq(matrix, -(equations @ location).reshape(-1), rcond=None)[0]
    points = (signs * half) @ rotation + location
    if (half <= 0).any() or (points[:, 2] > -1e-9).any():
        return None
    return _box_of(points, view) if np.abs(view.project(points) - corners_px).max() < _FITS_PX else None


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
