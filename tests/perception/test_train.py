"""A run can be killed at any step and ends with the very weights of a run that was not; foreign files are refused."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install rehearse-perception[train]")
safetensors_torch = pytest.importorskip("safetensors.torch", reason="checkpoints need safetensors")

from perception.checkpoint import FILE_NAME, load_checkpoint, save_checkpoint, weights_only
from perception.data import FrameArrays, frame_arrays
from perception.network import NetworkSpec
from perception.train import TrainSpec, fit, train
from scenes.errors import TrainingError
from sim.generate import GenerateSpec, generate
from tests.perception.synthetic_samples import samples
from tests.sim.fake_frames import FakeSource

NETWORK = NetworkSpec(input_size=(48, 64), widths=(16, 16, 16, 16), blocks=(1, 1, 1), context=16, head=32)
SPEC = TrainSpec(datasets=("none",), steps=6, batch=2, network=NETWORK)


@pytest.fixture
def arrays(rng: np.random.Generator) -> FrameArrays:
    return frame_arrays(samples(5, (48, 64), rng=rng))


@pytest.mark.parametrize("stops", [(2,), (1, 4)], ids=str)
def test_a_killed_run_ends_with_the_same_weights(stops: tuple[int, ...], arrays: FrameArrays, tmp_path: Path) -> None:
    whole = fit(SPEC, tmp_path / "whole", arrays)
    for stop in stops:
        assert not fit(SPEC, tmp_path / "killed", arrays, stop_at_step=stop).finished
    killed = fit(SPEC, tmp_path / "killed", arrays)
    assert (whole.steps, whole.images, killed.steps, killed.finished) == (6, 12, 6, True)
    a, b = (load_checkpoint(tmp_path / name / FILE_NAME) for name in ("whole", "killed"))
    for part in ("network", "mean"):
        for name, value in getattr(a, part).items():
            assert torch.equal(value, getattr(b, part)[name]), name
    for n, state in a.optimizer.items():
        for key, value in state.items():
            assert torch.equal(value, b.optimizer[n][key])


def test_a_finished_run_is_not_trained_again(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(SPEC, tmp_path, arrays)
    before = load_checkpoint(tmp_path / FILE_NAME).network["stem.0.weight"]
    again = fit(SPEC, tmp_path, arrays)
    assert again.finished
    assert again.steps == 6
    assert torch.equal(before, load_checkpoint(tmp_path / FILE_NAME).network["stem.0.weight"])


def test_the_mean_follows_the_weights_but_is_not_them(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(SPEC, tmp_path, arrays)
    checkpoint = load_checkpoint(tmp_path / FILE_NAME)
    weights, mean = checkpoint.network["stem.0.weight"], checkpoint.mean["stem.0.weight"]
    assert 0 < float((weights - mean).abs().max()) < 0.1


def test_another_spec_is_refused_by_name_and_a_longer_budget_is_not(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(SPEC, tmp_path, arrays, stop_at_step=1)
    with pytest.raises(TrainingError, match="another batch, seed; train into a new folder"):
        fit(replace(SPEC, seed=1, batch=3), tmp_path, arrays)
    assert fit(replace(SPEC, steps=8), tmp_path, arrays).steps == 8


def test_a_run_can_start_from_the_weights_of_another(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(SPEC, tmp_path / "first", arrays)
    weights = tmp_path / "weights.safetensors"
    save_checkpoint(weights_only(load_checkpoint(tmp_path / "first" / FILE_NAME)), weights)
    assert weights.stat().st_size < 0.5 * (tmp_path / "first" / FILE_NAME).stat().st_size
    frozen = replace(SPEC, start=str(weights), steps=1, learn=replace(SPEC.learn, rate=0.0, weight_decay=0.0))
    fit(frozen, tmp_path / "second", arrays)
    first, second = (load_checkpoint(tmp_path / name / FILE_NAME) for name in ("first", "second"))
    assert torch.equal(first.mean["stem.0.weight"], second.network["stem.0.weight"])
    assert second.step == 1


def test_what_the_weights_of_another_run_lack_begins_anew_and_is_logged(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(replace(SPEC, network=replace(SPEC.network, attention=0)), tmp_path / "first", arrays)
    frozen = replace(SPEC, steps=1, learn=replace(SPEC.learn, rate=0.0, weight_decay=0.0))
    fit(replace(frozen, start=str(tmp_path / "first" / FILE_NAME)), tmp_path / "second", arrays)
    first, second = (load_checkpoint(tmp_path / name / FILE_NAME) for name in ("first", "second"))
    assert torch.equal(first.mean["stem.0.weight"], second.network["stem.0.weight"])
    begin = json.loads((tmp_path / "second" / "log.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert set(begin["begun_anew"]) == second.network.keys() - first.network.keys()


def test_weights_of_another_network_are_refused(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(SPEC, tmp_path / "first", arrays)
    wider = replace(SPEC.network, widths=(32, 32, 32, 32), context=32)
    other = replace(SPEC, start=str(tmp_path / "first" / FILE_NAME), network=wider)
    with pytest.raises(TrainingError, match="weights to start from are of another network"):
        fit(other, tmp_path / "second", arrays)


def test_a_time_budget_ends_the_run_with_a_small_rate(arrays: FrameArrays, tmp_path: Path) -> None:
    spec = replace(SPEC, steps=None, max_minutes=0.05)
    assert fit(spec, tmp_path, arrays).finished
    assert spec.progress(0, 1.5) == pytest.approx(0.5)
    assert replace(spec, steps=10).progress(8, 1.5) == pytest.approx(0.8)
    assert replace(spec, steps=10).progress(99, 0) == 1


def test_the_log_is_one_object_per_line_and_validation_is_noted(arrays: FrameArrays, tmp_path: Path) -> None:
    summary = fit(replace(SPEC, steps=25), tmp_path, arrays, validate=lambda _: {"pq": 0.25})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["begin", "step", "scores", "end"]
    assert lines[2]["pq"] == summary.validation["pq"] == 0.25
    assert lines[1]["step"] == 25
    assert set(summary.losses) == {"semantic", "center", "offset", "depth", "total"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"datasets": ()}, "at least one data set"),
        ({"steps": None}, "give --steps, --max-minutes or both"),
        ({"steps": 0}, "steps >= 1"),
        ({"batch": 1}, "batches of at least 2"),
    ],
)
def test_an_impossible_run_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        replace(SPEC, **changes)  # type: ignore[arg-type]  # wrong on purpose


def test_trains_from_a_data_set_on_disk_and_validates_with_the_real_metrics(tmp_path: Path) -> None:
    generate(
        GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=3, size=(64, 48), workers=1, stages=False),
        progress=False,
        open_source=FakeSource,
    )
    spec = replace(SPEC, datasets=(str(tmp_path / "d"),), val=str(tmp_path / "d"), steps=2, val_frames=2)
    summary = train(spec, tmp_path / "run", show_progress=False)
    assert summary.finished
    assert {"pq", "pq_things", "miou", "absrel_image_mean", "delta1_image_mean"} <= summary.validation.keys()


def test_a_checkpoint_survives_a_round_trip(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(SPEC, tmp_path, arrays, stop_at_step=2)
    first = load_checkpoint(tmp_path / FILE_NAME)
    save_checkpoint(first, tmp_path / "copy.safetensors")
    again = load_checkpoint(tmp_path / "copy.safetensors")
    assert (first.spec, first.step, first.elapsed_s) == (again.spec, again.step, again.elapsed_s)
    assert first.spec == json.loads(json.dumps(SPEC.to_dict()))
    assert all(torch.equal(v, again.network[k]) for k, v in first.network.items())
    assert sorted(p.name for p in tmp_path.iterdir()) == [FILE_NAME, "copy.safetensors", "log.jsonl"]


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was executed",))


def test_foreign_files_are_refused_in_one_sentence_and_pickles_never_run(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with pytest.raises(TrainingError, match="There is no checkpoint"):
        load_checkpoint(path)
    path.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(TrainingError, match="it is a pickle, which is never read"):
        load_checkpoint(path)
    torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(TrainingError, match="it is a pickle, which is never read"):
        load_checkpoint(path)
    path.write_bytes(b"hello")
    with pytest.raises(TrainingError, match="expected a whole safetensors file"):
        load_checkpoint(path)
    safetensors_torch.save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(TrainingError, match="not a checkpoint of this release"):
        load_checkpoint(path)


def test_a_truncated_checkpoint_is_refused(arrays: FrameArrays, tmp_path: Path) -> None:
    fit(SPEC, tmp_path, arrays, stop_at_step=1)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(TrainingError, match="expected a whole safetensors file"):
        fit(SPEC, tmp_path, arrays)
