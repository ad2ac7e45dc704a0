"""One scene of each kind of room, made once for all tests that look at it."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from scenes.household.schema import ROOMS
from scenes.scene import Scene
from scenes.suites import make_scene

__all__ = ["ROOMS", "file_for", "room_scene"]


@functools.cache
def file_for(kind: str) -> str:
    """Returns the path of a suite that makes only rooms of that kind, with people in all of them."""
    folder = Path(tempfile.mkdtemp(prefix="rooms_"))
    path = folder / f"{kind}.toml"
    path.write_text(
        f'[suite]\nkind = "household"\n[room]\nkind = "{kind}"\nrug = 1\ncurtains = 1\npendant = 1\nwindows = 1\n'
        "[people]\nstanding = 1\nseated = 1\n[furniture]\nextras = 3\n"
    )
    return str(path)


@functools.cache
def room_scene(kind: str, index: int = 0, split: str = "train") -> Scene:
    """Returns the first attempt at a scene of that room that has a layout, not settled."""
    from scenes.errors import LayoutError

    for attempt in range(5):
        try:
            return make_scene(file_for(kind), split=split, seed=3, index=index, attempt=attempt)
        except LayoutError:  # noqa: PERF203  # a few attempts at most
            continue
    raise AssertionError(kind)
