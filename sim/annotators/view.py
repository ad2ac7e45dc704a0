"""Everything an annotator may look at: one frame, the scene as it stood, what lay behind, and the frames beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from scenes.scene import Scene
from scenes.transforms import Pose
from sim.annotators._hits import Hits, find_hits
from sim.annotators.normals import Normals, shading_normals
from sim.frame import Frame
from sim.layers import Layers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """One look at the world: a frame and the scene at the poses of that moment."""

    frame: Frame
    scene: Scene

    @property
    def world_from_body(self) -> dict[str, Pose]:
        """The pose of every body at that moment."""
        return {body.name: body.world_from_body for body in self.scene.bodies}


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """Frame `number` of a data set with what lies behind it and beside it.

    `before` and `after` are the same camera one frame earlier and later, None at the ends of a sequence and without
    one; `other_eye` is the other camera of a stereo pair at the same moment.
    """

    frame: Frame
    scene: Scene
    layers: Layers
    number: int = 0
    before: Sighting | None = None
    after: Sighting | None = None
    other_eye: Sighting | None = None

    @property
    def now(self) -> Sighting:
        """This frame as a Sighting."""
        return Sighting(frame=self.frame, scene=self.scene)

    @property
    def baseline_m(self) -> float:
        """The distance between the two eyes' centres; raises ValueError without another eye."""
        if self.other_eye is None:
            raise ValueError(f"Frame {self.frame.name!r} has no other eye, so it has no disparity.")
        mine, other = (c.world_from_camera.position_m for c in (self.frame.camera, self.other_eye.frame.camera))
        return math.dist(mine, other)

    @cached_property
    def hits(self) -> Hits:
        """Where the ray of every pixel meets the geometry; found once (0.3 s or so at 640x480)."""
        return find_hits(self.scene, self.frame.camera, self.frame.truth.depth_m, self.layers.parts)

    @cached_property
    def normals(self) -> Normals:
        """The shading normals, float32 (H, W, 4), found once."""
        return shading_normals(self.hits, self.frame.camera)
