"""The built wheel holds every module, the style sheet, type markers and whatever engines are shipped; nothing of the tests."""

import subprocess
import zipfile

import pytest

from tests.wheel import ROOT, build_wheel

ROOMS = ("scenes", "sim", "perception", "hil", "benchmarks")


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as archive:
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
