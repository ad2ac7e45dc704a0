"""The built wheel holds every module, the style sheet, type markers and whatever engines are shipped; nothing of the tests."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("scenes", "sim", "perception", "hil", "benchmarks")


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout, so what belongs to the package is unknown")
    for name in tracked.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out)]
    subprocess.run([*command, str(source)], check=True, capture_output=True, timeout=120)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        return set(archive.namelist())


def tracked_files(pattern):
    listed = subprocess.run(["git", "ls-files", "--", *pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def test_every_module_is_in_the_wheel(wheel_names):
    modules = tracked_files([f"{room}/**.py" for room in ROOMS] + [f"{room}/*.py" for room in ROOMS])
    assert modules
    assert (modules | {"rehearse.py"}) - wheel_names == set()


def test_what_modules_read_is_in_the_wheel(wheel_names):
    needed = {"benchmarks/report.css", *(f"{room}/py.typed" for room in ROOMS), *tracked_files(["*.onnx"])}
    assert needed - wheel_names == set()


def test_nothing_else_is_in_the_wheel(wheel_names):
    allowed = {*ROOMS, "rehearse.py"}
    assert {n.split("/")[0] for n in wheel_names if ".dist-info/" not in n} <= allowed


def test_the_command_is_declared(wheel_names):
    assert any(name.endswith("entry_points.txt") for name in wheel_names)
    assert any(name.endswith("LICENSE") for name in wheel_names)
