"""No name of TensorRT or CUDA in the adapter that a version lacks without being asked for, no parameter otherwise, in any."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import perception
from perception import _cuda
from tests.perception.fake_tensorrt.read_cuda import read_cuda
from tests.perception.make_tensorrt_table import VERSIONS, full_tables
from tests.perception.tensorrt_contract import check, check_protocols, cuda_table, facts_of, tensorrt_table

FOLDER = Path(perception.__file__).parent
MODULES = [FOLDER / f"{name}.py" for name in (
    "_cuda", "_cuda_buffers", "_tensorrt_library", "_tensorrt_run", "tensorrt_build", "tensorrt_engine", "tensorrt_plan",
)]  # fmt: skip
API = FOLDER / "_tensorrt_api.py"
TABLES = Path(__file__).resolve().parents[3] / "shared" / "reference" / "tensorrt-api"


def _used() -> set[str]:
    return {use.name for module in MODULES for use in check(module.read_text(), VERSIONS[0])[0]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_name_and_call_is_in_the_table(module: Path, version: str) -> None:
    _, problems = check(module.read_text(), version)
    assert not problems, "\n".join(f"{module.name} {p}" for p in problems)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_protocols_promise_what_every_version_has(version: str) -> None:
    assert check_protocols(API.read_text(), version)[1] == []


def test_what_is_promised_is_used_and_what_is_used_was_seen() -> None:
    promised = {use.name for use in check_protocols(API.read_text(), VERSIONS[0])[0]}
    assert promised - _used() == set()
    for name in (
        "Runtime", "Runtime.deserialize_cuda_engine", "ICudaEngine.num_io_tensors", "IExecutionContext.set_tensor_address",
        "IExecutionContext.execute_async_v3", "BuilderFlag.FP16", "NetworkDefinitionCreationFlag.STRONGLY_TYPED",
        "ParserError.desc", "cudaMemcpyAsync", "cuda:cudaMemcpyKind.cudaMemcpyHostToDevice", "cuda:cudaHostAllocMapped",
        "cudaGraphLaunch",
    ):  # fmt: skip
        assert name in _used(), sorted(_used())


def test_only_one_module_imports_each_library() -> None:
    importing = {"tensorrt": set[str](), "cuda": set[str]()}
    for module in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                if name.partition(".")[0] in importing:
                    importing[name.partition(".")[0]].add(module.stem)
    assert importing == {"tensorrt": {"_tensorrt_library"}, "cuda": {"_cuda"}}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("trt.Bilder(log)", "no version of TensorRT has Bilder"),
        ("trt.BuilderFlag.FP61", "no version of TensorRT has BuilderFlag.FP61"),
        ("flag = trt.BuilderFlag.FP16", "TensorRT 11.4.0 has no BuilderFlag.FP16, and it is not asked for first"),
        ("trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH", "not asked for first"),
        ("engine.num_bindings", "no version of TensorRT has ICudaEngine.num_bindings"),
        ("context.execute_async_v2([1], 2)", "no version of TensorRT has IExecutionContext.execute_async_v2"),
        ("context.set_tensor_address('image')", "needs memory"),
        ("context.set_tensor_address('image', 1, 2)", "takes"),
        ("context.execute_async_v3(stream=1)", "takes"),
        ("engine.create_execution_context().enqueue(3)", "no version of TensorRT has IExecutionContext.enqueue"),
        ("trt.Runtime(log).deserialise(b'')", "no version of TensorRT has Runtime.deserialise"),
        ("hasattr(trt.BuilderFlag, 'FP61')", "no version of TensorRT has BuilderFlag.FP61"),
        ("getattr(trt.BuilderFlag, 'FP' + '16')", "hides a name"),
        ("rt.cudaMallocs(3)", "cuda-python has no cudaMallocs"),
        ("rt.cudaMalloc(3, 4)", "takes"),
        ("rt.cudaMemcpyKind.cudaMemcpyHostToDevise", "cuda-python has no cudaMemcpyKind.cudaMemcpyHostToDevise"),
    ],
)
def test_an_unknown_name_or_parameter_fails(line: str, complaint: str) -> None:
    source = f"def f(trt: Any, rt: Any, log: Any, engine: ICudaEngine, context: IExecutionContext) -> None:\n    {line}\n"
    _, problems = check(source, "11.4.0")
    assert any(complaint in p for p in problems), problems


def test_a_name_that_is_asked_for_first_passes() -> None:
    source = "def f(trt: Any) -> None:\n    if hasattr(trt.BuilderFlag, 'FP16'):\n        trt.BuilderFlag.FP16\n"
    assert check(source, "11.4.0")[1] == []
    other = source.replace("'FP16'", "'INT8'")
    assert check(other, "11.4.0")[1] != []
    assert check(other, "8.6.1")[1] == []


def _mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yields each name that a module uses, and the module with that name changed in the line where it stands."""
    lines = source.splitlines()
    for use in check(source, VERSIONS[0])[0]:
        word = re.split(r"[.:]", use.name)[-1]
        line = lines[use.line - 1]
        changed = re.sub(rf"(\.\s*){word}\b", rf"\1{word}q", line)
        if changed != line:
            yield f"{use.name}, line {use.line}", "\n".join([*lines[: use.line - 1], changed, *lines[use.line :]])


def test_each_name_of_each_module_is_held_when_it_is_changed() -> None:
    changed = set()
    for module in MODULES:
        for name, source in _mutants(module.read_text()):
            changed.add(name.partition(",")[0])
            assert check(source, "11.4.0")[1], (module.name, name)
    assert _used() - changed == set()


def test_what_loses_the_device_is_in_the_table() -> None:
    assert set(cuda_table()["enums"]["cudaError_t"]) >= _cuda._LOST


@pytest.mark.skipif(not TABLES.is_dir(), reason="the full tables are not on this machine: ../shared/reference/tensorrt-api")
def test_the_table_says_what_the_full_tables_say() -> None:
    assert facts_of(full_tables(TABLES), set(tensorrt_table())) == tensorrt_table()


def test_the_table_of_cuda_says_what_the_installed_cuda_python_says() -> None:
    if importlib.util.find_spec("cuda") is None:
        pytest.skip("cuda-python is not installed; cuda.json was read from 12.2.1, 12.9.8 and 13.5.0 with read_cuda.py")
    table = cuda_table()
    assert read_cuda(table) == {key: table[key] for key in ("functions", "constants", "enums", "attributes")}
