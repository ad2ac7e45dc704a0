"""A proof passes a right engine, on the FAKE of TensorRT too, and each of its checks fails an engine that breaks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.agent import engine_proof
from hil.agent.engine_proof import ProofSpec, find_reference, growth, prove_engine
from hil.agent.engine_proof_report import EngineProof
from perception.engine import OUTPUT_NAMES, RawOutput, open_engine, read_model_file
from perception.tensorrt_build import find_or_build
from perception.typed_onnx import write_float16
from scenes.errors import EngineError
from tests.perception.fake_tensorrt import installed
from tests.perception.tiny_engine import write_tiny

IMAGES = tuple(np.full((48, 64, 3), colour, dtype=np.uint8) for colour in ((200, 90, 40), (20, 30, 180), (90, 90, 90)))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny.onnx")


def _prove(engine: Path, **changed: Any) -> EngineProof:
    spec = ProofSpec(engine=engine, backend="onnxruntime", threads=1, images=IMAGES, frames=100)
    return prove_engine(replace(spec, **changed), tell=lambda _: None)


def _verdicts(proof: EngineProof) -> dict[str, str]:
    return {check.name: check.verdict for check in proof.checks}


ALL = ("opens", "shapes", "repeats", "agrees", "memory", "unchanged")


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_right_engine_passes(tiny: Path, backend: str) -> None:
    told, counted = [], []
    spec = ProofSpec(engine=tiny, backend=backend, threads=1, precision="f32", images=IMAGES, frames=100)
    proof = prove_engine(spec, tell=told.append, progress=lambda done, total: counted.append((done, total)))
    assert _verdicts(proof) == dict.fromkeys(ALL, "PASS")
    assert tuple(told) == proof.checks
    assert counted == [(k, 100) for k in range(1, 101)]
    assert set(proof.times_ms) == {"preprocess", "inference", "postprocess", "boxes", "total"}
    assert all(0 < t["p50"] <= t["p99"] <= t["max"] for t in proof.times_ms.values())
    assert len(proof.memory["rss_mib"]) == 100
    assert proof.verdict == "PASS"


def test_the_report_names_what_ran_where(tiny: Path) -> None:
    proof = _prove(tiny)
    values = json.loads(json.dumps(proof.to_dict(), allow_nan=False))
    assert values["sha256"] == read_model_file(tiny).digest
    assert values["settings"]["backend"].startswith("onnxruntime")
    assert values["device"]["packages"]["numpy"] == np.__version__
    text = proof.describe()
    for word in ("power mode", "sha256", "inference precision hint", "expected:", "p99", "total"):
        assert word in text
    assert text.endswith("PASS: tiny.onnx: 6 checks pass, 0 fail, 0 could not be made.")


def test_a_plan_is_proven_against_the_float32_file_that_it_was_made_from(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSE_CACHE", str(tiny.parent / "cache"))
    half = tiny.with_name("half.onnx")
    write_float16(read_model_file(tiny), half)
    with installed("10.3.0"):
        plan = find_or_build(read_model_file(half)).plan.path
        proof = _prove(plan, backend="auto", reference=tiny)
        assert _verdicts(proof) == dict.fromkeys(ALL, "PASS")
        assert proof.settings["inference_precision_hint"] == "f16"
        assert len(proof.memory["device_free_mib"]) == 100
        assert proof.memory["device_growth_mib"] == 0
        assert _verdicts(_prove(plan, backend="auto"))["agrees"] == "SKIPPED"
        assert _prove(plan, backend="auto").verdict == "INCOMPLETE"


class _Faulty:
    """A right engine with one fault."""

    def __init__(self, inner: Any, fault: str) -> None:
        self._inner, self._fault, self._calls, self._kept = inner, fault, 0, list[Any]()
        self.name, self.metadata, self.digest = inner.name, inner.metadata, inner.digest
        self.settings: Mapping[str, str] = inner.settings
        self._one: RawOutput | None = None

    def infer(self, image: np.ndarray) -> RawOutput:
        raw = self._inner.infer(image)
        self._calls += 1
        late = self._calls > 60
        factors = {"drifts": 1.01, "nan": np.nan, "late nan": np.nan if late else 1.0, "noisy": 1 + 1e-6 * self._calls}
        changed: dict[str, Any] = {
            "categories": {"category": (raw.category + 1) % 30}, "shape": {"center": raw.center[:, :, :-1]},
            "ages": {"confidence": raw.confidence * np.float32(0.999 if late else 1)},
        }  # fmt: skip
        if self._fault == "leaks":
            self._kept.append(np.ones(2**17))
        if self._fault == "overwrites":
            return self._overwritten(raw)
        raw = replace(raw, depth=raw.depth * np.float32(factors.get(self._fault, 1.0)))
        return replace(raw, **changed.get(self._fault, {}))

    def _overwritten(self, raw: RawOutput) -> RawOutput:
        self._one = self._one or raw
        for name in OUTPUT_NAMES:
            getattr(self._one, name)[...] = getattr(raw, name)
        return self._one


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("drifts", {"agrees"}), ("categories", {"agrees"}), ("leaks", {"memory"}), ("noisy", {"repeats", "unchanged"}),
        ("ages", {"unchanged"}), ("overwrites", {"repeats"}), ("shape", {"shapes"}), ("nan", {"shapes"}), ("late nan", {"runs"}),
    ],
)  # fmt: skip
def test_each_fault_fails_its_check(tiny: Path, monkeypatch: pytest.MonkeyPatch, fault: str, broken: set[str]) -> None:
    opened = []

    def open_faulty(*arguments: Any) -> Any:
        opened.append(arguments)
        engine = open_engine(*arguments)
        return _Faulty(engine, fault) if len(opened) == 1 else engine  # the second is the reference

    monkeypatch.setattr(engine_proof, "open_engine", open_faulty)
    proof = _prove(tiny)
    failed = {name for name, verdict in _verdicts(proof).items() if verdict == "FAIL"}
    assert failed == broken, proof.describe()
    assert proof.verdict == "FAIL"


def test_what_does_not_open_is_one_fail(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"hello")
    proof = _prove(tmp_path / "x.onnx")
    assert _verdicts(proof) == {"opens": "FAIL"}
    assert "is not an engine" in proof.describe()
    json.dumps(proof.to_dict(), allow_nan=False)


def test_the_coarser_precision_sets_the_limits(tiny: Path) -> None:
    half = tiny.with_name("half.onnx")
    write_float16(read_model_file(tiny), half)
    precisions = {
        (path.name, wanted): engine_proof.precision_of(open_engine(path, "openvino", 1, wanted))
        for path, wanted in ((tiny, "f32"), (half, "f32"), (half, "bf16"))
    }
    assert precisions == {("tiny.onnx", "f32"): "f32", ("half.onnx", "f32"): "f16", ("half.onnx", "bf16"): "bf16"}


def test_the_reference_is_found_by_its_digest(tiny: Path, tmp_path: Path) -> None:
    other = write_tiny(tmp_path / "other.onnx", depth_channels=2)
    half = tmp_path / "elsewhere" / "half.onnx"
    write_float16(read_model_file(tiny), half)
    assert find_reference(tiny, None) == tiny
    assert find_reference(half, tiny) == tiny
    with pytest.raises(EngineError, match="is not beside it"):
        find_reference(half, None)
    with pytest.raises(EngineError, match="is not the file that was named"):
        find_reference(half, other)
    beside = tmp_path / "half.onnx"
    beside.write_bytes(half.read_bytes())
    assert find_reference(beside, None) == tiny


def test_growth_is_told_from_noise() -> None:
    rng = np.random.default_rng(3)
    flat = 300 + rng.normal(0, 0.5, 100)
    assert abs(growth(flat)) < 0.5
    assert growth(flat + 0.4 * np.arange(100)) == pytest.approx(0.4 * 60, abs=1)
    assert growth(np.concatenate([np.linspace(200, 300, 20), flat[:80]])) < 1, "warm-up is no growth"
    assert growth([]) is None


def test_too_few_frames_prove_nothing(tiny: Path) -> None:
    with pytest.raises(EngineError, match="at least 100 frames"):
        ProofSpec(engine=tiny, frames=99)
