"""Colours say what they claim: red near, blue far, slate for stuff, white for a right depth."""

import colorsys

import numpy as np
import pytest

from perception.pictures import (
    depth_error_map,
    depth_span,
    instance_colour,
    outline,
    panoptic_depth_map,
    panoptic_overlay,
    stuff_colours,
    thing_colours,
    write_label,
)
from perception.prediction import Prediction, Segment
from scenes.taxonomy import TAXONOMY

CUP, TABLE = TAXONOMY.named("cup").id, TAXONOMY.named("table").id


@pytest.fixture
def prediction():
    ids = np.full((60, 90), 1, np.int32)
    ids[10:40, 5:35], ids[10:40, 50:80], ids[50:] = 2, 3, 0
    segments = (
        Segment(id=1, category_id=TABLE, score=0.9, depth_m=1.0),
        Segment(id=2, category_id=CUP, score=0.9, depth_m=0.5),
        Segment(id=3, category_id=CUP, score=0.9, depth_m=1.5),
    )
    return Prediction(segment_id=ids, segments=segments, depth_m=np.ones(ids.shape, np.float32))


def hue_and_saturation(rgb):
    hue, saturation, _ = colorsys.rgb_to_hsv(*(float(v) / 255 for v in rgb))
    return hue * 360, saturation


def test_things_run_from_red_over_green_to_blue():
    near, middle, far = (thing_colours(np.array(d), near_m=0.5, far_m=1.5) for d in (0.5, 1.0, 1.5))
    assert near.argmax() == 0
    assert middle.argmax() == 1
    assert far.argmax() == 2


def test_hue_of_things_grows_with_depth():
    colours = thing_colours(np.linspace(0.4, 2.0, 40), near_m=0.4, far_m=2.0)
    hues = [hue_and_saturation(c)[0] for c in colours]
    assert (np.diff(hues) > -1e-9).all()


def test_stuff_is_grey_beside_things_at_every_depth():
    depths = np.linspace(0.1, 5, 50)
    stuff = [hue_and_saturation(c)[1] for c in stuff_colours(depths, near_m=0.5, far_m=3.0)]
    things = [hue_and_saturation(c)[1] for c in thing_colours(depths, near_m=0.5, far_m=3.0)]
    assert max(stuff) < 0.25
    assert min(things) > 0.6


@pytest.mark.parametrize("depth_m", [np.inf, np.nan, 1e6])
def test_unknown_and_endless_depth_are_far(depth_m):
    far = thing_colours(np.array(3.0), near_m=0.5, far_m=3.0)
    assert (thing_colours(np.array(depth_m), near_m=0.5, far_m=3.0) == far).all()


def test_each_segment_has_one_colour_by_its_own_depth(prediction):
    picture = panoptic_depth_map(prediction, near_m=0.5, far_m=1.5, labels=False)
    assert picture.dtype == np.uint8
    assert (picture[20, 20] == thing_colours(np.array(0.5), near_m=0.5, far_m=1.5)).all()
    assert (picture[20, 65] == thing_colours(np.array(1.5), near_m=0.5, far_m=1.5)).all()
    assert (picture[5, 45] == stuff_colours(np.array(1.0), near_m=0.5, far_m=1.5)).all()
    inner = picture[12:39, 7:34].reshape(-1, 3)
    assert (inner == inner[0]).all()


def test_a_span_of_zero_is_kept_and_not_replaced(prediction):
    given = panoptic_depth_map(prediction, near_m=0.0, far_m=1.5, labels=False)
    assert (given[20, 20] == thing_colours(np.array(0.5), near_m=0.0, far_m=1.5)).all()


def test_depth_span_is_that_of_the_things(prediction):
    near, far = depth_span(prediction)
    assert 0.3 < near < 0.5
    assert 1.5 < far < 1.8


def test_overlay_shows_the_image_through_stuff_more_than_through_things(prediction):
    rgb = np.full((60, 90, 3), 255, np.uint8)
    picture = panoptic_overlay(rgb, prediction, labels=False).astype(int)
    cup = np.array(instance_colour(CUP, 2))
    table = np.array(instance_colour(TABLE, 1))
    assert np.abs(picture[20, 20] - (255 + 0.72 * (cup - 255))).max() <= 1
    assert np.abs(picture[5, 45] - (255 + 0.3 * (table - 255))).max() <= 1


def test_pictures_leave_their_arguments_alone(prediction):
    rgb = np.zeros((60, 90, 3), np.uint8)
    rgb.setflags(write=False)
    panoptic_overlay(rgb, prediction)
    assert panoptic_depth_map(prediction).shape == (60, 90, 3)


def test_an_empty_prediction_has_pictures():
    empty = Prediction(segment_id=np.zeros((8, 9), np.int32), segments=(), depth_m=np.ones((8, 9), np.float32))
    assert panoptic_depth_map(empty).shape == (8, 9, 3)
    assert panoptic_overlay(np.zeros((8, 9, 3), np.uint8), empty).shape == (8, 9, 3)


def test_outline_is_dark_exactly_where_ids_change():
    ids = np.zeros((6, 6), np.int32)
    ids[:, 3:] = 1
    picture = outline(np.full((6, 6, 3), 200, np.uint8), ids)
    assert (picture[:, 3] < 100).all()
    assert (np.delete(picture, 3, axis=1) == 200).all()


def test_depth_error_is_white_when_right_red_when_too_far_blue_when_too_near():
    truth = np.array([[1.0, 1.0, 1.0, np.inf]])
    picture = depth_error_map(np.array([[1.0, 1.2, 0.8, 1.0]]), truth, limit=0.1)
    right, far, near, unknown = picture[0].astype(int)
    assert (right == 250).all()
    assert far[0] > far[2] + 100
    assert near[2] > near[0] + 100
    assert (unknown == 128).all()


@pytest.mark.parametrize(("u", "v"), [(0, 0), (199, 0), (0, 99), (199, 99), (100, 50)])
def test_a_label_has_its_plate_and_text_wherever_it_is(u, v):
    picture = np.full((100, 200, 3), 180, np.uint8)
    write_label(picture, "cup 0.62 m", u, v)
    rows, columns = np.nonzero((picture != 180).any(axis=-1))
    assert np.ptp(columns) > 50
    assert np.ptp(rows) > 9
    assert picture.max() > 240
    assert picture.min() < 80
