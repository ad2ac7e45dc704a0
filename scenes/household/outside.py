"""What is outside of a room: the hour of the day and its sky, seen in the panes of windows; its sun is the room's sun."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from scenes.description import Draws
from scenes.relations import wall_turn
from scenes.sky import Sky, draw_sky, sky_image
from scenes.textures import Image

PANE_PX = (112, 160)
_EYE_M, _AWAY_M = 1.35, 2.2  # from where a pane is looked through


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outside:
    """A sky by day or by lamplight; its sun's azimuth is counted from straight out of the first window."""

    by_day: bool
    sky: Sky

    def sky_over(self, first_wall: int) -> Sky:
        """Returns the sky as the room lies under it, given the wall of the first window."""
        azimuth = wall_turn(first_wall) + math.pi + self.sky.sun_azimuth_rad
        return replace(self.sky, sun_azimuth_rad=azimuth)

    def pane(self, wall: int, first_wall: int, half_y: float, half_z: float, middle_z: float) -> Image:
        """Returns what a window of that wall shows to someone in the room, sRGB uint8 PANE_PX."""
        turn, (rows, columns) = wall_turn(wall), PANE_PX
        inward, along = np.array([math.cos(turn), math.sin(turn), 0.0]), np.array([-math.sin(turn), math.cos(turn), 0.0])
        right = ((np.arange(columns) + 0.5) / columns * 2 - 1) * half_y
        up = (1 - (np.arange(rows) + 0.5) / rows * 2) * half_z + middle_z - _EYE_M
        rays = -_AWAY_M * inward + right[None, :, None] * along + up[:, None, None] * np.array([0.0, 0.0, 1.0])
        return sky_image(self.sky_over(first_wall), rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def draw_outside(draws: Draws) -> Outside:
    """Draws whether it is day, and the sky of the hour."""
    by_day = draws.chance("light.daylight")
    kind = draws.name("sky.by_day" if by_day else "sky.by_lamplight")
    elevation = draws.number("light.sun_elevation_deg" if by_day else "sky.dusk_elevation_deg")
    turbidity, clouds = draws.number("sky.turbidity"), draws.number("sky.clouds")
    side = draws.number("light.sun_turn_rad")
    sky = draw_sky(
        draws.sampler, kind, elevation_deg=elevation, azimuth_rad=side, turbidity=turbidity, clouds=clouds
    )
    return Outside(by_day=by_day, sky=sky)
