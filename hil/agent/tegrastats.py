"""What NVIDIA's tegrastats says of a Jetson, for boards whose kernel does not offer it as files; nothing where there is none.

One line a second, such as
    RAM 2448/15388MB ... CPU [12%@729,off] GR3D_FREQ 7%@[305] CPU@47.6C tj@47.9C CV0@-256C VDD_IN 4404mW/4310mW
A zone that is switched off says -256C and is left out; the first figure of a rail is of now, the second an average.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from types import TracebackType

_TEMPERATURE = re.compile(r"(?<![\w.])(\w+)@(-?\d+(?:\.\d+)?)C\b")
_RAIL = re.compile(r"(?<![\w.])(\w+) (\d+)(?:mW)?/(\d+)(?:mW)?(?![\w/])")
_LOAD = re.compile(r"(?<![\w.])(GR3D|EMC)_FREQ (\d+)%")
_ABSENT_C = -200.0


def parse_tegrastats(line: str) -> dict[str, dict[str, float]]:
    """Returns `temperatures_c`, `power_w` and `loads` (0 to 1) by tegrastats' own names; what is not there is empty."""
    temperatures_c = {name: float(value) for name, value in _TEMPERATURE.findall(line) if float(value) > _ABSENT_C}
    power_w = {name: int(now) / 1e3 for name, now, _ in _RAIL.findall(line) if name.startswith(("VDD", "VIN", "POM", "NC"))}
    loads = {name.lower(): int(percent) / 100 for name, percent in _LOAD.findall(line)}
    return {"temperatures_c": temperatures_c, "power_w": power_w, "loads": loads}


class Tegrastats:
    """Reads tegrastats in a thread while the block lasts; `latest` never waits. Without the tool it says nothing."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, float]] = {}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Tegrastats:  # noqa: PYI034  # Self needs Python 3.11
        tool = shutil.which("tegrastats")
        if tool is not None:
            try:
                self._process = subprocess.Popen(
                    [tool, "--interval", "1000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
                )
            except OSError:
                return self
            threading.Thread(target=self._read, name="rehearse-tegrastats", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(2.0)

    def latest(self) -> Mapping[str, dict[str, float]]:
        """Returns what the newest line said."""
        return self._latest

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._latest = parse_tegrastats(line[:4096])
