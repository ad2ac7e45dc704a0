"""Puts the FAKES where `import tensorrt` and `import cuda.bindings.runtime` (or `cuda.cudart`) find them, for a while."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.perception.fake_tensorrt.bindings import make_tensorrt
from tests.perception.fake_tensorrt.cuda_runtime import make_runtime
from tests.perception.fake_tensorrt.gpu import FakeGpu

_MINE = ("tensorrt", "cuda", "cuda.bindings", "cuda.bindings.runtime", "cuda.cudart")


@contextmanager
def installed(version: str, *, gpu: FakeGpu | None = None, old_cuda: bool = False, cuda: bool = True) -> Iterator[FakeGpu]:
    """Yields the GPU behind the fakes; `old_cuda` is cuda-python before `cuda.bindings`, without `cuda` there is none."""
    gpu = gpu or FakeGpu()
    modules: dict[str, Any] = {"tensorrt": make_tensorrt(version, gpu)}
    if cuda:
        package = types.ModuleType("cuda")
        package.__path__ = []
        modules["cuda"] = package
        if old_cuda:
            package.cudart = modules["cuda.cudart"] = make_runtime("cuda.cudart", gpu)
        else:
            bindings: Any = types.ModuleType("cuda.bindings")
            bindings.__path__ = []
            bindings.runtime = modules["cuda.bindings.runtime"] = make_runtime("cuda.bindings.runtime", gpu)
            package.bindings = modules["cuda.bindings"] = bindings
    for name, module in modules.items():
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    before = {name: sys.modules.pop(name, None) for name in _MINE}
    sys.modules.update(modules)
    if not cuda:
        sys.modules["cuda"] = None  # type: ignore[assignment]  # an import of it fails
    try:
        yield gpu
    finally:
        for name in _MINE:
            sys.modules.pop(name, None)
        sys.modules.update({name: module for name, module in before.items() if module is not None})
