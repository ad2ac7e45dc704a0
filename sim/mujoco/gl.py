"""A headless OpenGL context, or one sentence on what this machine lacks for it."""

from __future__ import annotations

import importlib
import os
from typing import Protocol, cast

from scenes.errors import BackendError

_PACKAGES = {"egl": "libegl1 libgl1-mesa-dri", "osmesa": "libosmesa6"}


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
    kind = _kind()
    try:
        context = cast("GlContext", importlib.import_module(f"mujoco.{kind}").GLContext(1, 1))
        context.make_current()
    except ModuleNotFoundError as error:
        raise BackendError(
            f"Rendering needs the Python package {error.name}, which is not installed: "
            f"pip install 'rehearse-perception[sim]' brings it."
        ) from error
    except Exception as error:  # a missing library shows as any of ImportError, AttributeError, OSError and GLError
        raise BackendError(
            f"No headless OpenGL through {kind.upper()} on this machine ({_reason(error)}): install the packages it needs "
            f"with `apt-get install {_PACKAGES[kind]}` (Debian, Ubuntu), or a GPU driver that has it."
        ) from error
    return context


def _kind() -> str:
    os.environ.setdefault("MUJOCO_GL", "egl")
    kind = os.environ["MUJOCO_GL"].strip().lower()
    if kind not in _PACKAGES:
        raise BackendError(
            f"Headless rendering needs MUJOCO_GL=egl (or osmesa), but it is {kind!r}: unset it or set it to egl."
        )
    platform = os.environ.get("PYOPENGL_PLATFORM", "").lower()
    if platform not in ("", kind):
        raise BackendError(f"Headless rendering needs PYOPENGL_PLATFORM={kind}, but it is {platform!r}: unset it.")
    return kind


def _reason(error: Exception) -> str:
    if isinstance(error, AttributeError):  # how PyOpenGL says that it found no library to take a function from
        return "its library was not found"
    return str(error).split("\n")[0].split(". ")[0].strip(" .") or type(error).__name__
