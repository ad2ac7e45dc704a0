"""Scenes by name: each is a pure function of (suite, version, split, seed, index, attempt)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from scenes.camera import Camera, focal_px, look_at
from scenes.described import SHIPPED, load, maker_of
from scenes.errors import SceneError, UnknownNameError
from scenes.objects import ObjectShape, make_object
from scenes.placement import Placed, into, on_table, stands_upright
from scenes.room import make_room
from scenes.sampler import ShapeSampler, Split
from scenes.scene import Body, Light, Scene, SceneId, Support
from scenes.transforms import Vec3

# Purposes of the independent random streams of one scene: adding draws to one never moves another.
ROOM, OBJECTS, PLACES, LIGHTS, CAMERAS, AMBIENT = range(6)
VIEWS_PER_SCENE = 3
BASE_SIZE = (640, 480)
MIN_OBJECTS, MAX_OBJECTS = 3, 12
# Version 1 draws from these names in this order; a longer catalogue must not move its scenes.
TABLETOP_THINGS = (
    "apple", "banana", "book", "bottle", "bowl", "box", "can", "cup", "fork", "knife", "orange", "plate", "spoon",
    "wine glass",
)  # fmt: skip
HELD_IN = {
    "bowl": ("apple", "orange", "banana", "spoon"),
    "cup": ("fork", "knife", "spoon"),
    "plate": ("apple", "orange", "banana", "fork", "knife", "spoon"),
}
HOLD_PROBABILITY = 0.45
MOST_HELD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named family of scenes; `version` changes whenever the same seed would give another scene."""

    name: str
    version: int
    make: Callable[[SceneId, int], Scene]
    description: str = ""


def find_suite(name: str) -> Suite:
    """Returns a suite by name, or by the path of its file; raises UnknownNameError, or SceneError for a bad file.

    A suite from a file is named by the file's stem; `description` is then the digest of what the file says.
    """
    if name in SUITES:
        return SUITES[name]
    if not name.endswith(".toml"):
        raise UnknownNameError("suite", name, SUITES)
    described = load(Path(name))
    return Suite(
        name=described.name,
        version=described.version,
        make=partial(_described, path=Path(name)),
        description=described.digest(),
    )


def make_scene(
    suite: str, *, split: str, seed: int, index: int, attempt: int = 0, views: int = VIEWS_PER_SCENE
) -> Scene:
    """Makes one scene of a suite, by its name or the path of its file, before physics has settled it.

    `views` is how many cameras it has; the first of them are the same however many there are.
    Raises UnknownNameError, SceneError for a negative number or a bad file, LayoutError where this attempt has no layout.
    """
    chosen = find_suite(suite)
    if split not in get_args(Split):
        raise UnknownNameError("split", split, get_args(Split))
    if min(seed, index, attempt) < 0:
        raise SceneError(f"Seed, index and attempt must not be negative, got {seed}, {index} and {attempt}.")
    scene_id = SceneId(
        suite=chosen.name, version=chosen.version, split=split, seed=seed, index=index, attempt=attempt,  # type: ignore[arg-type]  # checked above
        description=chosen.description,
    )  # fmt: skip
    return chosen.make(scene_id, views)


def _stream(scene_id: SceneId, purpose: int) -> np.random.Generator:
    return _stream_of(_TABLETOP_KEY, scene_id, purpose)


def _stream_of(key: int, scene_id: SceneId, purpose: int) -> np.random.Generator:
    split = get_args(Split).index(scene_id.split)
    spawn_key = (key, scene_id.version, split, scene_id.index, scene_id.attempt, purpose)
    return np.random.default_rng(np.random.SeedSequence(scene_id.seed, spawn_key=spawn_key))


def _described(scene_id: SceneId, views: int, *, path: Path) -> Scene:
    """Makes a scene of a suite that a file describes; suites of one kind share their streams, so that they are paired."""
    description = load(path)
    if description.version != scene_id.version:
        raise SceneError(f"{path} has version {description.version}, but version {scene_id.version} was asked for.")
    stream = partial(_stream_of, _KIND_KEYS[description.kind], scene_id)
    make = maker_of(description.kind)
    return make(scene_id, description, stream, views=views, size=BASE_SIZE)


def _tabletop(scene_id: SceneId, views: int) -> Scene:
    room = make_room(ShapeSampler(rng=_stream(scene_id, ROOM), split=scene_id.split))
    sampler = ShapeSampler(rng=_stream(scene_id, OBJECTS), split=scene_id.split)
    placed = _objects(sampler, room.table, _stream(scene_id, PLACES))
    return Scene(
        id=scene_id,
        bodies=(*room.bodies, *_bodies(placed)),
        lights=_lights(_stream(scene_id, LIGHTS)),
        cameras=_cameras(_stream(scene_id, CAMERAS), room.table, views),
        supports=(room.table,),
        ambient=_ambient(_stream(scene_id, AMBIENT)),
    )


def _objects(sampler: ShapeSampler, table: Support, rng: np.random.Generator) -> list[Placed]:
    """Draws 3 to 12 objects; some are put into or onto those that can hold them."""
    shapes = [
        make_object(sampler.choice("category", TABLETOP_THINGS), sampler)
        for _ in range(sampler.integer("count", MIN_OBJECTS + 1, MAX_OBJECTS))
    ]
    held = _held(shapes, sampler)
    free = [shape for i, shape in enumerate(shapes) if i not in held]
    placed = on_table(sorted(free, key=lambda shape: shape.cavity is None), table, rng=rng)
    layers: Counter[int] = Counter()
    for i, holder_index in held.items():
        holder = next((p for p in placed if p.shape is shapes[holder_index]), None)
        if holder is not None and stands_upright(holder):
            placed.append(into(holder, shapes[i], layer=layers[holder_index], rng=rng))
            layers[holder_index] += 1
    return placed


def _held(shapes: list[ObjectShape], sampler: ShapeSampler) -> dict[int, int]:
    """Chooses which objects go into which holder, at most two in each: object index -> holder index."""
    held: dict[int, int] = {}
    for i, shape in enumerate(shapes):
        fits = [k for k, other in enumerate(shapes) if shape.category in HELD_IN.get(other.category, ())]
        fits = [k for k in fits if list(held.values()).count(k) < MOST_HELD]
        if fits and sampler.chance("is_held", HOLD_PROBABILITY):
            held[i] = sampler.choice("holder", fits)
    return held


def _bodies(placed: list[Placed]) -> tuple[Body, ...]:
    """Names the objects by category and number and makes them dynamic bodies."""
    counts: Counter[str] = Counter()
    bodies = []
    for item in placed:
        shape = item.shape
        counts[shape.category] += 1
        bodies.append(
            Body(
                name=f"{shape.category.replace(' ', '_')}_{counts[shape.category]:02d}",
                category=shape.category,
                parts=shape.parts,
                colliders=shape.colliders,
                world_from_body=item.world_from_body,
                mass_kg=shape.mass_kg,
                dynamic=True,
                friction=shape.friction,
                rolling_friction_m=shape.rolling_friction_m,
            )
        )
    return tuple(bodies)


def _tint(rng: np.random.Generator) -> Vec3:
    """Returns a colour between warm and cool white."""
    warmth = float(rng.uniform(-1, 1))
    return 1.0 - 0.12 * max(-warmth, 0.0), 1.0 - 0.05 * abs(warmth), 1.0 - 0.2 * max(warmth, 0.0)


def _lights(rng: np.random.Generator) -> tuple[Light, ...]:
    """Returns one light with a shadow from above and up to two lamps without."""
    azimuth, tilt = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.9)
    direction = (math.sin(tilt) * math.cos(azimuth), math.sin(tilt) * math.sin(azimuth), -math.cos(tilt))
    position = (-2.5 * direction[0], -2.5 * direction[1], 0.75 - 2.5 * direction[2])
    strength = float(rng.uniform(0.45, 0.9))
    sun = Light(name="sun", kind="sun", position_m=position, direction=direction, colour=_tint(rng), intensity=strength)
    lamps = []
    for k in range(int(rng.integers(0, 3))):
        x, y, z = float(rng.uniform(-1.4, 1.4)), float(rng.uniform(-1.4, 1.4)), float(rng.uniform(1.6, 2.6))
        aim = np.array([-x, -y, 0.75 - z])
        ax, ay, az = (float(v) for v in aim / np.linalg.norm(aim))
        lamps.append(
            Light(
                name=f"lamp_{k + 1}",
                kind="lamp",
                position_m=(x, y, z),
                direction=(ax, ay, az),
                colour=_tint(rng),
                intensity=float(rng.uniform(0.1, 0.35)),
                casts_shadow=False,
            )
        )
    return (sun, *lamps)


def _ambient(rng: np.random.Generator) -> Vec3:
    level = float(rng.uniform(0.3, 0.5))
    r, g, b = _tint(rng)
    return level * r, level * g, level * b


def _cameras(rng: np.random.Generator, table: Support, count: int) -> tuple[Camera, ...]:
    """Returns the views of a scene: from a robot's head around the table, 0.55 to 1 m from what it looks at."""
    fov = float(rng.uniform(math.radians(48), math.radians(62)))
    width, height = BASE_SIZE
    focal = focal_px(width, fov)
    cameras = []
    for k in range(count):
        azimuth, elevation = rng.uniform(0, 2 * math.pi), math.radians(rng.uniform(22, 62))
        distance = rng.uniform(0.55, 1.0)
        target = np.add(table.center_m, rng.uniform((-0.08, -0.07, 0.0), (0.08, 0.07, 0.06)))
        level = math.cos(elevation)
        ray = np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)])
        pose = look_at(target + distance * ray, target, roll_rad=float(rng.uniform(-0.06, 0.06)))
        cameras.append(
            Camera(
                name=f"camera_{k}",
                width=width,
                height=height,
                fx=focal,
                fy=focal,
                cx=(width - 1) / 2,
                cy=(height - 1) / 2,
                world_from_camera=pose,
            )
        )
    return tuple(cameras)


# First element of every stream's key. The numbers are part of the scenes: they never change.
_TABLETOP_KEY = 0
_KIND_KEYS = {"household": 1, "clutter": 2}

SUITES: dict[str, Suite] = {
    "household": Suite(name="household", version=1, make=partial(_described, path=SHIPPED["household"])),
    "tabletop": Suite(name="tabletop", version=1, make=_tabletop),
    "tabletop-clutter": Suite(name="tabletop-clutter", version=1, make=partial(_described, path=SHIPPED["clutter"])),
}
