"""The land under a sky: far hills or the houses of a town, hazier with distance, dark by night with lit windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scenes.sky import Floats, Sky

_HOUSES = 96  # around the horizon
_LIGHT = {"clear": 1.4, "dusk": 0.3, "night": 0.02, "overcast": 1.0}


def land_over(sky: Sky, rays: Floats, light: Floats) -> Floats:
    """Returns the light (n, 3) along unit vectors (n, 3) with land painted over what lies below the horizon's line."""
    painted = light.copy()
    low = np.flatnonzero(rays[:, 2] < 0.2)
    turn = np.arctan2(rays[low, 1], rays[low, 0]) / (2 * np.pi) % 1.0
    height = np.arcsin(np.clip(rays[low, 2], -1.0, 1.0))
    ground = np.array(sky.ground) ** 2.2 * _LIGHT[sky.kind]
    seen = _far(sky, turn, height, light[low], ground)
    near = np.flatnonzero(height < 0.04)
    seen[near] = _near(sky, rays[low[near]], turn[near], height[near], seen[near], ground)
    painted[low] = seen
    return painted


def _far(sky: Sky, turn: Floats, height: Floats, light: Floats, ground: Floats) -> Floats:
    """Paints hills in the haze, and a town before them."""
    from scenes.sky import tiled

    line = 0.015 + 0.11 * tiled(sky.pattern, turn, np.full_like(turn, 0.01))
    hills = 0.55 * _haze(sky, turn) + 0.45 * ground * (0.5 + tiled(sky.pattern, 5 * turn, 3.0 * height)[:, None])
    painted = _blend(light, hills, _below(height, line))
    return _town(sky, turn, height, painted, _LIGHT[sky.kind]) if sky.town else painted


def _near(sky: Sky, rays: Floats, turn: Floats, height: Floats, under: Floats, ground: Floats) -> Floats:
    """Paints a line of trees and a lawn up to it."""
    from scenes.sky import tiled

    line = -0.02 + 0.05 * tiled(sky.pattern, 5 * turn, np.full_like(turn, 0.3))
    trees = ground * (0.35 + 1.3 * tiled(sky.pattern, 23 * turn, 9.0 * height)[:, None])
    away = 0.05 / np.maximum(-rays[:, 2], 0.02)
    mown = tiled(sky.pattern, away * rays[:, 0], away * rays[:, 1])
    lawn = ground * (0.7 + 0.8 * mown)[:, None] * np.clip(1.15 + 0.5 * height, 0.6, 1.2)[:, None]
    return _blend(_blend(under, trees, _below(height, line)), lawn, _below(height, line - 0.09))


def _haze(sky: Sky, turn: Floats) -> Floats:
    """Returns the light of the sky low over the horizon, (n, 3)."""
    from scenes.sky import sky_light

    steps = np.arange(64) / 64
    low = np.stack([np.cos(2 * np.pi * steps), np.sin(2 * np.pi * steps), np.full(64, 0.06)], axis=1)
    light = sky_light(sky, low / np.linalg.norm(low, axis=1, keepdims=True))
    return np.stack([np.interp(turn, steps, light[:, k], period=1.0) for k in range(3)], axis=1)


def _below(height: Floats, line: Floats) -> Floats:
    """Returns 1 below a line and 0 above it, soft over half a degree."""
    share: Floats = np.clip((line - height) / 0.008 + 0.5, 0, 1)[:, None]
    return share


def _blend(under: Floats, over: Floats, share: Floats) -> Floats:
    return under + share * (over - under)


def _town(sky: Sky, turn: Floats, height: Floats, under: Floats, level: float) -> Floats:
    """Paints houses of several heights and tones, with rows of windows."""
    number = np.floor(turn * _HOUSES).astype(int)
    n = len(sky.pattern)
    # Neighbouring noise is alike; a stride that shares no factor with the size gives every house numbers of its own.
    tone, tall = sky.pattern[17, (number * 37) % n], sky.pattern[91, (number * 53) % n]
    spread = np.clip((tall - 0.3) / 0.4, 0, 1)
    line = 0.01 + 0.15 * spread**2
    wall = (np.array([0.5, 0.44, 0.38]) + 0.25 * (tone[:, None] - 0.5) * [1.0, 0.6, 0.2]) * (0.45 + tone[:, None])
    painted = _blend(under, 0.25 * under + 0.75 * wall * level, _below(height, line))
    u, v = turn * _HOUSES * 5 % 1.0, height * 55 % 1.0
    pane = (u > 0.3) & (u < 0.75) & (v > 0.3) & (v < 0.75) & (height < line - 0.008) & (height > -0.03)
    lit = ((np.floor(turn * _HOUSES * 5) * 31 + np.floor(height * 55) * 17) % 7 < 3) & (level < 0.5)
    glow = np.where(lit[:, None], np.array([0.75, 0.5, 0.22]), np.array([0.05, 0.06, 0.07]) * level)
    return _blend(painted, glow, 0.8 * pane[:, None])
