"""The realisation of a scene that comes nearest to a wanted difficulty: a pure function of the scene's arguments and it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scenes.assets import Asset
from scenes.errors import SceneError
from scenes.scene import Scene
from sim.backend import Backend
from sim.difficulty.clearance import clearances_m
from sim.difficulty.measure import ObjectDifficulty, measure
from sim.difficulty.target import Target
from sim.realize import MAX_ATTEMPTS, unsettled

FARTHER = "farther from the target"


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
) -> tuple[Scene, dict[str, int]]:
    """Settles sub-seeds in order until `target.candidates` of them are accepted, and keeps the one nearest to the target.

    Of equals the first is kept. All views of a candidate are rendered at `size` to be measured. The backend then holds
    the scene; the rejected sub-seeds are counted by reason. Raises SceneError where none is accepted.
    """
    rejected: Counter[str] = Counter()
    best: tuple[float, Scene] | None = None
    accepted = 0
    for attempt in range(MAX_ATTEMPTS + target.candidates):
        scene = unsettled(suite, split=split, seed=seed, index=index, attempt=attempt, assets=assets)
        backend.load(scene)
        report = backend.settle()
        if not report.accepted:
            rejected["lost a body" if report.lost else "not at rest"] += 1
            continue
        settled = scene.with_poses(dict(report.world_from_body))
        distance = target.distance(_objects(backend, settled, size))
        if best is None or distance < best[0]:
            best = distance, settled
        accepted += 1
        if accepted == target.candidates:
            break
    if best is None:
        raise SceneError(
            f"Scene {index} of {suite}/{split}, seed {seed}, did not settle in {MAX_ATTEMPTS} attempts; use another seed."
        )
    rejected[FARTHER] += accepted - 1
    backend.load(best[1])
    return best[1], {reason: count for reason, count in rejected.items() if count}


def _objects(backend: Backend, scene: Scene, size: tuple[int, int]) -> tuple[ObjectDifficulty, ...]:
    clearance_m = clearances_m(scene)
    frames = (backend.render(camera.resized(*size)) for camera in scene.cameras)
    return tuple(found for frame in frames for found in measure(frame, clearance_m))
