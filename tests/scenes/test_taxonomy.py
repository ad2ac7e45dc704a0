"""One taxonomy for every suite: ids in order, COCO's names, colours that a person can tell apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scenes.errors import UnknownNameError
from scenes.taxonomy import TABLETOP_CATEGORIES, TAXONOMY, Category, Taxonomy

# The things of COCO 2017 that are named here, and those that COCO does not have.
COCO = {
    "person", "bench", "backpack", "sports ball", "bottle", "wine glass", "cup", "fork",
    "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed",
    "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase",
    "scissors", "teddy bear", "hair drier", "toothbrush",
}  # fmt: skip
NOT_IN_COCO = {"plate", "can", "box", "lamp"}


def test_there_are_sixty_categories_in_order() -> None:
    assert [c.id for c in TAXONOMY] == list(range(60))
    assert len(TAXONOMY.things) >= 40
    assert TAXONOMY[0].kind == "void"
    assert len(TABLETOP_CATEGORIES) == 18


def test_things_have_the_names_of_coco() -> None:
    assert {c.name for c in TAXONOMY.things} == COCO | NOT_IN_COCO


def test_every_category_is_found_by_its_name() -> None:
    for category in TAXONOMY:
        assert TAXONOMY.named(category.name) is category
        assert category.is_thing == (category in TAXONOMY.things)
    with pytest.raises(UnknownNameError, match="Did you mean 'couch'"):
        TAXONOMY.named("coach")


def test_colours_differ_to_the_eye() -> None:
    rgb = np.array([c.colour for c in TAXONOMY], dtype=np.float32)[None] / 255
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0]
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 1000 * np.eye(len(lab))
    assert distance.min() > 9
    assert distance[18:].min() > 14


@pytest.mark.parametrize(
    "rows",
    [
        [Category(id=1, name="void", kind="void", colour=(0, 0, 0))],
        [Category(id=0, name="cup", kind="thing", colour=(0, 0, 0))],
        [
            Category(id=0, name="void", kind="void", colour=(0, 0, 0)),
            Category(id=1, name="Cup", kind="thing", colour=(0, 0, 0)),
        ],
        [
            Category(id=0, name="void", kind="void", colour=(0, 0, 0)),
            Category(id=1, name="void", kind="thing", colour=(0, 0, 0)),
        ],
    ],
    ids=["wrong id", "no void", "upper case", "twice"],
)
def test_a_taxonomy_that_is_none_is_refused(rows: list[Category]) -> None:
    with pytest.raises(ValueError, match="taxonomy needs"):
        Taxonomy(tuple(rows))
