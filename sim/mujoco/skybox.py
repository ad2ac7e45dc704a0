"""A scene's dome as MuJoCo's skybox: six square faces, drawn behind everything in images and never in ids or depth."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from scenes.dome import Dome, seen

NAME = "dome"


def add_skybox(spec: mujoco.MjSpec, dome: Dome) -> None:
    """Adds the texture that the renderer draws where its flag says so."""
    faces = skybox_faces(dome)
    texture = spec.add_texture(name=NAME, type=mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    texture.height, texture.width, texture.nchannel = faces.shape
    texture.data = faces.tobytes()


def skybox_faces(dome: Dome) -> NDArray[np.uint8]:
    """Returns the faces +x, -x, +z, -z, -y, +y below each other, uint8 (6 n, n, 3), as MuJoCo orders and turns them.

    From inside, columns of the four walls run from right to left.
    """
    size = max(16, 2 * len(dome.image) // 3)
    place = (np.arange(size) + 0.5) / size * 2 - 1
    t, s = np.meshgrid(place, place, indexing="ij")
    one = np.ones_like(s)
    faces = ((one, s, -t), (-one, -s, -t), (s, -t, one), (s, t, -one), (s, -one, -t), (-s, one, -t))
    return seen(dome.image, np.concatenate([np.stack(face, axis=-1) for face in faces]))
