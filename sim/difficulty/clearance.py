"""How far each object stands from the nearest other one, between their collision shapes, at the poses of the scene.

The shapes are convex primitives; MuJoCo measures the distance of two of them, on a model of the shapes alone, so the
answer belongs to the scene and not to the backend that renders it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Scene

_SHAPES = {"box": "mjGEOM_BOX", "cylinder": "mjGEOM_CYLINDER", "capsule": "mjGEOM_CAPSULE", "sphere": "mjGEOM_SPHERE"}


def clearances_m(scene: Scene) -> dict[str, float | None]:
    """Returns, for the name of every thing, metres to the nearest other thing, 0 where they touch.

    None for a thing without collision shapes, and where no other thing has any.
    """
    things = [body for body in scene.things if body.colliders]
    nearest: dict[str, float | None] = {body.name: None for body in scene.things}
    if len(things) < 2:
        return nearest
    import mujoco

    spec = mujoco.MjSpec()
    for body in things:
        pose = body.world_from_body
        added = spec.worldbody.add_body(pos=pose.position_m, quat=pose.quaternion_wxyz)
        for collider in body.colliders:
            local = collider.body_from_collider
            added.add_geom(
                type=getattr(mujoco.mjtGeom, _SHAPES[collider.kind]), size=collider.size_m,
                pos=local.position_m, quat=local.quaternion_wxyz,
            )  # fmt: skip
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    least = _least_m(model, data, np.repeat(np.arange(len(things)), [len(b.colliders) for b in things]), len(things))
    return nearest | {body.name: float(least[k]) for k, body in enumerate(things)}


def _least_m(model: object, data: object, owner: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Measures pairs of shapes, those that may be nearest first, until no other pair can be nearer."""
    import mujoco

    centre, radius = data.geom_xpos, model.geom_rbound  # type: ignore[attr-defined]  # of MuJoCo's MjData and MjModel
    apart = np.linalg.norm(centre[:, None] - centre[None], axis=2)
    bound = apart - radius[:, None] - radius[None]
    first, second = np.nonzero(np.triu(owner[:, None] != owner[None]))
    order = np.argsort(bound[first, second], kind="stable")
    least = np.full(count, np.inf)
    for i, j in zip(first[order].tolist(), second[order].tolist(), strict=True):
        a, b = owner[i], owner[j]
        if bound[i, j] >= least.max():
            break
        if bound[i, j] >= least[a] and bound[i, j] >= least[b]:
            continue
        # Nothing nearer than what is known matters, nor anything beyond the distance of the centres.
        far = min(max(least[a], least[b]), apart[i, j])
        distance = max(0.0, mujoco.mj_geomDistance(model, data, i, j, far, None))
        least[a], least[b] = min(least[a], distance), min(least[b], distance)
    return least
