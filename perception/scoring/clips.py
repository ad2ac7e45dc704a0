"""The name of a frame tells its clip and its place in it; frames of a clip are one camera's, one moment after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence


def clip_of(name: str) -> tuple[str, int]:
    """Returns the clip of an image and its place in it: `scene/camera_0-0012` is number 12 of `scene/camera_0`."""
    match = re.fullmatch(r"(.*)-(\d{4,})", name)
    return (name, 0) if match is None else (match[1], int(match[2]))


def has_clips(names: Sequence[str]) -> bool:
    """Whether any clip has more than one image, so that streaming and tubes of frames mean something."""
    return len({clip_of(name)[0] for name in names}) < len(names)


def follows(name: str, before: str) -> bool:
    """Whether an image shows a later moment of the clip that `before` shows; no still does."""
    (clip, number), (clip_before, number_before) = clip_of(name), clip_of(before)
    return clip == clip_before and number > number_before
