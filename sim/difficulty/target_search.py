"""The realisation and the views of a scene that come nearest to a wanted difficulty: a pure function of the arguments."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.assets import Asset
from scenes.errors import LayoutError, SceneError
from scenes.scene import Scene
from scenes.suites import VIEWS_PER_SCENE
from sim.backend import Backend
from sim.difficulty.clearance import clearances_m
from sim.difficulty.measure import ObjectDifficulty, measure
from sim.difficulty.target import Target
from sim.realize import MAX_ATTEMPTS, unsettled

FARTHER = "farther from the target"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """A settled scene with all the cameras that were tried, which of them are kept, and the rejected sub-seeds by reason."""

    scene: Scene
    views: tuple[int, ...]
    rejected: dict[str, int]


def realize_towards(
    backend: Backend,
    target: Target,
    suite: str,
    *,
    split: str,
    seed: int,
    index: int,
    size: tuple[int, int],
    assets: Sequence[Asset] = (),
) -> Chosen:
    """Settles sub-seeds in order until `target.candidates` are accepted; keeps the one, and its views, nearest to the target.

    Each has `target.views` cameras, all of which are rendered at `size` to be measured; of all ways to take
    VIEWS_PER_SCENE of them the nearest counts, of equals the first. The backend then holds the scene. Raises SceneError
    where no sub-seed is accepted.
    """
    rejected: Counter[str] = Counter()
    best: tuple[float, Scene, tuple[int, ...]] | None = None
    accepted = 0
    for attempt in range(MAX_ATTEMPTS + target.candidates):
        try:
            scene = unsettled(
                suite, split=split, seed=seed, index=index, attempt=attempt, assets=assets, views=target.views
            )
        except LayoutError:
            rejected["no layout"] += 1
            continue
        backend.load(scene)
        report = backend.settle()
        if not report.accepted:
            rejected[report.fault] += 1
            continue
        settled = scene.with_poses(dict(report.world_from_body))
        distance, views = nearest_views(target, _by_view(backend, settled, size))
        if best is None or distance < best[0]:
            best = distance, settled, views
        accepted += 1
        if accepted == target.candidates:
            break
    if best is None:
        raise SceneError(
            f"Scene {index} of {suite}/{split}, seed {seed}, did not settle in {MAX_ATTEMPTS} attempts; use another seed."
        )
    rejected[FARTHER] += accepted - 1
    backend.load(best[1])
    return Chosen(scene=best[1], views=best[2], rejected={reason: count for reason, count in rejected.items() if count})


def nearest_views(target: Target, objects: Sequence[Sequence[ObjectDifficulty]]) -> tuple[float, tuple[int, ...]]:
    """Returns the distance from the target of the best VIEWS_PER_SCENE views together, and which they are, in order.

    `objects` are those of each view. The distance is Target.distance's; of equals the first in order counts.
    """
    groups = np.array(list(itertools.combinations(range(len(objects)), min(VIEWS_PER_SCENE, len(objects)))))
    distances = np.zeros(len(groups))
    for wanted in target.wanted:
        counts = np.array([wanted.counts(view) for view in objects])[groups].sum(axis=1)
        distances += _distances(counts, wanted.shares) / len(target.wanted)
    best = int(np.argmin(distances.round(12)))
    return float(distances[best]), tuple(int(view) for view in groups[best])


def _distances(counts: NDArray[np.int64], shares: Sequence[float]) -> NDArray[np.float64]:
    """Returns half the sum of differences between the shares of each row of counts and those wanted, 1 for an empty row."""
    total = counts.sum(axis=1, keepdims=True)
    apart: NDArray[np.float64] = 0.5 * np.abs(counts / np.maximum(total, 1) - np.asarray(shares)).sum(axis=1)
    return np.where(total[:, 0] > 0, apart, 1.0)


def _by_view(backend: Backend, scene: Scene, size: tuple[int, int]) -> list[tuple[ObjectDifficulty, ...]]:
    clearance_m = clearances_m(scene)
    return [measure(backend.render(camera.resized(*size)), clearance_m) for camera in scene.cameras]
