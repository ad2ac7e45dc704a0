"""Parameters of shapes: every draw has a name, what is printed can be pasted, an override changes what it says and no more."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import scenes
from scenes.described import load
from scenes.distributions import Distribution, read_distribution
from scenes.errors import SceneError, UnknownNameError
from scenes.objects import generators, make_object
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import making
from scenes.parameters import categories, parameters_of, parameters_toml, shipped_of
from scenes.sampler import BANDS, TEST_BANDS, ShapeSampler
from scenes.suites import make_scene
from scenes.taxonomy import TAXONOMY

ROOT = Path(scenes.__file__).parent
DRAWS = {"uniform", "integer", "chance", "choice", "colour"}
QUICK = ("apple", "bowl", "cup", "fork", "plate", "refrigerator", "wine glass")


def sampler(seed, overrides=None, split="train"):
    return ShapeSampler(rng=np.random.default_rng(seed), split=split, overrides=overrides)


def given(category, **values):
    return {category: {name.replace("__", "."): read_distribution(value) for name, value in values.items()}}


def looks(shape: ObjectShape):
    arrays = [a for p in shape.parts for a in (p.mesh.vertices, p.mesh.faces, p.material.texture) if a is not None]
    plain = [(p.name, p.material.colour, p.material.roughness) for p in shape.parts]
    return repr((shape.colliders, shape.mass_kg, shape.friction, plain)), [a.tobytes() for a in arrays]


def height_m(shape: ObjectShape) -> float:
    return max(float(part.mesh.vertices[:, 2].max()) for part in shape.parts)


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(
        f'[suite]\nkind = "clutter"\n\n[objects]\ncount = 8\ncategory = {{ choice = ["cup", "plate", "fork"] }}\n\n{text}'
    )
    return path


def test_every_draw_in_the_code_has_a_name():
    sites = 0
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            drawn = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DRAWS
            if drawn and ast.unparse(node.func.value).endswith(("sampler", "named")):
                sites += 1
                assert node.args, f"{path}:{node.lineno}"
                name = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
                assert isinstance(name, str), f"{path}:{node.lineno}"
    assert sites > 800


def test_every_thing_has_parameters():
    assert {c.name for c in TAXONOMY.things} <= set(categories())


@pytest.mark.parametrize("category", QUICK)
def test_a_name_stands_for_one_draw_and_none_is_the_table_of_another(category):
    assert_unique(category)


@pytest.mark.slow
@pytest.mark.parametrize("category", categories())
def test_names_are_unique_in_every_category(category):
    assert_unique(category)


def assert_unique(category):
    names = set(shipped_of(category))  # raises where a name stands for two draws
    assert names
    assert not [(a, b) for a in names for b in names if b.startswith(f"{a}.")]


@pytest.mark.slow
@pytest.mark.parametrize("category", sorted(generators()))
def test_no_seed_draws_what_is_not_listed(category, monkeypatch):
    names = set(shipped_of(category))
    seen = set()
    asked = ShapeSampler._override
    monkeypatch.setattr(ShapeSampler, "_override", lambda s, name: (seen.add(s._prefix + name), asked(s, name))[1])
    for seed in range(60):
        make_object(category, sampler(seed))
    assert seen <= names


def test_what_is_printed_is_the_same_every_time_and_can_be_pasted(tmp_path):
    text = parameters_toml(QUICK)
    assert text == parameters_toml(QUICK)
    path = write(tmp_path, text)
    shapes = load(path).shapes
    assert set(shapes) == set(QUICK)
    assert shapes["wine glass"]["stem_m"] == Distribution(kind="uniform", numbers=(0.07, 0.1))
    for category in QUICK:
        for seed in range(6):
            assert looks(make_object(category, sampler(seed, shapes))) == looks(make_object(category, sampler(seed)))


@pytest.mark.slow
def test_all_that_is_printed_can_be_pasted(tmp_path):
    shapes = load(write(tmp_path, parameters_toml())).shapes
    assert set(shapes) == set(categories())
    for category in generators():
        for seed in range(3):
            assert looks(make_object(category, sampler(seed, shapes))) == looks(make_object(category, sampler(seed))), (
                category
            )


def test_an_override_changes_what_it_says():
    tall = given("cup", height_m={"uniform": [0.12, 0.14]}, has_handle=0.0, friction=0.3)
    for seed in range(12):
        cup = make_object("cup", sampler(seed, tall))
        assert 0.12 <= height_m(cup) < 0.142
        assert [part.name for part in cup.parts] == ["body"]
        assert cup.friction == 0.3
    red = given("apple", skin_kind="green")
    greens = [make_object("apple", sampler(seed, red)).parts[0] for seed in range(4)]
    assert all(part.material.texture is not None for part in greens)


def test_an_override_of_one_draw_leaves_the_others_of_the_object():
    plain, heavy = (make_object("plate", sampler(3, o)) for o in (None, given("plate", mass_kg=0.9)))
    assert heavy.mass_kg == 0.9
    np.testing.assert_array_equal(plain.parts[0].mesh.vertices, heavy.parts[0].mesh.vertices)
    assert plain.parts[0].material.roughness == heavy.parts[0].material.roughness


@pytest.mark.parametrize("kind", ["uniform", "normal", "log_uniform"])
def test_overridden_draws_keep_to_the_bands_of_their_split(kind):
    value = {"uniform": [0.0, 1.0]}
    value = {"normal": [0.5, 0.3], "within": [0.0, 1.0]} if kind == "normal" else value
    value = {"log_uniform": [0.5, 1.0]} if kind == "log_uniform" else value
    overrides = given("x", share=value)
    inner = sampler(0, overrides, split="test").within("x")
    distribution = overrides["x"]["share"]
    edges = [distribution.at(k / BANDS) for k in range(BANDS + 1)]
    bands = {int(np.searchsorted(edges, inner.uniform("share", 3, 4), side="right")) - 1 for _ in range(300)}
    assert bands == set(TEST_BANDS)


def test_choices_and_counts_follow_their_weights():
    overrides = given("x", look={"choice": ["b", "c"], "weights": [3, 1]}, count={"integer": [7, 9]}, width=0.5)
    inner = sampler(0, overrides).within("x")
    drawn = [inner.choice("look", ("a", "b", "c")) for _ in range(2000)]
    assert "a" not in drawn
    assert abs(drawn.count("b") / 2000 - 0.75) < 0.04
    assert {inner.integer("count", 1, 3) for _ in range(200)} == {7, 8, 9}
    assert inner.uniform("width", 0.1, 0.2) == 0.5


def test_a_scene_differs_only_in_the_overridden_category(tmp_path):
    first = load(write(tmp_path, "")).digest()
    plain = make_scene(str(write(tmp_path, "")), split="train", seed=1, index=0)
    path = write(tmp_path, "[shape.cup]\nheight_m = { uniform = [0.13, 0.14] }\nhas_handle = 0.0\n")
    assert load(path).digest() != first
    tall = make_scene(str(path), split="train", seed=1, index=0)

    def meshes(scene, chosen):
        return sorted(
            b"".join(p.mesh.vertices.tobytes() for p in b.parts)
            for b in scene.things
            if (b.category == "cup") == chosen
        )

    assert meshes(plain, chosen=False) == meshes(tall, chosen=False)
    cups = [body for body in tall.things if body.category == "cup"]
    assert cups
    for cup in cups:
        assert 0.13 <= max(float(p.mesh.vertices[:, 2].max()) for p in cup.parts) < 0.142
    assert meshes(plain, chosen=True) != meshes(tall, chosen=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[shape.cpu]\nheight_m = 0.1\n", r"shape.cpu: expected a category of the catalogue.*did you mean 'cup'"),
        (
            "[shape.cup]\nhieght_m = 0.1\n",
            r"shape.cup.hieght_m: expected a parameter.*did you mean 'shape.cup.height_m'",
        ),
        ("[shape.cup]\nheight_m = 3.0\n", r"shape.cup.height_m .*expected numbers within 0.05.* 0.15.*, got 3.0\.$"),
        (
            '[shape.cup]\nglaze.surface = "marbel"\n',
            r"expected names of its list, got 'marbel'; did you mean 'marble'\?$",
        ),
        ("[shape.cup]\nhas_handle = 2\n", r"a probability.*within 0 .. 1, got 2\.$"),
        ("[shape.fork]\ntines = { uniform = [3, 4] }\n", r"expected one name or a choice of names, got uniform"),
        ("[shape.cup]\nglaze.stripes.count = 2.5\n", r"expected whole numbers"),
        ("[shape]\ncup = 3\n", r'expected a table \[shape."cup"\], got 3\.$'),
    ],
)
def test_a_mistake_is_told_in_one_sentence(tmp_path, text, message):
    with pytest.raises(SceneError, match=message):
        load(write(tmp_path, text))


def test_unknown_categories_are_named():
    with pytest.raises(UnknownNameError, match="wine glass"):
        shipped_of("wine glas")
    assert "stem_m" in parameters_of("wine glass")


def test_a_generator_that_fails_names_the_values():
    def fails(inner):
        if inner.uniform("width_m", 0.1, 0.2) > 0.5:
            raise ValueError("too wide")

    with pytest.raises(SceneError, match=r'\[shape."thing"\].*width_m = 0.7 \(too wide\)'):
        making("thing", sampler(0, given("thing", width_m=0.7)), fails)
