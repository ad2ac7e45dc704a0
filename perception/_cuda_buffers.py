"""Every tensor of an engine has one buffer for its whole life: where the host reads and writes, and where the device does."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from perception._cuda import Cuda

_PAGE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A tensor of the engine, of a shape that does not change."""

    name: str
    is_input: bool
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """Its size."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buffer:
    """`array` is page-locked memory of the host, valid until the buffers are released; `device` is what the engine uses.

    `queue` queues the copy that the buffer needs before (an input) or after (an output) the network; None where the
    device sees the host's memory itself.
    """

    port: Port
    array: NDArray[Any]
    device: int
    queue: Callable[[Any], None] | None


def open_buffers(cuda: Cuda, ports: Iterable[Port], memory: Literal["pinned", "mapped"], held: ExitStack) -> dict[str, Buffer]:
    """Allocates a buffer for each port, by name; `held` gives all of them back."""
    return {port.name: _open(cuda, port, held, mapped=memory == "mapped") for port in ports}


def _open(cuda: Cuda, port: Port, held: ExitStack, *, mapped: bool) -> Buffer:
    nbytes = port.nbytes
    host = cuda.allocate_host(-(-nbytes // _PAGE) * _PAGE, mapped=mapped)
    held.callback(cuda.free_host, host)
    array = np.frombuffer(memoryview((ctypes.c_uint8 * nbytes).from_address(host)), dtype=port.dtype).reshape(port.shape)
    array[...] = 0
    if mapped:
        return Buffer(port=port, array=array, device=cuda.device_address(host), queue=None)
    device = cuda.allocate(nbytes)
    held.callback(cuda.free, device)

    def upload(stream: Any) -> None:
        cuda.upload(device, host, nbytes, stream)

    def download(stream: Any) -> None:
        cuda.download(host, device, nbytes, stream)

    return Buffer(port=port, array=array, device=device, queue=upload if port.is_input else download)
