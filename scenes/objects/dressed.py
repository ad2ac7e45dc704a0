"""Packages and crockery in the looks of shops and homes: printed labels laid where a label is, glazes on cups and plates.

The generators of these categories belong to the frozen suite `tabletop` and keep their own plainer looks; what stands in
rooms and on cluttered tables passes through here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scenes.looks import natural_colour
from scenes.looks.made import ceramic_glaze
from scenes.looks.printed import printed_label
from scenes.objects import make_object
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import making
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Mesh, Part
from scenes.textures import Image

_WRAPPED = {"can": "side", "bottle": "label"}  # the part that a label goes around
_GLAZED = ("bowl", "cup", "plate", "vase")
DRESSED = ("box", *_WRAPPED, *_GLAZED)
_LABEL_PX, _GLAZE_PX = 128, 96
_SHARE = 0.75


def make_dressed(category: str, sampler: ShapeSampler) -> ObjectShape:
    """Makes an object of a category in a look of shops and homes; raises UnknownNameError."""
    return making(category, sampler, lambda inner: dressed(make_object(category, inner), inner.of("dress")))


def dressed(shape: ObjectShape, sampler: ShapeSampler) -> ObjectShape:
    """Returns the object, most often in another look than its generator's, where its category has one; its form stays."""
    if shape.category in _WRAPPED and sampler.chance("is_dressed", _SHARE):
        name = _WRAPPED[shape.category]
        return _with_part(shape, name, lambda part: replace(part, mesh=_wrapped(part.mesh), material=_label(sampler)))
    if shape.category == "box" and sampler.chance("is_dressed", _SHARE):
        return _with_part(shape, "carton", lambda part: _carton(part, sampler))
    if shape.category in _GLAZED and sampler.chance("is_dressed", _SHARE):
        glaze = ceramic_glaze(sampler, natural_colour("ceramic glaze", sampler), _GLAZE_PX)
        return replace(shape, parts=tuple(_glazed(part, glaze) for part in shape.parts))
    return shape


def _with_part(shape: ObjectShape, name: str, change: Callable[[Part], Part]) -> ObjectShape:
    return replace(shape, parts=tuple(change(part) if part.name == name else part for part in shape.parts))


def _label(sampler: ShapeSampler) -> Material:
    return printed_label(sampler, natural_colour("printed label", sampler), _LABEL_PX)


def _wrapped(mesh: Mesh) -> Mesh:
    """Returns a lathed side with a label laid twice around it, from its lower to its upper edge."""
    z = mesh.vertices[mesh.faces][..., 2]
    share = (z - z.min()) / max(float(np.ptp(z)), 1e-9)
    uv = np.stack([2 * mesh.corner_uv[..., 0], 0.004 + 0.992 * share], axis=-1)
    return replace(mesh, corner_uv=uv.astype(np.float32))


def _carton(part: Part, sampler: ShapeSampler) -> Part:
    """Returns a box with its label on the two largest faces and plain card with a band on the others."""
    front = _label(sampler)
    assert front.texture is not None
    image: Image = np.concatenate([front.texture, _edge(front.texture)], axis=1)
    corners = part.mesh.vertices[part.mesh.faces]
    normal = np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])).argmax(axis=1)
    thin = int(np.ptp(part.mesh.vertices, axis=0).argmin())
    offset = np.where(normal == thin, 0.0, 0.5)[:, None]
    uv = part.mesh.corner_uv * [0.496, 0.996] + 0.002
    uv[..., 0] += offset
    return replace(part, mesh=replace(part.mesh, corner_uv=uv.astype(np.float32)), material=replace(front, texture=image))


def _edge(label: Image) -> Image:
    """Returns the card beside a label: the label's ground at each height, as if it were printed around."""
    column = label[:, :4].mean(axis=1, keepdims=True)
    return np.broadcast_to(column, label.shape).astype(np.uint8)


def _glazed(part: Part, glaze: Material) -> Part:
    return replace(part, material=glaze) if part.name in ("body", "handle") else part
