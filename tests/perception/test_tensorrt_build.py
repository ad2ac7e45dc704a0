"""A plan is built with what its version asks for, once for all that it depends on; against the FAKE, in every version."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perception import tensorrt_build
from perception.engine import ModelFile, read_model_file
from perception.quantized_onnx import write_int8
from perception.tensorrt_build import BuildSpec, find_or_build
from perception.tensorrt_plan import PlanKey, cache_folder
from perception.typed_onnx import write_float16
from scenes.errors import EngineError
from tests.perception.fake_tensorrt import FakeGpu, installed
from tests.perception.make_tensorrt_table import VERSIONS
from tests.perception.tiny_engine import SIZE, write_tiny

TYPED = {"8.6.1": False, "10.3.0": True, "10.16.1": True, "11.4.0": True}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REHEARSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tensorrt_build, "power_mode", lambda: "NV Power Mode: MAXN 0")
    return tmp_path / "cache"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def gpu(version: str) -> Iterator[FakeGpu]:
    with installed(version) as fake:
        yield fake


@pytest.fixture
def one_gpu() -> Iterator[FakeGpu]:
    with installed("10.3.0") as fake:
        yield fake


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFile]:
    """Returns the tiny network at each precision."""
    folder = tmp_path_factory.mktemp("files")
    tiny = read_model_file(write_tiny(folder / "f32.onnx"))
    write_float16(tiny, folder / "f16.onnx")
    images = [np.random.default_rng(i).uniform(0, 255, (1, 3, *SIZE)).astype(np.float32) for i in range(8)]
    write_int8(tiny, images, folder / "int8.onnx", keep_last=False)
    return {name: read_model_file(folder / f"{name}.onnx") for name in ("f32", "f16", "int8")}


@pytest.mark.parametrize("precision", ["f32", "f16", "int8"])
def test_precision_comes_from_the_file(gpu: FakeGpu, version: str, files: dict[str, ModelFile], precision: str) -> None:
    found = find_or_build(files[precision])
    (built,) = gpu.builds
    typed = TYPED[version]
    flags = {"f32": set(), "f16": {"FP16"}, "int8": {"FP16", "INT8"}}[precision] if not typed else set()
    assert set(built["config"]) == flags | ({"TF32"} if precision != "f32" else set())
    bits = {"8.6.1": 0b01, "10.3.0": 0b11, "10.16.1": 0b11, "11.4.0": 0b01}  # explicit batch, strongly typed
    assert built["flags"] == bits[version]
    assert (built["level"], built["workspace"]) == (3, 2**30)
    assert (found.plan.manifest.precision, found.plan.manifest.typed) == (precision, typed)


def test_flags_make_float16_of_a_float32_file_in_8_alone(gpu: FakeGpu, version: str, files: dict[str, ModelFile]) -> None:
    spec = BuildSpec(precision="f16")
    if TYPED[version]:
        with pytest.raises(EngineError, match=r"is f32, and TensorRT .* rehearse export f32.onnx f32_f16.onnx --precision fp16"):
            find_or_build(files["f32"], spec)
    else:
        assert find_or_build(files["f32"], spec).plan.manifest.precision == "f16"
        assert "FP16" in gpu.builds[0]["config"]


def test_a_file_is_never_taken_for_another_precision(gpu: FakeGpu, files: dict[str, ModelFile]) -> None:
    for own, wanted in (("f16", "f32"), ("int8", "f16"), ("f32", "int8")):
        with pytest.raises(EngineError, match=f"is {own}, and TensorRT"):
            find_or_build(files[own], BuildSpec(precision=wanted))


def test_a_dla_is_built_by_flags_until_11(gpu: FakeGpu, version: str, files: dict[str, ModelFile]) -> None:
    gpu.dla_refuses = {"ArgMax"}
    manifest = find_or_build(files["f16"], BuildSpec(dla_core=1)).plan.manifest
    (built,) = gpu.builds
    assert built["dla"] == 1
    assert ("FP16" in built["config"]) == (version != "11.4.0")
    assert manifest.typed == (version == "11.4.0")
    assert (manifest.dla_core, manifest.layers_off_dla) == (1, 1)
    with pytest.raises(EngineError, match="no DLA core 7 here"):
        find_or_build(files["f16"], BuildSpec(dla_core=7))
    with pytest.raises(EngineError, match="--precision fp16"):
        find_or_build(files["f32"], BuildSpec(dla_core=0))


def test_the_cache_finds_what_was_built_and_nothing_else(files: dict[str, ModelFile], tmp_path: Path) -> None:
    def cached(model: ModelFile = files["f16"], spec: BuildSpec | None = None) -> str:
        return find_or_build(model, spec).cache

    other_file = tmp_path / "f16.onnx"
    other_file.write_bytes(files["f16"].data + files["f16"].data[-2:])  # one more field of the protobuf: other bytes
    with installed("10.3.0") as gpu:
        assert [cached(), cached(), cached(spec=BuildSpec(precision="f16"))] == ["miss", "hit", "hit"]
        assert cached(replace(files["f16"], digest="0" * 64)) == "miss"
        assert cached(spec=BuildSpec(level=4)) == "miss"
        assert cached(spec=BuildSpec(workspace_mib=512)) == "miss"
        assert cached(spec=BuildSpec(dla_core=0)) == "miss"
        assert [cached(), len(gpu.builds)] == ["hit", 5]
    with installed("10.16.1"):
        assert [cached(), cached()] == ["miss", "hit"]
    thor = FakeGpu()
    thor.name, thor.sm = "Fake Thor", (11, 0)
    with installed("10.3.0", gpu=thor):
        assert [cached(), cached()] == ["miss", "hit"]
    with installed("10.3.0"):
        assert cached() == "hit"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tensorrt_build, "power_mode", lambda: "NV Power Mode: 15W 2")
            assert cached() == "miss"


def test_every_field_of_the_key_changes_its_digest() -> None:
    key = PlanKey(onnx_sha256="a", tensorrt="10.3.0", gpu="Orin", sm="8.7", flags=("typed",), power_mode=None)
    others = {"onnx_sha256": "b", "tensorrt": "10.4.0", "gpu": "Thor", "sm": "8.6", "flags": ("flags",), "power_mode": "MAXN"}
    digests = {key.digest(), *(replace(key, **{name: value}).digest() for name, value in others.items())}
    assert len(digests) == 1 + len(others)


def test_a_build_is_announced_and_can_be_forbidden(
    one_gpu: FakeGpu, files: dict[str, ModelFile], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(EngineError, match=r"There is no plan of .* for TensorRT 10\.3\.0 on Fake Orin yet; build it with"):
        find_or_build(files["f32"], build=False)
    with caplog.at_level(logging.WARNING):
        find_or_build(files["f32"])
    assert "this takes minutes, once" in caplog.text
    assert find_or_build(files["f32"], build=False).cache == "hit"


def test_a_cached_plan_that_is_damaged_is_told_and_built_again(
    one_gpu: FakeGpu, files: dict[str, ModelFile], caplog: pytest.LogCaptureFixture
) -> None:
    plan = find_or_build(files["f32"]).plan
    plan.path.write_bytes(plan.data[:-1])
    found = find_or_build(files["f32"])
    assert (found.cache, found.plan.data) == ("miss", plan.data)
    assert "A cached plan is not used: " in caplog.text
    assert find_or_build(files["f32"]).cache == "hit"


def test_kernels_are_measured_once_for_a_board(one_gpu: FakeGpu, files: dict[str, ModelFile]) -> None:
    find_or_build(files["f32"])
    find_or_build(files["f16"])
    assert one_gpu.kernels_measured == 1
    (timings,) = cache_folder().glob("timings-*.cache")
    timings.write_bytes(b"of another version\n")  # TensorRT refuses it, and it is begun anew
    find_or_build(files["int8"])
    assert one_gpu.kernels_measured == 2
    assert timings.read_bytes().startswith(b"10.3.0 Fake Orin")


def test_the_parsers_errors_are_listed(gpu: FakeGpu, version: str, files: dict[str, ModelFile]) -> None:
    gpu.unsupported_operators = {"Softmax", "ArgMax"}
    with pytest.raises(EngineError) as caught:
        find_or_build(files["f32"])
    said = str(caught.value)
    assert f"TensorRT {version} cannot read" in said
    assert "(2 errors): node 2: No importer registered for op: Softmax. Attempting to import as plugin; node 3:" in said
    assert "\n" not in said
    with pytest.raises(EngineError, match=r"cannot read .* \(1 errors\): node -1"):
        find_or_build(replace(files["f32"], data=b"not onnx", digest="1" * 64))


def test_a_plan_that_cannot_be_built_leaves_no_file(gpu: FakeGpu, files: dict[str, ModelFile]) -> None:
    gpu.refuse.add("build_serialized_network")
    with pytest.raises(EngineError, match=r"could not build .*: no kernel was found"):
        find_or_build(files["f32"])
    assert not list(cache_folder().glob("*.plan*"))


def test_a_network_without_an_output_is_refused_before_it_is_built(one_gpu: FakeGpu, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="missing outputs: depth"):
        find_or_build(read_model_file(write_tiny(tmp_path / "x.onnx", drop="depth")))
    assert one_gpu.builds == []


def test_a_spec_holds_together() -> None:
    for wrong in ({"level": 6}, {"level": -1}, {"workspace_mib": 0}):
        with pytest.raises(EngineError, match=r"level of 0\.\.5"):
            BuildSpec(**wrong)


def test_the_cache_is_this_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("REHEARSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "rehearse" / "tensorrt"
    assert cache_folder().stat().st_mode & 0o077 == 0
