"""An oriented 3D box: the one form in which truth, prediction and scoring speak of an object's extent."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.transforms import Pose, Vec3, vec3

_CORNER_SIGNS = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))


@dataclass(frozen=True, slots=True)
class OrientedBox:
    """A box by the pose of its centre in a named outer frame and its full edge lengths along its own axes, in metres."""

    outer_from_box: Pose
    size_m: Vec3

    def __post_init__(self) -> None:
        if not all(np.isfinite(edge) and edge > 0 for edge in self.size_m):
            raise ValueError(f"A box needs three positive, finite edges in metres, got {self.size_m}.")

    def corners(self) -> NDArray[np.float64]:
        """Returns the corners, float64 (8, 3) in the outer frame, ordered by sign: index = 4*(x>0) + 2*(y>0) + (z>0)."""
        outer_from_box = self.outer_from_box.matrix()
        corners: NDArray[np.float64] = (_CORNER_SIGNS * self.size_m) @ outer_from_box[:3, :3].T + outer_from_box[:3, 3]
        return corners

    @property
    def volume_m3(self) -> float:
        """The volume in cubic metres."""
        x, y, z = self.size_m
        return x * y * z

    def moved(self, other_from_outer: NDArray[np.float64]) -> OrientedBox:
        """Returns the same box in another frame, by a rigid (4, 4) transform."""
        return OrientedBox(Pose.from_matrix(other_from_outer @ self.outer_from_box.matrix()), self.size_m)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "center_m": list(self.outer_from_box.position_m),
            "quaternion_wxyz": list(self.outer_from_box.quaternion_wxyz),
            "size_m": list(self.size_m),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> OrientedBox:
        """Reads what `to_dict` wrote; raises KeyError or ValueError."""
        w, x, y, z = (float(v) for v in values["quaternion_wxyz"])
        return cls(Pose(vec3(values["center_m"]), (w, x, y, z)), vec3(values["size_m"]))
