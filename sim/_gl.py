"""A headless OpenGL context, or one sentence on what this machine lacks for it."""

from __future__ import annotations

import importlib
import os
from typing import Protocol, cast

from scenes.errors import BackendError

_HOW = "install the packages libegl1 and libgl1-mesa-dri (Debian, Ubuntu: apt-get install libegl1 libgl1-mesa-dri)"


class GlContext(Protocol):
    """What is used of MuJoCo's OpenGL contexts."""

    def make_current(self) -> None:
        """Makes later OpenGL calls of this thread go here."""
        ...

    def free(self) -> None:
        """Destroys the context."""
        ...


def open_context() -> GlContext:
    """Creates a context through EGL, or OSMesa where MUJOCO_GL says so, and makes it current; raises BackendError."""
    os.environ.setdefault("MUJOCO_GL", "egl")
    kind = os.environ["MUJOCO_GL"].strip().lower()
    if kind not in ("egl", "osmesa"):
        raise BackendError(
            f"Rendering headless needs MUJOCO_GL=egl (or osmesa), but it is {kind!r}: unset it or set it to egl."
        )
    try:
        context = cast("GlContext", importlib.import_module(f"mujoco.{kind}").GLContext(1, 1))
        context.make_current()
    except Exception as error:  # a missing library shows as any of ImportError, AttributeError, OSError and GLError
        reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        raise BackendError(f"No headless OpenGL through {kind.upper()} on this machine ({reason}): {_HOW}.") from error
    return context
