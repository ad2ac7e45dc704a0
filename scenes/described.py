"""Suites that files describe: the kinds there are, what each may say, the shipped file of each, and who makes its scenes.

A file is read once while it stays as it is on the disk. No module of a kind is imported before a scene of it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from scenes.description import Description, read_description
from scenes.errors import SceneError
from scenes.scene import Scene, SceneId

_FOLDER = Path(__file__).resolve().parent / "descriptions"
SHIPPED = {
    "household": _FOLDER / "household.toml",
    "clutter": _FOLDER / "tabletop-clutter.toml",
    "tabletop": _FOLDER / "tabletop.toml",
}

Stream = Callable[[int], np.random.Generator]


class Maker(Protocol):
    """Makes one scene of a kind from its description and its random streams, one for each purpose."""

    def __call__(
        self, scene_id: SceneId, description: Description, stream: Stream, *, views: int, size: tuple[int, int]
    ) -> Scene:
        """Returns the scene; raises LayoutError where this attempt has no layout."""
        ...


def maker_of(kind: str) -> Maker:
    """Returns what makes the scenes of a kind."""
    if kind == "household":
        from scenes.household.make import make_household

        return make_household
    if kind == "clutter":
        from scenes.clutter.make import make_clutter

        return make_clutter
    from scenes.tabletop.make import make_tabletop

    return make_tabletop


def load(path: Path) -> Description:
    """Reads a suite's file, again only where it changed; raises SceneError."""
    try:
        facts = path.stat()
    except OSError as error:
        raise SceneError(f"Cannot read the suite {str(path)!r}: {error.strerror}.") from error
    return _load(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=16)
def _load(path: Path, _mtime_ns: int, _size: int) -> Description:
    from scenes.clutter.schema import SCHEMA as CLUTTER
    from scenes.household.schema import SCHEMA as HOUSEHOLD
    from scenes.tabletop.schema import SCHEMA as TABLETOP

    return read_description(path, {"household": HOUSEHOLD, "clutter": CLUTTER, "tabletop": TABLETOP}, SHIPPED)
