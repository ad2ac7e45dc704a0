"""The tensorrt module of this Python, with one logger that keeps its complaints, or one sentence that says why there is none."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from scenes.errors import EngineError

_KEPT_LINES = 20


class Log(Protocol):
    """TensorRT's logger, which one process has once."""

    @property
    def lines(self) -> deque[str]:
        """The last errors and warnings, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRt:
    """The module `tensorrt` and its logger; `trt` is what a name of TensorRT is looked up in."""

    trt: Any
    log: Log
    version: str

    def complaint(self) -> str:
        """Returns the last thing that TensorRT complained of, for the end of a sentence, and forgets all of them."""
        said = self.log.lines[-1] if self.log.lines else "TensorRT gave no reason"
        self.log.lines.clear()
        return " ".join(said.split()).rstrip(".")[:500]


@contextmanager
def constructing(library: TensorRt) -> Iterator[None]:
    """Turns what the bindings raise where TensorRT makes no object (a TypeError on a null pointer) into an EngineError."""
    try:
        yield
    except (TypeError, RuntimeError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise EngineError(f"TensorRT {library.version} does not start here: {library.complaint()} ({said}).") from error


def open_tensorrt() -> TensorRt:
    """Imports TensorRT (8.6 or newer); raises EngineError with what is missing."""
    try:
        import tensorrt as trt
    except ImportError as error:
        raise EngineError(
            f"TensorRT is not in this Python ({error}); on a Jetson it comes with JetPack: make the environment with "
            "`python3 -m venv --system-site-packages`."
        ) from error
    return _opened(trt)


@functools.cache
def _opened(trt: Any) -> TensorRt:
    """Opens each module once: TensorRT takes one logger in a process."""
    if not hasattr(trt.IExecutionContext, "execute_async_v3") or not hasattr(trt.ICudaEngine, "num_io_tensors"):
        raise EngineError(f"TensorRT {trt.__version__} is too old; this release runs 8.6, 10 and 11.")
    log = _logger(trt)
    trt.init_libnvinfer_plugins(log, "")
    return TensorRt(trt=trt, log=log, version=str(trt.__version__))


def _logger(trt: Any) -> Any:
    class Logger(trt.ILogger):  # type: ignore[misc]  # the base comes with the device
        """Keeps what is worse than information; TensorRT calls it from its own threads."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

        def log(self, severity: Any, msg: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.lines.append(msg)

    return Logger()
