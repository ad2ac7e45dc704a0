"""One codec per shape of annotation: value -> files by kind and suffix -> the same value, bit for bit."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim._png import decode_gray, decode_ids, decode_rgb, decode_rgba, encode_gray, encode_ids, encode_rgb, encode_rgba
from sim.annotators.cloud import PointCloud
from sim.annotators.flow import Flow
from sim.annotators.normals import normals_to_png
from sim.annotators.segmentation import Panoptic, Segmentation
from sim.basicwriter import json_bytes, npy_bytes

Files = dict[str, bytes]
Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """The files of one annotation, such as normals.png, how a value becomes them and how it is read back."""

    files: tuple[str, ...]
    encode: Callable[[Any], Files]
    decode: Callable[[Read], Any]


def rgb_codec(name: str) -> Codec:
    """The image, uint8 (H, W, 3) here, RGBA with alpha 255 in NAME.png."""
    file = f"{name}.png"
    return Codec(files=(file,), encode=lambda a: {file: encode_rgb(a)}, decode=lambda read: decode_rgb(read(file)))


def array_codec(name: str) -> Codec:
    """An array in NAME.npy."""
    file = f"{name}.npy"
    return Codec(files=(file,), encode=lambda a: {file: npy_bytes(a)}, decode=lambda read: read_npy(read(file)))


def json_codec(name: str) -> Codec:
    """Plain JSON values in NAME.json."""
    file = f"{name}.json"
    return Codec(files=(file,), encode=lambda v: {file: json_bytes(v)}, decode=lambda read: json.loads(read(file)))


def gray_codec(name: str) -> Codec:
    """A picture for people, uint8 (H, W), in NAME.png."""
    file = f"{name}.png"
    return Codec(files=(file,), encode=lambda a: {file: encode_gray(a)}, decode=lambda read: decode_gray(read(file)))


def normals_codec(name: str) -> Codec:
    """BasicWriter's 8-bit NAME.png, and the exact numbers in NAME.npy, which is what is read back."""
    return Codec(
        files=(f"{name}.png", f"{name}.npy"),
        encode=lambda n: {f"{name}.png": encode_rgba(normals_to_png(n)), f"{name}.npy": npy_bytes(n)},
        decode=lambda read: read_npy(read(f"{name}.npy")),
    )


def segmentation_codec(name: str, *maps: str) -> Codec:
    """Ids as 16-bit gray NAME.png, or colours as RGBA, with one json beside it per map."""
    files = (f"{name}.png", *(f"{name}_{m}.json" for m in maps))

    def encode(value: Segmentation) -> Files:
        png = encode_rgba(value.ids.astype(np.uint8)) if value.ids.ndim == 3 else encode_ids(value.ids.astype(np.uint16))
        return {files[0]: png} | {file: json_bytes(m) for file, m in zip(files[1:], value.maps, strict=True)}

    def decode(read: Read) -> Segmentation:
        ids = decode_rgba(read(files[0])) if name.endswith("_colorized") else decode_ids(read(files[0]))
        return Segmentation(ids=ids, maps=tuple(json.loads(read(file)) for file in files[1:]))

    return Codec(files=files, encode=encode, decode=decode)


def boxes_codec(name: str) -> Codec:
    """A structured array NAME.npy with its labels and the prim path of every row; the value is a tuple of the three."""
    files = (f"{name}.npy", f"{name}_labels.json", f"{name}_prim_paths.json")
    return Codec(
        files=files,
        encode=lambda v: {files[0]: npy_bytes(v[0]), files[1]: json_bytes(v[1]), files[2]: json_bytes(v[2])},
        decode=lambda read: (read_npy(read(files[0])), json.loads(read(files[1])), json.loads(read(files[2]))),
    )


def flow_codec(name: str) -> Codec:
    """A Flow: NAME.npy and its states NAME_state.png."""
    files = (f"{name}.npy", f"{name}_state.png")
    return Codec(
        files=files,
        encode=lambda f: {files[0]: npy_bytes(f.pixels), files[1]: encode_gray(f.state)},
        decode=lambda read: Flow(pixels=read_npy(read(files[0])), state=decode_gray(read(files[1]))),
    )


def cloud_codec(name: str) -> Codec:
    """A PointCloud in the five arrays that BasicWriter writes."""
    fields = {"points": name, **{field: f"{name}_{field}" for field in ("rgb", "normals", "semantic", "instance")}}
    return Codec(
        files=tuple(f"{file}.npy" for file in fields.values()),
        encode=lambda c: {f"{file}.npy": npy_bytes(getattr(c, field)) for field, file in fields.items()},
        decode=lambda read: PointCloud(**{field: read_npy(read(f"{file}.npy")) for field, file in fields.items()}),
    )


def panoptic_codec(name: str) -> Codec:
    """COCO's NAME.png, id = R + 256 G + 65536 B, and NAME.json."""

    def encode(value: Panoptic) -> Files:
        rgb = np.stack([value.ids & 255, value.ids >> 8 & 255, value.ids >> 16], axis=-1).astype(np.uint8)
        return {f"{name}.png": encode_rgba(rgb), f"{name}.json": json_bytes(value.record)}

    def decode(read: Read) -> Panoptic:
        rgb = decode_rgba(read(f"{name}.png"), channels=3).astype(np.int32)
        ids = rgb[..., 0] | rgb[..., 1] << 8 | rgb[..., 2] << 16
        return Panoptic(ids=ids, record=json.loads(read(f"{name}.json")))

    return Codec(files=(f"{name}.png", f"{name}.json"), encode=encode, decode=decode)


def read_npy(data: bytes) -> NDArray[Any]:
    """Reads npy bytes; raises ValueError."""
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return array

