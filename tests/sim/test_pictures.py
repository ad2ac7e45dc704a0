"""Pictures show what they are given: colours by id and depth, boxes where their corners project."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim.pictures import (
    blend,
    contact_sheet,
    depth_colours,
    depth_range,
    draw_box_edges,
    draw_text,
    instance_colour,
    instance_colours,
    png_bytes,
    semantic_colours,
)

CAMERA = Camera(name="c", width=81, height=61, fx=60.0, fy=60.0, cx=40.0, cy=30.0, world_from_camera=Pose())


def test_semantic_colours_are_the_taxonomys() -> None:
    ids = np.arange(len(TAXONOMY), dtype=np.uint8)[None]
    np.testing.assert_array_equal(semantic_colours(ids)[0], [c.colour for c in TAXONOMY])
    assert semantic_colours(np.array([[200]], dtype=np.uint8)).tolist() == [[[255, 255, 255]]]


def test_instances_have_colours_of_their_own_and_nothing_is_black() -> None:
    ids = np.arange(40, dtype=np.uint16).reshape(5, 8)
    colours = instance_colours(ids)
    assert len({tuple(c) for c in colours.reshape(-1, 3).tolist()}) == 40
    assert colours[0, 0].tolist() == [0, 0, 0]
    assert tuple(colours[2, 3].tolist()) == instance_colour(19)


def test_near_is_red_far_is_blue_and_unknown_is_black() -> None:
    depth_m = np.array([[1.0, 2.0, np.inf]], dtype=np.float32)
    near, far, unknown = depth_colours(depth_m)[0].astype(int)
    assert near[0] > near[2]
    assert far[2] > far[0]
    assert unknown.tolist() == [0, 0, 0]
    np.testing.assert_array_equal(
        depth_colours(depth_m, (1.0, 2.0))[0, :2], depth_colours(depth_m * 5, (5.0, 10.0))[0, :2]
    )


def test_the_depth_range_ignores_outliers_and_survives_a_flat_or_empty_map() -> None:
    depth_m = np.full((100, 100), 1.5, dtype=np.float32)
    depth_m[0, :50] = 1e6
    assert depth_range(depth_m) == pytest.approx((1.5, 1.501))
    assert depth_range(np.full((4, 4), np.inf)) == (0.0, 1.0)
    assert not depth_colours(np.full((4, 4), np.inf)).any()


def test_blend_leaves_what_is_black_above() -> None:
    image, over = np.full((1, 2, 3), 100, np.uint8), np.array([[[0, 0, 0], [200, 0, 0]]], np.uint8)
    assert blend(image, over, 0.5).tolist() == [[[100, 100, 100], [150, 50, 50]]]


def test_box_edges_pass_through_the_projected_corners() -> None:
    box = OrientedBox(Pose((0.0, 0.0, 2.0)), (1.0, 0.6, 0.4))
    black = np.zeros((61, 81, 3), np.uint8)
    drawn = draw_box_edges(black, CAMERA, box, (255, 255, 255))
    assert not black.any()
    for u, v in CAMERA.project(box.corners()).round().astype(int):
        assert drawn[v, u].min() > 100
    assert not drawn[30, 40].any()  # only edges, no faces
    rows, columns = np.nonzero(drawn.any(axis=-1))
    assert abs(rows.mean() - 30) < 0.5
    assert abs(columns.mean() - 40) < 0.5


def test_a_box_behind_the_camera_is_not_drawn_and_one_around_it_is_cut() -> None:
    black = np.zeros((61, 81, 3), np.uint8)
    assert not draw_box_edges(black, CAMERA, OrientedBox(Pose((0.0, 0.0, -2.0)), (1.0, 1.0, 1.0)), (9, 9, 9)).any()
    around = draw_box_edges(black, CAMERA, OrientedBox(Pose((0.0, 0.0, 1.0)), (0.4, 0.4, 4.0)), (255, 255, 255))
    far = CAMERA.project(np.array([0.2, 0.2, 3.0])).round().astype(int)
    assert around[far[1], far[0]].any()


def test_text_is_white_on_a_dark_edge_and_leaves_its_image_alone() -> None:
    grey = np.full((30, 80, 3), 128, np.uint8)
    drawn = draw_text(grey, "cup", (5, 20))
    assert (grey == 128).all()
    assert drawn.max() > 230
    assert drawn.min() < 30


@pytest.mark.parametrize(("count", "columns", "shape"), [(5, 3, (2, 3)), (3, 3, (1, 3)), (1, 4, (1, 4))])
def test_a_contact_sheet_has_a_place_for_every_image(count: int, columns: int, shape: tuple[int, int]) -> None:
    images = [np.full((48, 64, 3), 40 + 40 * k, np.uint8) for k in range(count)]
    sheet = contact_sheet(images, columns=columns, cell_width=32, gap_px=2)
    assert sheet.shape == (shape[0] * 26 + 2, shape[1] * 34 + 2, 3)
    for k in range(count):
        assert (sheet[2 + k // columns * 26 + 12, 2 + k % columns * 34 + 16] == 40 + 40 * k).all()
    assert len(contact_sheet(images, columns=columns, labels=["one"], cell_width=32)) > len(sheet)


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 and 3"):
        contact_sheet([], columns=3)


def test_png_bytes_are_rgb(rng: np.random.Generator) -> None:
    import cv2

    image = rng.integers(0, 256, (7, 5, 3), dtype=np.uint8)
    back = cv2.imdecode(np.frombuffer(png_bytes(image), np.uint8), cv2.IMREAD_UNCHANGED)
    assert back is not None
    np.testing.assert_array_equal(back[..., ::-1], image)
