"""The looks of furniture: wood, cloth, paint, metal and plastic, each a family of colours and textures."""

from __future__ import annotations

from scenes import textures
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.transforms import Vec3

_HUES = {"red": (0.055, 0.075), "brown": (0.075, 0.1), "yellow": (0.09, 0.115)}


def wood(sampler: ShapeSampler) -> Material:
    """Returns light, red or dark wood."""
    tone = sampler.choice("tone", tuple(_HUES))
    colour = sampler.colour("colour", hue=_HUES[tone], saturation=(0.3, 0.65), value=(0.3, 0.88), kind=tone)
    return Material(texture=_grain(sampler, colour), roughness=sampler.uniform("roughness", 0.35, 0.75))


def _grain(sampler: ShapeSampler, colour: Vec3) -> textures.Image:
    """Returns quiet grain, sRGB uint8 (256, 256, 3): long fibres and a few wide bands along u."""
    import cv2
    import numpy as np

    size = 256
    bend = textures.noise(sampler.rng, size, 3)
    y = np.linspace(0, 1, size, endpoint=False, dtype=np.float32)[:, None]
    bands = 0.5 + 0.5 * np.sin(
        2 * np.pi * (sampler.integer("bands", 3, 9) * y + sampler.uniform("bend", 0.2, 0.9) * bend)
    )
    fibre = cv2.resize(sampler.rng.random((size, 6), dtype=np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    contrast = sampler.uniform("contrast", 0.06, 0.22)
    field = (0.55 * bands + 0.45 * fibre).astype(np.float32)
    return textures.blend(field, textures.shade(colour, 1 - contrast), textures.shade(colour, 1 + contrast / 2))


def cloth(sampler: ShapeSampler) -> Material:
    """Returns woven, plain or striped cloth."""
    colour = sampler.colour("colour", saturation=(0.0, 0.6), value=(0.3, 0.95))
    make = sampler.choice("weave", (textures.fabric, textures.fabric, textures.plain, textures.plain, textures.stripes))
    return Material(texture=make(sampler, colour), roughness=sampler.uniform("roughness", 0.8, 0.98))


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
    """Returns bare steel or chrome."""
    grey = sampler.uniform("grey", *tone)
    return Material(colour=linear((grey, grey, grey)), roughness=sampler.uniform("roughness", 0.15, 0.4), metallic=0.9)


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
        return metal(sampler.of("steel"), tone=(0.5, 0.75))
    if kind == "black":
        return dark(sampler.of("black"))
    if kind == "white":
        return paint(sampler.of("white"), value=(0.86, 0.98), saturation=(0.0, 0.06))
    return paint(sampler.of("painted"), value=(0.5, 0.9), saturation=(0.3, 0.75))


def stone(sampler: ShapeSampler) -> Material:
    """Returns a worktop: stone, terrazzo or wood."""
    if sampler.chance("is_wood", 0.3):
        return wood(sampler.of("wood"))
    make = sampler.choice("surface", (textures.marble, textures.speckle, textures.plain))
    colour = sampler.colour("colour", saturation=(0.0, 0.25), value=(0.2, 0.92))
    return Material(texture=make(sampler, colour, 256), roughness=sampler.uniform("roughness", 0.15, 0.5))


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
