"""A BasicWriter folder of one small frame per call, in exactly the form that Isaac Sim writes: what each test needs of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sim._boxes import BOX_2D_DTYPE, BOX_3D_DTYPE

WIDTH, HEIGHT = 40, 30
SIZE = (WIDTH, HEIGHT)
FX = 50.0
IDS = np.zeros((HEIGHT, WIDTH), np.uint16)  # 0 background, 1 unlabelled, 2 a cup, 3 a bowl, 4 the table
IDS[5:] = 1
IDS[15:] = 4
IDS[10:20, 5:15], IDS[12:22, 20:32] = 2, 3
LABELS = {"2": {"class": "cup"}, "3": {"class": "bowl"}, "4": {"class": "table"}}
PATHS = {"0": "BACKGROUND", "1": "UNLABELLED", "2": "/World/Cup", "3": "/World/Bowl", "4": "/World/Table"}
BACKGROUND = {"0": {"class": "BACKGROUND"}}
CUP_PX, BOWL_PX = (5, 10, 14, 19), (20, 12, 31, 21)  # inclusive


def png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    assert cv2.imwrite(str(path), image)


def js(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))


def npy(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def rgb(folder: Path, number: str = "0000") -> None:
    image = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    image[..., 0] = 6 * np.arange(WIDTH)
    png(folder / f"rgb_{number}.png", image)


def semantic(folder: Path, number: str = "0000", ids: np.ndarray = IDS, labels: dict[str, Any] | None = None) -> None:
    png(folder / f"semantic_segmentation_{number}.png", ids)
    js(folder / f"semantic_segmentation_labels_{number}.json", BACKGROUND | LABELS if labels is None else labels)


def instance(folder: Path, number: str = "0000", ids: np.ndarray = IDS, labels: dict[str, Any] | None = None) -> None:
    png(folder / f"instance_segmentation_{number}.png", ids)
    js(folder / f"instance_segmentation_mapping_{number}.json", PATHS)
    js(folder / f"instance_segmentation_semantics_mapping_{number}.json", BACKGROUND | LABELS if labels is None else labels)


def view_matrix() -> np.ndarray:
    """Row-vector world -> camera: the camera at (0.1, 0.2, 3) looks down, its up is +y."""
    view = np.eye(4)
    view[3, :3] = -0.1, -0.2, -3.0
    return view


def camera_values(**changed: Any) -> dict[str, Any]:
    """As Replicator dumps it: P00 = 2 f / ha, P11 = P00 W / H, reversed depth; here with n = 0.01, far = 1e6."""
    near, far = 0.01, 1e6
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = 2 * FX / WIDTH, 2 * FX / HEIGHT
    projection[2, 2], projection[2, 3], projection[3, 2] = near / (far - near), -1, near * far / (far - near)
    return {
        "cameraAperture": [20.955, 20.955 * HEIGHT / WIDTH], "cameraApertureOffset": [0.0, 0.0],
        "cameraFocalLength": FX * 20.955 / WIDTH, "cameraModel": "pinhole", "cameraNearFar": [near, far],
        "cameraProjection": projection.reshape(-1).tolist(), "cameraViewTransform": view_matrix().reshape(-1).tolist(),
        "metersPerSceneUnit": 1.0, "renderProductResolution": [WIDTH, HEIGHT], "someLaterKey": None,
    } | changed  # fmt: skip


def camera(folder: Path, number: str = "0000", **changed: Any) -> None:
    js(folder / f"camera_params_{number}.json", camera_values(**changed))


def boxes_2d(folder: Path, kind: str, rows: list[tuple[Any, ...]], paths: list[str], number: str = "0000") -> None:
    name = f"bounding_box_2d_{kind}"
    npy(folder / f"{name}_{number}.npy", np.array(rows, dtype=BOX_2D_DTYPE))
    js(folder / f"{name}_labels_{number}.json", {"0": {"class": "bowl"}, "1": {"class": "cup"}})
    js(folder / f"{name}_prim_paths_{number}.json", paths)


def box_3d(low: Any, high: Any, transform: np.ndarray, semantic_id: int = 1, occlusion: float = -1.0) -> tuple[Any, ...]:
    return (semantic_id, *low, *high, transform, occlusion)


def boxes_3d(folder: Path, rows: list[tuple[Any, ...]], paths: list[str], number: str = "0000") -> None:
    npy(folder / f"bounding_box_3d_{number}.npy", np.array(rows, dtype=BOX_3D_DTYPE))
    js(folder / f"bounding_box_3d_labels_{number}.json", {"0": {"class": "bowl"}, "1": {"class": "cup"}})
    js(folder / f"bounding_box_3d_prim_paths_{number}.json", paths)


def depth(folder: Path, array: np.ndarray, kind: str = "distance_to_image_plane", number: str = "0000") -> None:
    npy(folder / f"{kind}_{number}.npy", array.astype(np.float32))


def plane() -> np.ndarray:
    found = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    found[:5] = np.inf
    return found
