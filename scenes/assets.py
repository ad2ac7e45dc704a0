"""An asset of one's own takes the places of a category's objects in a scene: upright, where each of them stood."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scenes.errors import SceneError, StageError
from scenes.scene import Body, Collider, Part, Scene
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, quaternion_about, transform_points

_DENSITY_KG_M3 = 400.0
# An object of a tabletop is no longer than this; a larger one has been scaled wrongly for it.
MOST_M = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetUse:
    """An OpenUSD file used as an object of a category; `digest` is the sha256 of that file, so that it is a part of the id."""

    path: str
    category: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> AssetUse:
        """Reads FILE=CATEGORY; raises SceneError, StageError where there is no such file, UnknownNameError."""
        path, equals, category = text.rpartition("=")
        if not equals or not path:
            raise SceneError(f"An asset is given as FILE=CATEGORY, such as mug.usd=cup, got {text!r}.")
        if not TAXONOMY.named(category).is_thing:
            raise SceneError(f"{category!r} is stuff: an asset is used as a thing, such as a cup.")
        try:
            digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError as error:
            raise StageError(f"Cannot read the asset {path}: {error.strerror}.") from error
        return cls(path=str(Path(path).absolute()), category=category, digest=digest)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asset:
    """An object to put into scenes: its origin is the middle of its bottom, z is up; it is touched as its bounding box."""

    category: str
    parts: tuple[Part, ...]
    collider: Collider
    mass_kg: float


def load_asset(use: AssetUse) -> Asset:
    """Reads an asset; raises StageError that names what is wrong with it, and where it changed since `use` was made."""
    from scenes.usd_read import read_parts_of

    if AssetUse.parse(f"{use.path}={use.category}").digest != use.digest:
        raise StageError(f"{use.path} has changed since this data set was begun: restore it, or begin another data set.")
    parts = read_parts_of(Path(use.path), use.category)
    points = np.concatenate([part.mesh.vertices[part.mesh.faces.reshape(-1)] for part in parts])
    size_m = np.maximum(np.ptp(points, axis=0), 1e-3)
    if float(size_m.max()) > MOST_M:
        raise StageError(
            f"{use.path} is {float(size_m.max()):.3g} m long as a {use.category}, more than the {MOST_M:g} m of an object on a "
            "table: check metersPerUnit and the scale of its prims."
        )
    x, y, z = (float(v) / 2 for v in size_m)
    collider = Collider(kind="box", size_m=(x, y, z), body_from_collider=Pose((0.0, 0.0, z)))
    mass_kg = max(_DENSITY_KG_M3 * collider.volume_m3, 0.02)
    return Asset(category=use.category, parts=parts, collider=collider, mass_kg=mass_kg)


def with_assets(scene: Scene, assets: Sequence[Asset]) -> Scene:
    """Returns the scene with its moving bodies of the assets' categories exchanged; several assets of one take turns."""
    turn: Counter[str] = Counter()
    bodies = []
    for body in scene.bodies:
        mine = [asset for asset in assets if asset.category == body.category]
        if mine and body.dynamic:
            bodies.append(_in_place_of(body, mine[turn[body.category] % len(mine)]))
            turn[body.category] += 1
        else:
            bodies.append(body)
    return replace(scene, bodies=tuple(bodies))


def _in_place_of(body: Body, asset: Asset) -> Body:
    """Puts the asset upright under the middle of the body, its bottom where the body's lowest point is, turned as it is."""
    low, high = body.bounds_m()
    matrix = body.world_from_body.matrix()
    points = np.concatenate([part.mesh.vertices[part.mesh.faces.reshape(-1)] for part in body.parts])
    x, y, _ = (float(v) for v in transform_points(matrix, (low + high) / 2))
    z = float(transform_points(matrix, points)[:, 2].min())
    turned = quaternion_about((0.0, 0.0, 1.0), math.atan2(matrix[1, 0], matrix[0, 0]))
    return replace(
        body, parts=asset.parts, colliders=(asset.collider,), mass_kg=asset.mass_kg, rolling_friction_m=0.0,
        world_from_body=Pose((x, y, z), turned),
    )  # fmt: skip
