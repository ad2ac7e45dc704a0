"""Frames on disk while a run lasts, each at its place in one file: one process writes them, another one reads them.

A frame's arrays have fixed sizes, so frame k starts at k * `frame_bytes`: depth float32 (H, W), instance uint16 (H, W),
rgb uint8 (H, W, 3), semantic uint8 (H, W), one behind the other, in the byte order of the machine. What is no array (name,
camera, objects) travels by itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from sim.frame import Frame, ObjectTruth, Truth

_DEPTH, _INSTANCE, _RGB, _SEMANTIC = 4, 2, 3, 1
BYTES_PER_PIXEL = _DEPTH + _INSTANCE + _RGB + _SEMANTIC


def frame_bytes(size: tuple[int, int]) -> int:
    """Returns what one frame of (width, height) takes in the file."""
    return size[0] * size[1] * BYTES_PER_PIXEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A frame without its arrays."""

    name: str
    camera: Camera
    time_s: float
    objects: tuple[ObjectTruth, ...]

    @classmethod
    def of(cls, frame: Frame) -> Shell:
        """Returns what of a frame the file does not hold."""
        return cls(name=frame.name, camera=frame.camera, time_s=frame.time_s, objects=frame.truth.objects)


class Spool:
    """The file of frames of one (width, height), opened by each process for itself. Raises OSError."""

    def __init__(self, path: Path, size: tuple[int, int], *, create: bool = False) -> None:
        self._pixels, self._shape = size[0] * size[1], (size[1], size[0])
        self._file = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if create else 0), 0o600)

    def write(self, number: int, frame: Frame) -> None:
        """Writes the arrays of a frame at its place."""
        truth, at = frame.truth, self._place(number)
        for array in (truth.depth_m, truth.instance, frame.rgb, truth.semantic):
            rest = np.ascontiguousarray(array).data.cast("B")
            while rest:
                written = os.pwrite(self._file, rest, at)
                at, rest = at + written, rest[written:]

    def rgb(self, number: int) -> NDArray[np.uint8]:
        """Reads the image of a frame alone, uint8 (H, W, 3)."""
        at = self._place(number) + self._pixels * (_DEPTH + _INSTANCE)
        return np.frombuffer(self._read(at, self._pixels * _RGB), np.uint8).reshape(*self._shape, 3)

    def frame(self, number: int, shell: Shell) -> Frame:
        """Reads a whole frame; raises ValueError where its arrays and its shell are not of one frame."""
        n, data = self._pixels, self._read(self._place(number), self._pixels * BYTES_PER_PIXEL)
        depth = np.frombuffer(data, np.float32, count=n)
        instance = np.frombuffer(data, np.uint16, count=n, offset=n * _DEPTH)
        rgb = np.frombuffer(data, np.uint8, count=n * _RGB, offset=n * (_DEPTH + _INSTANCE))
        semantic = np.frombuffer(data, np.uint8, count=n, offset=n * (_DEPTH + _INSTANCE + _RGB))
        truth = Truth(
            depth_m=depth.reshape(self._shape), instance=instance.reshape(self._shape), objects=shell.objects,
            semantic=semantic.reshape(self._shape),
        )  # fmt: skip
        rgb = rgb.reshape(*self._shape, _RGB)
        return Frame(name=shell.name, rgb=rgb, camera=shell.camera, truth=truth, time_s=shell.time_s)

    def close(self) -> None:
        """Lets go of the file; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _place(self, number: int) -> int:
        return number * self._pixels * BYTES_PER_PIXEL

    def _read(self, at: int, count: int) -> bytearray:
        data = bytearray(count)
        rest = memoryview(data)
        while rest:
            got = os.preadv(self._file, [rest], at)
            if not got:
                raise EOFError(f"The spool of frames ends {len(rest)} bytes early.")
            at, rest = at + got, rest[got:]
        return data
