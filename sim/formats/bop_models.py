"""A body as BOP has an object model: PLY in millimetres, Z up, origin in the middle of its bounding box, with its figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Body, Part

MM_PER_M = 1000.0
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BopModel:
    """One object model: `ply` is the file, `origin_m` float64 (3,) its origin in the body's frame, `info` models_info's row."""

    ply: bytes
    origin_m: Points
    info: dict[str, float]


def bop_model(body: Body) -> BopModel:
    """Returns the model of a body's visible parts; the same parts give the same bytes."""
    low, high = body.bounds_m()
    origin_m = (low + high) / 2
    corners = np.concatenate([_corners(part, origin_m) for part in body.parts])
    vertices, index = np.unique(corners, axis=0, return_inverse=True)
    size = (high - low) * MM_PER_M
    info = {"diameter": diameter(np.unique(vertices[:, :3], axis=0))}
    info |= {f"min_{axis}": float(-value / 2) for axis, value in zip("xyz", size, strict=True)}
    info |= {f"size_{axis}": float(value) for axis, value in zip("xyz", size, strict=True)}
    return BopModel(ply=_ply(vertices, index.reshape(-1, 3)), origin_m=origin_m, info=info)


def diameter(points: Points) -> float:
    """Returns the largest distance between any two points (n, 3)."""
    radius = np.linalg.norm(points - points.mean(axis=0), axis=1)
    farthest = points[int(radius.argmax())]
    least = float(np.linalg.norm(points - farthest, axis=1).max())
    # A pair farther apart than `least` has both its ends outside this sphere, by the triangle inequality.
    outer = points[radius >= least - radius.max() - 1e-9]
    return max(float(np.linalg.norm(outer - point, axis=1).max()) for point in outer)


def _corners(part: Part, origin_m: Points) -> Points:
    """Returns a row (x, y, z in mm, nx, ny, nz, r, g, b) per face corner, rounded to what is printed, float64 (3 F, 9)."""
    mesh = part.mesh
    position = (mesh.vertices[mesh.faces.reshape(-1)] - origin_m) * MM_PER_M
    normal = mesh.corner_normals.reshape(-1, 3).astype(np.float64)
    colour = np.broadcast_to(_colour(part), (len(position), 3))
    rows: Points = np.concatenate([position.round(4), normal.round(4), colour], axis=1)
    return rows + 0.0  # no negative zeros


def _colour(part: Part) -> NDArray[np.float64]:
    """Returns the part's mean sRGB colour 0..255: BOP's models carry vertex colours, our textures stay in the stages."""
    linear = np.asarray(part.material.colour, dtype=np.float64)
    if part.material.texture is not None:
        linear = linear * (part.material.texture.reshape(-1, 3) / 255.0).mean(axis=0) ** 2.2
    colour: NDArray[np.float64] = (np.clip(linear, 0, 1) ** (1 / 2.2) * 255).round()
    return colour


def _ply(vertices: Points, faces: NDArray[np.int64]) -> bytes:
    header = (
        "ply\nformat ascii 1.0\ncomment Rehearse, millimetres\n"
        f"element vertex {len(vertices)}\n"
        + "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
        + "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
        + f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = [
        f"{x:.4f} {y:.4f} {z:.4f} {a:.4f} {b:.4f} {c:.4f} {r:.0f} {g:.0f} {h:.0f}"
        for x, y, z, a, b, c, r, g, h in vertices
    ]
    rows += [f"3 {a} {b} {c}" for a, b, c in faces]
    return (header + "\n".join(rows) + "\n").encode()
