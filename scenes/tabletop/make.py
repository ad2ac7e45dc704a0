"""A table with a few things from a description: room, things, lights and views, each from its stream.

With the shipped file these are the scenes of version 1, bit for bit: what it draws, from which stream and in which order,
never changes (tests/scenes/test_frozen_tabletop.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scenes.camera import Camera, focal_px, look_at
from scenes.description import Description, Draws
from scenes.objects import ObjectShape, make_object
from scenes.placement import Placed, into, on_table, stands_upright
from scenes.sampler import ShapeSampler
from scenes.scene import Body, Light, Scene, SceneId, Support
from scenes.tabletop.first_bowl import as_first_made
from scenes.tabletop.room import make_room
from scenes.transforms import Pose, Vec3

# Purposes of the independent random streams of one scene: adding draws to one never moves another.
ROOM, OBJECTS, PLACES, LIGHTS, CAMERAS, AMBIENT = range(6)
HELD_IN = {
    "bowl": ("apple", "orange", "banana", "spoon"),
    "cup": ("fork", "knife", "spoon"),
    "plate": ("apple", "orange", "banana", "fork", "knife", "spoon"),
}
MOST_HELD = 2
Stream = Callable[[int], np.random.Generator]


class _Unbanded(ShapeSampler):
    """Draws lights and cameras from the whole of their ranges in every split: they are not what a network learns."""

    def unit(self) -> float:
        return float(self.rng.random())


def make_tabletop(
    scene_id: SceneId, description: Description, stream: Stream, *, views: int, size: tuple[int, int]
) -> Scene:
    """Makes one scene before physics has settled it."""

    def draws(purpose: int, kind: type[ShapeSampler] = ShapeSampler) -> Draws:
        return Draws(description, kind(rng=stream(purpose), split=scene_id.split))

    room = make_room(draws(ROOM))
    placed = _objects(draws(OBJECTS), description, room.table, stream(PLACES))
    return Scene(
        id=scene_id,
        bodies=(*room.bodies, *_bodies(placed)),
        lights=_lights(draws(LIGHTS, _Unbanded)),
        cameras=_cameras(draws(CAMERAS, _Unbanded), description, room.table, views, size),
        supports=(room.table,),
        ambient=_ambient(draws(AMBIENT, _Unbanded)),
    )


def _objects(draws: Draws, description: Description, table: Support, rng: np.random.Generator) -> list[Placed]:
    """Draws the objects; some are put into or onto those that can hold them."""
    shapes = [
        as_first_made(make_object(_category(draws, description), draws.sampler))
        for _ in range(draws.count("objects.count"))
    ]
    held = _held(shapes, draws)
    free = [shape for i, shape in enumerate(shapes) if i not in held]
    placed = on_table(sorted(free, key=lambda shape: shape.cavity is None), table, rng=rng)
    layers: Counter[int] = Counter()
    for i, holder_index in held.items():
        holder = next((p for p in placed if p.shape is shapes[holder_index]), None)
        if holder is not None and stands_upright(holder):
            placed.append(into(holder, shapes[i], layer=layers[holder_index], rng=rng))
            layers[holder_index] += 1
    return placed


def _category(draws: Draws, description: Description) -> str:
    """Returns a category; an even choice is drawn as a whole number."""
    given = description.distributions["objects.category"]
    if given.is_choice_of(given.options):
        return str(draws.sampler.choice("category", given.options))
    return draws.name("objects.category")


def _held(shapes: list[ObjectShape], draws: Draws) -> dict[int, int]:
    """Chooses which objects go into which holder, at most two in each: object index -> holder index."""
    held: dict[int, int] = {}
    for i, shape in enumerate(shapes):
        fits = [k for k, other in enumerate(shapes) if shape.category in HELD_IN.get(other.category, ())]
        fits = [k for k in fits if list(held.values()).count(k) < MOST_HELD]
        if fits and draws.chance("objects.contain"):
            held[i] = draws.sampler.choice("holder", fits)
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


def _tint(draws: Draws) -> Vec3:
    """Returns a colour between warm and cool white."""
    warmth = draws.number("light.warmth")
    return 1.0 - 0.12 * max(-warmth, 0.0), 1.0 - 0.05 * abs(warmth), 1.0 - 0.2 * max(warmth, 0.0)


def _lights(draws: Draws) -> tuple[Light, ...]:
    """Returns one light with a shadow from above, and lamps without."""
    rng = draws.sampler.rng
    azimuth, tilt = rng.uniform(0, 2 * math.pi), draws.number("light.sun_tilt_rad")
    direction = (math.sin(tilt) * math.cos(azimuth), math.sin(tilt) * math.sin(azimuth), -math.cos(tilt))
    position = (-2.5 * direction[0], -2.5 * direction[1], 0.75 - 2.5 * direction[2])
    strength = draws.number("light.sun_intensity")
    sun = Light(
        name="sun", kind="sun", position_m=position, direction=direction, colour=_tint(draws), intensity=strength
    )
    return (sun, *(_lamp(draws, f"lamp_{k + 1}") for k in range(draws.count("light.lamps"))))


def _lamp(draws: Draws, name: str) -> Light:
    rng = draws.sampler.rng
    x, y, z = float(rng.uniform(-1.4, 1.4)), float(rng.uniform(-1.4, 1.4)), float(rng.uniform(1.6, 2.6))
    aim = np.array([-x, -y, 0.75 - z])
    ax, ay, az = (float(v) for v in aim / np.linalg.norm(aim))
    return Light(
        name=name, kind="lamp", position_m=(x, y, z), direction=(ax, ay, az), colour=_tint(draws),
        intensity=draws.number("light.lamp_intensity"), casts_shadow=False,
    )  # fmt: skip


def _ambient(draws: Draws) -> Vec3:
    level = draws.number("light.ambient")
    r, g, b = _tint(draws)
    return level * r, level * g, level * b


def _cameras(
    draws: Draws, description: Description, table: Support, count: int, size: tuple[int, int]
) -> tuple[Camera, ...]:
    """Returns the views of a scene: from a robot's head around the table."""
    width, height = size
    focal = focal_px(width, _in_radians(description, draws.sampler))
    return tuple(
        Camera(
            name=f"camera_{k}", width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2,
            world_from_camera=_view(draws, table),
        )
        for k in range(count)
    )  # fmt: skip


def _view(draws: Draws, table: Support) -> Pose:
    rng = draws.sampler.rng
    azimuth, elevation = rng.uniform(0, 2 * math.pi), math.radians(draws.number("camera.elevation_deg"))
    distance = draws.number("camera.distance_m")
    target = np.add(table.center_m, rng.uniform((-0.08, -0.07, 0.0), (0.08, 0.07, 0.06)))
    level = math.cos(elevation)
    ray = np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)])
    return look_at(target + distance * ray, target, roll_rad=draws.number("camera.roll_rad"))


def _in_radians(description: Description, sampler: ShapeSampler) -> float:
    """Draws the field of view between its bounds in radians, which differs in the last bit from a draw in degrees."""
    given = description.distributions["camera.fov_deg"]
    turned = replace(
        given,
        numbers=tuple(math.radians(v) for v in given.numbers),
        options=tuple(math.radians(float(v)) for v in given.options),
    )
    return float(turned.draw(sampler))
