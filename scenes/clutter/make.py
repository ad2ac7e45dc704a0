"""A cluttered table from a description: table, background, things, distractors, lights and views, each from its stream."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scenes.camera import Camera, focal_px, look_at
from scenes.clutter.distractors import distractor
from scenes.clutter.open_air import HEADROOM_M, OPEN_AIR, REACH_M, OpenAir, draw_open_air
from scenes.clutter.pile import pile
from scenes.description import Description, Draws
from scenes.errors import LayoutError
from scenes.floorplan import FloorPlan, Piece
from scenes.footprints import Volume
from scenes.household.make import Namer
from scenes.household.shell import room_bodies
from scenes.household.things import small_object
from scenes.lights import make_rig, shown_colour
from scenes.objects import living, plants, storage
from scenes.objects.shape import ObjectShape
from scenes.relations import WALLS, against, at, reach_along_m
from scenes.sampler import ShapeSampler
from scenes.scene import Body, Light, Scene, SceneId, Support
from scenes.transforms import Pose, Vec3

# Purposes of the independent random streams of one scene: adding draws to one never moves another.
TABLE, BACKGROUND, OBJECTS, DISTRACTORS, SPOTS, LIGHTS, CAMERAS, SKY = range(8)
_WALL_GAP_M = 0.03
_EYE_TRIES = 60
Stream = Callable[[int], np.random.Generator]


def make_clutter(
    scene_id: SceneId, description: Description, stream: Stream, *, views: int, size: tuple[int, int]
) -> Scene:
    """Makes one scene before physics has settled it; raises LayoutError where no camera finds a place."""

    def draws(purpose: int) -> Draws:
        return Draws(description, ShapeSampler(rng=stream(purpose), split=scene_id.split))

    table = _table(draws(TABLE))
    top = table.supports[0]
    background = draws(BACKGROUND)
    kind = background.name("background.kind")
    air = draw_open_air(draws(SKY), kind) if kind in OPEN_AIR else None
    room, plan, shift = _background(background, kind, table) if air is None else _under_the_sky(air, table)
    objects, extra = draws(OBJECTS), draws(DISTRACTORS)
    shapes = [small_object(objects.name("objects.category"), objects) for _ in range(objects.count("objects.count"))]
    shapes += [
        distractor(extra.sampler, extra.number("distractors.size_m")) for _ in range(extra.count("distractors.count"))
    ]
    placed = pile(shapes, top, objects, stream(SPOTS))
    lights, ambient = _lights(draws(LIGHTS), top, air)
    names = Namer()
    return Scene(
        id=scene_id,
        bodies=(
            *room,
            *(names.body(p.shape, _moved(p.world_from_body, shift), dynamic=False) for p in plan.pieces),
            *(names.body(p.shape, p.world_from_body, dynamic=True) for p in placed),
        ),
        lights=lights,
        cameras=_cameras(draws(CAMERAS), top, plan, shift, views, size),
        supports=(top,),
        ambient=ambient,
        dome=None if air is None else air.dome,
    )


def _table(draws: Draws) -> ObjectShape:
    kind, half = draws.name("table.shape"), draws.number("table.length_m") / 2
    aspect, height = draws.number("table.aspect"), draws.number("table.height_m")
    half_y = {"round": 0.0, "square": half}.get(kind, half)
    half_x = aspect * half if kind == "rectangular" else half
    return living.table_of(draws.sampler, half_x, half_y, "table", (height, height + 1e-9), "")


Background = tuple[tuple[Body, ...], FloorPlan, tuple[float, float]]


def _under_the_sky(air: OpenAir, table: ObjectShape) -> Background:
    """Returns the floor in the open and the table on it, at the origin."""
    plan = FloorPlan(half_x_m=REACH_M, half_y_m=REACH_M, height_m=HEADROOM_M)
    plan.put(Piece(shape=table, world_from_body=at(0.0, 0.0)))
    return (air.floor,), plan, (0.0, 0.0)


def _background(draws: Draws, kind: str, table: ObjectShape) -> Background:
    """Returns the bodies of the room, what stands in it, and by how much both are moved so that the table is at the origin."""
    half_x, half_y = (draws.number("background.width_m") / 2 for _ in range(2))
    if kind == "hall":
        half_x, half_y = (draws.number("background.hall_m") / 2 for _ in range(2))
    plan = FloorPlan(half_x_m=half_x, half_y_m=half_y, height_m=2.8)
    reach = [half - _WALL_GAP_M for half in table.supports[0].half_extent_m]
    sx, sy = (draws.sampler.choice("corner_side", (-1, 1)) for _ in range(2))
    x, y = (sx * (half_x - reach[0] - 0.06), sy * (half_y - reach[1] - 0.06)) if kind == "corner" else (0.0, 0.0)
    plan.put(Piece(shape=table, world_from_body=at(x, y)))
    if kind == "furnished":
        _furnish(draws, plan)
    bodies = tuple(
        replace(body, world_from_body=_moved(body.world_from_body, (-x, -y)))
        for body in room_bodies(draws.sampler, half_x, half_y, plan.height_m)
    )
    return bodies, plan, (-x, -y)


def _furnish(draws: Draws, plan: FloorPlan) -> None:
    """Stands shelves, cabinets and plants along the walls."""
    sampler = draws.sampler
    for _ in range(draws.count("background.pieces")):
        make = sampler.choice("piece", (storage.shelf, storage.cabinet, storage.drawers, _plant))
        shape = make(sampler)
        for _ in range(8):
            wall = sampler.choice("wall", WALLS)
            reach = reach_along_m(wall, shape, plan.half_x_m, plan.half_y_m)
            along = float(sampler.rng.uniform(-reach, reach)) if reach > 0 else 0.0
            pose = against(wall, shape, plan.half_x_m, plan.half_y_m, along, gap_m=0.02)
            if plan.fits(shape, pose, gap_m=0.1):
                plan.put(Piece(shape=shape, world_from_body=pose))
                break


def _plant(sampler: ShapeSampler) -> ObjectShape:
    return plants.plant_for(sampler, "wall")


def _moved(pose: Pose, by_m: tuple[float, float]) -> Pose:
    x, y, z = pose.position_m
    return Pose((x + by_m[0], y + by_m[1], z), pose.quaternion_wxyz)


def _lights(draws: Draws, top: Support, air: OpenAir | None) -> tuple[tuple[Light, ...], Vec3]:
    """Returns the lights and the ambient light: outdoors the dome's own sun, in a studio a rig; of a dome its mean colour."""
    if air is not None and air.sky.kind != "studio":
        return (air.sun(draws, top.center_m[2]),), air.dome.ambient()
    lights, ambient = _rig(draws, top)
    return lights, ambient if air is None else air.dome.ambient()


def _rig(draws: Draws, top: Support) -> tuple[tuple[Light, ...], Vec3]:
    name = draws.name("light.rig")
    if name != "keys":
        rig = make_rig(name, top.center_m, rng=draws.sampler.rng)
        return rig.lights, rig.ambient
    azimuth, tilt = float(draws.sampler.rng.uniform(0, 2 * math.pi)), draws.number("light.sun_tilt_rad")
    direction = (math.sin(tilt) * math.cos(azimuth), math.sin(tilt) * math.sin(azimuth), -math.cos(tilt))
    position = (-2.5 * direction[0], -2.5 * direction[1], top.center_m[2] - 2.5 * direction[2])
    lights = [
        Light(
            name="sun",
            kind="sun",
            position_m=position,
            direction=direction,
            colour=shown_colour(draws.number("light.kelvin")),
            intensity=draws.number("light.sun_intensity"),
        )
    ]
    for k in range(draws.count("light.lamps")):
        x, y, z = (float(v) for v in draws.sampler.rng.uniform((-1.2, -1.2, 1.7), (1.2, 1.2, 2.6)))
        aim = np.array([-x, -y, top.center_m[2] - z])
        ax, ay, az = (float(v) for v in aim / np.linalg.norm(aim))
        lights.append(
            Light(
                name=f"lamp_{k + 1}", kind="lamp", position_m=(x, y, z), direction=(ax, ay, az),
                colour=shown_colour(draws.number("light.kelvin")), intensity=draws.number("light.lamp_intensity"),
                casts_shadow=False,
            )
        )  # fmt: skip
    level, (r, g, b) = draws.number("light.ambient"), shown_colour(draws.number("light.kelvin"))
    return tuple(lights), (level * r, level * g, level * b)


def _cameras(
    draws: Draws, top: Support, plan: FloorPlan, shift: tuple[float, float], count: int, size: tuple[int, int]
) -> tuple[Camera, ...]:
    """Returns views from around the table, inside the room and outside of its furniture."""
    focal = focal_px(size[0], math.radians(draws.number("camera.fov_deg")))
    cameras = []
    for k in range(count):
        eye, target = _eye(draws, top, plan, shift)
        pose = look_at(eye, target, roll_rad=draws.number("camera.roll_rad"))
        width, height = size
        cameras.append(
            Camera(
                name=f"camera_{k}", width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2,
                world_from_camera=pose,
            )
        )  # fmt: skip
    return tuple(cameras)


def _eye(draws: Draws, top: Support, plan: FloorPlan, shift: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    rng = draws.sampler.rng
    solids = plan.solids()
    for _ in range(_EYE_TRIES):
        azimuth, elevation = rng.uniform(0, 2 * math.pi), math.radians(draws.number("camera.elevation_deg"))
        level = math.cos(elevation)
        ray = np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)])
        target = np.add(top.center_m, rng.uniform((-0.08, -0.07, 0.0), (0.08, 0.07, 0.06)))
        eye = target + draws.number("camera.distance_m") * ray
        inside = eye - [*shift, 0.0]
        walls = np.abs(inside[:2]) < (plan.half_x_m - 0.1, plan.half_y_m - 0.1)
        high = inside[2] < plan.height_m - 0.1
        if walls.all() and high and not any(_near(inside, s) for s in solids):
            return eye, target
    raise LayoutError("No camera finds a place around the table inside the room.")


def _near(point: np.ndarray, solid: Volume) -> bool:
    within = solid.low_m - 0.1 < point[2] < solid.high_m + 0.1
    return bool(within and float(solid.rect.distance_m(point[:2])) < 0.1)
