"""Maps of an answer cross a slow link smaller and come out bit for bit; what is not exactly such a map is refused.

A map of 2 or 4 bytes a pixel is taken as unsigned numbers and each is replaced by what it adds to left + above - above left
(smooth depth leaves little; Lorenzo's predictor), with its sign in the lowest bit, and the bytes are laid in planes, high
ones apart from low ones. Then a general codec of one process-wide name: `zlib` (run lengths and Huffman, there everywhere)
or `zstd` (faster and smaller, where `zstandard` is installed on both sides). All arithmetic is modular, so nothing is lost.
The receiver knows dtype and shape from its own image, and nothing larger than that is ever allocated for them.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hil.link.protocol import Buffer, ProtocolError

RAW = "raw"
_MEMORY_LEVEL = 9
_ZSTD_LEVEL = 1
# The largest window a zstd frame may ask the receiver for: that of the largest part there can be.
_ZSTD_WINDOW = 2**23


@functools.cache
def codecs() -> tuple[str, ...]:
    """Returns the names of what this machine can pack and unpack, the best first; `raw` is understood by all.

    The first call loads what they need, so that no frame waits for an import.
    """
    try:
        import zstandard

        sample = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(b"sample")
        zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompress(sample, allow_extra_data=False)
    except (ImportError, TypeError):  # not there, or before 0.22, which cannot refuse what follows a frame
        return ("zlib",)
    return ("zstd", "zlib")


def encode(array: NDArray[Any], codec: str) -> NDArray[np.uint8]:
    """Packs a map (H, W) as uint8 (n,); raises ValueError for a codec that is not one of `codecs()`."""
    planes = array if array.itemsize == 1 else _to_planes(array)
    data = np.ascontiguousarray(planes).data.cast("B")
    if codec == "zlib":
        packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, _MEMORY_LEVEL, zlib.Z_RLE)
        packed = packer.compress(data) + packer.flush()
    elif codec == "zstd" and codec in codecs():
        import zstandard

        packed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)
    else:
        raise ValueError(f"A map is packed by one of {', '.join(codecs())}, not by {codec!r}.")
    return np.frombuffer(packed, dtype=np.uint8)


def decode(data: NDArray[np.uint8], codec: str, *, dtype: np.dtype[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Unpacks what `encode` packed; allocates at most a few times the announced map. Raises ProtocolError."""
    size = int(np.prod(shape)) * dtype.itemsize
    flat: Buffer
    if codec == "zlib":
        flat = _unzlib(np.ascontiguousarray(data).data, size)
    elif codec == "zstd" and codec in codecs():
        flat = _unzstd(np.ascontiguousarray(data).data, size)
    else:
        raise ProtocolError(f"A map is packed by {codec[:20]!r}, which this side cannot unpack.")
    if len(flat) != size:
        raise ProtocolError(f"A packed map unpacks to {len(flat)} bytes instead of {size}.")
    planes = np.frombuffer(flat, dtype=np.uint8)
    if dtype.itemsize == 1:
        return planes.view(dtype).reshape(shape)
    return _from_planes(planes.reshape(dtype.itemsize, *shape)).view(dtype)


def _to_planes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Returns uint8 (itemsize, H, W), the lowest bytes first."""
    unsigned = np.ascontiguousarray(array).view(np.dtype(f"<u{array.itemsize}"))
    down = unsigned.copy()
    down[1:] -= unsigned[:-1]
    across = down.copy()
    across[:, 1:] -= down[:, :-1]
    sign = (across.view(np.dtype(f"<i{array.itemsize}")) >> (8 * array.itemsize - 1)).view(unsigned.dtype)
    across <<= 1
    across ^= sign
    return np.stack(cv2.split(across.view(np.uint8).reshape(*array.shape, array.itemsize)))


def _from_planes(planes: NDArray[np.uint8]) -> NDArray[Any]:
    """Returns the unsigned numbers (H, W) whose `_to_planes` this is."""
    kind = np.dtype(f"<u{len(planes)}")
    folded = np.ascontiguousarray(cv2.merge(list(planes))).view(kind).reshape(planes.shape[1:])
    across = folded >> 1
    across ^= np.negative(folded & 1)  # all ones where the sign bit was set
    numbers = np.cumsum(across, axis=1, dtype=kind)
    for y in range(1, len(numbers)):  # four times as fast as cumsum over columns
        numbers[y] += numbers[y - 1]
    return numbers


def _unzlib(data: memoryview, size: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        flat = unpacker.decompress(data, size + 1)
    except zlib.error as error:
        raise ProtocolError(f"A packed map cannot be unpacked: {error}.") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ProtocolError(f"A packed map does not end after the {size} bytes that it should have.")
    return flat


def _unzstd(data: memoryview, size: int) -> Buffer:
    import zstandard

    try:
        said = zstandard.get_frame_parameters(data)
        if said.content_size != size or said.window_size > _ZSTD_WINDOW:
            raise ProtocolError(f"A packed map announces {said.content_size} bytes instead of {size}.")
        return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompress(
            data, max_output_size=size, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise ProtocolError(f"A packed map cannot be unpacked: {error}.") from error
