"""Labels of others: by name, by the user's mapping, or void and named; what a mapping says wrong is said."""

from __future__ import annotations

import pytest

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim.convert import ConvertSpec, convert
from sim.dataset import Dataset
from sim.inspect import inspect_dataset
from sim.readers.labels import LabelMap, read_labels
from tests.sim.readers import isaac_folder as isaac


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "labels.toml"
    path.write_text('[labels]\nCrate = "box"\nlarge_marker = "void"\n"rectangle, cube" = "book"\nshelf = "cabinet"\n')
    return path


@pytest.mark.parametrize(
    ("label", "name"),
    [("crate", "box"), ("CRATE", "box"), ("large_marker", "void"), ("rectangle,  cube", "book"), ("shelf", "cabinet"),
     ("crate, large_marker", "box"), ("pallet, crate", "box"), ("cup", "cup")],
)  # fmt: skip
def test_a_mapping_comes_before_our_names(mapping, label, name):
    found = read_labels(mapping).find(label)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("label", ["rectangle", "cup, crate", "marker", "cups"])
def test_what_it_does_not_say_is_not_guessed(mapping, label):
    assert read_labels(mapping).find(label) is None
    assert read_labels(mapping).category(label) is TAXONOMY[0]


def test_replicators_own_words_are_no_unknown_labels():
    assert LabelMap().unknown(["BACKGROUND", "UNLABELLED", "unlabelled", "crate", "cup"]) == ("crate",)


@pytest.mark.parametrize(
    ("text", "message"),
    [("labels = 3", "needs one table"), ("", "needs one table"), ("[labels", "is not TOML"), ("[label]\na = 'b'", "got label"),
     ("[labels]\na = 3", "'a' to 3: expected"), ("[labels]\na = 'cupp'", "Did you mean 'cup'"),
     ("[labels]\na = 'cup'\nA = 'bowl'", "twice")],
)  # fmt: skip
def test_a_wrong_mapping_is_named(tmp_path, text, message):
    (tmp_path / "l.toml").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_labels(tmp_path / "l.toml")
    with pytest.raises(DatasetError, match="Cannot read the labels"):
        read_labels(tmp_path / "none.toml")


def test_frames_figures_and_exports_follow_the_mapping(tmp_path, mapping):
    folder = tmp_path / "isaac"
    labels = isaac.LABELS | {"2": {"class": "crate"}}
    isaac.rgb(folder)
    isaac.semantic(folder, labels=labels)
    isaac.instance(folder, labels=labels)
    plain, found = Dataset.open(folder), Dataset.open(folder, labels=mapping)
    assert "'crate' are not in the taxonomy" in plain.absent["categories"]
    assert len(plain[0].truth.objects) == 1
    assert "categories" not in found.absent
    assert found.remarks["labels"] == "crate is box; mapped but not there: large_marker, rectangle, cube, shelf"
    assert inspect_dataset(folder, tmp_path / "s.png", labels=mapping).objects["box"] == 1
    convert(ConvertSpec(dataset=folder, out=tmp_path / "coco", to="coco", labels=mapping), progress=False)
    (again,) = Dataset.open(tmp_path / "coco")
    assert sorted(TAXONOMY[r.category_id].name for r in again.truth.objects) == ["bowl", "box"]


def test_a_data_set_of_ours_takes_no_mapping(tmp_path, mapping):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DatasetError):
        Dataset.open(tmp_path, labels=mapping)
