"""The catalogue as a picture: every category in several variants on a neutral ground, and every look on a ball and a slab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, focal_px, look_at
from scenes.errors import SceneError, UnknownNameError
from scenes.meshes import cuboid
from scenes.objects import ObjectShape, furniture, generators
from scenes.sampler import ShapeSampler, Split
from scenes.scene import Body, Light, Material, Part, Scene, SceneId, Support
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, Vec3, quaternion_about, transform_points, vec3
from sim.backend import Backend, open_backend
from sim.frame import Frame
from sim.pictures import Image, draw_text

# One stream of draws per category and variant: a longer catalogue changes no picture of another category.

VARIANTS = 4
CELL_PX = 120
_FOV_RAD = math.radians(30.0)
_MARGIN = 1.06
_DIAGONAL_RAD, _LONG = math.radians(-26.0), 1.9
_GROUND: Vec3 = (0.62, 0.63, 0.65)
_PAPER = 245
_CAPTION_PX = 18
_GAP_PX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSheet:
    """What a sheet shows: its file and, by name in order, how many variants of each are on it."""

    picture: str
    split: str
    seed: int
    variants: dict[str, int]
    size_px: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    def describe(self) -> str:
        """Returns what is on the sheet as two lines."""
        width, height = self.size_px
        return f"{self.picture}: {len(self.variants)} names, {sum(self.variants.values())} pictures, {width}x{height}"


def write_catalogue(
    out: Path,
    *,
    names: Sequence[str] = (),
    split: Split = "train",
    seed: int = 0,
    variants: int = VARIANTS,
    cell_px: int = CELL_PX,
) -> CatalogueSheet:
    """Draws the categories (default: all that have a generator, by id) and writes the PNG.

    Raises UnknownNameError or SceneError.
    """
    known = [category.name for category in TAXONOMY if category.name in generators()]
    for name in names:
        if name not in known:
            raise UnknownNameError("object category", name, known)
    chosen = [name for name in known if not names or name in names]
    backend = open_backend("mujoco")
    try:
        rows = {
            name: [view_of(backend, variant(name, split, seed, k), cell_px).rgb for k in range(variants)]
            for name in chosen
        }
    finally:
        backend.close()
    return _write(out, rows, split, seed)


def write_looks(
    out: Path, *, split: Split = "train", seed: int = 0, variants: int = VARIANTS, cell_px: int = CELL_PX
) -> CatalogueSheet:
    """Draws every look on a ball and a slab and writes the PNG; raises SceneError."""
    from scenes.looks import LOOKS

    backend = open_backend("mujoco")
    try:
        rows = {
            name: [view_of(backend, _sample_of(name, split, seed, k), cell_px).rgb for k in range(variants)]
            for name in LOOKS
        }
    finally:
        backend.close()
    return _write(out, rows, split, seed)


def variant(category: str, split: Split, seed: int, number: int) -> ObjectShape:
    """Makes variant `number` of a category, the same whatever else is in the catalogue."""
    return generators()[category](_sampler(TAXONOMY.named(category).id, split, seed, number))


def _sampler(key: int, split: Split, seed: int, number: int) -> ShapeSampler:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key, number)))
    return ShapeSampler(rng=rng, split=split)


def _sample_of(look: str, split: Split, seed: int, number: int) -> ObjectShape:
    """Returns a ball on a slab, 0.2 m wide, both with one look; its category only says that it is a thing."""
    from scenes.looks import LOOKS, natural_colour
    from scenes.solids import ellipsoid

    sampler = _sampler(1000 + list(LOOKS).index(look), split, seed, number)
    material = LOOKS[look](sampler, natural_colour(look, sampler), 256)
    slab = cuboid((0.1, 0.1, 0.01), (0.0, 0.0, 0.01))
    ball = ellipsoid((0.055, 0.055, 0.055), (0.0, 0.0, 0.075), segments=40, rows=24)
    parts = (Part(name="slab", mesh=slab, material=material), Part(name="ball", mesh=ball, material=material))
    return ObjectShape(category="box", parts=parts, colliders=(), mass_kg=1.0)


def view_of(backend: Backend, shape: ObjectShape, cell_px: int) -> Frame:
    """Returns the square frame of one object as it stands, furniture, whose front is +x, turned to the camera.

    The camera's distance follows the object's size.
    """
    points = np.concatenate([part.mesh.vertices[part.mesh.faces.reshape(-1)] for part in shape.parts])
    facing = -math.pi / 2 if shape.category in furniture() else _yaw_rad(np.ptp(points, axis=0))
    rotation = quaternion_about((0.0, 0.0, 1.0), facing)
    points = transform_points(Pose((0.0, 0.0, 0.0), rotation).matrix(), points)
    low, high = points.min(axis=0), points.max(axis=0)
    shift = vec3((-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]))
    camera = _camera(points + shift, cell_px)
    backend.load(_stand(shape, Pose(shift, rotation), high - low, camera))
    return backend.render(camera)


def _yaw_rad(extent: NDArray[np.float64]) -> float:
    """Turns long flat things towards the diagonal of their cell, where they are seen larger."""
    return _DIAGONAL_RAD if extent[0] > _LONG * max(extent[1], extent[2]) else 0.0


def _camera(points: NDArray[np.float64], cell_px: int) -> Camera:
    """Looks from the front right (+x, -y), higher at flat objects, as near as keeps every point in the picture."""
    extent = points.max(axis=0)
    flatness = float(np.clip(extent[2] / max(extent[0] * 2, extent[1] * 2), 0.0, 1.0))
    elevation, azimuth = math.radians(58.0 - 36.0 * min(1.0, 1.6 * flatness)), math.radians(-68.0)
    level = math.cos(elevation)
    ray = np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)])
    middle = np.array([0.0, 0.0, extent[2] / 2])
    rotation = look_at(ray, np.zeros(3)).matrix()[:3, :3]
    local = (points - middle) @ rotation
    slope = math.tan(_FOV_RAD / 2) / _MARGIN
    side = np.abs(local[:, :2])
    # A first distance that holds everything about the middle, then the frame is centred on what is seen.
    distance = float((side.max(axis=1) / slope - local[:, 2]).max())
    seen = local[:, :2] / (local[:, 2:] + distance)
    shift = (seen.max(axis=0) + seen.min(axis=0)) / 2 * distance
    middle = middle + rotation[:, :2] @ shift
    local[:, :2] -= shift
    distance = float((np.abs(local[:, :2]).max(axis=1) / slope - local[:, 2]).max())
    radius = float(np.linalg.norm(points - points.mean(axis=0), axis=1).max())
    focal = focal_px(cell_px, _FOV_RAD)
    center = (cell_px - 1) / 2
    return Camera(
        name="front", width=cell_px, height=cell_px, fx=focal, fy=focal, cx=center, cy=center,
        world_from_camera=look_at(middle + distance * ray, middle), near_m=max(0.02, 0.2 * (distance - radius)),
        far_m=distance + 40.0 * radius,
    )  # fmt: skip


def _stand(shape: ObjectShape, pose: Pose, extent: NDArray[np.float64], camera: Camera) -> Scene:
    """Returns a scene of the object alone on a wide ground, lit from the upper left with a shadow."""
    radius = float(np.linalg.norm(extent)) / 2
    half = (40 * radius, 40 * radius, 0.01)
    ground = Body(
        name="ground",
        category="floor",
        parts=(Part(name="top", mesh=cuboid(half), material=Material(colour=_GROUND, roughness=1.0)),),
        colliders=(),
        world_from_body=Pose((0.0, 0.0, -0.01)),
        mass_kg=0.0,
        dynamic=False,
    )
    body = Body(
        name="shown", category=shape.category, parts=shape.parts, colliders=(), world_from_body=pose,
        mass_kg=0.0, dynamic=False,
    )  # fmt: skip
    lights = (
        Light(name="sun", kind="sun", position_m=(0, 0, 3), direction=(0.55, 0.5, -1.0), colour=(1, 1, 1), intensity=0.55),
        Light(
            name="fill", kind="sun", position_m=(0, 0, 3), direction=(-0.8, 0.6, -0.6), colour=(1, 1, 1), intensity=0.22,
            casts_shadow=False,
        ),
    )  # fmt: skip
    return Scene(
        id=SceneId(suite="catalogue", version=1, split="train", seed=0, index=0),
        bodies=(ground, body), lights=lights, cameras=(camera,), ambient=(0.42, 0.42, 0.43),
        supports=(Support(center_m=(0.0, 0.0, 0.0), half_extent_m=(1.5 * radius, 1.5 * radius)),),
    )  # fmt: skip


def _write(out: Path, rows: dict[str, list[Image]], split: Split, seed: int) -> CatalogueSheet:
    sheet = _sheet(rows)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(_small_png(sheet))
    except OSError as error:
        raise SceneError(f"Cannot write the catalogue to {out}: {error}.") from error
    size = (sheet.shape[1], sheet.shape[0])
    return CatalogueSheet(
        picture=str(out), split=split, seed=seed, variants={name: len(row) for name, row in rows.items()}, size_px=size
    )


def _small_png(image: Image) -> bytes:
    """Returns an RGB PNG with the best compression: a sheet is made once and looked at often."""
    import cv2

    options = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
    encoded, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not encoded:
        raise SceneError(f"OpenCV could not encode a sheet {image.shape} as PNG.")
    return data.tobytes()


def _sheet(rows: dict[str, list[Image]]) -> Image:
    """Returns blocks of one name each, three to a line, the name below its pictures."""
    blocks = [_block(name, row) for name, row in rows.items()]
    columns = min(3, len(blocks))
    height, width = blocks[0].shape[:2]
    lines = -(-len(blocks) // columns)
    sheet = np.full(
        (lines * (height + _GAP_PX) + _GAP_PX, columns * (width + _GAP_PX) + _GAP_PX, 3), _PAPER, dtype=np.uint8
    )
    for k, block in enumerate(blocks):
        top, left = _GAP_PX + k // columns * (height + _GAP_PX), _GAP_PX + k % columns * (width + _GAP_PX)
        sheet[top : top + height, left : left + width] = block
    return sheet


def _block(name: str, pictures: list[Image]) -> Image:
    row = np.concatenate(pictures, axis=1)
    strip = np.full((_CAPTION_PX, row.shape[1], 3), 24, dtype=np.uint8)
    return np.concatenate([row, draw_text(strip, name, (4, _CAPTION_PX - 5))])
