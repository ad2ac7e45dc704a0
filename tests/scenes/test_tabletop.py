"""A user's file of kind `tabletop` changes what it names and leaves the rest of the shipped suite's scenes as they are."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from scenes.errors import SceneError
from scenes.suites import find_suite, make_scene


@pytest.fixture
def suite_of(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(f'[suite]\nkind = "tabletop"\n{text}')
        return str(path)

    return write


def scene_of(suite, index=3, split="train"):
    return make_scene(suite, split=split, seed=0, index=index)


def test_an_empty_file_makes_the_shipped_scenes(suite_of):
    mine, shipped = scene_of(suite_of("")), scene_of("tabletop")
    assert replace(mine, id=shipped.id).digest() == shipped.digest()


def test_a_wider_view_moves_no_object(suite_of):
    mine, shipped = scene_of(suite_of("[camera]\nfov_deg = 80\n")), scene_of("tabletop")
    assert replace(mine, id=shipped.id, cameras=shipped.cameras).digest() == shipped.digest()
    assert all(2 * math.degrees(math.atan(c.width / 2 / c.fx)) == pytest.approx(80) for c in mine.cameras)


@pytest.mark.parametrize("index", range(4))
def test_counts_categories_and_holding_are_the_files(suite_of, index):
    text = '[objects]\ncount = 6\ncontain = 0\ncategory = { choice = ["donut", "cup"], weights = [9, 1] }\n'
    categories = [body.category for body in scene_of(suite_of(text), index).things]
    assert set(categories) <= {"donut", "cup"}
    assert 1 <= len(categories) <= 6
    assert categories.count("donut") > categories.count("cup")


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_table_room_and_lights_are_the_files(suite_of, split):
    text = (
        "[room]\nhalf_m = 2.5\n[table]\nheight_m = 0.5\nhalf_length_m = 0.9\nhalf_width_m = 0.4\n"
        "[light]\nlamps = 3\nwarmth = 1.0\nsun_tilt_rad = 0.0\nambient = 0.2\n"
    )
    scene = scene_of(suite_of(text), split=split)
    (table,) = scene.supports
    assert table.center_m == (0.0, 0.0, 0.5)
    assert table.half_extent_m == (0.9, 0.4)
    assert [light.colour for light in scene.lights] == [(1.0, 0.95, 0.8)] * 4
    assert scene.lights[0].direction[2] == -1.0
    assert scene.ambient == pytest.approx((0.2, 0.19, 0.16))
    floor = next(body for body in scene.bodies if body.category == "floor")
    assert floor.bounds_m()[1][0] == pytest.approx(2.6)


def test_shapes_of_the_catalogue_are_the_files(suite_of):
    text = '[objects]\ncategory = "bowl"\n[shape.bowl]\nradius_m = 0.07\n'
    for body in scene_of(suite_of(text)).things:
        assert body.bounds_m()[1][0] == pytest.approx(0.07, abs=1e-3)


def test_a_view_from_outside_of_the_room_is_refused(suite_of):
    with pytest.raises(SceneError, match=r"camera\.distance_m .*within 0\.3 \.\. 1\.4, got 5"):
        find_suite(suite_of("[camera]\ndistance_m = 5\n"))
