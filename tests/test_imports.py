"""Rooms import downwards only, quickly, and nothing heavy; what a package names it has."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("scenes", "sim", "perception", "hil", "benchmarks")
HEAVY = {"torch", "mujoco", "pxr", "cv2", "openvino", "onnxruntime", "scipy", "manifold3d", "onnx"}
# What the device agent may load: numpy, OpenCV, the transport, one engine, and what these load themselves.
NOT_ON_THE_DEVICE = {"torch", "mujoco", "pxr", "manifold3d", "scipy", "onnx", "tqdm", "OpenGL"}
AGENT_MODULES = (
    "hil.agent.serve", "hil.agent.worker", "hil.agent.emulator", "hil.agent.service", "hil.agent.perceiving",
    "hil.agent.process_worker", "hil.agent.engine_child", "hil.agent.engine_process", "hil.agent.engine_order",
    "hil.agent.engine_start", "hil.agent.engine_memory", "hil.agent.engine_channel", "hil.agent.watchdog",
    "hil.link.sockets", "hil.link.protocol", "hil.link.answer", "hil.link.clock_socket", "hil.figures.clock", "hil.device",
    "perception.engine", "perception.perceiver", "perception.postprocess", "perception.preprocess",
    "perception.boxes3d", "perception.onnxruntime_engine", "perception.openvino_engine",
    "perception.tensorrt_engine", "perception.tensorrt_build", "perception.tensorrt_plan", "hil.agent.engine_proof",
)  # fmt: skip


def modules_of(room):
    return sorted(p for p in (ROOT / room).rglob("*.py") if not p.name.startswith("test_"))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def loaded_after(statement):
    code = f"import sys, time; t = time.process_time(); {statement}; print(time.process_time() - t); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    seconds, modules = done.stdout.splitlines()
    return float(seconds), {name.partition(".")[0] for name in modules.split()}


@pytest.mark.parametrize("floor", range(len(FLOORS)), ids=FLOORS)
def test_a_room_imports_only_from_floors_below(floor):
    above = set(FLOORS[floor + 1 :]) | {"rehearse"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules_of(FLOORS[floor])
        for name, line in imports_of(path)
        if name.partition(".")[0] in above
    ]
    assert wrong == []


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_uses_no_private_module_of_another(room):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules_of(room)
        for name, line in imports_of(path)
        if name.partition(".")[0] in set(FLOORS) - {room}
        and any(part.startswith("_") and not part.startswith("__") for part in name.split("."))
    ]
    assert wrong == []


def test_perception_learns_of_sim_only_frames_and_what_a_data_set_holds():
    allowed = {"sim.frame", "sim.dataset", "sim.difficulty.measure"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules_of("perception")
        for name, line in imports_of(path)
        if name.startswith("sim") and name.partition(".")[0] == "sim" and not any(f"{name}.".startswith(f"{a}.") for a in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", [*FLOORS, "rehearse"])
def test_importing_a_room_is_fast_and_light(module):
    runs = [loaded_after(f"import {module}") for _ in range(3)]
    assert min(seconds for seconds, _ in runs) < 0.2
    assert runs[0][1] & HEAVY == set()


@pytest.mark.parametrize("module", AGENT_MODULES)
def test_what_the_agent_loads_installs_on_a_device(module):
    _, loaded = loaded_after(f"import {module}")
    assert loaded & NOT_ON_THE_DEVICE == set()


@pytest.mark.parametrize("room", [*FLOORS, "perception.scoring"])
def test_exported_names_are_sorted_complete_and_there(room):
    package = importlib.import_module(room)
    names = package.__all__
    # As ruff sorts them: constants, then classes, then functions.
    assert names == sorted(names, key=lambda n: (0 if n.isupper() else 1 if n[0].isupper() else 2, n))
    assert set(names) == set(package._HOME)
    assert [name for name in names if not hasattr(package, name)] == []
    with pytest.raises(AttributeError, match="no attribute"):
        _ = package.no_such_name
