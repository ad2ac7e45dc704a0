"""A user's own asset is generated, proven, recorded and replayed; a user's own stage is previewed with its notes."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pxr")

import rehearse
from scenes.assets import AssetUse
from scenes.errors import DatasetError
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from sim.replay import replay_dataset
from tests.scenes.test_assets import asset_file
from tests.scenes.test_usd_read import Foreign


def test_an_asset_is_generated_proven_and_replayed(tmp_path):
    use = AssetUse.parse(f"{asset_file(tmp_path / 'a.usda', label='box')}=box")
    spec = GenerateSpec(
        suite="tabletop", out=tmp_path / "d", frames=12, size=(96, 72), workers=1, stages=False, assets=(use,)
    )
    summary = generate(spec, progress=False)
    assert summary.proof.agreeing == summary.proof.checked
    dataset = Dataset.open(tmp_path / "d")
    assert dataset.manifest.assets == (use,)
    number = next(k for k in range(12) if any("box" in r.body_name for r in dataset[k].truth.objects))
    for record in dataset[number].truth.objects:
        if record.body_name.startswith("box"):
            assert sorted(record.box_world.size_m) == pytest.approx([0.08, 0.08, 0.10], abs=1e-6)
    assert replay_dataset(tmp_path / "d", str(number)).verdict == "match"
    with pytest.raises(DatasetError, match="with assets"):
        generate(GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=12, size=(96, 72), stages=False), progress=False)


def test_a_stage_as_a_scene(tmp_path, capsys):
    foreign = Foreign(tmp_path / "kitchen.usda")
    foreign.cube("/Root/Mug")
    foreign.cube("/Root/Top", label="table", half=(50, 1, 50), at=(0, -1, 0))
    foreign.save()
    assert rehearse.main(["scene", str(foreign.path), "--size", "64x48", "--out", str(tmp_path / "o"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["objects"] == {"cup": 1}
    assert len(said["notes"]) == 2
    assert (tmp_path / "o" / "kitchen_as_scene.png").exists()
    assert rehearse.main(["scene", said["stage"], "--as-scene", "--size", "64x48", "--out", str(tmp_path / "p")]) == 0
    assert "note:" not in capsys.readouterr().out  # what was filled in is now in the stage
    foreign.cube("/Root/Thing", label=None)
    foreign.save()
    assert rehearse.main(["scene", str(foreign.path), "--out", str(tmp_path / "o")]) == 2
    assert "/Root/Thing has no label" in capsys.readouterr().err
