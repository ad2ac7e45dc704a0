"""Two drawing surfaces for one MuJoCo context, one for images and one for ids, so that neither is laid anew for the other.

MuJoCo has one offscreen surface at a time and keeps its OpenGL names in the context's fields. Ids and depth are sampled
once anyway: a surface of one sample gives the same bytes in half the time, but laying it anew for each picture, and the
other one after it, costs a tenth of the image.
"""

from __future__ import annotations

import mujoco

_BUFFERS = ("offColor", "offColor_r", "offDepthStencil", "offDepthStencil_r")
_FRAMES = ("offFBO", "offFBO_r")
_FIELDS = (*_FRAMES, *_BUFFERS, "offWidth", "offHeight", "offSamples")


class Surfaces:
    """The surfaces of a context by their samples a pixel; the one in use is in the context's fields."""

    def __init__(self, context: mujoco.MjrContext) -> None:
        self._context = context
        self._other: dict[int, dict[str, int]] = {}
        self._in_use = int(context.offSamples)

    def use(self, samples: int, width: int, height: int) -> None:
        """Makes a surface with that many samples and at least that size the one that is drawn on."""
        context = self._context
        if samples != self._in_use:
            self._other[self._in_use] = {field: getattr(context, field) for field in _FIELDS}
            for field, value in self._other.pop(samples, _new(samples)).items():
                setattr(context, field, value)
            self._in_use = samples
        if width > context.offWidth or height > context.offHeight:
            mujoco.mjr_resizeOffscreen(max(width, context.offWidth), max(height, context.offHeight), context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)

    def free_others(self) -> None:
        """Frees what the context does not know of any more; its own surface goes with it."""
        from OpenGL import GL

        for fields in self._other.values():
            for name in _FRAMES:
                GL.glDeleteFramebuffers(1, [fields[name]])
            for name in _BUFFERS:
                GL.glDeleteRenderbuffers(1, [fields[name]])
        self._other.clear()


def _new(samples: int) -> dict[str, int]:
    """Returns the fields of a surface that is yet to be laid: OpenGL passes over the name 0 where it is told to delete it."""
    return dict.fromkeys(_FIELDS, 0) | {"offSamples": samples}
