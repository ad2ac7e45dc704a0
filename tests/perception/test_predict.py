"""Predicting a data set gives what perceiving its frames gives, and a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from perception.engine import open_engine
from perception.perceiver import Perceiver
from perception.predict import predict_dataset
from perception.store import FILE_NAME, read_predictions
from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.transforms import Pose
from tests.perception.tiny_engine import write_tiny


class FourImages:
    """A stand-in for the reader of a data set: four images of noise, which is all that predicting asks for."""

    names = tuple(f"tiny/test/seed0/{i:06d}" for i in range(4))

    def __len__(self) -> int:
        return len(self.names)

    def camera(self, index: int) -> Camera:
        return Camera(name="c", width=64, height=48, fx=60.0 + index, fy=60.0, cx=31.5, cy=23.5, world_from_camera=Pose())

    def rgb(self, index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return np.random.default_rng(index).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.fixture
def engine_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a tiny engine, with every data set being the four images."""
    monkeypatch.setattr("sim.dataset.Dataset.open", lambda _path: FourImages())
    return write_tiny(tmp_path / "tiny.onnx")


class _KilledError(Exception):
    """Stands for a kill."""


def test_every_frame_is_predicted_as_perceived(engine_path: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    summary = predict_dataset(
        engine_path, "any", tmp_path / "out", backend="onnxruntime", threads=1, progress=lambda *step: seen.append(step)
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (summary.frames, summary.skipped) == (4, 0)
    assert summary.stages is not None
    assert summary.stages.infer_s > 0
    assert json.loads(json.dumps(summary.to_dict()))["engine"]["backend"] == "onnxruntime"
    stored, images = read_predictions(tmp_path / "out"), FourImages()
    assert stored.names == images.names
    perceiver = Perceiver(open_engine(engine_path, "onnxruntime", threads=1))
    assert stored.info["engine"]["sha256"] == perceiver.engine.digest
    for i, prediction in enumerate(stored):
        camera = images.camera(i)
        direct = perceiver.perceive(images.rgb(i), fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy)
        np.testing.assert_array_equal(prediction.segment_id, direct.segment_id)
        np.testing.assert_array_equal(prediction.depth_m, direct.depth_m)
        assert prediction.segments == direct.segments


def test_a_stopped_run_goes_on_and_ends_the_same(engine_path: Path, tmp_path: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise _KilledError

    with pytest.raises(_KilledError):
        predict_dataset(engine_path, "any", tmp_path / "a", backend="onnxruntime", threads=1, progress=stop)
    summary = predict_dataset(engine_path, "any", tmp_path / "a", backend="onnxruntime", threads=1)
    assert (summary.frames, summary.skipped) == (4, 2)
    predict_dataset(engine_path, "any", tmp_path / "b", backend="onnxruntime", threads=1)
    assert (tmp_path / "a" / FILE_NAME).read_bytes() == (tmp_path / "b" / FILE_NAME).read_bytes()


def test_a_finished_folder_is_not_written_over(engine_path: Path, tmp_path: Path) -> None:
    predict_dataset(engine_path, "any", tmp_path / "a", backend="onnxruntime", threads=1, limit=1)
    with pytest.raises(DatasetError, match="already holds"):
        predict_dataset(engine_path, "any", tmp_path / "a", backend="onnxruntime", threads=1)
