"""What the self-test ran on: versions, processor, GPU and driver; no names of machines, people or folders."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess

_DISTRIBUTIONS = (
    "rehearse-perception", "numpy", "opencv-python-headless", "mujoco", "usd-core", "isaacsim", "isaacsim-core",
    "isaacsim-kernel", "isaacsim-replicator", "isaacsim-extscache-kit",
)  # fmt: skip
_GPU_FIELDS = ("name", "driver_version", "memory.total")


def environment() -> dict[str, str]:
    """Returns facts by name, `not installed` or `not available` where there is none; asks nvidia-smi."""
    facts = {"system": f"{platform.system()} {platform.release()}, {platform.machine()}", "Python": platform.python_version()}
    return facts | {name: _version(name) for name in _DISTRIBUTIONS} | {"GPU": _gpu()}


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _gpu() -> str:
    command = ["nvidia-smi", f"--query-gpu={','.join(_GPU_FIELDS)}", "--format=csv,noheader"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "not available: no nvidia-smi"
    lines = asked.stdout.strip().splitlines()
    return "; ".join(lines) if asked.returncode == 0 and lines else "not available: nvidia-smi finds none"
