"""The looks of floors and walls: which family a kind of room has, and how large a tile of the texture is in metres."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scenes import textures
from scenes.looks import natural_colour
from scenes.looks.grain import marble, wood_planks
from scenes.looks.laid import brick, tile
from scenes.looks.made import plain_paint, plastic_speckle
from scenes.looks.woven import carpet
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.transforms import Vec3

_FLOORS: dict[str, tuple[str, ...]] = {
    "bathroom": ("tiles", "tiles", "tiles", "tiles", "marble"),
    "bedroom": ("planks", "planks", "planks", "carpet", "carpet"),
    "dining": ("planks", "planks", "planks", "tiles", "carpet"),
    "kitchen": ("tiles", "tiles", "tiles", "planks", "marble"),
    "living": ("planks", "planks", "planks", "carpet", "tiles"),
    "office": ("planks", "planks", "carpet", "carpet", "lino"),
    "terrace": ("planks", "tiles", "tiles", "bricks"),
}
_ANY_FLOOR = ("planks", "planks", "tiles", "carpet", "lino", "marble")
_WALLS: dict[str, tuple[str, ...]] = {
    "bathroom": ("tiles", "tiles", "tiles", "paint"),
    "kitchen": ("paint", "paint", "paint", "paint", "tiles"),
}
_ANY_WALL = ("paint", "paint", "paint", "paint", "paper", "paper", "bricks")
# Every kind of room that has finishes of its own, and any other.
FLOORS, WALLS = (*_FLOORS, ""), (*_WALLS, "")
_FLOOR_PX, _WALL_PX = 384, 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """A look and the edge of one tile of its texture in metres."""

    look: Material
    tile_m: float


@shaped("floor")
def floor_surface(sampler: ShapeSampler, room: str = "") -> Surface:
    """Returns a floor that the room may have in a home."""
    kind = sampler.choice(f"{room}.finish" if room in _FLOORS else "finish", _FLOORS.get(room, _ANY_FLOOR))
    if kind == "planks":
        return _planks(sampler)
    if kind == "tiles":
        return _floor_tiles(sampler)
    if kind == "carpet":
        colour = sampler.colour("carpet.colour", saturation=(0.03, 0.35), value=(0.3, 0.75))
        return Surface(look=carpet(sampler, colour, _WALL_PX), tile_m=sampler.uniform("carpet.tile_m", 0.7, 1.0))
    if kind == "lino":
        colour = sampler.colour("lino.colour", saturation=(0.03, 0.25), value=(0.45, 0.8))
        return Surface(look=plastic_speckle(sampler, colour, 128), tile_m=0.3)
    if kind == "bricks":
        look = brick(sampler, natural_colour("brick", sampler.of("bricks")), _WALL_PX)
        return Surface(look=look, tile_m=sampler.uniform("bricks.tile_m", 0.6, 0.8))
    return _slabs(sampler)


def _planks(sampler: ShapeSampler) -> Surface:
    """Returns boards of 10 to 18 cm, along x or y."""
    count = sampler.integer("planks.across", 8, 11)
    look = wood_planks(sampler, natural_colour("wood planks", sampler.of("planks")), _FLOOR_PX, count=count)
    if look.texture is not None and sampler.chance("planks.along_y", 0.5):
        look = replace(look, texture=np.ascontiguousarray(np.rot90(look.texture)))
    return Surface(look=look, tile_m=count * sampler.uniform("planks.width_m", 0.1, 0.18))


def _floor_tiles(sampler: ShapeSampler) -> Surface:
    """Returns tiles of 25 to 60 cm."""
    count = sampler.choice("tiles.across", (2, 4))
    colour = natural_colour("floor tile", sampler.of("tiles"))
    bond = sampler.choice("tiles.bond", ("square", "square", "square", "checker"))
    edge_m = sampler.uniform(f"tiles.edge_of_{count}_m", 0.25, 0.6 if count == 2 else 0.4)
    return Surface(look=tile(sampler, colour, _WALL_PX, bond=bond, count=count), tile_m=count * edge_m)


def _slabs(sampler: ShapeSampler) -> Surface:
    """Returns slabs of marble with thin joints."""
    look = marble(sampler, natural_colour("marble", sampler.of("marble")), _WALL_PX)
    assert look.texture is not None
    image = look.texture.copy()
    image[:1] = image[:, :1] = (0.75 * image[:1].mean(axis=(0, 1))).astype(np.uint8)
    return Surface(look=replace(look, texture=image), tile_m=sampler.uniform("marble.tile_m", 0.6, 0.9))


@shaped("wall")
def wall_surfaces(sampler: ShapeSampler, room: str = "") -> tuple[Surface, Surface]:
    """Returns the look of a room's walls and that of one of them, which is another only where it is an accent."""
    kind = sampler.choice(f"{room}.finish" if room in _WALLS else "finish", _WALLS.get(room, _ANY_WALL))
    if kind == "tiles":
        both = wall_tiles(sampler)
        return both, both
    if kind == "bricks":
        colour = (0.86, 0.85, 0.82) if sampler.chance("bricks.is_white", 0.5) else natural_colour("brick", sampler.of("bricks"))
        accent = Surface(look=brick(sampler, colour, _WALL_PX), tile_m=sampler.uniform("bricks.tile_m", 0.7, 0.95))
        return _paint(sampler), accent
    if kind == "paper":
        colour = sampler.colour("paper.colour", saturation=(0.05, 0.35), value=(0.6, 0.95))
        paper = Surface(look=Material(texture=_wallpaper(sampler, colour), roughness=0.9), tile_m=1.2)
        return (paper, paper) if sampler.chance("paper.is_on_all", 0.5) else (_paint(sampler), paper)
    paint = _paint(sampler)
    return paint, _paint(sampler.of("accent"), strong=True) if sampler.chance("has_accent", 0.25) else paint


def _paint(sampler: ShapeSampler, *, strong: bool = False) -> Surface:
    saturation, value = ((0.12, 0.38), (0.4, 0.75)) if strong else ((0.0, 0.2), (0.78, 0.98))
    return Surface(look=plain_paint(sampler, sampler.colour("paint.colour", saturation=saturation, value=value), 128), tile_m=1.5)


@shaped("wall")
def wall_tiles(sampler: ShapeSampler) -> Surface:
    """Returns wall tiles: squares of 10 to 20 cm, or metro tiles of 15 to 24 by half as much."""
    bond = sampler.choice("tiles.bond", ("square", "metro", "metro"))
    colour = natural_colour("tile", sampler.of("tiles"))
    edge_m = sampler.uniform(f"tiles.{bond}_edge_m", *((0.15, 0.24) if bond == "metro" else (0.1, 0.2)))
    return Surface(look=tile(sampler, colour, _WALL_PX, bond=bond, count=4), tile_m=4 * edge_m)


def _wallpaper(sampler: ShapeSampler, colour: Vec3) -> textures.Image:
    """Returns stripes of two close tones."""
    size, count = 128, sampler.integer("paper.stripes", 6, 14)
    wave = ((np.arange(size) * count / size) % 1.0 < sampler.uniform("paper.stripe_width", 0.3, 0.7)).astype(np.float32)
    stripes = np.broadcast_to(wave[None, :], (size, size))
    return textures.blend(stripes, textures.shade(colour, sampler.uniform("paper.stripe_shade", 0.86, 0.95)), colour)
