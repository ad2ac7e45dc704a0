"""What every engine must do, as one suite: a test module names its backend and inherits the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.engine import OUTPUT_NAMES, Engine, open_engine
from perception.perceiver import Perceiver
from scenes.errors import EngineError
from tests.perception.tiny_engine import METADATA, SIZE, expected, write_tiny


class EngineConformance:
    """The suite; `backend` is the name that `open_engine` takes."""

    backend: str

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> Engine:
        """Returns the tiny network at float32."""
        path = write_tiny(tmp_path_factory.mktemp("engine") / "tiny.onnx")
        return open_engine(path, cls.backend, threads=1, precision="f32")

    def test_outputs_are_the_analytic_ones(self, engine: Engine, rng: np.random.Generator) -> None:
        image = rng.integers(0, 256, (1, 3, *SIZE)).astype(np.float32)
        raw, answer = engine.infer(image), expected(image)
        for name in OUTPUT_NAMES[1:]:
            np.testing.assert_allclose(getattr(raw, name), answer[name], rtol=1e-4, atol=1e-4, err_msg=name)
        assert raw.category.dtype == np.int32
        assert (raw.category == answer["category"]).mean() > 0.999

    def test_a_result_outlives_the_next_call(self, engine: Engine) -> None:
        first = engine.infer(np.zeros((1, 3, *SIZE), np.float32))
        kept = {name: getattr(first, name).copy() for name in OUTPUT_NAMES}
        engine.infer(np.full((1, 3, *SIZE), 200.0, np.float32))
        for name, array in kept.items():
            np.testing.assert_array_equal(getattr(first, name), array)

    def test_the_same_image_gives_the_same_bits(self, engine: Engine, rng: np.random.Generator) -> None:
        image = rng.uniform(0, 255, (1, 3, *SIZE)).astype(np.float32)
        first, second = engine.infer(image), engine.infer(image.copy())
        for name in OUTPUT_NAMES:
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))

    def test_says_what_it_is(self, engine: Engine) -> None:
        assert engine.name == self.backend
        assert engine.metadata == METADATA
        assert len(engine.digest) == 64
        assert engine.settings["inference_num_threads"] == "1"
        assert engine.settings["inference_precision_hint"] == "f32"
        assert engine.settings["chosen"] == "asked for"

    def test_an_image_of_another_size_is_refused(self, engine: Engine) -> None:
        with pytest.raises(EngineError, match="could not run"):
            engine.infer(np.zeros((1, 3, 8, 8), np.float32))

    def test_perceives_an_image_of_any_size(self, engine: Engine, rng: np.random.Generator) -> None:
        rgb = rng.integers(0, 256, (60, 90, 3), dtype=np.uint8)
        prediction, times = Perceiver(engine).perceive_timed(rgb, fx=80.0, fy=80.0, cx=44.5, cy=29.5)
        assert prediction.segment_id.shape == (60, 90)
        assert np.isfinite(prediction.depth_m).all()
        assert (prediction.depth_m > 0).all()
        assert set(np.unique(prediction.segment_id)) - {0} == {s.id for s in prediction.segments}
        assert min(times.preprocess_s, times.infer_s, times.postprocess_s, times.boxes_s) > 0

    @pytest.mark.parametrize("drop", OUTPUT_NAMES)
    def test_a_network_without_an_output_is_refused(self, drop: str, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match="cannot be used as an engine"):
            open_engine(write_tiny(tmp_path / "x.onnx", drop=drop), self.backend, threads=1)

    def test_a_network_with_a_wrong_shape_is_refused(self, tmp_path: Path) -> None:
        path = write_tiny(tmp_path / "x.onnx", depth_channels=2)
        with pytest.raises(EngineError, match="'depth' should be"):
            open_engine(path, self.backend, threads=1)
