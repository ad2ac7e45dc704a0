"""The colours that each look has in homes: the colour that a suite gives where it wants no strange one."""

from __future__ import annotations

from scenes.errors import UnknownNameError
from scenes.sampler import ShapeSampler
from scenes.transforms import Vec3

Range = tuple[float, float]

# Hue in turns, may pass 1; saturation; value. One of the rows is drawn with equal chance.
_ROWS: dict[str, tuple[tuple[Range, Range, Range], ...]] = {
    "brick": (((0.0, 0.05), (0.45, 0.75), (0.4, 0.75)), ((0.05, 0.12), (0.1, 0.35), (0.6, 0.95))),
    "brushed metal": (((0.0, 1.0), (0.0, 0.08), (0.4, 0.95)), ((0.08, 0.13), (0.3, 0.6), (0.6, 0.9))),
    "ceramic glaze": (
        ((0.0, 1.0), (0.0, 0.15), (0.8, 1.0)),
        ((0.5, 0.66), (0.3, 0.8), (0.3, 0.8)),
        ((0.0, 1.0), (0.2, 0.6), (0.5, 0.9)),
    ),
    "fabric": (((0.0, 1.0), (0.05, 0.7), (0.2, 0.95)),),
    "floor tile": (
        ((0.0, 1.0), (0.0, 0.08), (0.3, 0.9)),
        ((0.05, 0.11), (0.15, 0.45), (0.5, 0.9)),
        ((0.02, 0.05), (0.45, 0.65), (0.45, 0.7)),
        ((0.5, 0.62), (0.05, 0.25), (0.35, 0.7)),
    ),
    "marble": (((0.0, 1.0), (0.0, 0.08), (0.8, 1.0)), ((0.05, 0.45), (0.1, 0.4), (0.2, 0.7))),
    "noise distractor": (((0.0, 1.0), (0.2, 1.0), (0.1, 1.0)),),
    "plain paint": (((0.0, 1.0), (0.0, 0.35), (0.6, 1.0)),),
    "plastic speckle": (((0.0, 1.0), (0.0, 0.7), (0.3, 0.95)),),
    "printed label": (((0.0, 1.0), (0.1, 0.95), (0.3, 1.0)),),
    "tile": (
        ((0.0, 1.0), (0.0, 0.15), (0.6, 1.0)),
        ((0.03, 0.1), (0.3, 0.6), (0.4, 0.8)),
        ((0.45, 0.65), (0.2, 0.6), (0.4, 0.9)),
    ),
    "wood": (((0.055, 0.1), (0.35, 0.7), (0.3, 0.9)),),
    "wood planks": (((0.055, 0.1), (0.3, 0.7), (0.3, 0.85)), ((0.08, 0.12), (0.05, 0.2), (0.4, 0.85))),
}


def natural_colour(look: str, sampler: ShapeSampler) -> Vec3:
    """Returns a colour 0..1 that the look has in homes; raises UnknownNameError."""
    if look not in _ROWS:
        raise UnknownNameError("look", look, _ROWS)
    rows = _ROWS[look]
    named = sampler.of(look.replace(" ", "_"))
    row = named.choice("family", range(len(rows)))
    hue, saturation, value = rows[row]
    return named.colour(f"family_{row}", hue=hue, saturation=saturation, value=value)
