"""Printed labels: a ground, a picture, a name in large letters, lines of text, a bar code."""

from __future__ import annotations

import cv2
import numpy as np

from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.textures import Image
from scenes.transforms import Vec3

_LETTERS = "AEIOULMNRSTBCDGKPV"
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX)

Ink = tuple[int, int, int]


def printed_label(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns one label for a whole side; it does not tile."""
    image = np.full((size, size, 3), _ink(colour), dtype=np.uint8)
    light = sum(colour) < 1.5
    ink: Ink = (245, 243, 238) if light else (24, 24, 30)
    accents = [_ink(sampler.colour("print.accent", saturation=(0.4, 1.0), value=(0.3, 1.0))) for _ in range(3)]
    sampler.choice("print.motif", (_band, _disc, _sun, _corners))(sampler, image, accents)
    _name(sampler, image, ink, accents)
    _lines(sampler, image, ink)
    if sampler.chance("print.has_bar_code", 0.6):
        _bar_code(sampler, image)
    return Material(texture=image, roughness=sampler.uniform("print.roughness", 0.25, 0.8))


def _ink(colour: Vec3) -> Ink:
    r, g, b = (int(255 * c) for c in colour)
    return r, g, b


def _band(sampler: ShapeSampler, image: Image, accents: list[Ink]) -> None:
    size = len(image)
    top, height = (
        int(size * sampler.uniform("print.band.top", 0.1, 0.5)),
        int(size * sampler.uniform("print.band.height", 0.12, 0.35)),
    )
    cv2.rectangle(image, (0, top), (size, top + height), accents[0], -1)
    cv2.rectangle(image, (0, top + height), (size, top + height + max(2, size // 40)), accents[1], -1)


def _disc(sampler: ShapeSampler, image: Image, accents: list[Ink]) -> None:
    size = len(image)
    middle = (
        int(size * sampler.uniform("print.disc.u", 0.25, 0.75)),
        int(size * sampler.uniform("print.disc.v", 0.3, 0.6)),
    )
    for k, share in enumerate((0.34, 0.28, 0.16)):
        cv2.circle(image, middle, int(size * share), accents[k], -1, cv2.LINE_AA)


def _sun(sampler: ShapeSampler, image: Image, accents: list[Ink]) -> None:
    size, count = len(image), 2 * sampler.integer("print.sun.half_rays", 6, 12)
    middle = np.array(
        [size * sampler.uniform("print.sun.u", 0.3, 0.7), size * sampler.uniform("print.sun.v", 0.3, 0.7)]
    )
    angle = np.arange(count + 1) * 2 * np.pi / count
    rim = middle + 1.5 * size * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for k in range(0, count, 2):
        cv2.fillPoly(image, [np.array([middle, rim[k], rim[k + 1]]).astype(np.int32)], accents[0], cv2.LINE_AA)
    cv2.circle(image, (int(middle[0]), int(middle[1])), size // 6, accents[1], -1, cv2.LINE_AA)


def _corners(sampler: ShapeSampler, image: Image, accents: list[Ink]) -> None:
    size = len(image)
    reach = int(size * sampler.uniform("print.corners.size", 0.3, 0.7))
    cv2.fillPoly(image, [np.array([(0, 0), (reach, 0), (0, reach)], dtype=np.int32)], accents[0], cv2.LINE_AA)
    far = np.array([(size, size), (size - reach, size), (size, size - reach)], dtype=np.int32)
    cv2.fillPoly(image, [far], accents[1], cv2.LINE_AA)


def _name(sampler: ShapeSampler, image: Image, ink: Ink, accents: list[Ink]) -> None:
    """Writes a made-up word on a plate, as wide as the label allows."""
    size, word = (
        len(image),
        "".join(sampler.choice("print.letter", _LETTERS) for _ in range(sampler.integer("print.letters", 4, 7))),
    )
    font, thick = sampler.choice("print.font", _FONTS), max(1, size // 60)
    (w, h), _ = cv2.getTextSize(word, font, 1.0, thick)
    scale = 0.78 * size / w
    base = int(size * sampler.uniform("print.word_at", 0.35, 0.6))
    x, height = int(0.11 * size), int(h * scale)
    pad = size // 30
    if sampler.chance("print.is_shaded", 0.5):
        cv2.rectangle(image, (x - pad, base - height - pad), (size - x + pad, base + pad), accents[2], -1)
    cv2.putText(image, word, (x, base), font, scale, ink, thick, cv2.LINE_AA)


def _lines(sampler: ShapeSampler, image: Image, ink: Ink) -> None:
    size = len(image)
    top, pitch = int(size * sampler.uniform("print.lines_at", 0.66, 0.74)), max(4, size // 28)
    for row in range(sampler.integer("print.lines", 2, 6)):
        end = int(size * sampler.uniform("print.line_length", 0.3, 0.62))
        cv2.line(image, (size // 9, top + pitch * row), (end, top + pitch * row), ink, max(1, pitch // 3))


def _bar_code(sampler: ShapeSampler, image: Image) -> None:
    size = len(image)
    left, top, wide, high = int(0.68 * size), int(0.76 * size), int(0.24 * size), int(0.16 * size)
    cv2.rectangle(image, (left - 4, top - 4), (left + wide + 4, top + high + 4), (250, 250, 250), -1)
    x = left
    while x < left + wide - 3:
        bar = sampler.integer("print.bar_width", 1, 3)
        cv2.rectangle(image, (x, top), (x + bar - 1, top + high), (15, 15, 15), -1)
        x += bar + sampler.integer("print.bar_gap", 1, 4)
