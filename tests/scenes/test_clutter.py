"""Clutter scenes: tables of three shapes, things from sparse to heaped, stacks, distractors that are void."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.clutter.distractors import distractor
from scenes.sampler import ShapeSampler
from scenes.suites import VIEWS_PER_SCENE, find_suite, make_scene

SUITE = "tabletop-clutter"


def write(folder, text):
    path = folder / "mine.toml"
    path.write_text(f'[suite]\nkind = "clutter"\n{text}')
    return str(path)


def test_the_same_id_gives_the_same_scene_in_any_order():
    forward = [make_scene(SUITE, split="train", seed=2, index=i).digest() for i in range(4)]
    backward = [make_scene(SUITE, split="train", seed=2, index=i).digest() for i in reversed(range(4))]
    assert forward == backward[::-1]
    assert len(set(forward)) == 4


def test_scenes_range_from_sparse_to_heaped_on_tables_of_all_shapes():
    scenes = [make_scene(SUITE, split="train", seed=0, index=i) for i in range(10)]
    counts = [sum(b.dynamic for b in s.bodies) for s in scenes]
    assert min(counts) <= 4
    assert max(counts) >= 13
    assert {s.supports[0].round for s in scenes} == {True, False}
    assert all(len(s.cameras) == VIEWS_PER_SCENE for s in scenes)
    assert any(b.category == "void" for s in scenes for b in s.bodies)
    assert len({b.category for s in scenes for b in s.things}) > 20


def test_a_distractor_is_no_thing_and_has_no_instance(tmp_path):
    scene = make_scene(
        write(tmp_path, "[objects]\ncount = 1\n[distractors]\ncount = 3\n"), split="train", seed=0, index=0
    )
    odd = [b for b in scene.bodies if b.category == "void"]
    assert len(odd) == 3
    assert all(b.name.startswith("distractor_") and b.dynamic for b in odd)
    assert not {b.name for b in odd} & {b.name for b in scene.things}


@pytest.mark.parametrize("seed", range(8))
def test_distractors_have_the_size_that_was_asked_for(seed):
    shape = distractor(ShapeSampler(rng=np.random.default_rng(seed), split="train"), 0.1)
    points = np.concatenate([part.mesh.vertices for part in shape.parts])
    extent = points.max(axis=0) - points.min(axis=0)
    assert 0.06 < extent.max() <= 0.1 + 1e-9
    assert abs(points[:, 2].min()) < 1e-6


def test_books_stack_on_books(tmp_path):
    path = write(tmp_path, '[objects]\ncount = 6\ncategory = "book"\nstack = 1\nheap = 0\n[distractors]\ncount = 0\n')
    heights = []
    for index in range(3):
        scene = make_scene(path, split="train", seed=0, index=index)
        heights += [b.world_from_body.position_m[2] - scene.supports[0].center_m[2] for b in scene.things]
    assert sum(h > 0.02 for h in heights) >= 3


@pytest.mark.parametrize(("shape", "rounded"), [("round", True), ("square", False), ("rectangular", False)])
def test_the_table_has_the_shape_of_the_file(shape, rounded, tmp_path):
    scene = make_scene(
        write(tmp_path, f'[table]\nshape = "{shape}"\nlength_m = 1.0\naspect = 0.6\n'), split="test", seed=0, index=1
    )
    support = scene.supports[0]
    assert support.round is rounded
    half_x, half_y = support.half_extent_m
    assert (half_x == pytest.approx(half_y)) is (shape != "rectangular")


def test_cameras_stay_inside_the_room_also_in_a_corner(tmp_path):
    path = write(tmp_path, '[background]\nkind = "corner"\n')
    for index in range(3):
        scene = make_scene(path, split="train", seed=0, index=index)
        walls = {b.name: b.world_from_body.position_m for b in scene.bodies if b.category == "wall"}
        for camera in scene.cameras:
            x, y, _ = camera.world_from_camera.position_m
            assert walls["wall_west"][0] < x < walls["wall_east"][0]
            assert walls["wall_south"][1] < y < walls["wall_north"][1]
    assert find_suite(path).name == "mine"


def test_a_rig_by_name_lights_the_table(tmp_path):
    scene = make_scene(write(tmp_path, '[light]\nrig = "desk"\n'), split="train", seed=0, index=0)
    assert [light.name for light in scene.lights] == ["desk_lamp"]
    aim = np.subtract(scene.supports[0].center_m, scene.lights[0].position_m)
    assert np.allclose(aim / np.linalg.norm(aim), scene.lights[0].direction)


def test_light_has_the_colour_of_its_temperature(tmp_path):
    warm, cool = (
        make_scene(write(tmp_path, f'[light]\nrig = "keys"\nkelvin = {k}\n'), split="train", seed=0, index=0).lights[0].colour
        for k in (2500, 9000)
    )
    assert warm[2] < 0.7 < warm[0] == 1.0
    assert cool[0] < 0.95 < cool[2] == 1.0
