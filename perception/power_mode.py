"""The power mode of a Jetson in its own words, and whether its clocks are held (jetson_clocks); None where nothing says so."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path


@functools.cache
def power_mode() -> str | None:
    """Returns what a Jetson says of its power mode, such as `NV Power Mode: MAXN 0`; runs nvpmodel once where there is one."""
    tool = shutil.which("nvpmodel")
    if tool is None:
        return None
    try:
        said = subprocess.run([tool, "-q"], capture_output=True, text=True, timeout=3, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return " ".join(said.split())[:200] or None


def clocks_held(root: Path = Path("/")) -> bool | None:
    """Returns whether every clock that the kernel scales has its lowest setting at its highest, as jetson_clocks leaves them."""
    pairs = [(device / "min_freq", device / "max_freq") for device in root.glob("sys/class/devfreq/*")]
    policies = root.glob("sys/devices/system/cpu/cpufreq/policy*")
    pairs += [(policy / "scaling_min_freq", policy / "scaling_max_freq") for policy in policies]
    try:
        limits = [(low.read_text(), high.read_text()) for low, high in pairs]
    except OSError:
        return None
    return all(low == high for low, high in limits) if limits else None
