"""What a camera sees of a written stage, by ray casting: an oracle that shares no line with the code that it judges.

Geometry and labels come from the stage through OpenUSD's own queries, the camera from Replicator's two matrices in
camera_params, the first hit from Embree. Nothing here imports scenes or sim.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import trimesh
from numpy.typing import NDArray
from pxr import Usd, UsdGeom, UsdSemantics
from trimesh.ray.ray_pyembree import RayMeshIntersector

NOTHING = -1
STUFF = frozenset({"floor", "wall", "table"})


@dataclass(frozen=True, kw_only=True)
class World:
    """Triangles (N, 3, 3) in the world, the owner of each, and the owners' prim paths and labels."""

    triangles: NDArray[np.float64]
    owner: NDArray[np.int64]
    paths: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Planar depth float64 (H, W), +inf where nothing is, and what each pixel shows: names[ids] = (label, prim path)."""

    depth_m: NDArray[np.float64]
    ids: NDArray[np.int64]
    names: tuple[tuple[str, str], ...]


def read_world(stage_path: Path) -> World:
    """Reads every rendered mesh of a stage with the label that it inherits."""
    stage = Usd.Stage.Open(str(stage_path))
    transforms = UsdGeom.XformCache()
    query = UsdSemantics.LabelsQuery("class", Usd.TimeCode.Default())
    paths: list[str] = []
    labels: list[str] = []
    triangles, owner = [], []
    for prim in stage.Traverse():
        if not prim.IsA(UsdGeom.Gprim) or UsdGeom.Imageable(prim).ComputePurpose() == UsdGeom.Tokens.guide:
            continue
        mesh = UsdGeom.Mesh(prim)
        (label,) = query.ComputeUniqueInheritedLabels(prim)
        path = str(_labelled(prim).GetPath())
        if path not in paths:
            paths.append(path)
            labels.append(label)
        assert set(mesh.GetFaceVertexCountsAttr().Get()) == {3}
        local = np.array(mesh.GetPointsAttr().Get(), dtype=np.float64)
        matrix = np.array(transforms.GetLocalToWorldTransform(prim))  # row vectors
        world = local @ matrix[:3, :3] + matrix[3, :3]
        faces = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
        triangles.append(world[faces])
        owner.append(np.full(len(faces), paths.index(path)))
    return World(
        triangles=np.concatenate(triangles), owner=np.concatenate(owner), paths=tuple(paths), labels=tuple(labels)
    )


def only(world: World, owner: int) -> World:
    """Returns the world with nothing but one owner in it, whose number becomes 0."""
    mine = world.owner == owner
    return World(
        triangles=world.triangles[mine],
        owner=np.zeros(mine.sum(), dtype=np.int64),
        paths=(world.paths[owner],),
        labels=(world.labels[owner],),
    )


def _labelled(prim: Usd.Prim) -> Usd.Prim:
    while not prim.HasAPI(UsdSemantics.LabelsAPI, "class"):
        prim = prim.GetParent()
    return prim


def cast(world: World, params: dict, *, shift_px: tuple[float, float] = (0.0, 0.0)) -> Picture:
    """Casts one ray through every pixel centre, displaced by `shift_px` (x, y) to prove that it would be noticed."""
    width, height = params["renderProductResolution"]
    view = np.array(params["cameraViewTransform"]).reshape(4, 4)
    projection = np.array(params["cameraProjection"]).reshape(4, 4)
    j, i = np.mgrid[:height, :width]
    x = 2 * (i + 0.5 + shift_px[0]) / width - 1
    y = 1 - 2 * (j + 0.5 + shift_px[1]) / height
    near_clip = np.stack([x, y, np.ones_like(x), np.ones_like(x)], axis=-1).reshape(-1, 4)  # reversed depth: 1 is near
    near_camera = near_clip @ np.linalg.inv(projection)
    near_camera = near_camera[:, :3] / near_camera[:, 3:]
    direction_camera = near_camera / -near_camera[:, 2:]  # one metre along the view
    world_from_camera = np.linalg.inv(view)
    direction = direction_camera @ world_from_camera[:3, :3]
    origin = world_from_camera[3, :3]
    depth, owner = _first_hit(world, origin, direction)
    depth = np.where(depth < params["cameraNearFar"][1], depth, np.inf)
    owner = np.where(np.isfinite(depth), owner, NOTHING)
    instances = [p if label not in STUFF else "UNLABELLED" for p, label in zip(world.paths, world.labels, strict=True)]
    names = (*zip(world.labels, instances, strict=True), ("BACKGROUND", "BACKGROUND"))
    ids = np.where(owner == NOTHING, len(world.paths), owner)
    return Picture(depth_m=depth.reshape(height, width), ids=ids.reshape(height, width), names=names)


def _first_hit(
    world: World, origin: NDArray[np.float64], direction: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns the ray parameter and the owner of the first hit; Embree finds the triangle, float64 the distance."""
    mesh = trimesh.Trimesh(
        vertices=world.triangles.reshape(-1, 3), faces=np.arange(len(world.triangles) * 3).reshape(-1, 3), process=False
    )
    hit = RayMeshIntersector(mesh).intersects_first(np.broadcast_to(origin, direction.shape), direction)
    a, b, c = world.triangles[hit].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.einsum("ij,ij->i", a - origin, normal) / np.einsum("ij,ij->i", direction, normal)
    return np.where(hit >= 0, distance, np.inf), np.where(hit >= 0, world.owner[hit], NOTHING)


def read_params(folder: Path, number: int) -> dict:
    """Reads camera_params of one frame without the keys that are not Replicator's."""
    params = json.loads((folder / f"camera_params_{number:04d}.json").read_text())
    return {key: value for key, value in params.items() if key.startswith(("camera", "renderProduct", "meters"))}


def read_picture(folder: Path, number: int) -> Picture:
    """Reads depth, labels and instance paths of one frame from BasicWriter's files."""
    depth_m = np.load(folder / f"distance_to_image_plane_{number:04d}.npy").astype(np.float64)
    semantic = cv2.imread(str(folder / f"semantic_segmentation_{number:04d}.png"), cv2.IMREAD_UNCHANGED)
    labels = json.loads((folder / f"semantic_segmentation_labels_{number:04d}.json").read_text())
    instance = cv2.imread(str(folder / f"instance_segmentation_{number:04d}.png"), cv2.IMREAD_UNCHANGED)
    paths = json.loads((folder / f"instance_segmentation_mapping_{number:04d}.json").read_text())
    pairs, ids = np.unique(semantic.astype(np.int64) << 16 | instance, return_inverse=True)
    shown = tuple((labels[str(pair >> 16)]["class"], paths[str(pair & 0xFFFF)]) for pair in pairs)
    return Picture(depth_m=depth_m, ids=ids.reshape(depth_m.shape), names=shown)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well two pictures agree.

    `ids` and the depth errors are over pixels away from edges, `edge_mismatch` is the share of pixels on either side
    of an outline that disagree: a shift by half a pixel hides from the former and shows in the latter.
    """

    pixels: int
    ids: float
    median_depth_m: float
    p99_depth_m: float
    edge_mismatch: float

    def complaints(self) -> list[str]:
        """Returns which of the limits are missed."""
        limits = {
            "few pixels": self.pixels < 1000,
            "ids": self.ids < 0.999,
            "median depth": not self.median_depth_m < 0.1e-3,
            "p99 depth": not self.p99_depth_m < 1e-3,
            "edges": self.edge_mismatch > 0.02,
        }
        return [name for name, missed in limits.items() if missed]


def compare(written: Picture, oracle: Picture) -> Agreement:
    """Compares a written picture with what the rays saw."""
    outline = _outline(written.ids)
    inside = ~outline & _smooth(written.depth_m)
    same = np.array([[a == b for b in oracle.names] for a in written.names])[written.ids, oracle.ids]
    both = inside & same & np.isfinite(written.depth_m) & np.isfinite(oracle.depth_m)
    error = np.abs(written.depth_m[both] - oracle.depth_m[both])
    return Agreement(
        pixels=int(inside.sum()),
        ids=float(same[inside].mean()) if inside.any() else 0.0,
        median_depth_m=float(np.median(error)) if both.any() else np.inf,
        p99_depth_m=float(np.quantile(error, 0.99)) if both.any() else np.inf,
        edge_mismatch=float((~same & outline).sum() / max(outline.sum(), 1)),
    )


def _outline(ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns the pixels whose 3x3 neighbourhood shows more than one thing."""
    box = np.ones((3, 3), np.uint8)
    outline: NDArray[np.bool_] = cv2.dilate(ids.astype(np.float32), box) != cv2.erode(ids.astype(np.float32), box)
    return outline


def _smooth(depth_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns the pixels around which depth bends by less than 2 mm: no edge of the object lies in the 3x3."""
    with np.errstate(invalid="ignore"):
        bend = np.full(depth_m.shape, np.inf)
        along_x = np.abs(depth_m[1:-1, 2:] + depth_m[1:-1, :-2] - 2 * depth_m[1:-1, 1:-1])
        along_y = np.abs(depth_m[2:, 1:-1] + depth_m[:-2, 1:-1] - 2 * depth_m[1:-1, 1:-1])
        bend[1:-1, 1:-1] = np.maximum(along_x, along_y)
        return bend < 2e-3
