"""The command line: help for every command, and for every bad input one sentence, a non-zero status and no traceback."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import rehearse
from benchmarks.grammar import two_words
from perception.engine import METADATA_KEY, EngineMetadata
from scenes.taxonomy import TAXONOMY

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    "doctor", "scene", "catalogue", "generate", "merge", "convert", "agree", "replay", "inspect",
    "train", "export", "predict", "score", "agent", "agent keys", "hil", "hil proxy", "hil replay", "hil check", "hil rules",
    "hil sweep rate",
    "hil sweep engines", "demo",
)  # fmt: skip


def assert_one_sentence(done, *words, status=2):
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("rehearse: ")]
    assert len(lines) == 1
    assert done.stderr.splitlines()[-1] == lines[0]
    assert lines[0].endswith((".", "?"))
    for word in words:
        assert word in lines[0]


@pytest.fixture
def run_here(capsys):
    """Returns a function that runs the command line in this process, where an error without a sentence fails the test."""

    def run(*arguments):
        status = rehearse.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Three small frames of one scene, made by the real command."""
    folder = tmp_path_factory.mktemp("cli") / "data"
    command = [sys.executable, "rehearse.py", "generate", "tabletop", str(folder), "--frames", "3", "--split", "test"]
    subprocess.run([*command, "--size", "64x48", "--workers", "1"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture
def damaged(dataset, tmp_path):
    """A copy of the data set that a test may damage."""
    return Path(shutil.copytree(dataset, tmp_path / "damaged"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """An engine file whose answer is table everywhere at a constant depth."""
    onnx = pytest.importorskip("onnx", reason="making the test engine needs onnx (the train extra)")
    path = tmp_path_factory.mktemp("engine") / "constant.onnx"
    h, w = 24, 32
    table = TAXONOMY.named("table").id
    values = {
        "category": np.full((1, h, w), table, np.int32),
        "confidence": np.ones((1, h, w), np.float32),
        "center": np.zeros((1, 1, h // 2, w // 2), np.float32),
        "offset": np.zeros((1, 2, h // 2, w // 2), np.float32),
        "depth": np.ones((1, 1, h // 2, w // 2), np.float32),
    }
    make = onnx.helper
    nodes = [make.make_node("ReduceMean", ["image"], ["mean"], keepdims=0), make.make_node("Mul", ["mean", "zero"], ["nought"])]
    constants = [make.make_tensor("zero", onnx.TensorProto.FLOAT, (), [0.0])]
    outputs = []
    for name, array in values.items():
        kind = make.np_dtype_to_tensor_dtype(array.dtype)
        constants.append(onnx.numpy_helper.from_array(array, f"c_{name}"))
        nodes += [
            make.make_node("Cast", ["nought"], [f"n_{name}"], to=kind),
            make.make_node("Add", [f"c_{name}", f"n_{name}"], [name]),
        ]
        outputs.append(make.make_tensor_value_info(name, kind, array.shape))
    image = make.make_tensor_value_info("image", onnx.TensorProto.FLOAT, (1, 3, h, w))
    model = make.make_model(
        make.make_graph(nodes, "constant", [image], outputs, constants), opset_imports=[make.make_opsetid("", 17)], ir_version=8
    )
    categories = tuple(c.name for c in TAXONOMY)
    metadata = EngineMetadata(network="constant", input_size=(h, w), categories=categories, reference_focal_px=28.0)
    make.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    onnx.save(model, str(path))
    return path


@pytest.fixture
def agent(engine):
    """A real agent in a process of its own; yields the process and its address."""
    command = [sys.executable, "rehearse.py", "agent", str(engine), "--bind", "tcp://127.0.0.1:*", "--backend", "onnxruntime"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ready, address = process.stdout.readline().split()
    assert ready == "READY"
    yield process, address
    process.kill()
    process.communicate(timeout=10)


def test_help_is_fast_and_names_every_command(run_rehearse):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_rehearse("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5
    assert [name for name in COMMANDS if not re.search(rf"^    {name}\s", done.stdout, re.MULTILINE)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_that_parse(command, capsys):
    with pytest.raises(SystemExit) as ended:
        rehearse.main([*command.split(), "--help"])
    assert ended.value.code == 0
    _, _, examples = capsys.readouterr().out.partition("examples:\n")
    lines = [line.split()[1:] for line in examples.splitlines()]
    assert lines
    for line in lines:
        assert rehearse.build_parser().parse_args(two_words(line)).command.__name__ == command.replace(" ", "_")


@pytest.mark.parametrize(
    "line",
    [
        ["generate", "tabletop", "out", "--frames", "0"],
        ["generate", "tabletop", "out", "--frames", "3", "--size", "640"],
        ["scene", "tabletop", "-1"],
        ["hil", "out", "--rate", "0"],
        ["hil", "out", "--duration", "nan"],
        ["fly"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_a_usage_error(line, capsys):
    with pytest.raises(SystemExit) as ended:
        rehearse.main(line)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


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


def test_the_rules_of_measuring_are_compared(run_here):
    rows = json.loads(run_here("hil", "rules", "--json").stdout)
    assert [row["miss_ratio"] for row in rows[:2]] == [30 / 9000] * 2
    assert rows[4]["miss_ratio"] == pytest.approx(0.0433, abs=0.0002)
    assert rows[4]["p99_ms"] == "inf"
    documented = (ROOT / "docs" / "hil.md").read_text(encoding="utf-8")
    said = run_here("hil", "rules").stdout.splitlines()
    assert len(said) == 8
    assert [line for line in said if line.strip() not in documented] == []
    assert_one_sentence(run_here("hil", "rules", "--service", "fast"), "expected something like")


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


def test_a_killed_agent_that_stays_away_ends_the_run_with_a_verdict(agent, dataset, tmp_path):
    process, address = agent
    command = [sys.executable, "rehearse.py", "hil", str(dataset), "--device", address, "--duration", "5"]
    command += ["--out", str(tmp_path)]
    host = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in host.stderr:
        if line.startswith("measuring"):
            process.kill()
            break
    killed = time.monotonic()
    said, errors = host.communicate(timeout=60)
    assert time.monotonic() - killed < 30
    assert host.returncode == 1
    assert "Traceback" not in errors
    assert "FAIL: The agent at" in said
    assert (tmp_path / "report.html").is_file()


def test_stopping_with_ctrl_c_is_one_sentence(agent, dataset, tmp_path):
    _, address = agent
    command = [sys.executable, "rehearse.py", "hil", str(dataset), "--device", address, "--duration", "60"]
    command += ["--out", str(tmp_path)]
    host = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in host.stderr:
        if line.startswith(("warm-up", "measuring")):
            host.send_signal(signal.SIGINT)
            break
    _, errors = host.communicate(timeout=30)
    assert host.returncode == 130
    assert "Traceback" not in errors
    assert "stopped by the user" in errors


def test_predict_and_score_agree_with_a_constant_engine(run_here, engine, dataset, tmp_path):
    made = run_here("predict", engine, dataset, tmp_path / "out", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["frames"] == 3
    scored = run_here("score", tmp_path / "out", dataset, "--json")
    assert scored.returncode == 0, scored.stderr
    scores = json.loads(scored.stdout)
    assert scores["frames"] == 3
    assert scores["figures"]["pq_things"]["value"] == 0.0
    assert scores["figures"]["pq_things"]["low"] is None
    assert scores["missing"] == []


def test_hil_reports_every_due_frame(agent, run_here, dataset, tmp_path):
    _, address = agent
    done = run_here("hil", dataset, "--device", address, "--duration", "2", "--warm-up", "5", "--out", tmp_path, "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 3  # 30 frames are too few for a claim
    assert result["verdict"]["status"] == "INVALID"
    assert sum(result["outcomes"].values()) == 30
    assert result["profile"] == "look, changed"
    replayed = run_here("hil", "replay", tmp_path / "recording.rhil", "--json")
    again = json.loads(replayed.stdout)
    assert (replayed.returncode, again["equal"], again["differences"]) == (0, True, [])
    assert again["figures"]["quality"] == result["quality"]
    assert (tmp_path / "report.html").stat().st_size < 8e6
    assert ET.parse(tmp_path / "junit.xml").find("testsuite").get("errors") in {"1", "2"}


def test_a_run_in_mcap_is_replayed_checked_and_streamed_again(agent, run_here, dataset, tmp_path):
    pytest.importorskip("mcap")
    pytest.importorskip("foxglove")
    _, address = agent
    timing = ("--device", address, "--duration", "1", "--warm-up", "5")
    first = run_here("hil", dataset, *timing, "--mcap", "--out", tmp_path / "first", "--json")
    path = tmp_path / "first" / "recording.mcap"
    assert first.returncode == 3
    assert "Every figure is the reported one, to the bit." in run_here("hil", "replay", path).stdout
    checked = run_here("hil", "check", path, "--json")
    assert [rule["name"] for rule in json.loads(checked.stdout) if rule["holds"] is not True] == []
    again = run_here("hil", path, *timing, "--mcap-topics", "image", "--out", tmp_path / "again", "--json")
    results = [json.loads(done.stdout) for done in (first, again)]
    assert results[1]["dataset"]["recording"] == "recording.mcap"
    assert results[1]["quality"]["offline"] == results[0]["quality"]["offline"]
    blind = run_here("hil", tmp_path / "again" / "recording.mcap", *timing, "--out", tmp_path / "blind", "--json")
    result = json.loads(blind.stdout)
    assert "nothing is scored" in result["dataset"]["truth"]
    assert result["quality"]["offline"]["figures"]["pq"]["value"] is None
    assert sum(result["outcomes"].values()) == 15
    assert_one_sentence(run_here("hil", dataset, "--mcap-topics", "dept", "--out", tmp_path), "Did you mean 'depth'")


@pytest.mark.slow
def test_repeated_runs_are_judged_together(engine, run_here, dataset, tmp_path):
    arguments = ["--engine", engine, "--runs", "2", "--duration", "3", "--warm-up", "5", "--out", tmp_path]
    done = run_here("hil", dataset, *arguments, "--json")
    result = json.loads(done.stdout)
    assert done.returncode in {0, 1, 3}
    assert [run["frames"] for run in result["runs"]] == [45, 45]
    assert result["together"]["frames"] == 90
    assert "SAME PROCESS" not in str(result["verdict"]["marks"])
    sessions = [json.loads((tmp_path / f"run-{k}" / "session.json").read_text()) for k in (1, 2)]
    assert sessions[0]["agent"]["instance"] != sessions[1]["agent"]["instance"]


def test_lockstep_says_so_everywhere(agent, run_here, dataset, tmp_path):
    _, address = agent
    done = run_here("hil", dataset, "--device", address, "--duration", "2", "--lockstep", "--out", tmp_path, "--json")
    result = json.loads(done.stdout)
    assert any(mark.startswith("LOCKSTEP") for mark in result["verdict"]["marks"])
    assert "LOCKSTEP" in (tmp_path / "report.html").read_text()
    assert "LOCKSTEP" in (tmp_path / "junit.xml").read_text()
    assert result["quality"]["offline"]["missing"] == []
    assert json.loads(run_here("hil", "replay", tmp_path / "recording.rhil", "--json").stdout)["equal"]


@pytest.mark.slow
def test_a_rate_sweep_goes_on_where_it_was_stopped(engine, run_here, dataset, tmp_path):
    arguments = ["--engine", engine, "--rates", "10,20", "--duration", "2", "--warm-up", "5", "--out", tmp_path, "--json"]
    first = json.loads(run_here("hil", "sweep", "rate", dataset, *arguments).stdout)
    attempts = [attempt["folder"] for point in first["points"] for attempt in point["attempts"]]
    assert {a["status"] for point in first["points"] for a in point["attempts"]} == {"INVALID"}  # two seconds show nothing
    assert (first["highest_hz"], first["status"]) == (None, "INVALID")
    stamps = {name: (tmp_path / name / "session.json").stat().st_mtime_ns for name in attempts}
    again = run_here("hil", "sweep", "rate", dataset, *arguments)
    assert json.loads(again.stdout) == first
    assert again.returncode == 3
    assert {name: (tmp_path / name / "session.json").stat().st_mtime_ns for name in attempts} == stamps


def test_a_sweep_of_engines_that_cannot_run_is_one_sentence(run_here, engine, dataset, tmp_path):
    done = run_here("hil", "sweep", "engines", dataset, f"{engine}:onnxruntime:bf16", "--out", tmp_path)
    assert done.returncode == 2
    assert "no bf16" in done.stderr
    assert "None of the engines could run here" in done.stderr.splitlines()[-1]


def test_a_run_that_cannot_begin_leaves_no_verdict(run_here, dataset, tmp_path):
    done = run_here("hil", dataset, "--device", "tcp://127.0.0.1:9", "--runs", "2", "--out", tmp_path)
    assert_one_sentence(done, "Run 1 of 2 did not take place")
    assert_one_sentence(run_here("hil", dataset, "--profile", "quik"), "Did you mean 'quick'")


def test_inspect_prints_json(run_here, dataset, tmp_path):
    done = run_here("inspect", dataset, "--sheet", tmp_path / "sheet.png", "--json")
    assert json.loads(done.stdout)["frames"] == 3
    assert (tmp_path / "sheet.png").is_file()


def test_scene_writes_a_stage_and_a_picture(run_rehearse, tmp_path):
    done = run_rehearse("scene", "tabletop", "1", "--size", "64x48", "--out", tmp_path, "--json")
    made = json.loads(done.stdout)
    assert Path(made["stage"]).read_bytes()[:8] == b"PXR-USDC"
    assert Path(made["picture"]).read_bytes()[:4] == b"\x89PNG"
    assert 3 <= sum(made["objects"].values()) <= 12


def test_a_closed_pipe_is_no_error(dataset, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "rehearse.py", "inspect", str(dataset), "--sheet", str(tmp_path / "sheet.png")]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False, env=buffered
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == ""
