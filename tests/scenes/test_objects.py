"""Every category's generator makes closed, outward, plausible objects whose colliders cover what is seen."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.errors import UnknownNameError
from scenes.objects import ObjectShape, generators, make_object
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Mesh
from scenes.taxonomy import TAXONOMY
from scenes.transforms import inverse, transform_points

SEEDS = range(4)
CASES = [(name, seed) for name in sorted(generators()) for seed in SEEDS]


def make(category: str, seed: int, split: str = "train") -> ObjectShape:
    return make_object(category, ShapeSampler(rng=np.random.default_rng(seed), split=split))  # type: ignore[arg-type]  # a literal in every call


def signed_volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def open_edges(mesh: Mesh) -> int:
    """Counts directed edges without their opposite, after welding equal positions."""
    _, weld = np.unique(mesh.vertices.round(9), axis=0, return_inverse=True)
    faces = weld.reshape(-1)[mesh.faces]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[edges[:, 0] != edges[:, 1]]
    keys, counts = np.unique(edges, axis=0, return_counts=True)
    balance = dict(zip(map(tuple, keys.tolist()), counts.tolist(), strict=True))
    return sum(n != balance.get((b, a), 0) for (a, b), n in balance.items())


def inside(collider: Collider, points: np.ndarray, margin_m: float) -> np.ndarray:
    """Tells which points of the body frame lie in a collider grown by a margin."""
    local = np.abs(transform_points(inverse(collider.body_from_collider.matrix()), points))
    a, b, _ = collider.size_m
    if collider.kind == "box":
        return np.asarray((local <= np.array(collider.size_m) + margin_m).all(axis=1))
    if collider.kind == "sphere":
        return np.asarray(np.linalg.norm(local, axis=1) <= a + margin_m)
    radial, axial = np.linalg.norm(local[:, :2], axis=1), local[:, 2]
    if collider.kind == "cylinder":
        return (radial <= a + margin_m) & (axial <= b + margin_m)
    return np.asarray(np.hypot(radial, np.maximum(axial - b, 0)) <= a + margin_m)


def test_every_thing_category_has_a_generator() -> None:
    assert set(generators()) <= {c.name for c in TAXONOMY.things}
    assert len(generators()) >= 12


@pytest.mark.parametrize(("category", "seed"), CASES)
def test_meshes_are_closed_and_face_outward(category: str, seed: int) -> None:
    for part in make(category, seed).parts:
        assert open_edges(part.mesh) == 0, part.name
        assert signed_volume(part.mesh) > 0, part.name
        lengths = np.linalg.norm(part.mesh.corner_normals, axis=2)
        np.testing.assert_allclose(lengths, 1.0, atol=1e-4)


@pytest.mark.parametrize(("category", "seed"), CASES)
def test_objects_stand_on_their_origin_and_have_a_plausible_size_and_mass(category: str, seed: int) -> None:
    shape = make(category, seed)
    points = np.concatenate([part.mesh.vertices for part in shape.parts])
    extent = points.max(axis=0) - points.min(axis=0)
    assert abs(points[:, 2].min()) < 0.003
    assert extent.min() > 0.002
    assert 0.05 < extent.max() < 0.32
    assert 0.02 < shape.mass_kg < 1.0


@pytest.mark.parametrize(("category", "seed"), CASES)
def test_colliders_cover_what_is_seen_within_millimetres(category: str, seed: int) -> None:
    shape = make(category, seed)
    points = np.concatenate([part.mesh.vertices for part in shape.parts])
    covered = np.zeros(len(points), dtype=bool)
    for collider in shape.colliders:
        covered |= inside(collider, points, margin_m=0.008)
    assert covered.mean() > 0.9


@pytest.mark.parametrize("category", ["cup", "bowl"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_hollow_of_a_vessel_is_free_of_colliders(category: str, seed: int) -> None:
    shape = make(category, seed)
    assert shape.cavity is not None
    height = np.linspace(shape.cavity.floor_m + 0.002, shape.cavity.rim_m, 8)
    axis = np.stack([0 * height, 0 * height, height], axis=1)
    assert not any(inside(collider, axis, 0.0).any() for collider in shape.colliders)


@pytest.mark.parametrize("category", sorted(generators()))
def test_the_same_draws_make_the_same_object_and_others_another(category: str) -> None:
    first, again, other = make(category, 5), make(category, 5), make(category, 6)
    for a, b in zip(first.parts, again.parts, strict=True):
        np.testing.assert_array_equal(a.mesh.vertices, b.mesh.vertices)
        if a.material.texture is not None:
            np.testing.assert_array_equal(a.material.texture, b.material.texture)
    assert first.mass_kg == again.mass_kg
    assert other.mass_kg != first.mass_kg


def test_an_unknown_category_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'fork'"):
        make("forck", 0)
