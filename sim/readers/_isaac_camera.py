"""camera_params_N.json as a Camera, or why the intrinsics are not known; nothing is filled in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.transforms import Pose, inverse
from sim.readers._files import Files, json_object
from sim.readers.foreign import NominalCamera, nominal_camera

# Row vectors, axes of OpenGL: p_camera = [p_world, 1] @ V. The vendor's pages call V "camera to world"; it is not.
CV_FROM_GL = np.diag([1.0, -1.0, -1.0, 1.0])
_RIGID = 1e-3


def read_camera(files: Files, size: tuple[int, int]) -> Camera:
    """Returns the camera of a frame whose image has `size` (width, height), a NominalCamera with the reason if unknown.

    Raises DatasetError where the file is damaged or is of another image size.
    """
    if files.find("camera_params", "json") is None:
        return nominal_camera(*size, reason="no camera_params")
    return files.decode("camera_params", "json", lambda data: _camera(json_object(data), files.product or "view", size))


def unit_m(files: Files) -> float:
    """Returns the metres of one stage unit, 1 where no camera_params says so."""
    if files.find("camera_params", "json") is None:
        return 1.0
    return files.decode("camera_params", "json", lambda data: float(json_object(data).get("metersPerSceneUnit", 1.0)))


def pinhole_of(
    view: NDArray[np.float64], intrinsics: tuple[float, float, float, float], size: tuple[int, int], **rest: Any
) -> Camera:
    """Returns a Camera of a row-vector view matrix in metres (4, 4) and fx, fy, cx, cy, pixel centres at + 0.5."""
    fx, fy, cx, cy = intrinsics
    rotation = view[:3, :3]
    if not np.isfinite(view).all() or np.abs(rotation @ rotation.T - np.eye(3)).max() > _RIGID:
        raise ValueError("expected a view matrix without scale or shear, got one that is not rigid")
    u, _, vt = np.linalg.svd(rotation)  # PoseWriter rounds to five digits
    gl_from_world = np.eye(4)
    gl_from_world[:3, :3], gl_from_world[:3, 3] = (u @ vt).T, view[3, :3]
    return Camera(
        width=size[0], height=size[1], fx=fx, fy=fy, cx=cx - 0.5, cy=cy - 0.5,
        world_from_camera=Pose.from_matrix(inverse(CV_FROM_GL @ gl_from_world)), **rest,
    )  # fmt: skip


def _camera(values: dict[str, Any], name: str, size: tuple[int, int]) -> Camera:
    width, height = (int(v) for v in values["renderProductResolution"])
    if (width, height) != size:
        raise ValueError(f"it is of {width}x{height}, the image has {size[0]}x{size[1]}")
    if "rehearse" in values:
        return Camera.from_dict(values["rehearse"])
    unit = float(values.get("metersPerSceneUnit", 1.0))
    projection = np.array(values["cameraProjection"], dtype=np.float64).reshape(4, 4)
    view = np.array(values["cameraViewTransform"], dtype=np.float64).reshape(4, 4)
    view[3, :3] *= unit
    unknown = _why_unknown(values, projection)
    if unknown:
        return nominal_camera(width, height, reason=unknown)
    near, far = (float(v) * unit for v in values["cameraNearFar"])
    intrinsics = (
        projection[0, 0] * width / 2, projection[1, 1] * height / 2,
        (1 - projection[2, 0]) * width / 2, (1 + projection[2, 1]) * height / 2,
    )  # fmt: skip
    return pinhole_of(view, intrinsics, (width, height), name=name, near_m=near, far_m=far)


def _why_unknown(values: dict[str, Any], projection: NDArray[np.float64]) -> str:
    model = str(values.get("cameraModel", "pinhole"))
    if model != "pinhole":
        return f"its lens is {json.dumps(model)}, whose coefficients are not read"
    if abs(projection[2, 3] + 1) > _RIGID:
        return "it is not a perspective camera"
    return ""


def why_no_camera(camera: Camera) -> str:
    """Returns why the intrinsics are not known, empty where they are."""
    return camera.reason if isinstance(camera, NominalCamera) else ""
