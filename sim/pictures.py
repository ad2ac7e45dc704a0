"""Pictures of frames for people: label and depth colours, 3D boxes drawn on an image, captions, contact sheets.

Images are uint8 (H, W, 3) RGB; functions return new images and leave their arguments alone.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.taxonomy import TAXONOMY

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

# The corner order of OrientedBox puts corners of one edge apart by one bit of their index.
_EDGES = [(i, i | bit) for i in range(8) for bit in (1, 2, 4) if not i & bit]
_GOLDEN_RATIO = 0.6180339887498949
_CAPTION_PX = 20


def semantic_colours(semantic: NDArray[np.uint8]) -> Image:
    """Colours category ids (H, W) as the taxonomy has it; ids beyond it are white."""
    table = np.full((256, 3), 255, dtype=np.uint8)
    table[: len(TAXONOMY)] = [category.colour for category in TAXONOMY]
    return table[semantic]


def instance_colour(instance_id: int) -> Colour:
    """Returns the colour of an instance: neighbouring ids get hues far apart, 0 is black."""
    if instance_id == 0:
        return 0, 0, 0
    red, green, blue = colorsys.hsv_to_rgb(instance_id * _GOLDEN_RATIO % 1, 0.75, 0.95 - 0.25 * (instance_id // 7 % 2))
    return round(255 * red), round(255 * green), round(255 * blue)


def instance_colours(instance: NDArray[np.integer]) -> Image:
    """Colours instance ids (H, W) of 0 or more, one colour per id."""
    ids, inverse = np.unique(instance, return_inverse=True)
    table = np.array([instance_colour(int(i)) for i in ids], dtype=np.uint8)
    colours: Image = table[inverse.reshape(instance.shape)]
    return colours


def depth_range(depth_m: NDArray[np.floating]) -> tuple[float, float]:
    """Returns the 1st and 99th percentile of the finite depths in metres, at least 1 mm apart; (0, 1) without any."""
    finite = depth_m[np.isfinite(depth_m)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(finite, (1, 99)))
    return low, max(high, low + 1e-3)


def depth_colours(depth_m: NDArray[np.floating], range_m: tuple[float, float] | None = None) -> Image:
    """Colours depth (H, W), near red to far blue, over `range_m` or `depth_range`; black where it is not finite."""
    import cv2

    low, high = range_m or depth_range(depth_m)
    known = np.isfinite(depth_m)
    nearness = np.clip((high - np.where(known, depth_m, high)) / (high - low), 0, 1)
    coloured = cv2.applyColorMap((255 * nearness).round().astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1]
    return np.where(known[..., None], coloured, 0).astype(np.uint8)


def blend(image: Image, over: Image, opacity: float = 0.5) -> Image:
    """Returns `over` laid on `image`; where `over` is black the image stays as it is."""
    mixed = image * (1 - opacity) + over * opacity
    return np.where(over.any(axis=-1, keepdims=True), mixed.round(), image).astype(np.uint8)


def draw_box_edges(
    image: Image, camera: Camera, box_camera: OrientedBox, colour: Colour, *, thickness_px: int = 1
) -> Image:
    """Draws the twelve edges of a box given in the camera's frame; what lies before the near plane is cut off."""
    import cv2

    drawn = np.ascontiguousarray(image).copy()
    for u0, v0, u1, v1 in np.clip(box_segments(camera, box_camera).round(), -20000, 20000).astype(int).tolist():
        cv2.line(drawn, (u0, v0), (u1, v1), colour, thickness_px, cv2.LINE_AA)
    return drawn


def box_segments(camera: Camera, box_camera: OrientedBox) -> NDArray[np.float64]:
    """Returns the edges of a box in the camera's frame as segments (n, 4) in pixels, u0 v0 u1 v1, cut off at the near plane.

    Through a lens each edge is eight pieces, since it is bent, without those that lie beyond what the lens can draw.
    """
    corners = box_camera.corners()
    pieces = 1 if camera.distortion is None else 8
    segments = []
    for i, j in _EDGES:
        clipped = _clip_near(corners[i], corners[j], camera.near_m)
        if clipped is None:
            continue
        steps = np.linspace(0, 1, pieces + 1)[:, None]
        points = clipped[0] + steps * (clipped[1] - clipped[0])
        pixels, drawable = camera.project(points), _drawable(camera, points)
        segments += [np.r_[pixels[k], pixels[k + 1]] for k in range(pieces) if drawable[k] and drawable[k + 1]]
    return np.array(segments).reshape(-1, 4)


def draw_text(image: Image, text: str, at_px: tuple[int, int], colour: Colour = (255, 255, 255)) -> Image:
    """Writes a line of text with its lower left corner at (u, v), on a dark edge so that it reads on any ground."""
    import cv2

    drawn = np.ascontiguousarray(image).copy()
    for du, dv in ((-1, -1), (-1, 1), (1, -1), (1, 1), (0, 0)):
        place, shade = (at_px[0] + du, at_px[1] + dv), colour if du == dv == 0 else (0, 0, 0)
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, shade, 1, cv2.LINE_AA)
    return drawn


def contact_sheet(
    images: Sequence[Image], *, columns: int, labels: Sequence[str] = (), cell_width: int = 320, gap_px: int = 4
) -> Image:
    """Returns the images in rows of `columns`, each scaled to `cell_width` with its label above; heights may differ.

    `labels` may be shorter than `images`; a label that is missing leaves its strip empty.
    """
    if not images or columns < 1:
        raise ValueError(f"A contact sheet needs images and at least one column, got {len(images)} and {columns}.")
    texts = [*labels, *[""] * (len(images) - len(labels))]
    cells = [
        _cell(image, text, cell_width, with_caption=bool(labels)) for image, text in zip(images, texts, strict=True)
    ]
    height = max(len(cell) for cell in cells)
    rows = -(-len(cells) // columns)
    sheet = np.full(
        (rows * (height + gap_px) + gap_px, columns * (cell_width + gap_px) + gap_px, 3), 24, dtype=np.uint8
    )
    for k, cell in enumerate(cells):
        top = gap_px + k // columns * (height + gap_px)
        left = gap_px + k % columns * (cell_width + gap_px)
        sheet[top : top + len(cell), left : left + cell_width] = cell
    return sheet


def png_bytes(image: Image) -> bytes:
    """Returns an image as a well compressed RGB PNG."""
    import cv2

    encoded, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not encoded:
        raise ValueError(f"OpenCV could not encode an image {image.dtype} {image.shape} as PNG.")
    return data.tobytes()


def _cell(image: Image, text: str, width: int, *, with_caption: bool) -> Image:
    import cv2

    height = max(1, round(len(image) * width / image.shape[1]))
    way = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_NEAREST
    cell = np.asarray(cv2.resize(image, (width, height), interpolation=way), dtype=np.uint8)
    if not with_caption:
        return cell
    strip = draw_text(np.full((_CAPTION_PX, width, 3), 24, dtype=np.uint8), text, (3, _CAPTION_PX - 6))
    return np.concatenate([strip, cell])


def _clip_near(
    start: NDArray[np.float64], end: NDArray[np.float64], near_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Returns the part of a segment with z >= near_m, None where there is none."""
    if max(start[2], end[2]) < near_m:
        return None
    if min(start[2], end[2]) >= near_m:
        return start, end
    cut = start + (near_m - start[2]) / (end[2] - start[2]) * (end - start)
    return (cut, end) if start[2] < near_m else (start, cut)


def _drawable(camera: Camera, points_camera: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns which points (n, 3) lie before the turning point of the lens's polynomial; all for a pinhole."""
    if camera.distortion is None:
        return np.ones(len(points_camera), dtype=bool)
    x, y = (points_camera[:, k] / points_camera[:, 2] for k in (0, 1))
    xx, xy, yy = camera.distortion.jacobian(x, y)
    upright: NDArray[np.bool_] = (xx * yy - xy * xy > 0) & (xx + yy > 0)
    return upright
