"""Closed packages: bottle, can, box and book."""

from __future__ import annotations

from scenes import textures
from scenes.meshes import cuboid, joined, lathe
from scenes.objects.shape import LYING, UPRIGHT, UPSIDE_DOWN, ObjectShape, cylinder, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Part
from scenes.transforms import quaternion_about

QUARTER = 1.5707963267948966


def _metal(sampler: ShapeSampler) -> Material:
    tone = sampler.uniform("metal_grey", 0.55, 0.85)
    return Material(
        colour=(tone, tone, tone * sampler.uniform("metal_warmth", 0.9, 1.05)), roughness=0.25, metallic=0.9
    )


def _printed(sampler: ShapeSampler) -> Material:
    ground = sampler.colour("print", saturation=(0.05, 1.0), value=(0.3, 1.0))
    make = sampler.choice("print_kind", (textures.label, textures.label, textures.stripes))
    return Material(texture=make(sampler, ground), roughness=sampler.uniform("print_roughness", 0.3, 0.8))


@shaped("bottle")
def bottle(sampler: ShapeSampler) -> ObjectShape:
    """Returns a bottle with shoulder, neck, cap and a printed band."""
    radius, body_top = sampler.uniform("radius_m", 0.028, 0.042), sampler.uniform("body_m", 0.11, 0.17)
    neck, shoulder = radius * sampler.uniform("neck", 0.32, 0.45), sampler.uniform("shoulder_m", 0.025, 0.05)
    neck_top = body_top + shoulder + sampler.uniform("neck_m", 0.02, 0.06)
    middle = ((radius + neck) / 2 + 0.1 * (radius - neck), body_top + 0.55 * shoulder)
    outer = [
        (radius * 0.9, 0.0),
        (radius, 0.006),
        (radius, body_top),
        middle,
        (neck, body_top + shoulder),
        (neck, neck_top),
    ]
    body = lathe([(0.0, 0.0), *outer, (0.0, neck_top)])
    cap_top = neck_top + 0.012
    cap = lathe([(0.0, neck_top - 0.008), (neck * 1.25, neck_top - 0.008), (neck * 1.25, cap_top), (0.0, cap_top)], 20)
    low, high = (
        body_top * sampler.uniform("label_bottom", 0.15, 0.3),
        body_top * sampler.uniform("label_top", 0.65, 0.9),
    )
    skin = radius + 0.0006
    band = lathe([(0.0, low), (skin, low), (skin, high), (0.0, high)])
    tint = sampler.colour("tint", saturation=(0.3, 0.95), value=(0.15, 0.8))
    parts = (
        Part(
            name="body", mesh=body, material=Material(colour=tint, roughness=sampler.uniform("roughness", 0.05, 0.35))
        ),
        Part(name="label", mesh=band, material=_printed(sampler)),
        Part(name="cap", mesh=cap, material=Material(colour=sampler.colour("cap"), roughness=0.5)),
    )
    colliders = (
        cylinder(skin, 0.0, body_top),
        cylinder((radius + neck) / 2, body_top, body_top + shoulder),
        cylinder(neck * 1.25, body_top + shoulder, cap_top),
    )
    return ObjectShape(
        category="bottle",
        parts=parts,
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.3, 0.8),
        rests=(UPRIGHT,) * 6 + (LYING,),
        rolling_friction_m=0.002,
    )


@shaped("can")
def can(sampler: ShapeSampler) -> ObjectShape:
    """Returns a tin or drinks can: printed side, metal ends with rims."""
    radius, height = sampler.uniform("radius_m", 0.03, 0.042), sampler.uniform("height_m", 0.07, 0.13)
    rim = 0.0025
    side = lathe([(0.0, rim), (radius, rim), (radius, height - rim), (0.0, height - rim)])
    end_r = radius - sampler.uniform("taper_m", 0.0, 0.004)
    bottom = lathe([(0.0, 0.0), (end_r, 0.0), (radius + 0.0005, rim), (0.0, rim)])
    seam, lid, lip = height - rim, height - 0.002, radius + 0.0005
    top = lathe([(0.0, seam), (lip, seam), (end_r, height), (end_r - 0.003, height), (end_r - 0.004, lid), (0.0, lid)])
    metal = _metal(sampler)
    return ObjectShape(
        category="can",
        parts=(
            Part(name="side", mesh=side, material=_printed(sampler)),
            Part(name="ends", mesh=joined([bottom, top]), material=metal),
        ),
        colliders=(cylinder(radius, 0.0, height),),
        mass_kg=sampler.uniform("mass_kg", 0.2, 0.45),
        rests=(UPRIGHT,) * 6 + (LYING,),
        rolling_friction_m=0.002,
    )


@shaped("box")
def box(sampler: ShapeSampler) -> ObjectShape:
    """Returns a printed carton, from a tea box to a cereal box."""
    half = (
        sampler.uniform("half_depth_m", 0.035, 0.085),
        sampler.uniform("half_width_m", 0.02, 0.045),
        sampler.uniform("half_height_m", 0.03, 0.1),
    )
    look = _printed(sampler)
    center = (0.0, 0.0, half[2])
    return ObjectShape(
        category="box",
        parts=(Part(name="carton", mesh=cuboid(half, center), material=look),),
        colliders=(slab(half, center),),
        mass_kg=sampler.uniform("mass_kg", 0.1, 0.5),
        rests=(UPRIGHT, UPRIGHT, LYING, quaternion_about((1.0, 0.0, 0.0), QUARTER)),
    )


@shaped("book")
def book(sampler: ShapeSampler) -> ObjectShape:
    """Returns a closed book, lying: two boards and a spine around a block of pages."""
    x, y, z = (
        sampler.uniform("half_height_m", 0.085, 0.125),
        sampler.uniform("half_width_m", 0.06, 0.09),
        sampler.uniform("half_thickness_m", 0.008, 0.022),
    )
    board, inset = 0.0018, 0.004
    boards = [cuboid((x, y, board / 2), (0.0, 0.0, height)) for height in (board / 2, 2 * z - board / 2)]
    # A hair narrower than the boards: solids that share a whole edge would make a mesh that is not manifold.
    spine = cuboid((x - 0.0002, board / 2, z - board), (0.0, -y + board / 2, z))
    pages = cuboid((x - inset, y - inset / 2 - board / 2, z - board), (0.0, -inset / 2 + board / 2, z), 0.02)
    ground = sampler.colour("cover", saturation=(0.2, 1.0), value=(0.15, 0.9))
    make = sampler.choice("cover_kind", (textures.label, textures.label, textures.plain, textures.fabric))
    paper = sampler.uniform("paper", 0.8, 0.95)
    line = textures.blend(
        textures.noise(sampler.rng, 32, 16, 1), (paper * 0.85, paper * 0.85, paper * 0.8), (paper, paper, paper * 0.93)
    )
    return ObjectShape(
        category="book",
        parts=(
            Part(
                name="cover",
                mesh=joined([*boards, spine]),
                material=Material(texture=make(sampler, ground), roughness=0.6),
            ),
            Part(name="pages", mesh=pages, material=Material(texture=line, roughness=0.9)),
        ),
        colliders=(slab((x, y, z), (0.0, 0.0, z)),),
        mass_kg=sampler.uniform("mass_kg", 0.2, 0.7),
        rests=(UPRIGHT, UPSIDE_DOWN),
    )
