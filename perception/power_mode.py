"""The power mode of a Jetson in its own words, None on any other machine."""

from __future__ import annotations

import functools
import shutil
import subprocess


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
