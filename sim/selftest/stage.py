"""The calibration stage: solids whose picture is known on paper, placed so that no flip, turn or transposition looks right.

Five sites stand 6 m apart along x; each has cameras of its own that look along +y and see no other site:
a wall (depth, normals), a mover before a wall (freshness, motion), markers in the image's corners and beyond its border,
a turned block beside a ball, and a thing that hides others by a known share. Nothing else is there: the rest is +inf.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from scenes.camera import Camera, look_at
from scenes.scene import Light, Scene, SceneId, Support
from scenes.transforms import Pose, Vec3, multiply, quaternion_about
from sim.selftest.solids import Solid

WIDTH, HEIGHT, FOCAL_PX = 320, 240, 300.0
WALL_Y_M = 1.0

_RED, _GREEN, _BLUE = (0.8, 0.04, 0.04), (0.04, 0.7, 0.04), (0.05, 0.08, 0.8)
_SUN = Light(
    name="sun", kind="sun", position_m=(0, 0, 3), direction=(0.2, 0.9, -0.4), colour=(1, 1, 1), intensity=0.7,
    casts_shadow=False,
)  # fmt: skip
_SITE_M = 6.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """A scene with the solids that it was made of, by name; the scene's cameras are the views."""

    scene: Scene
    solids: Mapping[str, Solid]

    def camera(self, name: str) -> Camera:
        """Returns a view by its name; raises KeyError."""
        return {camera.name: camera for camera in self.scene.cameras}[name]


@cache
def calibration_stage() -> Stage:
    """Returns the stage of everything that needs no physics; the body `mover` is dynamic, so that it can be placed."""
    cameras = (
        _camera("head_on", (0.1, -0.5, 1.4), (0.1, WALL_Y_M, 1.4)),
        _camera("tilted", (-0.5, -0.3, 1.0), (0.3, WALL_Y_M, 1.5), roll_rad=0.2),
        _camera("watch", (_SITE_M, -0.5, 1.0), (_SITE_M, WALL_Y_M, 1.0)),
        _camera("markers", (2 * _SITE_M, -0.5, 1.0), (2 * _SITE_M, WALL_Y_M, 1.0)),
        _camera("corner", (3 * _SITE_M + 0.13, -0.2, 1.21), (3 * _SITE_M + 0.02, WALL_Y_M, 1.0), roll_rad=0.1),
        _camera("occlusion", (4 * _SITE_M, -0.5, 1.0), (4 * _SITE_M, WALL_Y_M, 1.0)),
    )
    solids = (*_walls(), _mover(), *_markers(), *_turned(), *_hiding())
    return _stage(0, solids, cameras, ())


def physics_stage() -> Stage:
    """Returns a floor with a cube to drop and a stack of three that is let go crooked; views `rest`."""
    tilt = quaternion_about((0, 1, 0), math.radians(4))
    bricks = [
        Solid(
            name=f"brick_{k}", category="book", half_m=(0.1, 0.08, 0.03), colour=colour, dynamic=True,
            world_from_body=Pose((0.3 + 0.005 * k, 0.1, 0.031 + 0.075 * k), tilt if k else (1.0, 0.0, 0.0, 0.0)),
        )
        for k, colour in enumerate((_RED, _GREEN, _BLUE))
    ]  # fmt: skip
    floor = Solid(name="floor", category="floor", half_m=(2.0, 2.0, 0.05), world_from_body=Pose((0, 0, -0.05)))
    cube = Solid(
        name="cube", category="box", half_m=(0.05, 0.05, 0.05), colour=_GREEN, dynamic=True, world_from_body=Pose((-0.2, 0, 0.1))
    )
    camera = _camera("rest", (0.1, -1.3, 0.7), (0.05, 0.05, 0.05))
    return _stage(1, (floor, cube, *bricks), (camera,), (Support(center_m=(0, 0, 0), half_extent_m=(1.5, 1.5)),))


def _stage(index: int, solids: tuple[Solid, ...], cameras: tuple[Camera, ...], supports: tuple[Support, ...]) -> Stage:
    scene = Scene(
        id=SceneId(suite="selftest", version=1, split="test", seed=0, index=index),
        bodies=tuple(solid.body() for solid in solids),
        lights=(_SUN,),
        cameras=cameras,
        supports=supports,
    )
    return Stage(scene=scene, solids={solid.name: solid for solid in solids})


def _camera(name: str, eye_m: Vec3, target_m: Vec3, roll_rad: float = 0.0) -> Camera:
    return Camera(
        name=name, width=WIDTH, height=HEIGHT, fx=FOCAL_PX, fy=FOCAL_PX, cx=(WIDTH - 1) / 2, cy=(HEIGHT - 1) / 2,
        world_from_camera=look_at(np.array(eye_m), np.array(target_m), roll_rad=roll_rad), near_m=0.05, far_m=20.0,
    )  # fmt: skip


def _walls() -> list[Solid]:
    half_m = (2.0, 0.05, 1.5)
    return [
        Solid(name=name, category="wall", half_m=half_m, world_from_body=Pose((x_m, WALL_Y_M + 0.05, 1.5)))
        for name, x_m in (("wall", 0.0), ("backdrop", _SITE_M))
    ]


def _mover() -> Solid:
    pose = Pose((_SITE_M - 0.1, 0.58, 1.05))
    return Solid(name="mover", category="bottle", half_m=(0.1, 0.08, 0.07), world_from_body=pose, colour=_RED, dynamic=True)


# Name, category, colour, pixel (u, v) of the front face's middle, its half size in pixels (u, v): chosen so that no edge of a
# silhouette comes within a fifth of a pixel of a pixel's centre, where a ray that trembles would change the box.
_MARKERS: tuple[tuple[str, str, Vec3, tuple[float, float], tuple[float, float]], ...] = (
    ("top_left", "cup", _RED, (9.1, 11.2), (7.6, 9.7)),
    ("top_right", "cup", _GREEN, (308.3, 9.2), (8.2, 6.7)),
    ("bottom_left", "bowl", _BLUE, (13.2, 227.3), (9.7, 9.2)),
    ("bottom_right", "can", _RED, (311.4, 230.3), (6.1, 7.2)),
    ("above", "apple", _GREEN, (139.0, 50.8), (20.5, 14.3)),
    ("below", "orange", _BLUE, (190.2, 190.2), (12.3, 17.3)),
    ("left", "banana", _RED, (70.1, 130.0), (16.6, 12.5)),
    ("right", "box", _GREEN, (260.6, 100.0), (17.9, 20.5)),
    ("cut_off", "vase", _BLUE, (1.0, 110.0), (14.8, 9.5)),
    ("outside", "clock", _RED, (-61.0, 120.0), (9.7, 10.5)),
)
_MARKER_DEPTH_M = 1.5


def _markers() -> list[Solid]:
    found = []
    for name, category, colour, (u, v), (half_u, half_v) in _MARKERS:
        per_px = _MARKER_DEPTH_M / FOCAL_PX
        x_m, z_m = (u - (WIDTH - 1) / 2) * per_px, -(v - (HEIGHT - 1) / 2) * per_px
        pose = Pose((2 * _SITE_M + x_m, WALL_Y_M + 0.02, 1.0 + z_m))
        half_m = (half_u * per_px, 0.02, half_v * per_px)
        found.append(Solid(name=name, category=category, half_m=half_m, world_from_body=pose, colour=colour))
    behind = Pose((2 * _SITE_M + 0.05, -1.5, 1.0))
    found.append(Solid(name="behind", category="clock", half_m=(0.1, 0.1, 0.1), world_from_body=behind))
    return found


def _turned() -> list[Solid]:
    turn = multiply(quaternion_about((1, 2, 3), 0.9), quaternion_about((0, 1, 0), 0.4))
    block = Pose((3 * _SITE_M - 0.2, 0.9, 1.1), turn)
    ball = Pose((3 * _SITE_M + 0.3, 1.1, 0.8))
    return [
        Solid(name="block", category="book", half_m=(0.16, 0.11, 0.08), world_from_body=block, colour=_BLUE),
        Solid(name="ball", category="orange", half_m=(0.2, 0.2, 0.2), world_from_body=ball, colour=_RED, kind="ball"),
    ]


def _hiding() -> list[Solid]:
    x_m = 4 * _SITE_M
    return [
        Solid(
            name="rear", category="keyboard", half_m=(0.2765, 0.02, 0.1635), colour=_GREEN,
            world_from_body=Pose((x_m - 0.1, WALL_Y_M + 0.02, 1.05)),
        ),
        Solid(
            name="front", category="laptop", half_m=(0.1508, 0.02, 0.22), colour=_RED,
            world_from_body=Pose((x_m + 0.02, 0.52, 1.03)),
        ),
        Solid(
            name="buried", category="mouse", half_m=(0.0505, 0.02, 0.03), colour=_BLUE,
            world_from_body=Pose((x_m + 0.1205, 0.78, 1.021)),
        ),
    ]  # fmt: skip
