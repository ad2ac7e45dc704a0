"""Every generator's object, as a stage, passes the public validators and our own rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenes.objects import furniture, generators, make_object
from scenes.sampler import ShapeSampler
from scenes.scene import Body, Scene, SceneId
from scenes.transforms import Pose
from scenes.usd import write_stage
from scenes.usd_check import check_stage, open_stage

pytest.importorskip("pxr")
from pxr import UsdValidation


def everything(seed: int) -> Scene:
    """Returns one object of every category in a row, in the air."""
    sampler = ShapeSampler(rng=np.random.default_rng(seed), split="train")
    shapes = [make_object(name, sampler) for name in sorted(set(generators()) - set(furniture()))]
    bodies = tuple(
        Body(
            name=f"{shape.category.replace(' ', '_')}_01", category=shape.category, parts=shape.parts,
            colliders=shape.colliders, world_from_body=Pose((0.6 * k, 0.0, 1.0)), mass_kg=shape.mass_kg, dynamic=True,
            friction=shape.friction, rolling_friction_m=shape.rolling_friction_m,
        )
        for k, shape in enumerate(shapes)
    )  # fmt: skip
    return Scene(
        id=SceneId(suite="everything", version=1, split="train", seed=0, index=seed),
        bodies=bodies, lights=(), cameras=(), supports=(),
    )  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
def test_every_object_passes_the_validators(seed: int, tmp_path: Path) -> None:
    target = tmp_path / "everything.usdc"
    write_stage(everything(seed), target)
    context = UsdValidation.ValidationContext(UsdValidation.ValidationRegistry().GetOrLoadAllValidators())
    assert [error.GetErrorAsString() for error in context.Validate(open_stage(target))] == []
    assert check_stage(target) == []


@pytest.mark.slow
def test_every_object_passes_the_asset_validator(tmp_path: Path) -> None:
    validation = pytest.importorskip("omni.asset_validator")
    target = tmp_path / "everything.usdc"
    write_stage(everything(0), target)
    issues = validation.ValidationEngine(init_rules=True).validate(str(target)).issues()
    assert [f"{issue.severity} {issue.rule} {issue.message} {issue.at}" for issue in issues] == []
