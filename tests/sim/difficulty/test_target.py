"""A target is read with clear errors, moves a data set towards it, and gives the same bytes with any number of workers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rehearse
from scenes.errors import DatasetError, SceneError, UnknownNameError
from scenes.suites import make_scene
from sim.backend import open_backend
from sim.capture import Capture
from sim.dataset import Dataset
from sim.difficulty.measure import ObjectDifficulty
from sim.difficulty.target import Reached, Target, Wanted, parse_target, reached, read_target
from sim.difficulty.target_search import nearest_views, realize_towards
from sim.generate import GenerateSpec, generate
from sim.proof.agree import agree_dataset
from sim.realize import realize
from sim.replay import replay_dataset
from tests.sim.test_generate import contents

TOML = """
candidates = 2
[visible_fraction]
edges = [0.0, 0.5, 0.95, 1.0]
shares = [3, 4, 3]
"""


def thing(visible_fraction: float, size_px: int = 100, contrast: float | None = None) -> ObjectDifficulty:
    return ObjectDifficulty(
        instance_id=1, body_name="cup_01", visible_fraction=visible_fraction, size_px=size_px, distance_m=1.0,
        clearance_m=0.1, contrast=contrast, truncation=0.0,
    )  # fmt: skip


def test_it_is_read_and_scaled(tmp_path):
    (tmp_path / "t.toml").write_text(TOML)
    wanted = Wanted(figure="visible_fraction", edges=(0.0, 0.5, 0.95, 1.0), shares=(0.3, 0.4, 0.3))
    assert read_target(tmp_path / "t.toml") == Target(wanted=(wanted,), candidates=2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "asks for nothing"),
        ({"candidates": 0, "contrast": {}}, "candidates is a whole number from 1"),
        ({"candidates": True, "contrast": {}}, "candidates is a whole number from 1"),
        ({"views": 2, "contrast": {}}, "views is a whole number from 3"),
        ({"visible_fractoin": {}}, "Did you mean 'visible_fraction'"),
        ({"contrast": {"edges": [0, 1]}}, r"\[contrast\] needs edges and shares"),
        ({"contrast": {"edges": [0, 1], "shares": [1], "mood": 1}}, "nothing else"),
        ({"contrast": {"edges": [0, 1], "shares": ["a"]}}, r"shares of \[contrast\] is a list of numbers"),
        ({"contrast": {"edges": [1, 0], "shares": [1]}}, "rising edges"),
        ({"contrast": {"edges": [0, 1], "shares": [1, 2]}}, "one more than shares"),
        ({"contrast": {"edges": [0, 1], "shares": [0]}}, "not all 0"),
        ({"contrast": 3}, "needs edges and shares"),
    ],
)
def test_what_makes_no_sense_is_named(values, message):
    with pytest.raises((SceneError, UnknownNameError), match=message):
        parse_target(values, "t.toml")


def test_a_file_that_is_none_is_named(tmp_path):
    with pytest.raises(SceneError, match="Cannot read"):
        read_target(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("edges = [")
    with pytest.raises(SceneError, match="is not TOML"):
        read_target(tmp_path / "bad.toml")


def test_counts_shares_and_distance():
    target = parse_target({"visible_fraction": {"edges": [0, 0.5, 1], "shares": [1, 1]}}, "t")
    objects = [thing(0.2), thing(0.5), thing(1.0), thing(0.9), thing(0.1, size_px=0)]
    (found,) = reached(target, objects)
    assert found.counts == (1, 3)
    assert found.shares == (0.25, 0.75)
    assert found.distance == target.distance(objects) == 0.25
    assert str(found) == "0 to 0.5 0.25 of 0.50, 0.5 to 1 0.75 of 0.50"
    assert target.distance([]) == 1
    unknown = parse_target({"contrast": {"edges": [0, 5, 10], "shares": [1, 1]}}, "t")
    assert unknown.distance([thing(1.0), thing(1.0, contrast=3.0), thing(1.0, contrast=30.0)]) == 0


def spec_of(out: Path, candidates: int, workers: int = 1, views: int = 6) -> GenerateSpec:
    wanted = {"visible_fraction": {"edges": [0, 0.95, 1], "shares": [1, 0]}}
    target = parse_target({"candidates": candidates, "views": views, **wanted}, "t")
    return GenerateSpec(
        suite="tabletop", out=out, frames=6, split="test", seed=6, size=(64, 48), workers=workers, stages=False,
        target=target,
    )  # fmt: skip


def test_a_data_set_comes_nearer_to_it_and_does_not_depend_on_the_workers(tmp_path):
    one = generate(spec_of(tmp_path / "1", 1, views=3), progress=False)
    three = generate(spec_of(tmp_path / "3", 3), progress=False)
    again = generate(spec_of(tmp_path / "4", 3, workers=2), progress=False)
    assert contents(tmp_path / "3") == contents(tmp_path / "4")
    assert again.target == three.target
    assert three.target[0].distance < one.target[0].distance
    assert three.rejected["farther from the target"] == 4
    assert one.proof.frames == three.proof.frames == 6
    dataset = Dataset.open(tmp_path / "3")
    assert dataset.manifest.target == spec_of(tmp_path, 3).target.to_dict()
    objects = [o for k in range(6) for o in dataset.difficulties(k) if o.size_px]
    assert np.mean([o.visible_fraction < 0.95 for o in objects]) == pytest.approx(three.target[0].shares[0])
    assert isinstance(three.target[0], Reached)
    with pytest.raises(DatasetError, match="with target"):
        generate(spec_of(tmp_path / "3", 2), progress=False)


def test_the_command_line_says_what_was_reached(tmp_path, capsys):
    (tmp_path / "t.toml").write_text(TOML)
    arguments = ["generate", "tabletop", str(tmp_path / "d"), "--frames", "1", "--size", "64x48", "--workers", "1"]
    arguments += ["--no-stages", "--target", str(tmp_path / "t.toml")]
    assert rehearse.main(arguments) == 0
    assert "target visible fraction  0 to 0.5" in capsys.readouterr().out
    assert rehearse.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["target"][0]["wanted"] == [0.3, 0.4, 0.3]


def test_views_are_chosen_together_and_the_first_of_equals():
    target = parse_target({"visible_fraction": {"edges": [0, 0.5, 1], "shares": [1, 1]}}, "t")
    low, high, nothing = [thing(0.2)], [thing(0.9)], [thing(0.9, size_px=0)]
    # The only even mixtures of three are one low, one high and an empty one; the first such comes first.
    assert nearest_views(target, [high, high, low, nothing, low]) == (0.0, (0, 2, 3))
    distance, views = nearest_views(target, [low, low, high, low])
    assert views == (0, 1, 2)
    assert distance == target.distance([*low, *low, *high])
    assert nearest_views(target, [nothing, nothing, nothing]) == (1.0, (0, 1, 2))


def test_the_first_views_are_the_same_however_many_there_are():
    for suite in ("tabletop", "tabletop-clutter", "household"):
        few = make_scene(suite, split="test", seed=6, index=0)
        many = make_scene(suite, split="test", seed=6, index=0, views=5)
        assert many.cameras[:3] == few.cameras
        assert [camera.name for camera in many.cameras[3:]] == ["camera_3", "camera_4"]


def test_a_frame_of_a_chosen_view_is_made_again_bit_for_bit(tmp_path):
    generate(spec_of(tmp_path / "d", 2, views=8), progress=False)
    dataset = Dataset.open(tmp_path / "d")
    chosen = [int(name.rpartition("_")[2]) for name in dataset.names]
    assert chosen[:3] == sorted(chosen[:3])
    assert max(chosen) > 2
    for number in (0, 5):
        assert replay_dataset(tmp_path / "d", str(number)).verdict == "match"
    assert agree_dataset(tmp_path / "d", frames=2).agrees


def test_without_a_choice_the_scene_is_what_it_would_be_and_rejections_have_the_same_names():
    target = parse_target({"candidates": 1, "views": 3, "size_px": {"edges": [0, 50, 99], "shares": [1, 1]}}, "t")
    backend = open_backend("mujoco")
    try:
        plain, rejected = realize(backend, "tabletop", split="test", seed=0, index=77)
        chosen = realize_towards(backend, target, "tabletop", split="test", seed=0, index=77, size=(64, 48))
    finally:
        backend.close()
    assert (chosen.scene.digest(), chosen.views) == (plain.digest(), (0, 1, 2))
    assert chosen.rejected == rejected == {"wedged": 1}


def test_a_sequence_films_the_chosen_views(tmp_path):
    spec = replace(spec_of(tmp_path / "d", 1, views=6), capture=Capture(sequence=2, annotators=("default",)))
    generate(spec, progress=False)
    names = Dataset.open(tmp_path / "d").names
    assert len(names) == 6
    assert len({name.partition("camera_")[2].partition("-")[0] for name in names}) == 3
