"""The looks of furniture: wood, cloth, paint, metal and plastic, each a family of colours and textures."""

from __future__ import annotations

from scenes import textures
from scenes.looks import grain, made, natural_colour, woven
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.transforms import Vec3

_HUES = {"red": (0.055, 0.075), "brown": (0.075, 0.1), "yellow": (0.09, 0.115)}


def wood(sampler: ShapeSampler) -> Material:
    """Returns light, red or dark wood; its grain runs along u."""
    tone = sampler.choice("tone", tuple(_HUES))
    colour = sampler.colour("colour", hue=_HUES[tone], saturation=(0.3, 0.65), value=(0.35, 0.88), kind=tone)
    return grain.wood(sampler, colour, 256, quiet=sampler.uniform("quiet", 0.4, 0.75))


def cloth(sampler: ShapeSampler) -> Material:
    """Returns woven cloth: plain more often than checked, striped or dotted."""
    colour = sampler.colour("colour", saturation=(0.0, 0.5), value=(0.3, 0.92))
    return woven.fabric(sampler, colour, 128, plain=sampler.chance("is_plain", 0.6))


def soft(
    sampler: ShapeSampler, *, saturation: tuple[float, float] = (0.0, 0.6), value: tuple[float, float] = (0.35, 0.95)
) -> Material:
    """Returns plain cloth with little mottling."""
    colour = sampler.colour("colour", saturation=saturation, value=value)
    return Material(texture=textures.plain(sampler, colour), roughness=sampler.uniform("roughness", 0.8, 0.98))


def paint(
    sampler: ShapeSampler, *, value: tuple[float, float] = (0.6, 0.98), saturation: tuple[float, float] = (0.0, 0.3)
) -> Material:
    """Returns one matt or satin colour."""
    return Material(
        colour=linear(sampler.colour("colour", saturation=saturation, value=value)),
        roughness=sampler.uniform("roughness", 0.35, 0.8),
    )


def metal(sampler: ShapeSampler, *, tone: tuple[float, float] = (0.45, 0.8)) -> Material:
    """Returns polished steel or chrome, as handles and taps are."""
    grey = sampler.uniform("grey", *tone)
    return Material(colour=linear((grey, grey, grey)), roughness=sampler.uniform("roughness", 0.15, 0.4), metallic=0.9)


def steel(sampler: ShapeSampler, *, tone: tuple[float, float] = (0.55, 0.8)) -> Material:
    """Returns brushed steel, as large faces of appliances and sinks are."""
    grey = sampler.uniform("grey", *tone)
    return made.brushed_metal(sampler, (grey, grey, grey), 128)


def dark(sampler: ShapeSampler) -> Material:
    """Returns black to dark grey plastic or glass."""
    grey = sampler.uniform("grey", 0.03, 0.16)
    return Material(colour=linear((grey, grey, grey)), roughness=sampler.uniform("roughness", 0.1, 0.4))


def wood_or_paint(sampler: ShapeSampler) -> Material:
    """Returns wood more often than paint."""
    return (
        wood(sampler.of("wood")) if sampler.chance("is_wood", 0.65) else paint(sampler.of("paint"), value=(0.15, 0.98))
    )


def appliance(sampler: ShapeSampler) -> Material:
    """Returns white, steel, black or a colour, as kitchens have it."""
    kind = sampler.choice("finish", ("white", "white", "steel", "steel", "black", "colour"))
    if kind == "steel":
        return steel(sampler.of("steel"))
    if kind == "black":
        return dark(sampler.of("black"))
    if kind == "white":
        return paint(sampler.of("white"), value=(0.86, 0.98), saturation=(0.0, 0.06))
    return paint(sampler.of("painted"), value=(0.5, 0.9), saturation=(0.2, 0.55))


def stone(sampler: ShapeSampler) -> Material:
    """Returns a worktop: marble, granite or terrazzo, or wood."""
    kind = sampler.choice("stone", ("wood", "wood", "marble", "marble", "marble", "speckle", "speckle"))
    if kind == "wood":
        return wood(sampler.of("wood"))
    if kind == "marble":
        return grain.marble(sampler, natural_colour("marble", sampler.of("marble")), 192)
    colour = sampler.colour("speckle.colour", hue=(0.04, 0.14), saturation=(0.0, 0.2), value=(0.15, 0.9))
    return made.plastic_speckle(sampler, colour, 128, natural=True)


def rug_field(sampler: ShapeSampler) -> Material:
    """Returns what a rug shows inside its border: pile, or a woven pattern."""
    colour = sampler.colour("colour", saturation=(0.05, 0.55), value=(0.25, 0.9))
    if sampler.chance("is_pile", 0.35):
        return woven.carpet(sampler, colour, 256)
    return woven.fabric(sampler, colour, 256)


def frosted(sampler: ShapeSampler) -> Material:
    """Returns the frosted glass of doors, as light as what is behind it."""
    return paint(sampler, value=(0.6, 0.85), saturation=(0.0, 0.1))


def ceramic(sampler: ShapeSampler) -> Material:
    """Returns sanitary white."""
    return paint(sampler, value=(0.88, 0.99), saturation=(0.0, 0.05))


def picture(sampler: ShapeSampler) -> Material:
    """Returns a printed picture: sky over hills, or blocks of colour."""
    if sampler.chance("is_print", 0.5):
        return Material(
            texture=textures.label(sampler, sampler.colour("ground", value=(0.4, 0.95)), 128), roughness=0.3
        )
    return Material(texture=landscape(sampler), roughness=0.3)


def landscape(sampler: ShapeSampler) -> textures.Image:
    """Returns a view out of a window, sRGB uint8 (128, 128, 3): sky, far hills and green, as through soft focus."""
    import numpy as np

    size = 128
    y = np.linspace(1.0, 0.0, size, dtype=np.float32)[:, None].repeat(size, axis=1)
    clouds = textures.noise(sampler.rng, size, 4)
    sky = textures.blend(0.5 * (1 - y) + 0.6 * clouds, (0.55, 0.75, 0.98), (0.97, 0.98, 1.0)).astype(np.float32)
    horizon = sampler.uniform("horizon", 0.25, 0.5) + 0.12 * (textures.noise(sampler.rng, size, 4)[0] - 0.5)
    green = sampler.colour("green", hue=(0.2, 0.4), saturation=(0.25, 0.6), value=(0.3, 0.65))
    trees = textures.blend(
        textures.noise(sampler.rng, size, 16), textures.shade(green, 0.6), textures.shade(green, 1.3)
    )
    ground = np.clip((horizon[None, :] - y) * 24, 0, 1)[..., None]
    image: textures.Image = (sky * (1 - ground) + trees * ground).astype(np.uint8)
    return image


def linear(display: Vec3) -> Vec3:
    """Returns the linear colour of a display (sRGB) one: `Material.colour` is linear, samplers draw what is seen."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in display)
    return r, g, b
