"""The depth calibration: planted errors come out again, the gain is the best one, and judging splits are not fitted to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.calibrate import measure_calibration
from perception.calibration import DepthCalibration, fit_calibration
from perception.engine import EngineMetadata, RawOutput
from scenes.errors import TrainingError
from scenes.taxonomy import TABLETOP_CATEGORIES
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from tests.sim.fake_frames import FakeSource

REFERENCE = 310.0
SMALL_REFERENCE = 58.0  # that of the 64 pixels wide frames below


class ConstantEngine:
    """An engine that sees one table everywhere, 1.5 canonical metres away."""

    name = "constant"
    digest = "0" * 64
    settings: dict[str, str] = {}  # noqa: RUF012  # the protocol's attribute, never changed

    def __init__(self, calibration: DepthCalibration) -> None:
        self.metadata = EngineMetadata(
            network="constant", input_size=(48, 64), categories=TABLETOP_CATEGORIES, reference_focal_px=SMALL_REFERENCE,
            calibration=calibration,
        )  # fmt: skip

    def infer(self, image: np.ndarray) -> RawOutput:
        h, w = image.shape[2:]
        table = TABLETOP_CATEGORIES.index("table")
        return RawOutput(
            category=np.full((1, h, w), table, np.int32),
            confidence=np.ones((1, h, w), np.float32),
            center=np.zeros((1, 1, h // 2, w // 2), np.float32),
            offset=np.zeros((1, 2, h // 2, w // 2), np.float32),
            depth=np.full((1, 1, h // 2, w // 2), 1.5, np.float32),
        )


@pytest.mark.parametrize(("gain", "exponent"), [(1.0, 1.0), (0.97, 0.82), (1.1, 1.3)])
def test_a_planted_calibration_is_found(gain: float, exponent: float, rng: np.random.Generator) -> None:
    focal = rng.uniform(260, 360, 400)
    ratio = gain * (focal / REFERENCE) ** exponent * np.exp(rng.normal(0, 0.01, 400))
    found = fit_calibration(focal, ratio, REFERENCE)
    assert found.gain == pytest.approx(gain, abs=3e-3)
    assert found.focal_exponent == pytest.approx(exponent, abs=0.03)
    assert found.focal_range_px[0] <= focal.min() <= focal.max() <= found.focal_range_px[1]


def test_the_gain_makes_the_mean_relative_error_least(rng: np.random.Generator) -> None:
    focal, ratio = np.full(75, REFERENCE), np.exp(rng.normal(0.1, 0.2, 75))
    found = fit_calibration(focal, ratio, REFERENCE)
    gains = np.linspace(0.8, 1.6, 4001)
    errors = np.abs(gains[:, None] / ratio - 1).mean(axis=1)
    assert found.focal_exponent == 1.0, "one focal length says nothing of another"
    assert np.abs(found.gain / ratio - 1).mean() == pytest.approx(errors.min(), abs=1e-5)


@given(st.floats(50, 2000), st.floats(0.8, 1.2), st.floats(0.5, 1.5))
def test_outside_of_what_was_measured_depth_is_proportional_to_the_focal_length(
    focal: float, gain: float, exponent: float
) -> None:
    calibration = DepthCalibration(gain=gain, focal_exponent=exponent, focal_range_px=(260.0, 360.0))
    nearest = min(max(focal, 260.0), 360.0)
    expected = calibration.scale(nearest, REFERENCE) * focal / nearest
    assert calibration.scale(focal, REFERENCE) == pytest.approx(expected)
    assert DepthCalibration().scale(focal, REFERENCE) == pytest.approx(focal / REFERENCE)


@pytest.mark.parametrize("values", [{"gain": 5.0}, {"focal_exponent": -1.0}, {"focal_range_px": (3.0, 2.0)}])
def test_a_calibration_that_cannot_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="depth_calibration needs"):
        DepthCalibration(**values)  # type: ignore[arg-type]  # wrong on purpose


def _frames(folder: Path, split: str, frames: int) -> Path:
    spec = GenerateSpec(
        suite="tabletop", out=folder / split, frames=frames, split=split, size=(64, 48), workers=1, stages=False
    )
    generate(spec, progress=False, open_source=FakeSource)
    return spec.out


def test_it_is_measured_through_the_perceiver_and_does_not_depend_on_an_earlier_one(tmp_path: Path) -> None:
    dataset = _frames(tmp_path, "train", 36)
    medians = np.array([np.median(f.truth.depth_m[np.isfinite(f.truth.depth_m)]) for f in Dataset.open(dataset)]) / 1.5
    camera = Dataset.open(dataset).camera(0)
    gains = medians / (camera.fx / SMALL_REFERENCE)
    found = measure_calibration(ConstantEngine(DepthCalibration(gain=1.7, focal_exponent=0.5)), dataset)
    assert gains.min() < found.gain < gains.max()
    assert found == measure_calibration(ConstantEngine(DepthCalibration()), dataset)
    assert found == fit_calibration(np.full(36, camera.fx), medians, SMALL_REFERENCE)


@pytest.mark.parametrize(
    ("split", "frames", "words"), [("val", 3, "for judging"), ("test", 3, "for judging"), ("train", 3, "30 frames")]
)
def test_frames_for_judging_and_too_few_frames_are_refused(split: str, frames: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=words):
        measure_calibration(ConstantEngine(DepthCalibration()), _frames(tmp_path, split, frames))
