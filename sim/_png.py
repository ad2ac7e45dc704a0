"""PNG bytes and back, exactly: RGBA images with alpha 255 and 16-bit id maps."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# Level 1 with run lengths: at photographic content a tenth of the time of the default for 15 % more bytes. One filter for
# all rows, in place of the best for each, saves another third for 8 % in images and two thirds in maps of ids.


def encode_rgb(rgb: NDArray[np.uint8]) -> bytes:
    """Returns an RGBA PNG, alpha 255, of an image (H, W, 3)."""
    import cv2

    return _encode(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA), "SUB")


def encode_ids(ids: NDArray[np.uint16]) -> bytes:
    """Returns a 16-bit gray PNG of an id map (H, W)."""
    return _encode(ids, "UP")


def encode_rgba(image: NDArray[np.uint8]) -> bytes:
    """Returns a PNG of an image (H, W, 4), or (H, W, 3) without alpha, as it is."""
    import cv2

    return _encode(cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR), "UP")


def encode_gray(image: NDArray[np.uint8]) -> bytes:
    """Returns an 8-bit gray PNG of an image (H, W)."""
    return _encode(image, "UP")


def decode_rgba(data: bytes, channels: int = 4) -> NDArray[np.uint8]:
    """Returns an image uint8 (H, W, channels) of a PNG that has that many; raises ValueError."""
    import cv2

    image = _decode(data)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != channels:
        raise ValueError(f"expected an 8-bit image of {channels} channels, got {image.dtype} {image.shape}")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if channels == 4 else cv2.COLOR_BGR2RGB), dtype=np.uint8)


def decode_gray(data: bytes) -> NDArray[np.uint8]:
    """Returns an image uint8 (H, W) of an 8-bit gray PNG; raises ValueError."""
    image = _decode(data)
    if image.dtype != np.uint8 or image.ndim != 2:
        raise ValueError(f"expected an 8-bit gray image, got {image.dtype} {image.shape}")
    gray: NDArray[np.uint8] = image
    return gray


def decode_rgb(data: bytes) -> NDArray[np.uint8]:
    """Returns an image uint8 (H, W, 3) of an RGB or RGBA PNG; alpha is dropped. Raises ValueError."""
    import cv2

    image = _decode(data)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
        raise ValueError(f"expected an 8-bit RGB or RGBA image, got {image.dtype} {image.shape}")
    code = cv2.COLOR_BGRA2RGB if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code), dtype=np.uint8)


def decode_channels(data: bytes) -> NDArray[np.uint8]:
    """Returns uint8 (H, W, 3) of any 8-bit image, a gray one three times; alpha is dropped. Raises ValueError."""
    import cv2

    image = _decode(data)
    if image.dtype != np.uint8:
        raise ValueError(f"expected an 8-bit image, got {image.dtype} {image.shape}")
    return decode_rgb(data) if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def decode_labels(data: bytes) -> NDArray[np.uint32]:
    """Returns a label per pixel, uint32 (H, W): 16-bit ids as they are, colours as R | G << 8 | B << 16 | A << 24."""
    image = _decode(data)
    if image.dtype == np.uint16 and image.ndim == 2:
        return image.astype(np.uint32)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 4:
        raise ValueError(f"expected 16-bit ids or 8-bit RGBA colours, got {image.dtype} {image.shape}")
    blue, green, red, alpha = (image[..., k].astype(np.uint32) for k in range(4))
    return np.asarray(red | green << 8 | blue << 16 | alpha << 24, dtype=np.uint32)


def decode_ids(data: bytes) -> NDArray[np.uint16]:
    """Returns an id map uint16 (H, W) of a 16-bit gray PNG; raises ValueError."""
    image = _decode(data)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise ValueError(f"expected a 16-bit gray image of ids, got {image.dtype} {image.shape}")
    ids: NDArray[np.uint16] = image
    return ids


def decode_any(data: bytes) -> NDArray[Any]:
    """Returns whatever picture a PNG holds: gray (H, W) of its own dtype, or RGB or RGBA uint8; raises ValueError."""
    import cv2

    image = _decode(data)
    if image.ndim == 2:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB))


def _encode(image: NDArray[np.generic], row_filter: Literal["SUB", "UP"]) -> bytes:
    import cv2

    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # an OpenCV before 4.11 takes the best for each row
        options += [cv2.IMWRITE_PNG_FILTER, getattr(cv2, f"IMWRITE_PNG_FILTER_{row_filter}")]
    encoded, data = cv2.imencode(".png", np.asarray(image), options)
    if not encoded:
        raise ValueError(f"OpenCV could not encode an image {image.dtype} {image.shape} as PNG")
    return data.tobytes()


def _decode(data: bytes) -> NDArray[Any]:
    import cv2

    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None:
        raise ValueError("not a whole image")
    return np.asarray(image)
