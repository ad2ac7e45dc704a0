"""Engines: both libraries pass one suite, agree with each other, and refuse what is not an engine with one sentence."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception._onnx_metadata import metadata_props
from perception.engine import METADATA_KEY, OUTPUT_NAMES, EngineMetadata, open_engine, read_model_file
from perception.perceiver import Perceiver
from perception.preprocess import network_input
from scenes.errors import EngineError, UnknownNameError
from scenes.taxonomy import TAXONOMY
from tests.perception.engine_conformance import EngineConformance
from tests.perception.tiny_engine import METADATA, SIZE, write_tiny


class TestOpenVino(EngineConformance):
    """OpenVINO passes the suite."""

    backend = "openvino"


class TestOnnxRuntime(EngineConformance):
    """ONNX Runtime passes the suite."""

    backend = "onnxruntime"

    def test_bf16_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match="bf16"):
            open_engine(write_tiny(tmp_path / "x.onnx"), "onnxruntime", precision="bf16")


def test_the_libraries_agree_at_float32(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_tiny(tmp_path / "tiny.onnx")
    image = rng.uniform(0, 255, (1, 3, *SIZE)).astype(np.float32)
    a, b = (open_engine(path, name, threads=1, precision="f32").infer(image) for name in ("openvino", "onnxruntime"))
    for name in OUTPUT_NAMES[1:]:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-4, atol=1e-4)
    assert (a.category == b.category).mean() > 0.999


def test_auto_says_which_and_why(tmp_path: Path) -> None:
    engine = open_engine(write_tiny(tmp_path / "tiny.onnx"), threads=1)
    assert engine.name == "openvino"
    assert engine.settings["chosen"].startswith("auto: openvino")
    assert engine.settings["inference_precision_hint"] in {"bf16", "f32"}


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "tiny.onnx")
    assert open_engine(path, "onnxruntime", threads=1).digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_metadata_is_what_onnx_reads(tmp_path: Path) -> None:
    import onnx

    path = write_tiny(tmp_path / "tiny.onnx")
    truth = {p.key: p.value for p in onnx.load(str(path)).metadata_props}
    assert metadata_props(path.read_bytes()) == truth
    assert read_model_file(path).metadata == METADATA


def test_metadata_round_trips() -> None:
    assert EngineMetadata.from_json(METADATA.to_json()) == METADATA


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        metadata_props(data)
    except ValueError:
        return
    assert data  # nothing at all has no graph


def test_a_cut_file_is_never_an_engine(tmp_path: Path) -> None:
    whole = write_tiny(tmp_path / "tiny.onnx").read_bytes()
    assert METADATA_KEY in metadata_props(whole)
    for length in range(len(whole)):
        try:
            props = metadata_props(whole[:length])
        except ValueError:
            continue
        assert METADATA_KEY not in props


def _bad(folder: Path) -> dict[str, Path]:
    values = json.loads(METADATA.to_json())
    texts = {
        "unknown format": json.dumps({**values, "format": 2}),
        "incomplete": json.dumps({k: v for k, v in values.items() if k != "categories"}),
        "not json": "{",
        "not an object": "[1]",
        "odd size": json.dumps({**values, "input_size": [31, 48]}),
        "bad focal": json.dumps({**values, "reference_focal_px": 0}),
        "twice": json.dumps({**values, "categories": ["cup", "cup"]}),
        "foreign": "",
    }
    paths = {name: write_tiny(folder / f"{name}.onnx", metadata=text) for name, text in texts.items()}
    whole = write_tiny(folder / "whole.onnx").read_bytes()
    for name, data in {"empty": b"", "text": b"hello, engine\n", "cut": whole[: len(whole) // 2]}.items():
        paths[name] = folder / f"{name}.onnx"
        paths[name].write_bytes(data)
    return {**paths, "missing": folder / "missing.onnx", "folder": folder}


_BAD = ("unknown format", "incomplete", "not json", "not an object", "odd size", "bad focal", "twice", "foreign")


@pytest.mark.parametrize("kind", [*_BAD, "empty", "text", "cut", "missing", "folder"])
def test_a_file_that_is_no_engine_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = _bad(tmp_path)[kind]
    with pytest.raises(EngineError) as caught:
        open_engine(path, "onnxruntime")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_graph_is_refused(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "x.onnx")
    path.write_bytes(path.read_bytes().replace(b"Softmax", b"Saftmax"))
    for backend in ("openvino", "onnxruntime"):
        with pytest.raises(EngineError, match="cannot be used as an engine") as caught:
            open_engine(path, backend)
        assert "\n" not in str(caught.value)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "x.onnx")
    with pytest.raises(UnknownNameError, match="openvino"):
        open_engine(path, "openvini")
    with pytest.raises(EngineError, match="thread"):
        open_engine(path, threads=0)
    names = ["void", "spaceship", *METADATA.categories[2:]]
    strange = json.dumps({**json.loads(METADATA.to_json()), "categories": names})
    engine = open_engine(write_tiny(tmp_path / "y.onnx", metadata=strange), "onnxruntime", threads=1)
    with pytest.raises(EngineError, match="spaceship"):
        Perceiver(engine)


@pytest.mark.parametrize("name", ["ceiling", "couch", "cup", "table"])
def test_categories_are_mapped_by_name_whatever_their_order_in_the_engine(name: str, tmp_path: Path) -> None:
    rgb = np.full((*SIZE, 3), (200, 90, 40), dtype=np.uint8)
    engine = open_engine(write_tiny(tmp_path / "x.onnx"), "onnxruntime", threads=1)
    (answer,) = np.unique(engine.infer(network_input(rgb, SIZE)).category)
    names = [c.name for c in TAXONOMY if c.name != name][: max(17, int(answer))]
    names.insert(int(answer), name)
    metadata = json.dumps({**json.loads(METADATA.to_json()), "categories": names})
    engine = open_engine(write_tiny(tmp_path / "y.onnx", metadata=metadata), "onnxruntime", threads=1)
    prediction = Perceiver(engine).perceive(rgb, fx=40.0, fy=40.0, cx=23.5, cy=15.5)
    assert {segment.category_id for segment in prediction.segments} == {TAXONOMY.named(name).id}


def test_the_device_side_imports_nothing_heavy(root_dir: Path) -> None:
    code = (
        "import sys, perception.perceiver, perception.engine\n"
        "heavy = {'torch', 'mujoco', 'pxr', 'onnx', 'scipy', 'openvino', 'onnxruntime', 'sim'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root_dir, timeout=60)
