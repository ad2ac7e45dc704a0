"""Scenes by name: each is a pure function of (suite, version, split, seed, index, attempt)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from scenes.described import SHIPPED, load, maker_of
from scenes.errors import SceneError, UnknownNameError
from scenes.sampler import Split
from scenes.scene import Scene, SceneId

VIEWS_PER_SCENE = 3
BASE_SIZE = (640, 480)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named family of scenes; `version` changes whenever the same seed would give another scene."""

    name: str
    version: int
    make: Callable[[SceneId, int], Scene]
    description: str = ""


def find_suite(name: str) -> Suite:
    """Returns a suite by name, or by the path of its file; raises UnknownNameError, or SceneError for a bad file.

    A suite from a file is named by the file's stem; `description` is then the digest of what the file says.
    """
    if name in SUITES:
        return SUITES[name]
    if not name.endswith(".toml"):
        raise UnknownNameError("suite", name, SUITES)
    described = load(Path(name))
    return Suite(
        name=described.name,
        version=described.version,
        make=partial(_described, path=Path(name)),
        description=described.digest(),
    )


def make_scene(
    suite: str, *, split: str, seed: int, index: int, attempt: int = 0, views: int = VIEWS_PER_SCENE
) -> Scene:
    """Makes one scene of a suite, by its name or the path of its file, before physics has settled it.

    `views` is how many cameras it has; the first of them are the same however many there are.
    Raises UnknownNameError, SceneError for a negative number or a bad file, LayoutError where this attempt has no layout.
    """
    chosen = find_suite(suite)
    if split not in get_args(Split):
        raise UnknownNameError("split", split, get_args(Split))
    if min(seed, index, attempt) < 0:
        raise SceneError(f"Seed, index and attempt must not be negative, got {seed}, {index} and {attempt}.")
    scene_id = SceneId(
        suite=chosen.name, version=chosen.version, split=split, seed=seed, index=index, attempt=attempt,  # type: ignore[arg-type]  # checked above
        description=chosen.description,
    )  # fmt: skip
    return chosen.make(scene_id, views)


def _stream_of(key: int, scene_id: SceneId, purpose: int) -> np.random.Generator:
    split = get_args(Split).index(scene_id.split)
    spawn_key = (key, scene_id.version, split, scene_id.index, scene_id.attempt, purpose)
    return np.random.default_rng(np.random.SeedSequence(scene_id.seed, spawn_key=spawn_key))


def _described(scene_id: SceneId, views: int, *, path: Path) -> Scene:
    """Makes a scene of a suite that a file describes; suites of one kind share their streams, so that they are paired."""
    description = load(path)
    if description.version != scene_id.version:
        raise SceneError(f"{path} has version {description.version}, but version {scene_id.version} was asked for.")
    stream = partial(_stream_of, _KIND_KEYS[description.kind], scene_id)
    make = maker_of(description.kind)
    return make(scene_id, description, stream, views=views, size=BASE_SIZE)


# First element of every stream's key. The numbers are part of the scenes: they never change.
_KIND_KEYS = {"tabletop": 0, "household": 1, "clutter": 2}


def _shipped(kind: str) -> Suite:
    path = SHIPPED[kind]
    return Suite(name=path.stem, version=1, make=partial(_described, path=path))


SUITES: dict[str, Suite] = {suite.name: suite for suite in map(_shipped, ("household", "tabletop", "clutter"))}
