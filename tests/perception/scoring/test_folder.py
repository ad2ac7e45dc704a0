"""Scoring what is on disk: the same figures as in memory, frames without a prediction, and folders that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception.scoring import score_folder, score_frames
from perception.scoring.frame_score import empty_prediction
from perception.store import write_predictions
from scenes.errors import DatasetError
from sim.capture import Capture
from sim.convert import ConvertSpec, convert
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from tests.perception.scoring.label_maps import noisy_prediction, perfect_prediction
from tests.sim.fake_frames import FakeSource


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scoring") / "frames"
    spec = GenerateSpec(suite="tabletop", out=folder, frames=5, size=(64, 48), workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    return folder


def test_figures_are_those_of_the_same_predictions_in_memory(rng, dataset, tmp_path):
    pairs = [(frame, noisy_prediction(frame, rng)) for frame in Dataset.open(dataset)]
    write_predictions(tmp_path / "out", [(frame.name, prediction) for frame, prediction in reversed(pairs)])
    on_disk, in_memory = score_folder(tmp_path / "out", dataset), score_frames(pairs)
    for key, figure in in_memory.figures.items():
        if figure.value is None:
            assert on_disk[key] == figure
            continue
        assert on_disk[key].value == pytest.approx(figure.value, rel=1e-6, abs=1e-9, nan_ok=True), key
    assert (on_disk.missing, on_disk.unmatched) == ((), ())


def test_a_clip_is_scored_over_time(rng, tmp_path):
    capture = Capture(sequence=4, rate_hz=15.0, motion="both")
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "data", frames=4, size=(48, 36), workers=1, capture=capture, proof=False)
    generate(spec, progress=False)
    pairs = [(frame, noisy_prediction(frame, rng)) for frame in Dataset.open(tmp_path / "data")]
    write_predictions(tmp_path / "out", [(frame.name, prediction) for frame, prediction in pairs])
    linked, given = (score_folder(tmp_path / "out", tmp_path / "data", tracks=t) for t in ("linked", "given"))
    assert linked["dvpq"].value == pytest.approx(score_frames(pairs)["dvpq"].value, rel=1e-6)
    assert linked["dvpq_k4_l25"].n == given["dvpq_k4_l25"].n == 1
    assert linked["dpq"].value == pytest.approx(given["dpq"].value)
    bodies = [{r.instance_id: r.body_name for r in frame.truth.objects} for frame, _ in pairs]
    assert len({name for of in bodies for name in of.items()}) == len({i for of in bodies for i in of})  # ids are stable


def test_frames_without_a_prediction_are_scored_as_missed_and_strangers_are_named(dataset, tmp_path):
    frames = list(Dataset.open(dataset))
    items = [(frame.name, perfect_prediction(frame)) for frame in frames[:4]]
    write_predictions(tmp_path / "out", [*items, ("elsewhere/view0", perfect_prediction(frames[0]))])
    scores = score_folder(tmp_path / "out", dataset)
    assert scores.missing == (frames[4].name,)
    assert scores.unmatched == ("elsewhere/view0",)
    assert scores["sq_stuff"].value == pytest.approx(1)
    assert scores["rq_stuff"].value == pytest.approx(4 / 4.5)
    assert scores["delta1_image_mean"].value == pytest.approx(0.8)


def test_predictions_of_another_data_set_are_refused(dataset, tmp_path):
    write_predictions(tmp_path / "out", [("elsewhere/view0", empty_prediction((48, 64)))])
    with pytest.raises(DatasetError, match=r"No prediction in .* belongs to a frame of"):
        score_folder(tmp_path / "out", dataset)


def test_predictions_of_another_size_are_refused(dataset, tmp_path):
    name = Dataset.open(dataset).names[0]
    write_predictions(tmp_path / "out", [(name, empty_prediction((24, 32)))])
    with pytest.raises(DatasetError, match=r"does not fit .*must have the size of its frame"):
        score_folder(tmp_path / "out", dataset)


def test_two_predictions_for_one_frame_are_refused(dataset, tmp_path):
    name = Dataset.open(dataset).names[0]
    write_predictions(tmp_path / "out", [(name, empty_prediction((48, 64)))] * 2)
    with pytest.raises(DatasetError, match="two predictions for one frame"):
        score_folder(tmp_path / "out", dataset)


def test_missing_folders_say_what_to_do(dataset, tmp_path):
    with pytest.raises(DatasetError, match="rehearse predict"):
        score_folder(tmp_path / "nothing", dataset)
    with pytest.raises(DatasetError, match="rehearse generate"):
        score_folder(tmp_path / "nothing", tmp_path / "no_frames")


def test_a_coco_panoptic_folder_is_scored_and_what_it_lacks_is_not_available(dataset, tmp_path):
    convert(ConvertSpec(dataset=dataset, out=tmp_path / "coco", to="coco"), progress=False)
    items = [(frame.name, perfect_prediction(frame)) for frame in Dataset.open(dataset)]
    write_predictions(tmp_path / "out", items)
    ours, theirs = score_folder(tmp_path / "out", dataset), score_folder(tmp_path / "out", tmp_path / "coco")
    for key in ("pq", "pq_things", "miou", "mask_ap"):
        assert theirs[key].value == pytest.approx(ours[key].value) == pytest.approx(1)
    for key in ("box_ap", "box_ap50", "box_iou_mean", "delta1_pooled", "absrel_image_mean", "segment_depth_absrel_median"):
        assert theirs[key].value is None or theirs[key].value != theirs[key].value  # nan
        assert theirs[key].reason
    assert theirs["box_iou_mean"].reason == "no matched thing has a true box"
