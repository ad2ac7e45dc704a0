"""A film shows what the data set of the same words holds, frame by frame, without writing it."""

import itertools
from contextlib import closing

import numpy as np
import pytest

from scenes.errors import DatasetError, UnknownNameError
from sim.capture import Capture
from sim.dataset import Dataset
from sim.film import Film, play
from sim.generate import GenerateSpec, generate

SIZE = (64, 48)


@pytest.mark.parametrize("sequence", [1, 2], ids=["stills", "moving"])
def test_a_film_is_the_data_set_of_the_same_words(tmp_path, sequence):
    capture, frames = Capture(sequence=sequence, motion="both"), 4 * sequence
    spec = GenerateSpec(
        suite="tabletop", out=tmp_path / "data", frames=frames, split="test", seed=3, size=SIZE, workers=1, stages=False,
        capture=capture,
    )  # fmt: skip
    generate(spec, progress=False)
    film = Film(suite="tabletop", split="test", seed=3, size=SIZE, capture=capture)
    with closing(play(film)) as played:
        shown = list(itertools.islice(played, frames))
    stored = Dataset.open(tmp_path / "data")
    assert [frame.name for frame in shown] == list(stored.names)
    assert len({name.rpartition("/")[0] for name in stored.names}) == 2  # the next scene is in it
    for frame, expected in zip(shown, stored, strict=True):
        assert np.array_equal(frame.rgb, expected.rgb)
        assert np.array_equal(frame.truth.depth_m, expected.truth.depth_m)
        assert np.array_equal(frame.truth.semantic, expected.truth.semantic)
        assert frame.truth.objects == expected.truth.objects
        assert frame.camera == expected.camera


def test_its_facts_have_the_names_of_a_data_set(tmp_path):
    film = Film(suite="tabletop", seed=5, size=SIZE, capture=Capture(sequence=30, motion="camera"))
    facts = film.facts()
    assert facts["suite"] == "tabletop"
    assert facts["split"] == "test"
    assert (facts["seed"], facts["size"], facts["sequence"], facts["motion"]) == (5, [64, 48], 30, "camera")
    assert facts["generator"].startswith("rehearse ")


def test_what_makes_no_sense_is_refused_before_anything_starts():
    with pytest.raises(DatasetError, match="one eye"):
        Film(suite="tabletop", capture=Capture(stereo_m=0.06))
    with pytest.raises(UnknownNameError, match="split"):
        Film(suite="tabletop", split="last")
    with pytest.raises(UnknownNameError, match="tabletop"):
        Film(suite="tabeltop")
