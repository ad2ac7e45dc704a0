"""Replicator's camera_params: row-vector view with OpenGL axes and reversed-Z projection; our exact camera rides along."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.transforms import inverse

# Replicator counts pixels continuously (the first one spans 0..1), so its principal point is ours plus one half.

_APERTURE = 20.955
_GL_FROM_CV = np.diag([1.0, -1.0, -1.0, 1.0])


def camera_params(camera: Camera) -> dict[str, Any]:
    """Returns the flat dictionary of camera_params_N.json, plus `rehearse`, the exact Camera.to_dict().

    The projection is that of the pinhole; the lens's coefficients, where there is one, are in `rehearse`.
    """
    focal = camera.fx * _APERTURE / camera.width
    vertical = focal * camera.height / camera.fy
    offset_x = (camera.width / 2 - (camera.cx + 0.5)) * _APERTURE / camera.width
    offset_y = ((camera.cy + 0.5) - camera.height / 2) * vertical / camera.height
    return {
        "cameraAperture": [_APERTURE, vertical],
        "cameraApertureOffset": [offset_x, offset_y],
        "cameraFisheyeLensP": [],
        "cameraFisheyeLensS": [],
        "cameraFisheyeMaxFOV": 0.0,
        "cameraFisheyeNominalHeight": 0,
        "cameraFisheyeNominalWidth": 0,
        "cameraFisheyeOpticalCentre": [0.0, 0.0],
        "cameraFisheyePolynomial": [0.0, 0.0, 0.0, 0.0, 0.0],
        "cameraFocalLength": focal,
        "cameraFocusDistance": 400.0,
        "cameraFStop": 0.0,
        "cameraModel": "pinhole" if camera.distortion is None else "pinholeOpenCV",
        "cameraNearFar": [camera.near_m, camera.far_m],
        "cameraProjection": projection(camera).reshape(-1).tolist(),
        "cameraViewTransform": view_transform(camera).reshape(-1).tolist(),
        "metersPerSceneUnit": 1.0,
        "renderProductResolution": [camera.width, camera.height],
        "rehearse": camera.to_dict(),
    }


def view_transform(camera: Camera) -> NDArray[np.float64]:
    """Returns V (4, 4), row-vector: [p_world, 1] @ V is the point in the OpenGL camera frame."""
    gl_from_world: NDArray[np.float64] = _GL_FROM_CV @ inverse(camera.world_from_camera.matrix())
    return gl_from_world.T


def projection(camera: Camera) -> NDArray[np.float64]:
    """Returns P (4, 4), row-vector, reversed depth: clip = p_gl @ P, 1 at the near plane and 0 at the far plane."""
    near, far = camera.near_m, camera.far_m
    matrix = np.zeros((4, 4))
    matrix[0, 0] = 2 * camera.fx / camera.width
    matrix[1, 1] = 2 * camera.fy / camera.height
    matrix[2, 0] = 1 - 2 * (camera.cx + 0.5) / camera.width
    matrix[2, 1] = 2 * (camera.cy + 0.5) / camera.height - 1
    matrix[2, 2] = near / (far - near)
    matrix[2, 3] = -1
    matrix[3, 2] = near * far / (far - near)
    return matrix
