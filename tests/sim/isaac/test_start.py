"""Isaac Sim starts before anything imports omni or pxr, once, with its own OpenUSD, and its end keeps the exit status.

Each test runs a fresh Python in which packages of these names lie on the path: they are no more than a start-up.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
APP = """
import os, sys
EARLY = sorted(m for m in sys.modules if m.partition(".")[0] in ("pxr", "omni", "carb", "mujoco"))
if os.environ.get("NO_EULA"):
    sys.exit("Unable to bootstrap inner kit kernel: EULA not accepted.")
class SimulationApp:
    def __init__(self, launch_config=None, experience=""):
        print("early", EARLY, "argv", sys.argv[1:], "config", sorted(launch_config.items()), flush=True)
        sys.path[:0] = [p for p in [os.environ.get("OWN_USD")] if p]  # Kit's extensions come before site-packages
    def update(self): pass
    def close(self, wait_for_replicator=True, exit_code=0):
        print("closed", exit_code, flush=True)
        os._exit(77)  # an end on Kit's terms
if os.environ.get("NOT_WHOLE"):
    SimulationApp = None
"""
CARB = "class _S:\n    def set(self, path, value): print('set', path, value)\ndef get_settings(): return _S()\n"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
NEEDS = pytest.mark.skipif(PYTHON not in {"3.11", "3.12"}, reason="no Isaac Sim runs on this Python")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Returns a folder that looks like an installation started by python.sh."""
    for name, text in {
        "path/isaacsim/__init__.py": APP, "path/carb/__init__.py": "", "path/carb/settings.py": CARB,
        "own/pxr/__init__.py": "OWN = True\n", "VERSION": {"3.11": "5.1.0-rc.19\n", "3.12": "6.2.0-rc.1\n"}.get(PYTHON, ""),
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(place: Path, code: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = {"PYTHONPATH": f"{place / 'path'}{os.pathsep}{ROOT}", "ISAAC_PATH": str(place), "OWN_USD": str(place / "own")}
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120, cwd=place, check=False,
        env=os.environ | paths | environment,
    )  # fmt: skip


START = "from sim.isaac import app; app.start(); import pxr; print('own', getattr(pxr, 'OWN', False)); app.leave(3)"
SAY = "\nfrom scenes.errors import BackendError\ntry:\n    app.start()\nexcept BackendError as error:\n    print(error)\n"


@NEEDS
def test_nothing_of_omni_or_pxr_is_imported_before_and_pxr_is_its_own_after(place: Path) -> None:
    done = run(place, START, "generate", "--whatever")
    assert "early [] argv []" in done.stdout, done.stdout + done.stderr
    assert "own True" in done.stdout
    assert "('max_gpu_count', 1)" in done.stdout
    assert "('multi_gpu', False)" in done.stdout
    assert "set /omni/replicator/captureOnPlay False" in done.stdout
    assert done.returncode == 3  # leave's status, whatever Kit does


SOURCE = """
from sim.generate import GenerateSpec
from sim._frame_source import BackendSource
BackendSource(GenerateSpec(suite="household", out="out", frames=3, backend="isaac"))
"""
NATIVE = """
from sim.isaac.native import NativeSpec, make_scenes_here
make_scenes_here(NativeSpec(suite="household", out="out", scenes=1), [])
"""
WAYS = {
    "backend": "import sim.isaac.backend; from sim.isaac import app; app.start()",
    "open_backend": "from sim.backend import open_backend; open_backend('isaac')",
    "worker": SOURCE,
    "native": NATIVE,
    "doctor": "import rehearse; rehearse.main(['doctor', '--backend', 'isaac', '--out', 'report'])",
    "scene": "import rehearse; rehearse.main(['scene', 'tabletop', '1', '--backend', 'isaac', '--out', 'scene'])",
    "agree": "import rehearse; rehearse.main(['agree', 'tabletop', '--index', '1', '--backends', 'isaac,mujoco'])",
}


@NEEDS
@pytest.mark.parametrize("code", WAYS.values(), ids=WAYS)
def test_every_way_in_starts_it_first(place: Path, code: str) -> None:
    done = run(place, code)
    assert "early [] argv []" in done.stdout, done.stdout + done.stderr


@NEEDS
def test_pxr_before_it_is_refused(place: Path) -> None:
    done = run(place, "import pxr; from sim.isaac import app" + SAY)
    assert "must be started before anything imports omni or pxr, but this process has pxr" in done.stdout
    assert "early" not in done.stdout


@NEEDS
def test_the_registrys_usd_beside_it_is_refused_and_the_status_is_kept(place: Path) -> None:
    pytest.importorskip("pxr")
    done = run(place, "from sim.isaac import app" + SAY + "app.leave(5)", OWN_USD="")
    assert "pip uninstall usd-core" in done.stdout
    assert done.returncode == 5


@NEEDS
@pytest.mark.parametrize(
    ("environment", "words"),
    [({"NO_EULA": "1"}, "OMNI_KIT_ACCEPT_EULA=YES"), ({"NOT_WHOLE": "1"}, "isaacsim[all,extscache]")],
    ids=["licence", "not whole"],
)
def test_a_start_that_fails_says_what_to_do(place: Path, environment: dict[str, str], words: str) -> None:
    done = run(place, "from sim.isaac import app" + SAY, **environment)
    assert words in done.stdout
    assert done.returncode == 0


def test_another_python_is_named(place: Path) -> None:
    (place / "VERSION").write_text("6.0.1" if PYTHON == "3.11" else "5.1.0")
    done = run(place, "from sim.isaac import app" + SAY)
    assert f"not on {PYTHON}: make an environment of that Python" in done.stdout


def test_an_older_one_is_named(place: Path) -> None:
    (place / "VERSION").write_text("4.5.0")
    done = run(place, "from sim.isaac import app" + SAY)
    assert "older than 5.1" in done.stdout


def test_without_it_every_command_says_so_and_writes_no_data_set(tmp_path: Path) -> None:
    for words in (
        ("generate", "tabletop", "out", "--frames", "3", "--backend", "isaac"),
        ("generate", "tabletop", "out", "--frames", "3", "--backend", "isaac", "--native", "2"),
        ("scene", "tabletop", "1", "--backend", "isaac"),
        ("doctor", "--backend", "isaac", "--out", "report"),
    ):
        done = subprocess.run(
            [sys.executable, str(ROOT / "rehearse.py"), *words], capture_output=True, text=True, timeout=60, cwd=tmp_path,
            check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == (1 if words[0] == "doctor" else 2), said
        assert "needs Isaac Sim" in said
        assert "docs/isaac-sim.md" in said
        assert "Traceback" not in said
        assert len(said.strip().splitlines()) <= 2, said
    assert not (tmp_path / "out").exists()
