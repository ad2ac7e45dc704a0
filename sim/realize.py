"""A scene of a suite, settled: sub-seeds are tried in order, so the result depends on the arguments alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from scenes.assets import Asset, with_assets
from scenes.errors import LayoutError, SceneError
from scenes.scene import Scene
from sim.backend import Backend

MAX_ATTEMPTS = 20


def realize(
    backend: Backend,
    suite: str,
    *,
    split: str,
    seed: int,
    index: int,
    max_attempts: int = MAX_ATTEMPTS,
    assets: Sequence[Asset] = (),
) -> tuple[Scene, dict[str, int]]:
    """Returns the first attempt at the scene that settles, at its settled poses, and the rejected ones by reason.

    `assets` take the places of objects of their categories before it settles. The backend then holds that scene, ready
    to render. Raises SceneError where no attempt is accepted.
    """
    rejected: Counter[str] = Counter()
    reason = ""
    for attempt in range(max_attempts):
        try:
            scene = unsettled(suite, split=split, seed=seed, index=index, attempt=attempt, assets=assets)
        except LayoutError as error:
            rejected["no layout"] += 1
            reason = str(error)
            continue
        backend.load(scene)
        report = backend.settle()
        if report.accepted:
            return scene.with_poses(dict(report.world_from_body)), dict(rejected)
        rejected[report.fault] += 1
        reason = report.reason()
    raise SceneError(
        f"Scene {index} of {suite}/{split}, seed {seed}, did not settle in {max_attempts} attempts (the last: {reason}); "
        f"use another seed or index, or report it."
    )


def unsettled(
    suite: str,
    *,
    split: str,
    seed: int,
    index: int,
    attempt: int,
    assets: Sequence[Asset] = (),
    views: int | None = None,
) -> Scene:
    """Returns one attempt at a scene before physics, with the assets in it and `views` cameras (None: the suite's number).

    Raises UnknownNameError or SceneError.
    """
    from scenes.suites import VIEWS_PER_SCENE, make_scene

    scene = make_scene(suite, split=split, seed=seed, index=index, attempt=attempt, views=views or VIEWS_PER_SCENE)
    scene = replace(scene, id=replace(scene.id, attempt=attempt))
    return with_assets(scene, assets) if assets else scene
