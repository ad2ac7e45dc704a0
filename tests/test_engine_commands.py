"""`export` and `doctor --device` from the command line, with the FAKE of TensorRT in the place of a board."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import rehearse
from hil.agent import engine_proof
from perception import convert
from perception.engine import read_model_file
from perception.tensorrt_plan import read_plan
from perception.typed_onnx import typed_precision
from tests.perception.fake_tensorrt import installed
from tests.perception.tiny_engine import write_tiny

IMAGES = [np.full((48, 64, 3), (200 - 9 * k, 90 + 7 * k, 40), dtype=np.uint8) for k in range(20)]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSE_CACHE", str(tmp_path / "cache"))
    for module in (engine_proof, convert):
        monkeypatch.setattr(module, "probe_frames", lambda count: IMAGES[:count])


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny.onnx")


def _run(*words: object) -> int:
    return rehearse.main([str(word) for word in words])


def test_from_a_float32_file_to_a_proven_plan(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, out = tmp_path / "board" / "tiny.plan", tmp_path / "proof"
    with installed("10.3.0") as gpu:
        assert _run("export", tiny, plan, "--precision", "fp16", "--level", 2, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["precision"], said["cache"], said["gpu"]) == ("f16", "miss", "Fake Orin")
        assert gpu.builds[0]["level"] == 2
        assert typed_precision(read_model_file(plan.with_name("tiny_f16.onnx")).metadata) == "f16"
        assert read_plan(plan).manifest.plan_sha256 == said["sha256"]
        assert _run("export", plan.with_name("tiny_f16.onnx"), plan, "--level", 2) == 0
        assert "hit" in capsys.readouterr().out
        words = ("doctor", "--device", "--engine", plan, "--frames", 100, "--out", out)
        assert _run(*words, "--reference", tiny) == 0
        assert "PASS: tiny.plan: 6 checks pass" in capsys.readouterr().out
        assert json.loads((out / "engine.json").read_text())["verdict"] == "PASS"
        assert _run(*words, "--json") == 1
        said = json.loads(capsys.readouterr().out)
        assert (said["verdict"], said["engine"]) == ("INCOMPLETE", "tiny.plan")


def test_float16_on_any_machine(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("export", tiny, tmp_path / "half.onnx", "--precision", "fp16", "--json") == 0
    assert json.loads(capsys.readouterr().out)["depth_p95"] < 0.005
    assert read_model_file(tmp_path / "half.onnx").checked == "half.onnx.sha256"


def test_a_file_too_far_from_float32_is_not_written(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perception.agreement.LIMITS", {"f16": (-1.0, -1.0)})
    assert _run("export", tiny, tmp_path / "half.onnx", "--precision", "fp16") == 2
    assert "too far from float32" in capsys.readouterr().err
    assert not (tmp_path / "half.onnx").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["out.onnx"], "is an engine file already"),
        (["out.onnx", "--precision", "fp32"], "is an engine file already"),
        (["out.onnx", "--precision", "int8"], "--calibrate DATASET"),
        (["out.plan"], "TensorRT is not in this Python"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert _run("export", tiny, tmp_path / words[0], *words[1:]) == 2
    assert sentence in capsys.readouterr().err


def test_a_run_is_not_made_a_plan_in_one_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("export", tmp_path, tmp_path / "x.plan", "--format", "tensorrt") == 2
    assert "export the run to .onnx first" in capsys.readouterr().err


def test_its_options_belong_to_device(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("doctor", "--engine", tiny) == 2
    assert "belong to --device" in capsys.readouterr().err


def test_an_engine_that_fails_gives_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.onnx").write_bytes(b"hello")
    assert _run("doctor", "--device", "--engine", tmp_path / "x.onnx", "--out", tmp_path / "proof") == 1
    assert "FAIL: x.onnx: 0 checks pass, 1 fail" in capsys.readouterr().out
