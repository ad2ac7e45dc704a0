"""An asset takes the place of its category's objects, upright and where they stood, and a wrong one is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("pxr")

from scenes.assets import AssetUse, load_asset, with_assets
from scenes.errors import SceneError, StageError, UnknownNameError
from scenes.suites import make_scene
from scenes.transforms import transform_points
from tests.scenes.test_usd_read import Foreign


def asset_file(path, *, label=None, half=(4.0, 5.0, 4.0)):
    foreign = Foreign(path)
    foreign.cube("/Root/Mug", label=label, half=half, at=(3.0, 50.0, 1.0))
    return foreign.save()


def points_of(body):
    return np.concatenate([part.mesh.vertices[part.mesh.faces.reshape(-1)] for part in body.parts])


@pytest.mark.parametrize("category", ["bottle", "box", "spoon"])
def test_it_stands_where_the_others_stood(tmp_path, category):
    asset = load_asset(AssetUse.parse(f"{asset_file(tmp_path / 'a.usda')}={category}"))
    changed = 0
    for index in range(4):
        scene = make_scene("tabletop", split="train", seed=0, index=index)
        other = with_assets(scene, [asset])
        assert [b.name for b in other.bodies] == [b.name for b in scene.bodies]
        for before, after in zip(scene.bodies, other.bodies, strict=True):
            if before.category != category:
                assert after is before
                continue
            changed += 1
            low_before = transform_points(before.world_from_body.matrix(), points_of(before))[:, 2].min()
            world = transform_points(after.world_from_body.matrix(), points_of(after))
            assert world[:, 2].min() == pytest.approx(low_before, abs=1e-9)
            assert np.ptp(world[:, 2]) == pytest.approx(0.10, abs=1e-6)  # upright
            assert after.mass_kg == pytest.approx(400 * 0.08 * 0.08 * 0.10, rel=1e-5)
            assert_allclose(after.colliders[0].size_m, (0.04, 0.04, 0.05), atol=1e-7)
    assert changed >= 1


def test_several_assets_of_a_category_take_turns(tmp_path):
    small = load_asset(AssetUse.parse(f"{asset_file(tmp_path / 'a.usda', half=(2, 2, 2))}=box"))
    large = load_asset(AssetUse.parse(f"{asset_file(tmp_path / 'b.usda', half=(6, 6, 6))}=box"))
    scene = make_scene("tabletop", split="train", seed=0, index=3)
    boxes = [b for b in with_assets(scene, [small, large]).bodies if b.category == "box"]
    assert [round(float(np.ptp(points_of(b)[:, 0])), 3) for b in boxes] == [0.04, 0.12, 0.04]


def test_what_is_no_asset_is_named(tmp_path):
    path = asset_file(tmp_path / "a.usda", label="cup")
    for text, error, message in (
        ("mug.usd", SceneError, "FILE=CATEGORY"),
        (f"{path}=wall", SceneError, "'wall' is stuff"),
        (f"{path}=cupp", UnknownNameError, "Did you mean 'cup'"),
        (f"{tmp_path / 'none.usd'}=cup", StageError, "Cannot read the asset"),
    ):
        with pytest.raises(error, match=message):
            AssetUse.parse(text)
    with pytest.raises(StageError, match="'cup', but 'bowl' was asked for"):
        load_asset(AssetUse.parse(f"{path}=bowl"))
    huge = AssetUse.parse(f"{asset_file(tmp_path / 'b.usda', half=(40, 40, 40))}=cup")
    with pytest.raises(StageError, match=r"0\.8 m long as a cup, more than the 0\.6 m"):
        load_asset(huge)
    with pytest.raises(StageError, match="has changed since"):
        load_asset(replace(AssetUse.parse(f"{path}=cup"), digest="0"))
