"""An OpenGL context whose rasteriser no other context waits for: Mesa's software rendering, on a display of its own.

Contexts of one EGL display share a software rasteriser, and it works for one of them at a time. Mesa's surfaceless platform
is another display of the same renderer, so that two threads draw at once, and the same bytes.
"""

from __future__ import annotations

import ctypes
from typing import Any

from scenes.errors import BackendError
from sim.mujoco.gl import GlContext

_EGL_PLATFORM_SURFACELESS_MESA = 0x31DD


class NoSecondDisplayError(BackendError):
    """This machine has no second display that draws as the first one does."""


def open_second(like: tuple[str, ...]) -> GlContext:
    """Creates a context on the second display and makes it current in this thread; raises NoSecondDisplayError.

    `like` is what `renderer_of_current` said of the first one, which it has to equal.
    """
    from OpenGL.error import Error

    if not draws_in_software(like):
        raise NoSecondDisplayError(f"The renderer {like[1]!r} leaves the calling core free: nothing is won beside it.")
    try:
        context = _SurfacelessContext()
        context.make_current()
    except (Error, ImportError, AttributeError, TypeError) as error:  # as PyOpenGL says that the platform is not there
        raise NoSecondDisplayError(f"EGL has no surfaceless display on this machine ({type(error).__name__}).") from error
    found = renderer_of_current()
    if found != like:
        context.free()
        raise NoSecondDisplayError(f"EGL's surfaceless display draws with {found[1]!r}, the first one with {like[1]!r}.")
    return context


def renderer_of_current() -> tuple[str, ...]:
    """Returns vendor, renderer and version of the context that is current in this thread."""
    from OpenGL import GL

    return tuple(_text(GL.glGetString(name)) for name in (GL.GL_VENDOR, GL.GL_RENDERER, GL.GL_VERSION))


def draws_in_software(renderer: tuple[str, ...]) -> bool:
    """Returns whether that is Mesa's software renderer, which keeps the core busy that calls it."""
    return any("llvmpipe" in text for text in renderer)


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


class _SurfacelessContext:
    """A context as MuJoCo makes them, on Mesa's surfaceless platform. The display stays open while the process lives."""

    def __init__(self) -> None:
        """Raises NoSecondDisplayError, or what PyOpenGL raises, where there is no such platform."""
        from mujoco.egl import EGL_ATTRIBUTES
        from mujoco.egl import egl_ext as egl

        self._egl: Any = egl
        self._display = egl.eglGetPlatformDisplayEXT(_EGL_PLATFORM_SURFACELESS_MESA, 0, None)
        if self._display == egl.EGL_NO_DISPLAY or not egl.eglInitialize(self._display, None, None):
            raise NoSecondDisplayError("EGL has no surfaceless display on this machine.")
        configs, count = (egl.EGLConfig * 1)(), ctypes.c_long()
        egl.eglChooseConfig(self._display, EGL_ATTRIBUTES, configs, 1, count)
        if count.value < 1:
            raise NoSecondDisplayError("No configuration of EGL's surfaceless display has what MuJoCo needs.")
        egl.eglBindAPI(egl.EGL_OPENGL_API)
        self._context = egl.eglCreateContext(self._display, configs[0], egl.EGL_NO_CONTEXT, None)
        if not self._context:
            raise NoSecondDisplayError("EGL's surfaceless display gives no context.")

    def make_current(self) -> None:
        egl = self._egl
        if not egl.eglMakeCurrent(self._display, egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, self._context):
            raise BackendError("The context of EGL's surfaceless display cannot be made current.")

    def free(self) -> None:
        egl = self._egl
        if self._context is not None:
            egl.eglMakeCurrent(self._display, egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, egl.EGL_NO_CONTEXT)
            egl.eglDestroyContext(self._display, self._context)
            egl.eglReleaseThread()
        self._context = None
