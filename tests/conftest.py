"""Strict numerics for every test, and the fixtures that more than one room's tests use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("MUJOCO_GL", "egl")
# The networks of the tests are tiny: threads waiting for each other cost more than they save, above all on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")

# A torch with CUDA brings triton, whose LLVM crashes in a process that has loaded Mesa's. Nothing here compiles kernels.
sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # None is how an import is refused

# A shell's background job ignores Ctrl-C and so would every process that the tests start and stop with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Shared machines stall: an example that takes long is no failure of the property.
settings.register_profile("rehearse", deadline=None)
settings.load_profile("rehearse")


@pytest.fixture(autouse=True)
def _strict_numerics() -> Iterator[None]:
    """Turns every silent overflow, division by zero and invalid operation of numpy into an error; underflow is fine."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """Returns a generator that is the same in every run."""
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Returns the folder of fixtures that may stand beside a checkout; skips where it does not."""
    folder = Path(os.environ.get("REHEARSE_SHARED", ROOT.parent / "shared"))
    if not (folder / "fixtures").is_dir():
        pytest.skip(f"no fixtures beside the checkout ({folder.name}/fixtures); set REHEARSE_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def root_dir() -> Path:
    """Returns the root of the checkout."""
    return ROOT


@pytest.fixture
def run_rehearse() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Returns a function that runs the command line in a process of its own, as a user does."""

    def run(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "rehearse.py"), *map(str, arguments)]
        environment = {**os.environ, **(env or {})}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=ROOT)

    return run
