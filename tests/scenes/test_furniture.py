"""Furniture: closed meshes, plausible size and mass, colliders that cover what is seen, supports that bear."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scenes.errors import UnknownNameError
from scenes.footprints import bounds_m
from scenes.objects import furniture, generators, make_object, openings, storage
from scenes.objects.lamps import pendant
from scenes.sampler import ShapeSampler
from scenes.taxonomy import TAXONOMY

_SPEC = importlib.util.spec_from_file_location("object_checks", Path(__file__).parent / "test_objects.py")
assert _SPEC is not None
assert _SPEC.loader is not None
checks = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(checks)

HEIGHT_M = {  # smallest and largest plausible height
    "bed": (0.75, 1.3), "bench": (0.4, 1.0), "chair": (0.75, 1.25), "couch": (0.7, 1.05), "dining table": (0.7, 0.8),
    "lamp": (0.3, 1.75), "microwave": (0.25, 0.36), "oven": (0.84, 0.96), "person": (1.1, 1.95),
    "potted plant": (0.2, 1.6), "refrigerator": (0.8, 2.0), "sink": (0.3, 1.25), "toaster": (0.15, 0.27),
    "toilet": (0.65, 0.9), "tv": (0.4, 0.95),
}  # fmt: skip
STUFF = {
    "cabinet": storage.cabinet,
    "shelf": storage.shelf,
    "window": lambda s: openings.window(s, 0.6, 0.5),
    "door": lambda s: openings.door(s, 0.45, 2.05),
    "curtain": lambda s: openings.curtain(s, 0.8, 0.05, 2.2, open_share=0.6),
    "rug": lambda s: openings.rug(s, 0.6, 0.9),
    "pendant": lambda s: pendant(s, 0.6),
}
SEEDS = (0, 1, 2)


def make(name, seed):
    sampler = ShapeSampler(rng=np.random.default_rng(seed), split="train")
    return (STUFF.get(name) or furniture()[name])(sampler)


def test_the_catalogue_has_a_generator_for_every_thing():
    assert set(generators()) == {c.name for c in TAXONOMY.things}
    assert set(furniture()) < set(generators())


@pytest.mark.parametrize("name", [*sorted(furniture()), *sorted(STUFF)])
def test_meshes_are_closed_and_face_outward(name):
    for seed in SEEDS:
        for part in make(name, seed).parts:
            assert checks.open_edges(part.mesh) == 0, part.name
            assert checks.signed_volume(part.mesh) > 0, part.name
            np.testing.assert_allclose(np.linalg.norm(part.mesh.corner_normals, axis=2), 1.0, atol=1e-4)


@pytest.mark.parametrize("name", sorted(furniture()))
def test_it_stands_on_the_floor_with_a_plausible_height_and_mass(name):
    for seed in (*SEEDS, 3, 4, 5):
        shape = make(name, seed)
        low, high = bounds_m(shape)
        assert abs(low[2]) < 0.003
        assert HEIGHT_M[name][0] < high[2] < HEIGHT_M[name][1]
        assert 0.5 < shape.mass_kg < 130
        assert shape.category == name


@pytest.mark.parametrize("name", [n for n in sorted(furniture()) if n != "potted plant"])
def test_colliders_cover_what_is_seen_within_two_centimetres(name):
    for seed in SEEDS:
        shape = make(name, seed)
        points = np.concatenate([part.mesh.vertices for part in shape.parts])
        covered = np.zeros(len(points), dtype=bool)
        for collider in shape.colliders:
            covered |= checks.inside(collider, points, margin_m=0.025)
        assert covered.mean() > 0.85, (name, seed, covered.mean())


@pytest.mark.parametrize("name", [*sorted(furniture()), "cabinet", "shelf"])
def test_supports_lie_on_a_collider_and_have_nothing_in_them(name):
    for seed in SEEDS:
        shape = make(name, seed)
        for support in shape.supports:
            grid = np.stack(np.meshgrid(*(np.linspace(-0.95, 0.95, 7),) * 2), axis=-1).reshape(-1, 2)
            grid = grid[(grid**2).sum(axis=1) <= 0.95] if support.round else grid
            flat = np.array(support.center_m) + np.column_stack([grid * support.half_extent_m, np.zeros(len(grid))])
            under = np.any([checks.inside(c, flat - [0, 0, 0.002], 0.001) for c in shape.colliders], axis=0)
            over = np.any([checks.inside(c, flat + np.array([0, 0, 0.03]), 0.0) for c in shape.colliders], axis=0)
            assert under.mean() > 0.8, (name, seed)
            assert over.mean() < 0.25, (name, seed)


def test_an_unknown_piece_names_the_closest():
    with pytest.raises(UnknownNameError, match="Did you mean 'couch'"):
        make_object("coach", ShapeSampler(rng=np.random.default_rng(0), split="train"))
