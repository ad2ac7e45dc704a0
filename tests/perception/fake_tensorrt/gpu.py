"""A FAKE GPU: what is queued on a stream happens when someone waits for it, and what a GPU would let pass is told."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

_ALIAS = 1 << 46  # the device sees mapped memory of the host at another address


class Misuse(AssertionError):  # noqa: N818  # it is what it says
    """Something that a real GPU would answer with a wrong picture, or not at all."""


@dataclass(slots=True, kw_only=True)
class Block:
    """One allocation; it stays in memory after it was freed, so that a late access is told and does not crash."""

    kind: Literal["host", "mapped", "device"]
    memory: Any
    nbytes: int
    freed: bool = False


@dataclass(slots=True, kw_only=True)
class Stream:
    """What waits to be done, and what is recorded while it is captured."""

    queue: list[Callable[[], None]] = field(default_factory=list)
    recording: list[Callable[[], None]] | None = None
    broken: bool = False


class FakeGpu:
    """The state of the device behind both fakes; tests change its attributes and read what is left of it."""

    def __init__(self) -> None:
        self.name, self.sm, self.integrated, self.devices, self.dla_cores = "Fake Orin", (8, 7), True, 1, 2
        self.blocks: dict[int, Block] = {}
        self.streams: dict[int, Stream] = {}
        self.events: set[int] = set()
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.executables: dict[int, list[Callable[[], None]]] = {}
        self.fail: dict[str, str] = {}
        self.calls: list[str] = []
        self.logger: Any = None
        self.dla_refuses: set[str] = {"Resize"}
        self.unsupported_operators: set[str] = set()
        self.tensor_facts: dict[str, dict[str, Any]] = {}
        self.refuse: set[str] = set()
        self.kernels_measured = 0
        self.builds: list[dict[str, Any]] = []
        self._handle = 4096

    def allocate(self, nbytes: int, kind: Literal["host", "mapped", "device"]) -> int:
        memory = (ctypes.c_uint8 * nbytes)(*([0xAB] * min(nbytes, 64)))
        address = ctypes.addressof(memory)
        self.blocks[address] = Block(kind=kind, memory=memory, nbytes=nbytes)
        return address

    def free(self, address: int, kinds: tuple[str, ...]) -> None:
        block = self.blocks.get(address)
        if block is None or block.freed or block.kind not in kinds:
            raise Misuse(f"free of {address:#x}, which is not {' or '.join(kinds)} memory in use")
        if any(stream.queue for stream in self.streams.values()):
            raise Misuse("memory is given back while work that may use it is queued")
        block.freed = True

    def alias(self, address: int) -> int:
        if self._find(address, 1).kind != "mapped":
            raise Misuse("the device pointer of memory that is not mapped")
        return address + _ALIAS

    def handle(self) -> int:
        self._handle += 8
        return self._handle

    def stream(self, handle: int) -> Stream:
        if handle == 0:
            raise Misuse("the default stream is used")
        if handle not in self.streams:
            raise Misuse(f"the stream {handle} is used, which there is not")
        return self.streams[handle]

    def submit(self, handle: int, work: Callable[[], None]) -> None:
        stream = self.stream(handle)
        (stream.queue if stream.recording is None else stream.recording).append(work)

    def drain(self, handle: int) -> None:
        stream = self.stream(handle)
        queue, stream.queue = stream.queue, []
        for work in queue:
            work()

    def read(self, address: int, nbytes: int, *, by_device: bool) -> bytes:
        block, start = self._reach(address, nbytes, by_device=by_device)
        return bytes(memoryview(block.memory)[start : start + nbytes])

    def write(self, address: int, data: bytes, *, by_device: bool) -> None:
        block, start = self._reach(address, len(data), by_device=by_device)
        memoryview(block.memory).cast("B")[start : start + len(data)] = data

    def _reach(self, address: int, nbytes: int, *, by_device: bool) -> tuple[Block, int]:
        aliased = address >= _ALIAS and (address - _ALIAS) in self.blocks
        real = address - _ALIAS if aliased else address
        block = self._find(real, nbytes)
        if by_device and block.kind != "device" and not aliased:
            raise Misuse("the device is given an address of the host")
        if not by_device and (block.kind == "device" or aliased):
            raise Misuse("the host is given an address of the device")
        return block, real - ctypes.addressof(block.memory)

    def _find(self, address: int, nbytes: int) -> Block:
        for start, block in self.blocks.items():
            if start <= address < start + block.nbytes and not block.freed:
                if address + nbytes > start + block.nbytes:
                    raise Misuse(f"{nbytes} bytes where there are {block.nbytes}")
                return block
        late = self.blocks.get(address)
        raise Misuse(f"memory that was {'freed' if late is not None and late.freed else 'never allocated'} is used")

    def used_bytes(self) -> int:
        return sum(block.nbytes for block in self.blocks.values() if not block.freed)

    def assert_all_given_back(self) -> None:
        left = {
            "bytes": self.used_bytes(), "streams": len(self.streams), "events": len(self.events), "graphs": len(self.graphs),
            "executables": len(self.executables),
        }  # fmt: skip
        assert not any(left.values()), left
