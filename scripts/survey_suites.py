"""What physics and OpenUSD say of many scenes of the suites: errors, rejections, contacts at rest, validators' findings.

    python scripts/survey_suites.py household --scenes 1000 --validate-every 5

Each scene is made and settled as `rehearse generate` makes it, and not drawn. Of the settled scene: the deepest contact
between colliders that a movable body has part in, and the movable bodies that touch nothing (floating). Of the written
stage: what OpenUSD's and the omniverse validators and our own label rules find. Exit status 1 where a limit is broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

DEEPEST_M = 1e-3


@cache
def _backend() -> Any:
    from sim.backend import open_backend

    return open_backend("mujoco")


def survey(index: int, *, suite: str, split: str, seed: int, validate_every: int) -> dict[str, Any]:
    """Returns what is found of one scene: plain JSON values."""
    from scenes.errors import SceneError
    from sim.realize import realize

    try:
        scene, rejected = realize(_backend(), suite, split=split, seed=seed, index=index)
    except SceneError as error:
        return {"index": index, "error": str(error)}
    found = {"index": index, "rejected": rejected, "things": len(scene.things), **_contacts(scene)}
    if validate_every and index % validate_every == 0:
        found["findings"] = _findings(scene)
    return found


def _contacts(scene: Any) -> dict[str, Any]:
    import mujoco

    world = _backend()._loaded()  # noqa: SLF001  # contacts are no part of what a backend promises
    mujoco.mj_forward(world.model, world.data)
    movable = {world.model.body(body.name).id: body.name for body in scene.bodies if body.dynamic}
    deepest_m, touching = 0.0, set()
    for contact in world.data.contact[: world.data.ncon]:
        pair = {int(world.model.geom_bodyid[geom]) for geom in contact.geom}
        if pair & movable.keys():
            deepest_m = max(deepest_m, -float(contact.dist))
            touching |= pair
    floating = [name for body, name in movable.items() if body not in touching]
    return {"movable": len(movable), "deepest_m": deepest_m, "floating": floating}


def _findings(scene: Any) -> list[str]:
    from omni.asset_validator import ValidationEngine
    from pxr import Usd, UsdValidation

    from scenes.usd import write_stage
    from scenes.usd_check import check_stage

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.usdc"
        write_stage(scene, path)
        stage = Usd.Stage.Open(str(path))
        context = UsdValidation.ValidationContext(UsdValidation.ValidationRegistry().GetOrLoadAllValidators())
        found = [error.GetErrorAsString() for error in context.Validate(stage)]
        issues = ValidationEngine(init_rules=True).validate(str(path)).issues()
        found += [f"{issue.severity.name} {issue.rule.__name__} {issue.message} {issue.at.path}" for issue in issues]
        return found + check_stage(path)


def main() -> int:
    """Prints one JSON object of totals; one line for each scene that breaks a limit goes to stderr."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("suite")
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--split", default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--validate-every", type=int, default=1, help="0: no stage is written")
    spec = parser.parse_args()
    one = partial(survey, suite=spec.suite, split=spec.split, seed=spec.seed, validate_every=spec.validate_every)
    rows, broken = [], 0
    with ProcessPoolExecutor(spec.workers) as pool:
        for row in pool.map(one, range(spec.scenes), chunksize=4):
            rows.append(row)
            if row.get("error") or row.get("findings") or row.get("floating") or row.get("deepest_m", 0) > DEEPEST_M:
                broken += 1
                print(json.dumps(row), file=sys.stderr)
            if sys.stderr.isatty():
                print(f"\r{len(rows)} of {spec.scenes} scenes", end="", file=sys.stderr)
    made = [row for row in rows if "error" not in row]
    rejected: Counter[str] = Counter()
    for row in made:
        rejected.update(row["rejected"])
    print(json.dumps({
        "suite": spec.suite, "scenes": len(rows), "errors": len(rows) - len(made), "rejected": dict(rejected),
        "movable bodies": sum(row["movable"] for row in made), "things": sum(row["things"] for row in made),
        "deepest contact in mm": round(1e3 * max(row["deepest_m"] for row in made), 4),
        "floating": sum(len(row["floating"]) for row in made),
        "stages validated": sum("findings" in row for row in made),
        "findings": sum(len(row.get("findings", ())) for row in made), "scenes that break a limit": broken,
    }))  # fmt: skip
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
