"""The figures of a data set are counts that a second, slower way of counting confirms."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from sim.inspect import frame_pictures, inspect_dataset
from tests.sim.fake_frames import FakeSource, make_frame


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("inspect") / "d"
    spec = GenerateSpec(suite="tabletop", out=folder, frames=7, size=(64, 48), workers=1, stages=False)
    generate(spec, progress=False, open_source=FakeSource)
    return Dataset.open(folder)


def test_figures_are_those_of_the_frames(dataset: Dataset, tmp_path: Path) -> None:
    figures = inspect_dataset(dataset.path, tmp_path / "sheet.png", frames=3)
    truths = [frame.truth for frame in dataset]
    names = Counter(TAXONOMY[record.category_id].name for truth in truths for record in truth.objects)
    assert figures.objects == {c.name: names[c.name] for c in TAXONOMY.things}
    assert (figures.frames, figures.scenes, figures.suite, figures.size) == (7, 3, "tabletop", (64, 48))
    fractions = [record.visible_fraction for truth in truths for record in truth.objects]
    assert figures.visible_fraction_histogram == tuple(np.histogram(fractions, bins=10, range=(0, 1))[0])
    depths = np.concatenate([truth.depth_m[np.isfinite(truth.depth_m)] for truth in truths])
    assert figures.depth_range_m == (float(depths.min()), float(depths.max()))
    table = sum(int((truth.semantic == TAXONOMY.named("table").id).sum()) for truth in truths)
    assert figures.pixels["table"] == pytest.approx(table / (7 * 64 * 48))
    assert sum(figures.pixels.values()) == pytest.approx(1)
    assert json.loads(json.dumps(figures.to_dict()))["frames"] == 7
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[1] > sheet.shape[0] > 600  # three rows of five pictures


def test_a_sheet_that_cannot_be_written_ends_in_one_sentence(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Cannot write the contact sheet"):
        inspect_dataset(dataset.path, tmp_path / "nowhere" / "sheet.png")


def test_a_frame_is_five_pictures_of_its_size(rng: np.random.Generator) -> None:
    frame = make_frame(rng)
    pictures = frame_pictures(frame)
    assert [p.shape for p in pictures] == [frame.rgb.shape] * 5
    assert all(p.dtype == np.uint8 for p in pictures)
    assert (pictures[4] != frame.rgb).any()
