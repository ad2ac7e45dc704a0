"""Pictures, maps, boxes and names as Foxglove's well-known messages: what a viewer shows, and what is read back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import foxglove.messages as fox
import numpy as np
from numpy.typing import NDArray

from hil.mcap.wire import Buffer, bytes_field, fields
from perception.prediction import Segment
from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose

CAMERA, WORLD = "camera", "world"
# The numbers of `timestamp` in the messages that are kept without it.
STAMP_OF = {"foxglove.RawImage": 1, "foxglove.CompressedImage": 1, "foxglove.CameraCalibration": 1}
_DATA_OF_RAW_IMAGE = 6
_PREVIEW_QUALITY = 85
_ENCODINGS = {"rgb8": ("u1", 3), "mono8": ("u1", 1), "16UC1": ("<u2", 1), "32SC1": ("<i4", 1), "32FC1": ("<f4", 1)}
_MAX_SIDE = 16384
_ALPHA = 0.35


def schema_of(name: str) -> tuple[str, str, bytes]:
    """Returns name, encoding and data of a foxglove.* schema."""
    schema = getattr(fox, name.removeprefix("foxglove.")).get_schema()
    return schema.name, schema.encoding, schema.data


def raw_image(array: NDArray[Any], encoding: str) -> bytes:
    """Returns a RawImage of (H, W) or (H, W, 3) without its time stamp; raises ValueError where the encoding does not fit."""
    dtype, channels = _ENCODINGS[encoding]
    if array.dtype != np.dtype(dtype) or array.shape[2:] != ((channels,) if channels > 1 else ()):
        raise ValueError(f"{array.dtype} {array.shape} is not {encoding}")
    height, width = array.shape[:2]
    step = width * channels * array.dtype.itemsize
    head = fox.RawImage(frame_id=CAMERA, width=width, height=height, encoding=encoding, step=step).encode()
    return b"".join([head, *bytes_field(_DATA_OF_RAW_IMAGE, np.ascontiguousarray(array).data.cast("B"))])


def open_raw_image(data: Buffer) -> NDArray[Any]:
    """Returns the array of a RawImage, a read-only view; raises ValueError where its sizes do not agree."""
    found = dict(fields(data))
    width, height, name, pixels = (found.get(number) for number in (2, 3, 4, _DATA_OF_RAW_IMAGE))
    if not (isinstance(width, int) and isinstance(height, int) and isinstance(pixels, memoryview)):
        raise ValueError("an image lacks its size or its pixels")  # noqa: TRY004  # it is what was read that is wrong
    encoding = bytes(name).decode("ascii", "replace") if isinstance(name, memoryview) else ""
    if encoding not in _ENCODINGS or not 0 < width <= _MAX_SIDE or not 0 < height <= _MAX_SIDE:
        raise ValueError(f"an image is {encoding[:20]!r} of {width}x{height}")
    dtype, channels = _ENCODINGS[encoding]
    if len(pixels) != width * height * channels * np.dtype(dtype).itemsize:
        raise ValueError(f"an image of {width}x{height} {encoding} has {len(pixels)} bytes")
    array = np.frombuffer(pixels, dtype=dtype)
    return array.reshape((height, width, 3) if channels == 3 else (height, width))


def preview(rgb: NDArray[np.uint8]) -> bytes:
    """Returns a CompressedImage without its time stamp: a JPEG, lossy."""
    done, jpeg = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _PREVIEW_QUALITY])
    if not done:
        raise ValueError("an image could not be encoded as JPEG")
    return fox.CompressedImage(frame_id=CAMERA, data=jpeg.tobytes(), format="jpeg").encode()


def calibration(camera: Camera) -> bytes:
    """Returns a CameraCalibration without its time stamp; OpenCV's pixel centres and order of coefficients, as ROS has them."""
    lens = camera.distortion
    coefficients = [0.0] * 5 if lens is None else [*lens.coefficients, *[0.0] * (5 - len(lens.coefficients))]
    k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    return fox.CameraCalibration(
        frame_id=CAMERA, width=camera.width, height=camera.height,
        distortion_model="plumb_bob" if len(coefficients) == 5 else "rational_polynomial", D=coefficients, K=k,
        R=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], P=[*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0],
    ).encode()  # fmt: skip


def transforms(camera: Camera, at_ns: int) -> bytes:
    """Returns FrameTransforms: where the camera is in the world."""
    moved = fox.FrameTransform(
        timestamp=stamp(at_ns), parent_frame_id=WORLD, child_frame_id=CAMERA,
        translation=_vector(camera.world_from_camera.position_m), rotation=_pose(camera.world_from_camera)[1],
    )  # fmt: skip
    return fox.FrameTransforms(transforms=[moved]).encode()


def scene(boxes: Sequence[tuple[int, str, OrientedBox]], frame_id: str, at_ns: int) -> bytes:
    """Returns a SceneUpdate of (category, text, box) each, coloured by category; what was shown before is deleted."""
    entities = [
        fox.SceneEntity(
            timestamp=stamp(at_ns), frame_id=frame_id, id=f"{frame_id}/{i}", cubes=[_cube(category, box)],
            texts=[_text(text, box)], metadata=[fox.KeyValuePair(key="category", value=TAXONOMY[category].name)],
        )
        for i, (category, text, box) in enumerate(boxes)
    ]  # fmt: skip
    gone = fox.SceneEntityDeletion(timestamp=stamp(at_ns), type=fox.SceneEntityDeletionType.All)
    return fox.SceneUpdate(deletions=[gone], entities=entities).encode()


def outlines(segments: Sequence[Segment], corners: Sequence[tuple[int, int, int, int]], at_ns: int) -> bytes:
    """Returns ImageAnnotations: the pixel box (x_min, y_min, x_max, y_max) and the name of every segment that has pixels."""
    at, points, texts = stamp(at_ns), [], []
    for segment, (left, top, right, bottom) in zip(segments, corners, strict=True):
        if right < left:
            continue
        colour = _colour(segment.category_id, 1.0)
        outline = [fox.Point2(x=x, y=y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
        loop = fox.PointsAnnotationType.LineLoop
        points.append(fox.PointsAnnotation(timestamp=at, type=loop, points=outline, outline_color=colour, thickness=2.0))
        where = fox.Point2(x=left, y=max(top - 2, 10))
        texts.append(
            fox.TextAnnotation(timestamp=at, position=where, text=_name(segment), font_size=12.0, text_color=colour)
        )
    return fox.ImageAnnotations(timestamp=at, points=points, texts=texts).encode()


def log(message: str, level: str, at_ns: int) -> bytes:
    """Returns a Log; the level is Info, Warning or Error."""
    return fox.Log(
        timestamp=stamp(at_ns), level=getattr(fox.LogLevel, level), message=message, name="rehearse"
    ).encode()


def answer_boxes(segments: Sequence[Segment]) -> list[tuple[int, str, OrientedBox]]:
    """Returns the boxes of an answer for `scene`."""
    return [(s.category_id, _name(s), s.box_camera) for s in segments if s.box_camera is not None]


def stamp(at_ns: int) -> fox.Timestamp:
    """Returns ns since 1970 as a message's time."""
    return fox.Timestamp(at_ns // 10**9, at_ns % 10**9)


def _name(segment: Segment) -> str:
    return f"{TAXONOMY[segment.category_id].name} {segment.score:.2f}"


def _cube(category: int, box: OrientedBox) -> fox.CubePrimitive:
    position, rotation = _pose(box.outer_from_box)
    pose = fox.Pose(position=position, orientation=rotation)
    return fox.CubePrimitive(pose=pose, size=_vector(box.size_m), color=_colour(category, _ALPHA))


def _text(text: str, box: OrientedBox) -> fox.TextPrimitive:
    position, _ = _pose(box.outer_from_box)
    white = fox.Color(r=1.0, g=1.0, b=1.0, a=1.0)
    pose = fox.Pose(position=position, orientation=fox.Quaternion(x=0.0, y=0.0, z=0.0, w=1.0))
    return fox.TextPrimitive(pose=pose, billboard=True, font_size=12.0, scale_invariant=True, color=white, text=text)


def _pose(pose: Pose) -> tuple[fox.Vector3, fox.Quaternion]:
    w, x, y, z = pose.quaternion_wxyz
    return _vector(pose.position_m), fox.Quaternion(x=x, y=y, z=z, w=w)


def _vector(values: Sequence[float]) -> fox.Vector3:
    x, y, z = values
    return fox.Vector3(x=x, y=y, z=z)


def _colour(category: int, alpha: float) -> fox.Color:
    r, g, b = (channel / 255 for channel in TAXONOMY[category].colour)
    return fox.Color(r=r, g=g, b=b, a=alpha)
