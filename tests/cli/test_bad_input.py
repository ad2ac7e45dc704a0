"""For every bad input one sentence, a non-zero status and no traceback."""

import json
import socket

import pytest

from tests.cli.one_sentence import assert_one_sentence


def test_unknown_suite(run_here, tmp_path):
    assert_one_sentence(run_here("scene", "tabeltop", "0", "--out", tmp_path), "tabeltop", "Did you mean 'tabletop'")
    assert_one_sentence(run_here("generate", "kitchen", tmp_path / "d", "--frames", "3"), "kitchen", "tabletop")


def test_unknown_backend(run_here, tmp_path):
    assert_one_sentence(run_here("scene", "tabletop", "0", "--backend", "blender", "--out", tmp_path), "blender", "mujoco")


@pytest.mark.parametrize("line", [["inspect", "{}"], ["hil", "{}"], ["score", "{}", "{}"], ["predict", "ENGINE", "{}", "out"]])
def test_missing_folder(run_here, tmp_path, engine, line):
    folder = str(tmp_path / "nothing")
    arguments = [str(engine) if word == "ENGINE" else word.format(folder) for word in line]
    assert_one_sentence(run_here(*arguments), folder)


@pytest.mark.parametrize(
    "name", ["rgb_0001.png", "semantic_segmentation_0001.png", "camera_params_0001.json", "manifest.json"]
)
@pytest.mark.parametrize("damage", [b"", b"not what it says", None], ids=["empty", "other bytes", "missing"])
def test_corrupt_dataset(run_here, damaged, tmp_path, name, damage):
    path = damaged / name
    assert path.is_file()
    path.unlink() if damage is None else path.write_bytes(damage)
    assert_one_sentence(run_here("inspect", damaged, "--sheet", tmp_path / "sheet.png"), "damaged" if damage is None else name)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x07" * 400], ids=["empty", "text", "bytes"])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_an_engine_file_that_is_not_one(run_here, dataset, tmp_path, content, backend):
    if backend == "openvino":
        pytest.importorskip("openvino", reason="OpenVINO is not installed")
    path = tmp_path / "fake.onnx"
    path.write_bytes(content)
    assert_one_sentence(run_here("predict", path, dataset, tmp_path / "out", "--backend", backend), "fake.onnx")
    assert_one_sentence(run_here("agent", path, "--bind", "tcp://127.0.0.1:*", "--backend", backend), "fake.onnx")
    assert not (tmp_path / "out").exists()


def test_an_occupied_port(run_here, engine):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_one_sentence(run_here("agent", engine, "--bind", f"tcp://127.0.0.1:{port}"), str(port))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [((), "--emulate"), (("--emulate", "p50=40"), "'40' is not a time"), (("--emulate", "recording=none.json"), "none.json")],
)
def test_an_agent_with_nothing_to_serve(run_here, arguments, word):
    assert_one_sentence(run_here("agent", "--bind", "tcp://127.0.0.1:*", *arguments), word)


def test_a_recording_that_is_none_is_one_sentence(run_here, tmp_path):
    assert_one_sentence(run_here("hil", "replay", tmp_path / "none.rhil"), "Cannot read", "none.rhil")
    (tmp_path / "other.rhil").write_bytes(b"something else")
    assert_one_sentence(run_here("hil", "replay", tmp_path / "other.rhil"), "not a recording")


def test_an_mcap_file_that_is_none_is_one_sentence(run_here, tmp_path):
    pytest.importorskip("mcap")
    pytest.importorskip("foxglove")
    assert_one_sentence(run_here("hil", "check", tmp_path / "none.mcap"), "Cannot read", "none.mcap")
    (tmp_path / "other.rhil").write_bytes(b"REHEARSE-HIL")
    assert_one_sentence(run_here("hil", "check", tmp_path / "other.rhil"), "hil replay")
    (tmp_path / "bad.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    for command in (("hil", "check"), ("hil", "replay"), ("hil",)):
        assert_one_sentence(run_here(*command, tmp_path / "bad.mcap"), "not a recording that can be trusted")
    assert_one_sentence(run_here("agent", "--emulate", f"recording={tmp_path / 'bad.mcap'}"), "bad.mcap")


def test_no_agent_there(run_here, dataset, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        assert_one_sentence(run_here("hil", dataset, "--device", address, "--out", tmp_path), address)


def test_no_egl(run_rehearse, tmp_path):
    blind = {"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "none.json"), "__EGL_VENDOR_LIBRARY_DIRS": str(tmp_path)}
    assert_one_sentence(run_rehearse("scene", "tabletop", "0", "--out", tmp_path, env=blind), "EGL")
    found = run_rehearse("doctor", "--json", env=blind)
    rendering = next(row for row in json.loads(found.stdout) if "EGL" in row["name"])
    assert found.returncode == 1
    assert rendering["status"] == "missing"
    assert "apt-get" in rendering["remedy"]


def test_a_sweep_of_engines_that_cannot_run_is_one_sentence(run_here, engine, dataset, tmp_path):
    done = run_here("hil", "sweep", "engines", dataset, f"{engine}:onnxruntime:bf16", "--out", tmp_path)
    assert done.returncode == 2
    assert "no bf16" in done.stderr
    assert "None of the engines could run here" in done.stderr.splitlines()[-1]


def test_a_run_that_cannot_begin_leaves_no_verdict(run_here, dataset, tmp_path):
    done = run_here("hil", dataset, "--device", "tcp://127.0.0.1:9", "--runs", "2", "--out", tmp_path)
    assert_one_sentence(done, "Run 1 of 2 did not take place")
    assert_one_sentence(run_here("hil", dataset, "--profile", "quik"), "Did you mean 'quick'")
