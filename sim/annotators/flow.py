"""Where each pixel's surface is at another moment or in another eye: from poses, depth and cameras, never estimated.

A pixel is a point of a rigid body: p' = camera'_from_world' @ world'_from_body @ body_from_world @ world_from_camera @ p,
and its flow is the projection of p' less the pixel. Things move; everything else stands still.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.transforms import inverse
from sim._lens import points_of
from sim.annotators.view import Sighting

UNDEFINED, SEEN, OUT_OF_VIEW, HIDDEN = 0, 1, 2, 3

_Floats = NDArray[np.float64]
# A surface is hidden where it lies farther behind what is seen there than this and what its own depth varies by.
_SAME_SURFACE_M = 1e-3
_STILL = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Displacement of every pixel to another image of the same world.

    pixels float32 (H, W, 2): (u' - u, v' - v), x right and y down, 0 where undefined. state uint8 (H, W): 0 undefined
    (nothing is there, or it passes behind the other camera, or so far aside that its lens draws it nowhere, or there is
    no other image), 1 seen in both images, 2 out of the other's view, 3 hidden there by something. The
    displacement is exact in states 1, 2 and 3 alike; the state is exact to half a pixel, judged by the
    nearest pixel of the other image.
    """

    pixels: NDArray[np.float32]
    state: NDArray[np.uint8]


def flow(here: Sighting, there: Sighting | None) -> Flow:
    """Returns the flow from one sighting of a world to another; undefined everywhere where there is no other."""
    camera, truth = here.frame.camera, here.frame.truth
    shape = truth.depth_m.shape
    if there is None:
        return Flow(pixels=np.zeros((*shape, 2), dtype=np.float32), state=np.zeros(shape, dtype=np.uint8))
    pixels, depth = np.zeros((*shape, 2)), np.full(shape, np.inf)
    points = points_of(camera, np.where(np.isfinite(truth.depth_m), truth.depth_m, 1.0))
    known = np.isfinite(truth.depth_m)
    v, u = np.mgrid[: shape[0], : shape[1]]
    for instance_id, there_from_here in _motions(here, there).items():
        mine = known & (truth.instance == instance_id)
        if there_from_here is None:
            depth[mine] = truth.depth_m[mine]
            continue
        moved = points[mine] @ there_from_here[:3, :3].T + there_from_here[:3, 3]
        ahead = _drawn(there.frame.camera, moved)
        projected = there.frame.camera.project(np.where(ahead[:, None], moved, 1.0))
        pixels[mine] = np.where(ahead[:, None], projected - np.stack([u[mine], v[mine]], axis=-1), 0.0)
        depth[mine] = np.where(ahead, moved[:, 2], np.inf)
    known &= np.isfinite(depth)
    state = _states(here, there, np.stack([u, v], axis=-1) + pixels, depth, known)
    return Flow(pixels=pixels.astype(np.float32), state=state)


def motion_vectors(backward: Flow) -> NDArray[np.float32]:
    """Returns Replicator's `motion_vectors`, float32 (H, W, 4), of the flow to the frame before.

    Its documentation has x > 0 for motion to the left and y > 0 for motion upwards since the frame before, in pixels of
    the image, z and w unused: that is where the surface was less where it is, so the backward flow itself. Zero in the
    first frame.
    """
    vectors = np.zeros((*backward.state.shape, 4), dtype=np.float32)
    vectors[..., :2] = backward.pixels
    return vectors


def _drawn(camera: Camera, points: _Floats) -> NDArray[np.bool_]:
    """Returns which points (N, 3) in the camera's frame are ahead of it, and drawn somewhere by its lens."""
    ahead = points[:, 2] > camera.near_m
    if camera.distortion is None:
        return ahead
    z = np.where(ahead, points[:, 2], 1.0)
    return ahead & camera.distortion.draws(points[:, 0] / z, points[:, 1] / z)


def _motions(here: Sighting, there: Sighting) -> dict[int, _Floats | None]:
    """Returns camera'_from_camera of the points of every instance, 0 for what stands still; None where nothing changes."""
    there_from_world = inverse(there.frame.camera.world_from_camera.matrix())
    world_from_here = here.frame.camera.world_from_camera.matrix()
    before, after = here.world_from_body, there.world_from_body
    motions: dict[int, _Floats | None] = {0: there_from_world @ world_from_here}
    for k, body in enumerate(here.scene.things, start=1):
        turned = after[body.name].matrix() @ inverse(before[body.name].matrix())
        motions[k] = there_from_world @ turned @ world_from_here
    mine, other = here.frame.camera, there.frame.camera
    same_lens = mine.matrix.tolist() == other.matrix.tolist() and mine.distortion == other.distortion
    for k, motion in motions.items():
        if same_lens and motion is not None and np.abs(motion - np.eye(4)).max() < _STILL:
            motions[k] = None
    return motions


def _states(
    here: Sighting, there: Sighting, to_px: _Floats, depth: _Floats, known: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Judges by the nearest pixel of the other image: hidden is what lies behind what that pixel shows."""
    truth, other = here.frame.truth, there.frame.truth
    height, width = other.depth_m.shape
    u, v = to_px[..., 0], to_px[..., 1]
    inside = known & (u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < height - 0.5)
    mine = truth.instance[inside].astype(np.int64) << 8 | truth.semantic[inside]
    labels = other.instance.astype(np.int64) << 8 | other.semantic
    u, v = u[inside], v[inside]
    shown = other.depth_m[np.rint(v).astype(np.int64), np.rint(u).astype(np.int64)].astype(np.float64)
    slack = _SAME_SURFACE_M + _unevenness(labels, other.depth_m.astype(np.float64), mine, u, v)
    state = np.where(known, np.uint8(OUT_OF_VIEW), np.uint8(UNDEFINED))
    state[inside] = np.where(depth[inside] - shown > slack, HIDDEN, SEEN)
    return state


def _unevenness(labels: NDArray[np.int64], depth_m: _Floats, mine: NDArray[np.int64], u: _Floats, v: _Floats) -> _Floats:
    """Returns by how much the depths of the four pixels around (u, v) differ, of those with the label `mine`."""
    height, width = labels.shape
    near, far = np.full(len(mine), np.inf), np.full(len(mine), -np.inf)
    left, top = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column, row = np.clip(left + right, 0, width - 1), np.clip(top + down, 0, height - 1)
        same = labels[row, column] == mine
        there_m = depth_m[row, column]
        near, far = np.where(same, np.minimum(near, there_m), near), np.where(same, np.maximum(far, there_m), far)
    found = np.isfinite(near) & np.isfinite(far)
    return np.where(found, far, 0.0) - np.where(found, near, 0.0)
