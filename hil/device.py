"""The facts of the machine that a process runs on, as plain JSON values; what cannot be read is None, never a guess."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from perception.power_mode import clocks_held, power_mode

_PACKAGES = (
    "rehearse-perception", "numpy", "opencv-python-headless", "pyzmq", "msgpack", "xxhash", "openvino", "onnxruntime",
    "onnxruntime-gpu", "tensorrt", "cuda-bindings",
)  # fmt: skip


def device_facts() -> dict[str, Any]:
    """Returns CPU, cores, memory, OS, Python, package versions and power mode; reads a few files."""
    return {
        "hostname": platform.node(),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "machine": platform.machine(),
        "memory_bytes": _memory_bytes(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "packages": package_versions(_PACKAGES),
        "boot": boot_digest(),
        "power_mode": power_mode(),
        "clocks_held": clocks_held(),
    }


def package_versions(names: tuple[str, ...]) -> dict[str, str | None]:
    """Returns the installed version of each package, None where it is not installed."""
    return {name: _version(name) for name in names}


def boot_digest() -> str | None:
    """Returns a digest of the kernel's boot id: two processes with the same one share CLOCK_MONOTONIC."""
    text = _read("/proc/sys/kernel/random/boot_id")
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str | None:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            return value.strip()
    board = _read("/proc/device-tree/model")
    return board.strip("\0\n ") if board else platform.processor() or None


def _memory_bytes() -> int | None:
    for line in (_read("/proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
