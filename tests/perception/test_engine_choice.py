"""`auto` takes the first engine that works and says what was passed over; a name takes that engine and no other."""

from __future__ import annotations

import logging
import sys
import types
from pathlib import Path

import pytest

from perception import _engine_choice
from perception.engine import open_engine
from scenes.errors import EngineError
from tests.perception.fake_tensorrt import FakeGpu, installed
from tests.perception.tiny_engine import write_tiny


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny.onnx")


def test_tensorrt_comes_first_where_it_works(tiny: Path) -> None:
    assert _engine_choice.candidates() == ("openvino", "onnxruntime")
    with installed("10.3.0"):
        assert _engine_choice.candidates() == ("tensorrt", "openvino", "onnxruntime")
        engine = open_engine(tiny)
    assert engine.name == "tensorrt"
    assert engine.settings["chosen"] == "auto: tensorrt is the first that works here"


def test_what_does_not_work_is_passed_over_and_told(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    gpu = FakeGpu()
    gpu.devices = 0
    with installed("10.3.0", gpu=gpu), caplog.at_level(logging.WARNING):
        engine = open_engine(tiny, threads=1)
    assert engine.name == "openvino"
    told = "auto: openvino is the first that works here; tensorrt was passed over (There is no CUDA device"
    assert engine.settings["chosen"].startswith(told)
    assert "tensorrt is installed but not used" in caplog.text


def test_bf16_is_not_asked_of_tensorrt(tiny: Path) -> None:
    with installed("10.3.0"), pytest.raises(EngineError, match="bf16 is for openvino"):
        open_engine(tiny, "tensorrt", precision="bf16")


@pytest.mark.parametrize("kind", ["cuda", "tensorrt"])
def test_a_provider_that_is_not_there_is_never_replaced(tiny: Path, kind: str) -> None:
    with pytest.raises(EngineError, match=r"has no \w+ExecutionProvider \(it has .*CPUExecutionProvider"):
        open_engine(tiny, f"onnxruntime-{kind}")


class _FallingBack:
    """An ONNX Runtime for GPUs whose provider does not start: the real one then takes the CPU without an error."""

    def __init__(self, *_: object, providers: list[tuple[str, dict[str, str]]]) -> None:
        self.asked = providers

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


def test_a_provider_that_does_not_start_is_an_error(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    runtime = types.ModuleType("onnxruntime")
    for name in ("SessionOptions", "ExecutionMode", "__version__"):
        setattr(runtime, name, getattr(onnxruntime, name))
    runtime.get_available_providers = lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    runtime.InferenceSession = _FallingBack
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    with pytest.raises(EngineError, match="could not start its CUDAExecutionProvider"):
        open_engine(tiny, "onnxruntime-cuda")


def test_the_libraries_of_providers_are_seen_without_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "onnxruntime"
    (package / "capi").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "capi" / "libonnxruntime_providers_cuda.so").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    assert _engine_choice.candidates() == ("onnxruntime-cuda", "openvino", "onnxruntime")
    assert "onnxruntime" not in sys.modules


def test_nothing_installed_is_one_sentence(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_engine_choice, "candidates", lambda: ())
    with pytest.raises(EngineError, match="No inference library"):
        open_engine(tiny)
