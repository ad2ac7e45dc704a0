"""Version 1 of the tabletop suite never moves: what is added to catalogue, looks or taxonomy leaves its scenes alone."""

from __future__ import annotations

import pytest

from scenes.described import SHIPPED, load
from scenes.suites import SUITES, make_scene
from scenes.taxonomy import TABLETOP_CATEGORIES, TAXONOMY

# Taken before the catalogue grew beyond these categories.
DIGESTS = {
    ("train", 0, 0): "b5120bc1e5a64d98dad2d1e570ba568d8b6b5733e115374a2d951e1891c5fbe2",
    ("train", 0, 7): "b329d87c157ffd190c9da13b6bb08c5510466c5d64c0539c3fd5311cf6339019",
    ("train", 3, 41): "f0389ff3f27e16fac6408c4d734d7dd398cc80f0a0c2638a6ed8eaccd2d5c1c5",
    ("val", 0, 2): "332351f7a3f56cbc8a3f087f20819f3af2fca912089a744338aab8f1d80808c3",
    ("test", 0, 5): "dbded41defece1db7b8790dad92f8d84d0d6b7c28859e81ab07937bb0d8e4ca1",
    ("test", 9, 1): "0ea081fc827d245b08684d1ca268c54dfa6b240f4652bb19f9c68ec5b8c983d1",
}


@pytest.mark.parametrize("key", DIGESTS, ids=lambda key: "-".join(map(str, key)))
def test_the_scenes_are_those_of_the_first_day(key: tuple[str, int, int]) -> None:
    assert SUITES["tabletop"].version == 1
    split, seed, index = key
    assert make_scene("tabletop", split=split, seed=seed, index=index).digest() == DIGESTS[key]


def test_its_categories_keep_their_ids() -> None:
    names = "void floor wall table bottle,wine glass,cup fork knife spoon bowl plate can box banana apple orange book"
    expected = [name for group in names.split(",") for name in ([group] if group == "wine glass" else group.split())]
    assert list(TABLETOP_CATEGORIES) == expected
    assert [c.name for c in TAXONOMY][: len(expected)] == expected
    things = load(SHIPPED["tabletop"]).distributions["objects.category"].options
    assert set(things) == set(expected[4:])
    assert list(things) == sorted(things)
