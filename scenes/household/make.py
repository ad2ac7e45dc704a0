"""A household scene from a description: shell, furniture, people, small objects, lights and views, each from its stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scenes.description import Description, Draws
from scenes.errors import LayoutError
from scenes.floorplan import Piece
from scenes.footprints import bounds_m
from scenes.household.furnisher import Furnisher, NoRoomError
from scenes.household.lights import make_lights
from scenes.household.outside import Outside, draw_outside
from scenes.household.rooms import furnish
from scenes.household.shell import Shell, make_shell
from scenes.household.things import floor_support, small_objects
from scenes.household.views import make_views
from scenes.objects.shape import ObjectShape
from scenes.placement import Placed
from scenes.sampler import ShapeSampler
from scenes.scene import Body, Scene, SceneId
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, transform_points

# Purposes of the independent random streams of one scene: adding draws to one never moves another.
ROOM, FURNITURE, PLACES, OBJECTS, SPOTS, LIGHTS, CAMERAS, SKY = range(8)
LAYOUTS = 12
Stream = Callable[[int], np.random.Generator]
_ROOM_SCALE = {"bathroom": 0.72}


def make_household(
    scene_id: SceneId, description: Description, stream: Stream, *, views: int, size: tuple[int, int]
) -> Scene:
    """Makes one scene before physics has settled it; raises LayoutError where no layout of the room fits."""
    sampler = ShapeSampler(rng=stream(ROOM), split=scene_id.split)
    draws = Draws(description, sampler)
    kind = draws.name("room.kind")
    furniture = Draws(description, ShapeSampler(rng=stream(FURNITURE), split=scene_id.split))
    outside = draw_outside(Draws(description, ShapeSampler(rng=stream(SKY), split=scene_id.split)))
    shell, room = _furnished(kind, draws, furniture, stream(PLACES), scene_id, outside)
    objects = Draws(description, ShapeSampler(rng=stream(OBJECTS), split=scene_id.split))
    placed = small_objects(objects, shell.plan, room.occupied, stream(SPOTS))
    lights, ambient = make_lights(Draws(description, ShapeSampler(rng=stream(LIGHTS), split=scene_id.split)), shell, outside)
    look = stream(CAMERAS)
    cameras = make_views(
        Draws(description, ShapeSampler(rng=look, split=scene_id.split)), shell.plan, _targets(shell.plan.pieces, placed),
        count=views, size=size, rng=look,
    )  # fmt: skip
    names = Namer()
    supports = [s for p in shell.plan.pieces for s in p.supports]
    return Scene(
        id=scene_id,
        bodies=(
            *shell.bodies,
            *(names.body(p.shape, p.world_from_body, dynamic=p.dynamic) for p in (*room.rugs, *shell.plan.pieces)),
            *(names.body(p.shape, p.world_from_body, dynamic=True) for p in placed),
        ),
        lights=lights,
        cameras=cameras,
        supports=(*supports, floor_support(shell.plan)),
        ambient=ambient,
    )


def _furnished(
    kind: str, draws: Draws, furniture: Draws, rng: np.random.Generator, scene_id: SceneId, outside: Outside
) -> tuple[Shell, Furnisher]:
    """Draws rooms until one takes the furniture that its kind needs."""
    for _ in range(LAYOUTS):
        shell = make_shell(draws, _ROOM_SCALE.get(kind, 1.0), kind, outside)
        room = Furnisher(shell.plan, furniture, rng)
        try:
            furnish(room, kind)
        except NoRoomError:
            continue
        return shell, room
    raise LayoutError(
        f"Scene {scene_id}: no layout of the {kind} fits in {LAYOUTS} tries; make room.width_m or room.depth_m larger."
    )


class Namer:
    """Names bodies by category and number, in order."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def body(self, shape: ObjectShape, pose: Pose, *, dynamic: bool) -> Body:
        """Returns the object as a body of that pose."""
        self._counts[shape.category] += 1
        word = "distractor" if shape.category == "void" else shape.category.replace(" ", "_")
        return Body(
            name=f"{word}_{self._counts[shape.category]:02d}",
            category=shape.category,
            parts=shape.parts,
            colliders=shape.colliders,
            world_from_body=pose,
            mass_kg=shape.mass_kg,
            dynamic=dynamic,
            friction=shape.friction,
            rolling_friction_m=shape.rolling_friction_m,
        )


def _targets(pieces: list[Piece], placed: list[Placed]) -> NDArray[np.float64]:
    """Returns the middles of all things, float64 (n, 3), and the heads of people: what is worth looking at."""
    rows = [(p.shape, p.world_from_body) for p in pieces if p.place != "pendant"]
    rows += [(p.shape, p.world_from_body) for p in placed]
    targets = []
    for shape, pose in rows:
        if TAXONOMY.named(shape.category).is_thing:
            low, high = bounds_m(shape)
            targets.append(transform_points(pose.matrix(), (low + high) / 2))
            if shape.category == "person":
                targets.append(targets[-1] + [0.0, 0.0, 0.4 * float(high[2] - low[2])])
    return np.array(targets).reshape(-1, 3)
