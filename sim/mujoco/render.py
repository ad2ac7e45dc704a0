"""Passes over one MuJoCo model: an anti-aliased image, and depth with ids sampled once, at pixel centres."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import BackendError
from sim.mujoco.gl import GlContext
from sim.mujoco.model import SEEN
from sim.mujoco.surfaces import Surfaces

# A window of a camera is (left, top, width, height) in its pixels; arrays have row 0 at the top.
Window = tuple[int, int, int, int]

_SOLO_GROUP = 1


class Canvas:
    """The OpenGL side of one model: its meshes and textures on the device and the drawing list of its bodies."""

    def __init__(self, gl: GlContext, model: mujoco.MjModel) -> None:
        """Uploads the model; takes 10 ms or so."""
        self._gl = gl
        self._model = model
        gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        self._surfaces = Surfaces(self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._all = mujoco.MjvScene(model, model.ngeom + 1)
        self._solo = mujoco.MjvScene(model, model.ngeom + 1)
        self._geom_of_id = np.full(1, -1, dtype=np.int64)
        self._samples = int(self._context.offSamples)
        self._flags = {ids: _flags_of(self._all, ids=ids) for ids in (False, True)}
        self._posed: dict[bool, Camera] = {}  # of the drawing list of one body, and of that of all

    def close(self) -> None:
        """Frees the device's memory."""
        self._gl.make_current()
        self._surfaces.free_others()
        self._context.free()

    def update(self, data: mujoco.MjData) -> None:
        """Takes over the poses of `data`."""
        _draw_group(self._model, data, SEEN, self._all)
        self._posed.clear()
        geoms = np.full(self._all.ngeom + 1, -1, dtype=np.int64)
        for geom in self._all.geoms[: self._all.ngeom]:
            geoms[geom.segid + 1] = geom.objid
        self._geom_of_id = geoms

    @property
    def geom_of_id(self) -> NDArray[np.int64]:
        """MuJoCo's geom of every id that `depth_and_ids` may return; -1 for id 0, which is nothing."""
        return self._geom_of_id

    def image(self, camera: Camera, *, back_faces: bool = True, smooth: bool = True) -> NDArray[np.uint8]:
        """Returns rgb uint8 (H, W, 3); without the back faces, where none can be seen, it takes two thirds of the time.

        `smooth` takes several samples a pixel; without it there is one, at the pixel's centre.
        """
        samples = self._samples if smooth else 0
        viewport = self._prepare(self._all, camera, (0, 0, camera.width, camera.height), ids=False, samples=samples)
        self._all.flags[mujoco.mjtRndFlag.mjRND_CULL_FACE] = not back_faces
        mujoco.mjr_render(viewport, self._all, self._context)
        rgb = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(rgb, None, viewport, self._context)
        return np.ascontiguousarray(rgb[::-1])

    def depth_and_ids(self, camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.unsignedinteger]]:
        """Returns depth float32 (H, W) in metres, +inf where nothing is, and ids (H, W) of what was drawn, 0 for nothing."""
        viewport = self._prepare(self._all, camera, (0, 0, camera.width, camera.height), ids=True)
        mujoco.mjr_render(viewport, self._all, self._context)
        rgb = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
        inverse_depth = np.empty((camera.height, camera.width), dtype=np.float32)
        mujoco.mjr_readPixels(rgb, inverse_depth, viewport, self._context)
        ids = _ids(rgb[::-1], len(self._geom_of_id))
        return _metres(inverse_depth[::-1], ids > 0, camera), ids

    def alone(self, camera: Camera, data: mujoco.MjData, body_id: int, window: Window) -> NDArray[np.bool_]:
        """Returns the mask (h, w) of one body within a window of the image with nothing else in the world."""
        group = self._model.geom_group
        mine = (self._model.geom_bodyid == body_id) & (group == SEEN)
        group[mine] = _SOLO_GROUP
        _draw_group(self._model, data, _SOLO_GROUP, self._solo)
        self._posed.pop(True, None)
        group[mine] = SEEN
        viewport = self._prepare(self._solo, camera, window, ids=True)
        mujoco.mjr_render(viewport, self._solo, self._context)
        rgb = np.empty((window[3], window[2], 3), dtype=np.uint8)
        mujoco.mjr_readPixels(rgb, None, viewport, self._context)
        mask: NDArray[np.bool_] = _ids(rgb[::-1], self._solo.ngeom + 1) > 0
        return mask

    def _prepare(
        self, scene: mujoco.MjvScene, camera: Camera, window: Window, *, ids: bool, samples: int = 0
    ) -> mujoco.MjrRect:
        self._gl.make_current()
        self._surfaces.use(samples, camera.width, camera.height)
        scene.flags[:] = self._flags[ids]
        frustum, solo = _frustum(camera, window), scene is self._solo
        for eye in scene.camera:
            if self._posed.get(solo) != camera:
                _set_eye(eye, camera)
            eye.frustum_center, eye.frustum_width, eye.frustum_top, eye.frustum_bottom = frustum
        self._posed[solo] = camera
        return mujoco.MjrRect(0, 0, window[2], window[3])


def _ids(rgb: NDArray[np.uint8], count: int) -> NDArray[np.unsignedinteger]:
    """Returns the ids of a picture of ids, of which there are `count`; most scenes need the first of the three bytes only."""
    if count <= 1 << 8:
        return np.ascontiguousarray(rgb[..., 0])
    low, middle, high = (rgb[..., i].astype(np.uint32) for i in range(3))
    ids: NDArray[np.uint32] = low | np.left_shift(middle, 8) | np.left_shift(high, 16)
    return ids


def _draw_group(model: mujoco.MjModel, data: mujoco.MjData, group: int, scene: mujoco.MjvScene) -> None:
    option = mujoco.MjvOption()
    option.geomgroup[:] = 0
    option.geomgroup[group] = 1
    mujoco.mjv_updateScene(model, data, option, None, mujoco.MjvCamera(), mujoco.mjtCatBit.mjCAT_ALL, scene)


def _flags_of(scene: mujoco.MjvScene, *, ids: bool) -> NDArray[np.uint8]:
    """Returns the rendering flags of a picture of ids or of an image."""
    flags: NDArray[np.uint8] = scene.flags.copy()
    flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = ids
    flags[mujoco.mjtRndFlag.mjRND_SHADOW] = not ids
    flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
    flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = not ids  # draws nothing where the model has no dome
    flags[mujoco.mjtRndFlag.mjRND_HAZE] = flags[mujoco.mjtRndFlag.mjRND_FOG] = False
    # A wall seen from behind hides what is in front of it; `image` may leave out back faces that nobody can see.
    flags[mujoco.mjtRndFlag.mjRND_CULL_FACE] = False
    return flags


def _set_eye(eye: mujoco.MjvGLCamera, camera: Camera) -> None:
    """Puts one of a drawing list's two eyes where the camera is; raises BackendError for one with a lens."""
    if camera.distortion is not None:
        raise BackendError(f"Camera {camera.name!r} has a lens and was to be drawn as a pinhole: draw it with LensCanvas.")
    world_from_camera = camera.world_from_camera.matrix()
    eye.pos = world_from_camera[:3, 3]
    eye.forward = world_from_camera[:3, 2]
    eye.up = -world_from_camera[:3, 1]
    eye.frustum_near, eye.frustum_far = camera.near_m, camera.far_m
    eye.orthographic = 0


def _frustum(camera: Camera, window: Window) -> tuple[float, float, float, float]:
    """Returns center, width, top and bottom; pixel centres are integers, so the image reaches from -0.5 to size - 0.5."""
    left, top, width, height = window
    near = camera.near_m
    x_left = near * (left - 0.5 - camera.cx) / camera.fx
    x_right = near * (left + width - 0.5 - camera.cx) / camera.fx
    y_top = -near * (top - 0.5 - camera.cy) / camera.fy
    y_bottom = -near * (top + height - 0.5 - camera.cy) / camera.fy
    return (x_left + x_right) / 2, (x_right - x_left) / 2, y_top, y_bottom


def _metres(inverse_depth: NDArray[np.float32], hit: NDArray[np.bool_], camera: Camera) -> NDArray[np.float32]:
    """Undoes the reversed perspective depth: 1 at the near plane, 0 at the far plane."""
    near, far = np.float32(camera.near_m), np.float32(camera.far_m)
    steps = inverse_depth.astype(np.float64)
    steps *= np.float64(far) - near
    steps += near
    np.divide(near * far, steps, out=steps)
    depth_m = steps.astype(np.float32)
    depth_m[~hit] = np.inf
    return depth_m
