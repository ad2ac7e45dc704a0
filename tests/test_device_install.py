"""The agent installed alone, as on a device: a fresh environment with the wheel, its extra [jetson] and one engine library."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import psutil
import pytest

from benchmarks.shipped import SHIPPED_ENGINE
from hil.host.client import Client
from hil.link.answer import open_answer
from hil.link.protocol import Kind
from hil.link.request import pack_frame
from scenes.taxonomy import TAXONOMY
from tests.hil.agent.test_serve import wait_for
from tests.wheel import build_wheel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FOREIGN = ("torch", "mujoco", "pxr", "scipy", "onnx", "manifold3d")
UNREACHABLE = re.compile(r"NewConnectionError|Max retries|name resolution|Network is unreachable|ReadTimeout", re.IGNORECASE)


def python_of(version):
    """Returns an interpreter of that version, from PATH or pyenv; skips where there is none that runs."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    for python in (shutil.which(f"python{version}"), *found):
        if python and subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return str(python)
    pytest.skip(f"there is no Python {version} here")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(params=["3.10", "3.13"])
def device(request, wheel, tmp_path):
    """A fresh environment; skips where no registry can be reached."""
    subprocess.run([python_of(request.param), "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[jetson]", "onnxruntime"]
    done = subprocess.run(install, capture_output=True, text=True, timeout=400, check=False)
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip("no package registry can be reached")
    assert done.returncode == 0, done.stderr
    return python


def test_the_agent_alone(device, tmp_path):
    code = "import importlib.util as u, sys; print([name for name in sys.argv[1:] if u.find_spec(name)])"
    importable = subprocess.run([device, "-c", code, *FOREIGN], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert importable.stdout.strip() == "[]"

    command = [device.with_name("rehearse"), "agent", str(SHIPPED_ENGINE), "--bind", "tcp://127.0.0.1:*"]
    agent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        with Client(agent.stdout.readline().split()[1]) as client:
            assert client.facts["engine"]["name"] == "onnxruntime"
            assert client.facts["engine"]["layout"] == "process"
            stream_a_few(client)
            for process in (psutil.Process(agent.pid), *psutil.Process(agent.pid).children()):
                mapped = {Path(m.path).name for m in process.memory_maps()}
                assert not [name for name in mapped if re.search("torch|mujoco|pxr|usd", name)]
                assert any("onnxruntime" in name for name in mapped) == (process.pid != agent.pid)
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(5) == 0
        assert not agent.stderr.read()
    finally:
        agent.kill()
        agent.wait()
        agent.stdout.close()
        agent.stderr.close()


def stream_a_few(client):
    rng = np.random.default_rng(0)
    for seq in range(5):
        rgb = rng.integers(0, 256, (480, 640, 3)).astype(np.uint8)
        client.send_frame(pack_frame(rgb, fx=500.0, fy=500.0, cx=319.5, cy=239.5), seq=seq, due_ns=0)
        message = wait_for(client, 10.0)
        assert message.kind is Kind.RESULT
        prediction, _ = open_answer(message, size=(480, 640), categories=len(TAXONOMY))
        assert prediction.segments
