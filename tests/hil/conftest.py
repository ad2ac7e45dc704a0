"""Agents in processes of their own, and frames whose answers can be checked."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from scenes.camera import Camera
from scenes.transforms import Pose
from sim.frame import Frame, Truth

SCRIPT = Path(__file__).with_name("agent_process.py")


@dataclass
class AgentProcess:
    process: subprocess.Popen
    address: str


@pytest.fixture
def start_agent():
    """Starts agent_process.py and waits until it is ready; whatever still runs at the end is killed."""
    started = []

    def start(delay_s=0.0, mode="plain", bind="tcp://127.0.0.1:*", keys=None):
        command = [sys.executable, str(SCRIPT), str(delay_s), mode, bind, *([] if keys is None else [str(keys)])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        line = process.stdout.readline().split()
        assert line[:1] == ["READY"], process.stderr.read()
        return AgentProcess(process, line[1])

    yield start
    for process in started:
        process.kill()
        process.wait(5)
        process.stdout.close()
        process.stderr.close()


def make_frame(index, width=64, height=48):
    rng = np.random.default_rng(index)
    camera = Camera(
        name="camera", width=width, height=height, fx=60.0 + index, fy=60.0, cx=(width - 1) / 2, cy=(height - 1) / 2,
        world_from_camera=Pose(),
    )  # fmt: skip
    shape = (height, width)
    truth = Truth(
        depth_m=np.full(shape, 2.0, np.float32), semantic=np.full(shape, 3, np.uint8),
        instance=np.zeros(shape, np.uint16), objects=(),
    )  # fmt: skip
    rgb = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    return Frame(name=f"scene_{index}/view_0", rgb=rgb, camera=camera, truth=truth)


@pytest.fixture(scope="session")
def frames():
    return [make_frame(i) for i in range(5)]
