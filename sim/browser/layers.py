"""Every annotator of a frame as a picture for a browser: the known ones by name, the others by their dtype and shape.

A picture stands alone (rgb, depth, normals, flow ...); an overlay lies over one and is clear where it says nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.taxonomy import TAXONOMY
from sim._png import decode_any
from sim.browser.palette_png import palette_png
from sim.frame import Frame
from sim.pictures import Image, depth_colours, depth_range, instance_colour

_FILE = re.compile(r"^(?P<kind>.+)_(?P<number>\d{4,})\.(?P<suffix>png|npy)$")
# Files that hold tables, or that are shown by other means.
_NOT_PICTURES = ("bounding_box_", "occlusion", "pointcloud", "semantic_segmentation", "instance_segmentation", "rgb")
_DEPTH_KINDS = ("distance_to_image_plane", "distance_to_camera", "sensor_depth")
_FIRST = ("rgb", "rgb_ideal", "distance_to_image_plane", "sensor_depth")
_NAMES = {
    "rgb": "image", "rgb_ideal": "ideal image", "distance_to_image_plane": "depth", "sensor_depth": "measured depth",
    "distance_to_camera": "distance", "motion_vectors": "motion",
}  # fmt: skip
_QUALITY = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One annotator in the browser: `kind` is that of its files, `name` what people call it."""

    kind: str
    name: str
    suffix: str
    overlay: bool

    def file(self, number: int) -> str:
        """Returns where its picture of a frame lies in the folder."""
        return f"layers/{self.kind}/{number:04d}.{self.suffix}"


SEMANTIC = Layer(kind="semantic_segmentation", name="categories", suffix="png", overlay=True)
INSTANCE = Layer(kind="instance_segmentation", name="instances", suffix="png", overlay=True)


def layers_of(names: Iterable[str]) -> tuple[Layer, ...]:
    """Returns the layers that a frame's files, given by name, can be shown as; the image comes first."""
    kinds = {match["kind"]: match["suffix"] for name in names if (match := _FILE.match(name.rpartition("/")[2]))}
    pictures = [kind for kind in kinds if not kind.startswith(_NOT_PICTURES) or kind in _FIRST]
    pictures.sort(key=lambda kind: (_FIRST.index(kind) if kind in _FIRST else len(_FIRST), kind))
    shown = [Layer(kind=k, name=_NAMES.get(k, k.replace("_", " ")), suffix="jpg", overlay=False) for k in pictures]
    return (*shown, *(layer for layer in (SEMANTIC, INSTANCE) if layer.kind in kinds))


def draw_layer(layer: Layer, frame: Frame, number: int, read: Callable[[str], bytes]) -> tuple[bytes, str] | None:
    """Returns the encoded picture of a layer and a note on its colours; None where the file is nothing to look at."""
    if layer.kind == SEMANTIC.kind:
        return semantic_overlay(frame.truth.semantic), ""
    if layer.kind == INSTANCE.kind:
        return instance_overlay(frame.truth.instance), ""
    if layer.kind == "rgb":
        return jpeg_bytes(frame.rgb), ""
    data, suffix = _read_either(layer.kind, number, read)
    drawn = _drawn_array(layer.kind, _array(data, suffix), frame)
    return None if drawn is None else (jpeg_bytes(drawn[0]), drawn[1])


def semantic_overlay(semantic: NDArray[np.uint8]) -> bytes:
    """Returns category ids in the taxonomy's colours; void is clear."""
    return palette_png(semantic, np.array([c.colour for c in TAXONOMY], dtype=np.uint8))


def instance_overlay(instance: NDArray[np.uint16]) -> bytes:
    """Returns instance ids in their colours; what is no instance is clear."""
    ids, indices = np.unique(np.concatenate([[0], instance.reshape(-1)]), return_inverse=True)
    colours = np.array([instance_colour(int(i)) for i in ids[:256]], dtype=np.uint8)
    wrapped = np.where(indices < 256, indices, 1 + indices % 255)[1:]
    return palette_png(wrapped.reshape(instance.shape).astype(np.uint8), colours)


def jpeg_bytes(image: Image, *, quality: int = _QUALITY) -> bytes:
    """Returns an image uint8 (H, W, 3) as a JPEG."""
    import cv2

    done, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV could not encode an image {image.dtype} {image.shape} as JPEG.")
    return data.tobytes()


def flow_colours(flow_px: NDArray[np.floating[Any]]) -> tuple[Image, float]:
    """Returns motion (H, W, 2) as hue by direction and brightness by length, and the length that is brightest."""
    import cv2

    known = np.isfinite(flow_px).all(axis=-1)
    u, v = (np.where(known, flow_px[..., i], 0).astype(np.float32) for i in (0, 1))
    length = np.hypot(u, v)
    most = max(float(np.percentile(length, 99)), 1e-6)
    hue = (np.degrees(np.arctan2(v, u)) % 360 / 2).astype(np.uint8)
    value = (255 * np.clip(length / most, 0, 1)).astype(np.uint8)
    hsv = np.stack([hue, np.full_like(hue, 200), value], axis=-1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), dtype=np.uint8), most


def _drawn_array(kind: str, array: NDArray[Any], frame: Frame) -> tuple[Image, str] | None:
    """Returns a picture of an array and what its colours mean; None where it is no map of the image."""
    if array.shape[:2] != frame.truth.semantic.shape:
        return None
    if array.ndim == 3 and array.dtype == np.uint8:
        return array[..., :3], ""
    if array.ndim == 2 and np.issubdtype(array.dtype, np.floating):
        known = np.where(array > 0, array, np.inf) if kind in _DEPTH_KINDS else array
        low, high = depth_range(frame.truth.depth_m if kind in _DEPTH_KINDS else known)
        unit = " m" if kind in _DEPTH_KINDS else ""
        return depth_colours(known, (low, high)), f"red {low:.2f}{unit} to blue {high:.2f}{unit}, black: none"
    if array.ndim == 3 and array.shape[2] in (3, 4) and "normal" in kind:
        known = np.isfinite(array[..., :3]).all(axis=-1, keepdims=True)
        shown = 127.5 * (1 + np.clip(np.where(known, array[..., :3], -1), -1, 1))
        return shown.astype(np.uint8), "x, y, z as red, green, blue"
    if array.ndim == 3 and array.shape[2] >= 2 and np.issubdtype(array.dtype, np.floating):
        picture, most = flow_colours(array[..., :2])
        return picture, f"hue: direction; brightest: {most:.1f}"
    return None


def _read_either(kind: str, number: int, read: Callable[[str], bytes]) -> tuple[bytes, str]:
    try:
        return read(f"{kind}_{number:04d}.npy"), "npy"
    except LookupError:
        return read(f"{kind}_{number:04d}.png"), "png"


def _array(data: bytes, suffix: str) -> NDArray[Any]:
    if suffix == "png":
        return decode_any(data)
    return np.asarray(np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))
