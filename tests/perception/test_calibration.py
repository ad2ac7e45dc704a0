"""The depth calibration: planted errors come out again, the gain is the best one, and judging splits are not fitted to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.calibrate import measure_calibration
from perception.calibration import DepthCalibration, fit_calibration
from perception.engine import EngineMetadata, RawOutput
from perception.perceiver import Perceiver
from scenes.errors import TrainingError
from scenes.taxonomy import TABLETOP_CATEGORIES
from sim.dataset import Dataset
from sim.frame import Frame
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


ROWS = np.linspace(-119.5, 119.5, 60)


def planted(rng: np.random.Generator, calibration: DepthCalibration, *, frames: int = 300) -> tuple[np.ndarray, ...]:
    """Returns focal lengths, rows and ratios of frames that such a calibration would set right, but for noise."""
    focal = rng.uniform(260, 360, frames)
    rows = np.broadcast_to(ROWS, (frames, len(ROWS)))
    exact = np.stack([calibration.scale(f, REFERENCE, ROWS) for f in focal])
    return focal, rows, exact * np.exp(rng.normal(0, 0.02, exact.shape))


@pytest.mark.parametrize(
    "true",
    [
        DepthCalibration(),
        DepthCalibration(gain=0.97, focal_exponent=0.82),
        DepthCalibration(gain=1.1, focal_exponent=1.3, tilt=-0.05, focal_tilt=0.75),
    ],
    ids=["pinhole", "scale", "tilt"],
)
def test_a_planted_calibration_is_found(true: DepthCalibration, rng: np.random.Generator) -> None:
    focal, rows, ratio = planted(rng, true)
    found = fit_calibration(focal, rows, ratio, REFERENCE)
    assert found.gain == pytest.approx(true.gain, abs=3e-3)
    assert found.focal_exponent == pytest.approx(true.focal_exponent, abs=0.01)
    assert found.tilt == pytest.approx(true.tilt, abs=3e-3)
    assert found.focal_tilt == pytest.approx(true.focal_tilt, abs=0.03)
    assert found.focal_range_px[0] <= focal.min() <= focal.max() <= found.focal_range_px[1]


def test_the_gain_makes_the_mean_relative_error_least(rng: np.random.Generator) -> None:
    rows = np.zeros((75, 4))
    ratio = np.exp(rng.normal(0.1, 0.2, (75, 4)))
    found = fit_calibration(np.full(75, REFERENCE), rows, ratio, REFERENCE)
    gains = np.linspace(0.8, 1.6, 4001)
    errors = np.abs(gains[:, None] / ratio.reshape(-1) - 1).mean(axis=1)
    assert (found.focal_exponent, found.focal_tilt) == (1.0, 0.0), "one focal length says nothing of another"
    assert np.abs(found.gain / ratio - 1).mean() == pytest.approx(errors.min(), abs=1e-5)


@given(st.floats(50, 2000), st.floats(0.8, 1.2), st.floats(0.5, 1.5), st.floats(-0.2, 0.2))
def test_outside_of_what_was_measured_depth_is_proportional_to_the_focal_length(
    focal: float, gain: float, exponent: float, tilt: float
) -> None:
    calibration = DepthCalibration(
        gain=gain, focal_exponent=exponent, tilt=tilt, focal_tilt=0.5, focal_range_px=(260.0, 360.0)
    )
    nearest = min(max(focal, 260.0), 360.0)
    expected = calibration.scale(nearest, REFERENCE, ROWS) * focal / nearest
    assert calibration.scale(focal, REFERENCE, ROWS) == pytest.approx(expected, rel=1e-5)
    assert DepthCalibration().scale(focal, REFERENCE, ROWS) == pytest.approx(focal / REFERENCE, rel=1e-6)


def test_a_calibration_survives_json() -> None:
    calibration = DepthCalibration(gain=0.99, focal_exponent=0.9, tilt=-0.05, focal_tilt=0.7, focal_range_px=(266.0, 359.0))
    assert DepthCalibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


@pytest.mark.parametrize("values", [{"gain": 5.0}, {"focal_exponent": -1.0}, {"focal_range_px": (3.0, 2.0)}, {"tilt": 2.0}])
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
    found = measure_calibration(ConstantEngine(DepthCalibration()), dataset)
    assert found == measure_calibration(ConstantEngine(DepthCalibration(gain=1.7, focal_exponent=0.5)), dataset)
    frames = list(Dataset.open(dataset))
    before, after = (
        np.mean([_error(Perceiver(ConstantEngine(calibration)), frame) for frame in frames])
        for calibration in (DepthCalibration(), found)
    )
    assert after < before


def _error(perceiver: Perceiver, frame: Frame) -> float:
    c, truth_m = frame.camera, frame.truth.depth_m
    depth_m = perceiver.perceive(frame.rgb, fx=c.fx, fy=c.fy, cx=c.cx, cy=c.cy).depth_m
    known = np.isfinite(truth_m)
    return float(np.abs(depth_m[known] / truth_m[known] - 1).mean())


@pytest.mark.parametrize(
    ("split", "frames", "words"), [("val", 3, "for judging"), ("test", 3, "for judging"), ("train", 3, "30 frames")]
)
def test_frames_for_judging_and_too_few_frames_are_refused(split: str, frames: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=words):
        measure_calibration(ConstantEngine(DepthCalibration()), _frames(tmp_path, split, frames))
