"""Replicator-native randomisation of a live stage, from the same file that describes a suite: lights, materials, poses, cameras.

Nothing is loaded again between variants, which is what makes it quick. Values are drawn beforehand from the file's own
distributions, in the bands of the split, and Replicator chooses among them: so train, val and test stay apart here too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scenes.described import SHIPPED, load
from scenes.description import Description
from scenes.errors import UnknownNameError
from scenes.lights import shown_colour
from scenes.sampler import ShapeSampler, Split
from scenes.scene import Scene
from sim._labels import prim_path

KINDS = ("lights", "materials", "scatter", "cameras")
EVENT = "rehearse_variant"
_DRAWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomisation:
    """What is varied, from which file, and the seed that each scene's is made from. Raises UnknownNameError."""

    kinds: tuple[str, ...]
    description: Path
    seed: int
    split: Split

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise UnknownNameError("randomisation", kind, KINDS)

    def seed_of(self, scene: Scene) -> int:
        """Returns the seed of one scene's graph, below 2**31: scenes vary apart, whichever process makes them."""
        return int(np.random.SeedSequence([self.seed, scene.id.index]).generate_state(1)[0]) >> 1


def description_of(suite: str) -> Path:
    """Returns the file that a suite is described by, shipped or the user's own."""
    shipped = {path.stem: path for path in SHIPPED.values()}
    return shipped.get(suite, Path(suite).absolute())


def build(plan: Randomisation, stage: Any, scene: Scene, cameras: Sequence[str]) -> None:
    """Seeds Replicator and builds the graph of an opened scene; `cameras` are the paths of its camera prims."""
    import omni.replicator.core as rep

    seed = plan.seed_of(scene)
    rep.set_global_seed(seed)
    draws = _Draws(load(plan.description), np.random.default_rng(seed), plan.split)
    with rep.trigger.on_custom_event(event_name=EVENT):
        if "lights" in plan.kinds:
            _vary_lights(draws, stage)
        if "materials" in plan.kinds:
            _vary_materials(stage, scene)
        if "scatter" in plan.kinds:
            _scatter(scene)
        if "cameras" in plan.kinds:
            _vary_cameras(draws, scene, cameras)


def next_variant() -> None:
    """Draws everything anew; the next step shows it."""
    import omni.replicator.core as rep

    rep.utils.send_og_event(event_name=EVENT)


class _Draws:
    """Values of a file's keys, drawn beforehand."""

    def __init__(self, description: Description, rng: np.random.Generator, split: Split) -> None:
        self._description = description
        self._sampler = ShapeSampler(rng=rng, split=split)
        self.rng = rng

    def numbers(self, key: str) -> list[float]:
        """Returns draws of a number; none where this kind of file does not have the key."""
        distribution = self._description.distributions.get(key)
        return [] if distribution is None else [float(distribution.draw(self._sampler)) for _ in range(_DRAWS)]


def _vary_lights(draws: _Draws, stage: Any) -> None:
    """Varies strength and colour about what the scene wrote: each by the ratio of a draw to the mean of the draws."""
    import omni.replicator.core as rep

    colours = [tuple(shown_colour(kelvin)) for kelvin in draws.numbers("light.kelvin")]
    keys = {"Sun": "light.sun_intensity", "Lamp": "light.lamp_intensity", "Ambient": "light.ambient"}
    for prim in stage.prim("/World/Lights").GetChildren():
        strengths = draws.numbers(keys.get(prim.GetName().partition("_")[0], ""))
        base = float(prim.GetAttribute("inputs:intensity").Get() or 0.0)
        mean = sum(strengths) / max(len(strengths), 1)
        with rep.get.prim_at_path(str(prim.GetPath())):
            if mean > 0:
                rep.modify.attribute("inputs:intensity", rep.distribution.choice([base * s / mean for s in strengths]))
            if colours and not prim.GetName().startswith("Ambient"):
                rep.modify.attribute("inputs:color", rep.distribution.choice(colours))


def _vary_materials(stage: Any, scene: Scene) -> None:
    """Gives the parts of things the looks, with their textures, that the scene has."""
    import omni.replicator.core as rep

    looks = [str(prim.GetPath()) for prim in stage.prim("/World/Looks").GetChildren()]
    parts = [f"{prim_path(body.name)}/{part.name}" for body in scene.things for part in body.parts]
    if looks and parts:
        with rep.get.prim_at_path(parts):
            rep.randomizer.materials(looks)


def _scatter(scene: Scene) -> None:
    """Puts the things that may move somewhere on what they stand on, apart from each other: not settled, but labelled."""
    import omni.replicator.core as rep

    movable = [prim_path(body.name) for body in scene.bodies if body.dynamic]
    under = _support_body(scene)
    if movable and under:
        surface = rep.get.prim_at_path(under)
        with rep.get.prim_at_path(movable):
            rep.randomizer.scatter_2d(surface_prims=surface, check_for_collisions=True)


def _support_body(scene: Scene) -> str | None:
    """Returns the path of the static body whose top is nearest to the first support's."""
    if not scene.supports:
        return None
    x, y, z = scene.supports[0].center_m
    found = []
    for body in scene.bodies:
        if not body.dynamic:
            low, high = (corner + body.world_from_body.position_m for corner in body.bounds_m())
            if low[0] <= x <= high[0] and low[1] <= y <= high[1]:
                found.append((abs(float(high[2]) - z), prim_path(body.name)))
    return min(found)[1] if found else None


def _vary_cameras(draws: _Draws, scene: Scene, cameras: Sequence[str]) -> None:
    """Puts each camera on the sphere that the file's distances and elevations make about the first support."""
    import omni.replicator.core as rep

    distances = draws.numbers("camera.distance_m")
    elevations = [math.radians(v) for v in draws.numbers("camera.elevation_deg")] or [math.radians(35.0)] * _DRAWS
    target = np.array(scene.supports[0].center_m if scene.supports else (0.0, 0.0, 0.0))
    for path in cameras:
        azimuths = draws.rng.uniform(0.0, 2 * math.pi, len(distances))
        eyes = [
            tuple(float(c) for c in target + d * np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)]))
            for d, e, a in zip(distances, elevations, azimuths, strict=True)
        ]
        if eyes:
            with rep.get.prim_at_path(path):
                rep.modify.pose(position=rep.distribution.choice(eyes), look_at=tuple(float(c) for c in target))
