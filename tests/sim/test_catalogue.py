"""The catalogue shows every category large and whole, the same whatever else is on the sheet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import rehearse
from scenes.errors import SceneError, UnknownNameError
from scenes.looks import LOOKS
from scenes.objects import generators
from scenes.taxonomy import TAXONOMY
from sim.backend import Backend, open_backend
from sim.catalogue import variant, view_of, write_catalogue, write_looks


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    opened = open_backend("mujoco")
    yield opened
    opened.close()


@pytest.mark.parametrize("category", sorted(generators()))
def test_it_is_seen_whole_and_large(category: str, backend: Backend) -> None:
    frame = view_of(backend, variant(category, "train", 0, 1), 64)
    assert set(np.unique(frame.truth.semantic)) == {TAXONOMY.named("floor").id, TAXONOMY.named(category).id}
    rows, columns = np.nonzero(frame.truth.instance)
    assert min(rows.min(), columns.min()) >= 1
    assert max(rows.max(), columns.max()) <= 62
    assert max(np.ptp(rows), np.ptp(columns)) >= 52
    assert frame.rgb[frame.truth.instance > 0].std() > 1


def read(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def test_a_category_is_drawn_alike_alone_and_among_others(tmp_path: Path, backend: Backend) -> None:
    both = write_catalogue(tmp_path / "deep" / "both.png", names=["cup", "carrot"], variants=2, cell_px=48)
    assert both.variants == {"cup": 2, "carrot": 2}
    sheet = read(tmp_path / "deep" / "both.png")
    assert (sheet.shape[1], sheet.shape[0]) == both.size_px
    alone = view_of(backend, variant("carrot", "train", 0, 1), 48).rgb
    left = 6 + 96 + 6 + 48
    np.testing.assert_array_equal(sheet[6:54, left : left + 48], alone)
    assert "2 names, 4 pictures" in both.describe()


def test_split_and_seed_give_other_objects() -> None:
    digests = {
        variant("vase", split, seed, number).parts[0].mesh.vertices.tobytes()  # type: ignore[arg-type]  # literals
        for split, seed, number in (("train", 0, 0), ("val", 0, 0), ("test", 0, 0), ("train", 1, 0), ("train", 0, 1))
    }
    assert len(digests) == 5


def test_every_look_is_on_the_other_sheet(tmp_path: Path) -> None:
    sheet = write_looks(tmp_path / "looks.png", variants=1, cell_px=32)
    assert list(sheet.variants) == list(LOOKS)
    cells = read(tmp_path / "looks.png")
    assert cells[6:38, 6:38].std() > 5


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'carrot'"):
        write_catalogue(tmp_path / "x.png", names=["carot"])
    (tmp_path / "file").write_text("")
    with pytest.raises(SceneError, match="Cannot write the catalogue"):
        write_catalogue(tmp_path / "file" / "x.png", names=["cup"], variants=1, cell_px=16)


def test_the_command_writes_it_and_refuses_a_strange_category(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = [
        "catalogue",
        str(tmp_path / "x.png"),
        "--category",
        "cup",
        "--variants",
        "1",
        "--cell",
        "32",
        "--split",
        "val",
        "--json",
    ]
    assert rehearse.main(line) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["variants"], told["split"]) == ({"cup": 1}, "val")
    assert read(tmp_path / "x.png").shape[1::-1] == tuple(told["size_px"])
    assert rehearse.main(["catalogue", str(tmp_path / "y.png"), "--category", "cupp"]) == 2
    assert "Did you mean 'cup'" in capsys.readouterr().err
