"""A frame's labels hold only if an independent ray caster sees the same: which object, which category, how deep.

Checked are pixels away from edges: the 3x3 around a pixel shows one instance and one category, and its depth bends by
less than 2 mm (2 mm a metre beyond a metre) or is nowhere finite. The sample has three parts: pixels from all over the
image, a few of every object that the labels show, and a few where an object of the scene should show. So neither a
small object with wrong labels nor one that was left out can hide behind a large table. A frame on which a pixel
disagrees is looked at again with many more pixels before it is judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim.frame import Frame, Truth
from sim.proof.figures import Agreement, Difference, ObjectAgreement, Proof
from sim.proof.raycast import RayCaster

# One pixel's depth agrees within this, and within this share of how much depth differs over its 3x3 (slanted surfaces).
DEPTH_LIMIT_M, DEPTH_LIMIT_SHARE = 1e-3, 0.02
BEND_M = 2e-3

_EVERYWHERE, _OF_EACH_OBJECT, _AIMED_AT_EACH, _AGAIN = 256, 6, 3, 20_000
# Two surfaces this close are one to a depth buffer: the label may name either.
_COINCIDENT_M = 2e-5
_AROUND = np.array([(u, v) for v in (-1, 0, 1) for u in (-1, 0, 1)])

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def prove(frame: Frame, caster: RayCaster, *, world_from_body: Mapping[str, Pose] | None = None) -> Proof:
    """Casts rays through a sample of the frame's pixels, which depends on its name alone, and compares.

    `caster` holds the frame's scene; `world_from_body` says where its bodies stood in this frame, if they moved.
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(frame.name.encode()).digest()[:8], "big"))
    poses = world_from_body or {}
    names = _Names(frame.truth, caster)
    pixels = _sample(frame, caster, rng, poses)
    checked = _check(frame, caster, names, pixels, poses)
    if not checked.agrees.all():
        more = _interior(frame.truth, _anywhere(frame.camera, _AGAIN, rng))
        checked = _check(frame, caster, names, np.unique(np.concatenate([pixels, more]), axis=0), poses)
    return _verdict(frame.name, names, checked)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Checked:
    """Pixels (N, 2) with what the labels and the rays say: rows of _Names, depths in metres, and whether they agree."""

    pixels: Ints
    labelled: Ints
    cast: Ints
    labelled_depth_m: Floats
    cast_depth_m: Floats
    agrees: Bools


class _Names:
    """One list of what can be seen: nothing, every category of stuff, every object; labels and bodies point into it."""

    def __init__(self, truth: Truth, caster: RayCaster) -> None:
        bodies = caster.scene.bodies
        things = [body.name for body in caster.scene.things]
        stuff = [category.name for category in TAXONOMY if not category.is_thing]
        # A record of a body that is not in the scene gets a row that no ray can meet.
        strangers = [r.body_name for r in truth.objects if r.body_name not in things]
        self.all = (*("nothing" if name == "void" else name for name in stuff), *things, *strangers)
        self.count = len(stuff)
        row = {name: self.count + k for k, name in enumerate((*things, *strangers))}
        category = {name: k for k, name in enumerate(stuff)}
        self.of_body = np.array([row.get(b.name, category.get(b.category, 0)) for b in bodies] + [0], dtype=np.int64)
        self.category_of_body = np.array([TAXONOMY.named(b.category).id for b in bodies] + [0], dtype=np.int64)
        self._of_instance = np.zeros(int(truth.instance.max(initial=0)) + 1, dtype=np.int64)
        for record in truth.objects:
            if record.instance_id < len(self._of_instance):
                self._of_instance[record.instance_id] = row[record.body_name]
        self._of_stuff = np.array([category.get(c.name, 0) for c in TAXONOMY], dtype=np.int64)

    def of_label(self, instance: NDArray[np.uint16], semantic: NDArray[np.uint8]) -> Ints:
        """Returns the row of each pair of labels (N,)."""
        rows: Ints = np.where(instance > 0, self._of_instance[instance], self._of_stuff[semantic])
        return rows


def _check(frame: Frame, caster: RayCaster, names: _Names, pixels: Ints, poses: Mapping[str, Pose]) -> _Checked:
    truth = frame.truth
    u, v = pixels[:, 0], pixels[:, 1]
    depth_m = truth.depth_m[v, u].astype(np.float64)
    hits = caster.hits(frame.camera, pixels, limit_m=depth_m, world_from_body=poses)
    body, cast_depth_m = hits.first()
    labelled, category = names.of_label(truth.instance[v, u], truth.semantic[v, u]), truth.semantic[v, u]
    # Where another surface coincides with the first one, the label may be that one's.
    match = (names.of_body[hits.body] == labelled[hits.ray]) & (
        hits.depth_m <= cast_depth_m[hits.ray] + _COINCIDENT_M * np.maximum(1.0, cast_depth_m[hits.ray])
    )
    body[hits.ray[match]] = hits.body[match]
    same = (names.of_body[body] == labelled) & (names.category_of_body[body] == category)
    both = np.isfinite(depth_m) & np.isfinite(cast_depth_m)
    error = np.abs(np.subtract(depth_m, cast_depth_m, where=both, out=np.full(len(pixels), np.inf)))
    error[~np.isfinite(depth_m) & ~np.isfinite(cast_depth_m)] = 0.0
    near_enough = error <= DEPTH_LIMIT_M + DEPTH_LIMIT_SHARE * _spread_m(truth, pixels)
    return _Checked(
        pixels=pixels, labelled=labelled, cast=names.of_body[body], labelled_depth_m=depth_m, cast_depth_m=cast_depth_m,
        agrees=same & near_enough,
    )  # fmt: skip


def _verdict(name: str, names: _Names, checked: _Checked) -> Proof:
    compared = (
        (checked.labelled == checked.cast) & np.isfinite(checked.labelled_depth_m) & np.isfinite(checked.cast_depth_m)
    )
    error = np.abs(checked.labelled_depth_m[compared] - checked.cast_depth_m[compared])
    rows = []
    for k in np.union1d(checked.labelled, checked.cast):
        here = (checked.labelled == k) | (checked.cast == k)
        rows.append(
            ObjectAgreement(
                name=names.all[k], checked=int(here.sum()), agreeing=int((here & checked.agrees).sum())
            )
        )
    differences = tuple(
        Difference(
            u=int(checked.pixels[k, 0]),
            v=int(checked.pixels[k, 1]),
            labelled=names.all[checked.labelled[k]],
            cast=names.all[checked.cast[k]],
            labelled_depth_m=float(checked.labelled_depth_m[k]),
            cast_depth_m=float(checked.cast_depth_m[k]),
        )
        for k in np.flatnonzero(~checked.agrees)
    )
    agreement = Agreement(
        checked=len(checked.pixels),
        agreeing=int(checked.agrees.sum()),
        depth_median_error_m=float(np.median(error)) if len(error) else None,
        depth_max_error_m=float(error.max()) if len(error) else None,
    )
    return Proof(frame=name, agreement=agreement, objects=tuple(rows), differences=differences)


def _sample(frame: Frame, caster: RayCaster, rng: np.random.Generator, poses: Mapping[str, Pose]) -> Ints:
    drawn = (
        _anywhere(frame.camera, _EVERYWHERE, rng),
        _of_each_object(frame.truth, rng),
        _aimed(frame.camera, caster, rng, poses),
    )
    return np.unique(_interior(frame.truth, np.concatenate(drawn)), axis=0)


def _anywhere(camera: Camera, count: int, rng: np.random.Generator) -> Ints:
    """Draws pixels (count, 2) that are not on the border."""
    return rng.integers(1, (max(camera.width - 1, 2), max(camera.height - 1, 2)), size=(count, 2))


def _of_each_object(truth: Truth, rng: np.random.Generator) -> Ints:
    """Draws pixels of every object that shows, from its box."""
    boxes = [(r.instance_id, r.visible_box_px) for r in truth.objects if r.visible_box_px is not None]
    if not boxes:
        return np.empty((0, 2), dtype=np.int64)
    ids, corners = np.array([k for k, _ in boxes]), np.array([box for _, box in boxes])
    share = rng.random((len(ids), 6 * _OF_EACH_OBJECT, 2))
    pixels = (corners[:, None, :2] + share * (corners[:, None, 2:] - corners[:, None, :2] + 1)).astype(np.int64)
    kept = truth.instance[pixels[..., 1], pixels[..., 0]] == ids[:, None]
    kept &= np.cumsum(kept, axis=1) <= 2 * _OF_EACH_OBJECT
    chosen: Ints = pixels[kept]
    return chosen


def _aimed(camera: Camera, caster: RayCaster, rng: np.random.Generator, poses: Mapping[str, Pose]) -> Ints:
    """Draws pixels where a point of a thing's surface lies, whether or not it shows."""
    body, points = caster.surface_points(3 * _AIMED_AT_EACH, rng=rng)
    is_thing = np.array([TAXONOMY.named(b.category).is_thing for b in caster.scene.bodies], dtype=bool)
    points_camera = caster.to_camera(camera, body, points, poses)
    ahead = is_thing[body] & (points_camera[:, 2] > camera.near_m)
    pixels = camera.project(points_camera[ahead])
    inside = (pixels > 0).all(axis=1) & (pixels < (camera.width - 1, camera.height - 1)).all(axis=1)
    return pixels[inside].round().astype(np.int64)


def _interior(truth: Truth, pixels: Ints) -> Ints:
    """Keeps the pixels away from edges, as the head of this module says."""
    height, width = truth.depth_m.shape
    inside = (pixels > 0).all(axis=1) & (pixels[:, 0] < width - 1) & (pixels[:, 1] < height - 1)
    pixels = pixels[inside]
    u, v = (pixels[:, None] + _AROUND).transpose(2, 0, 1)
    instance, semantic, depth_m = truth.instance[v, u], truth.semantic[v, u], truth.depth_m[v, u]
    one = (instance == instance[:, :1]).all(axis=1) & (semantic == semantic[:, :1]).all(axis=1)
    finite = np.isfinite(depth_m)
    known = np.where(finite, depth_m, 0.0).reshape(-1, 3, 3)
    bend = np.maximum(
        np.abs(known[:, 1, 2] + known[:, 1, 0] - 2 * known[:, 1, 1]),
        np.abs(known[:, 2, 1] + known[:, 0, 1] - 2 * known[:, 1, 1]),
    )
    smooth = np.where(finite.all(axis=1), bend < BEND_M * np.maximum(1.0, known[:, 1, 1]), ~finite.any(axis=1))
    kept: Ints = pixels[one & smooth]
    return kept


def _spread_m(truth: Truth, pixels: Ints) -> Floats:
    """Returns how much depth differs over the 3x3 around each pixel, 0 where nothing is."""
    u, v = (pixels[:, None] + _AROUND).transpose(2, 0, 1)
    depth_m = truth.depth_m[v, u].astype(np.float64)
    known = np.where(np.isfinite(depth_m), depth_m, 0.0)
    spread: Floats = known.max(axis=1) - known.min(axis=1)
    return spread
