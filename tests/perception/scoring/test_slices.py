"""Slices split what panoptic quality counts of the truth, thing by thing, and lose none of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import rehearse
from perception.scoring import QUANTITIES, score_frames, slice_folder, slice_scores
from perception.scoring.slices import bins_of, match_things
from perception.store import write_predictions
from scenes.errors import UnknownNameError
from scenes.taxonomy import TAXONOMY
from sim._object_truth import box_of
from sim.dataset import Dataset
from sim.difficulty.measure import measure
from sim.generate import GenerateSpec, generate
from tests.perception.scoring.label_maps import make_frame, noisy_prediction, perfect_prediction
from tests.sim.fake_frames import FakeSource

NAMES = tuple(QUANTITIES)


def boxed(frame):
    """Returns the frame with the true visible boxes in its records."""
    truth = frame.truth
    objects = tuple(replace(r, visible_box_px=box_of(truth.instance == r.instance_id)) for r in truth.objects)
    return replace(frame, truth=replace(truth, objects=objects))


def difficulties_of(frame, rng):
    """Returns what is measured, with a clearance for every second thing."""
    measured = measure(frame, {r.body_name: float(rng.uniform(0, 0.2)) for r in frame.truth.objects[::2]})
    assert len(measured) == len(frame.truth.objects)
    return measured


@pytest.fixture
def pairs(rng):
    frames = [boxed(make_frame(rng, name=f"fake/{s:06d}/view{v}")) for s in range(10) for v in range(2)]
    return [(frame, noisy_prediction(frame, rng), difficulties_of(frame, rng)) for frame in frames]


def sliced(pairs, *by):
    return slice_scores([match_things(*pair) for pair in pairs], by or NAMES)


@pytest.mark.parametrize("by", NAMES)
def test_the_bins_add_up_to_panoptic_quality(pairs, by):
    scores = score_frames((frame, prediction) for frame, prediction, _ in pairs)
    things = [c for c in scores.categories if c.kind == "thing"]
    true, found = sum(c.true_positives + c.false_negatives for c in things), sum(c.true_positives for c in things)
    iou = sum(c.true_positives * c.figures["sq"].value for c in things)
    (table,) = sliced(pairs, by)
    assert sum(b.things for b in table.bins) + table.unmeasured == true
    assert (table.unmeasured > 0) == (by == "clearance")
    if not table.unmeasured:
        assert sum(b.recall.value * b.things for b in table.bins if b.things) == pytest.approx(found)
        assert sum((b.sq.value or 0) * b.sq.n for b in table.bins) == pytest.approx(iou)
        assert sum(b.sq.n for b in table.bins) == found


def test_perfect_and_missing_answers(pairs):
    for table in sliced([(frame, perfect_prediction(frame), d) for frame, _, d in pairs]):
        for b in table.bins:
            assert (b.recall.value, b.sq.value) == (pytest.approx(1), pytest.approx(1)) if b.things else (None, None)
    for table in sliced([(frame, None, d) for frame, _, d in pairs]):
        assert {b.recall.value for b in table.bins if b.things} == {0}
        assert {b.sq.value for b in table.bins} == {None}
        assert all("no thing" in b.sq.reason for b in table.bins)


def test_the_order_of_frames_does_not_matter(pairs):
    assert [t.to_dict() for t in sliced(pairs)] == [t.to_dict() for t in sliced(pairs[::-1])]


def test_intervals_need_scenes(pairs):
    (many,), (few,) = sliced(pairs, "visible_fraction"), sliced(pairs[:4], "visible_fraction")
    assert all(b.recall.low is None for b in few.bins)
    busy = max(many.bins, key=lambda b: b.things)
    assert busy.recall.low <= busy.recall.value <= busy.recall.high


def test_only_things_that_are_missed_change_a_bin(rng):
    frame = make_frame(rng)
    shown = [r for r in frame.truth.objects if (frame.truth.instance == r.instance_id).any()]
    gone = shown[0]
    perfect = perfect_prediction(frame)
    ids = perfect.segment_id.copy()
    ids[frame.truth.instance == gone.instance_id] = 0
    without = replace(perfect, segment_id=ids)
    found = match_things(frame, without, measure(frame))
    assert len(found.iou) == len(shown)
    assert {d.instance_id for d, iou in zip(found.difficulties, found.iou, strict=True) if iou == 0} == {gone.instance_id}
    assert TAXONOMY[gone.category_id].is_thing


def test_edges_belong_to_the_bin_above_and_the_last_one_to_the_last():
    edges = QUANTITIES["visible_fraction"].edges
    assert bins_of(np.array([0, 0.2499, 0.25, 0.95, 1.0]), edges).tolist() == [0, 0, 1, 4, 4]
    assert bins_of(np.array([0.0, 1e9]), QUANTITIES["distance"].edges).tolist() == [0, 6]


def test_an_unknown_quantity_is_named(pairs):
    with pytest.raises(UnknownNameError, match="Did you mean 'distance'"):
        sliced(pairs, "distanse")
    with pytest.raises(ValueError, match="no frame"):
        slice_scores([], ["size"])


def test_the_command_line_prints_a_table_and_json(rng, tmp_path, capsys):
    folder = tmp_path / "frames"
    generate(
        GenerateSpec(suite="tabletop", out=folder, frames=5, size=(64, 48), workers=1), progress=False, open_source=FakeSource
    )
    items = [(frame.name, noisy_prediction(frame, rng)) for frame in Dataset.open(folder)][:4]
    write_predictions(tmp_path / "out", items)
    arguments = ["score", str(tmp_path / "out"), str(folder), "--by", "size,distance"]
    assert rehearse.main(arguments) == 0
    said = capsys.readouterr().out
    assert "size (px)" in said
    assert "distance (m)" in said
    assert rehearse.main([*arguments, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)["slices"]
    assert [table["by"] for table in values] == ["size", "distance"]
    assert values[0]["bins"][-1]["high"] is None
    assert values == [table.to_dict() for table in slice_folder(tmp_path / "out", folder, ["size", "distance"])]
