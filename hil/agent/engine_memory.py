"""Images and answers pass between two processes through memory that both map: no pickle, no copy through a pipe.

The memory has no name: it is a descriptor that the child inherits, so it is gone when the last of both is, however that
one ends, and there is nothing to unlink. Slots are given out by the side of the link alone: two for images, so that one
can wait while another is looked at, and a few for answers, which leave from where the engine's process wrote them.
"""

from __future__ import annotations

import fcntl
import itertools
import mmap
import os
import tempfile
import weakref
from collections.abc import Collection, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from hil.link.protocol import MAX_ARRAYS, MAX_META_BYTES, MAX_PART_BYTES, Body, Kind

IMAGES, ANSWERS = 2, 5
_ANSWER_BYTES = MAX_META_BYTES + MAX_ARRAYS * MAX_PART_BYTES
_ANSWERS_AT = IMAGES * MAX_PART_BYTES
# Only pages that were written take memory, so the limits of the protocol can be the sizes of the slots.
_ALL_BYTES = _ANSWERS_AT + ANSWERS * _ANSWER_BYTES


class EngineMemory:
    """The memory of one engine process; without a `descriptor` it is made, with one that of the other side is mapped."""

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _make() if descriptor is None else descriptor
        self._map = mmap.mmap(self.descriptor, _ALL_BYTES)
        self._view = memoryview(self._map)
        self._leaving: set[int] = set()

    def put_image(self, slot: int, rgb: NDArray[np.uint8]) -> None:
        """Copies an image of at most 8 MiB into its slot."""
        start = slot * MAX_PART_BYTES
        # A slice keeps the interpreter's lock; numpy would give it away, and wait for it beside a busy thread.
        self._view[start : start + rgb.nbytes] = np.ascontiguousarray(rgb).data.cast("B")

    def image(self, slot: int, shape: Sequence[int]) -> NDArray[np.uint8]:
        """Returns a read-only view of an image (H, W, 3); it changes when the slot is given out again."""
        size = int(np.prod(shape))
        if not 0 <= slot < IMAGES or len(shape) != 3 or not 0 < size <= MAX_PART_BYTES:
            raise ValueError(f"There is no image {shape} in slot {slot}.")
        image = np.frombuffer(self._view, np.uint8, size, slot * MAX_PART_BYTES).reshape(shape)
        image.setflags(write=False)
        return image

    def free_slot(self, beside: Collection[int] = ()) -> int:
        """Returns a slot for the next answer: one whose last answer has left, and none of those `beside`, of which one may be."""
        return next(slot for slot in range(ANSWERS) if slot not in self._leaving and slot not in beside)

    def put_answer(self, slot: int, body: Body) -> list[int]:
        """Copies a packed message into its slot; returns the sizes of its parts, metadata first."""
        at, sizes = _ANSWERS_AT + slot * _ANSWER_BYTES, []
        for part in (memoryview(body.meta), *body.arrays):
            self._view[at : at + part.nbytes] = part
            at += part.nbytes
            sizes.append(part.nbytes)
        return sizes

    def answer(self, slot: int, kind: int, sizes: Sequence[int], checksum: int) -> Body:
        """Returns the message in a slot, which is taken until nobody looks at its arrays any more.

        The last free slots are freed by a copy, so a host that does not read stops no engine. Raises ValueError for what
        cannot be a message.
        """
        if not sizes or min(sizes) < 0 or sizes[0] > MAX_META_BYTES:
            raise ValueError(f"the engine's process says that an answer has parts of {list(sizes)[:8]} bytes")
        if len(sizes) > 1 + MAX_ARRAYS or max(sizes) > MAX_PART_BYTES:
            raise ValueError("the engine's process says that an answer is larger than the link carries")
        if type(checksum) is not int or not 0 <= checksum < 2**64:
            raise ValueError("the engine's process gives an answer no checksum")
        at = _ANSWERS_AT + slot * _ANSWER_BYTES
        whole = np.frombuffer(self._view, np.uint8, sum(sizes), at)
        if len(self._leaving | {slot}) >= ANSWERS - 1:
            whole = whole.copy()
        else:
            self._leaving.add(slot)
            weakref.finalize(whole, self._leaving.discard, slot)
        ends = list(itertools.accumulate(sizes))
        meta, *arrays = (whole.data[end - size : end] for size, end in zip(sizes, ends, strict=True))
        array_bytes = sum(sizes) - sizes[0]
        return Body(kind=Kind(kind), meta=bytes(meta), arrays=tuple(arrays), array_bytes=array_bytes, checksum=checksum)

    def close(self) -> None:
        """Unmaps it and closes the descriptor; may be called twice."""
        with suppress(BufferError):  # an image of it is still looked at
            self._view.release()
            self._map.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _make() -> int:
    """Returns the descriptor of nameless memory: Linux has it, elsewhere an unlinked file does the same."""
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryFile() as file:
            file.truncate(_ALL_BYTES)
            return os.dup(file.fileno())
    descriptor = os.memfd_create("rehearse-engine", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, _ALL_BYTES)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return descriptor
