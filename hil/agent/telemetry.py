"""What a device measures of itself, from files that the kernel offers: what is not there is left out, nothing is guessed.

Read in a thread of its own, off the timed path. The paths are those of the Linux kernel and of NVIDIA's kernels for Jetson;
`root` is another file system in tests. A board has to confirm the latter: see docs/hil.md.
Where these files give neither rail nor temperature, `hil.agent.tegrastats` is asked.

What is read where:
    thermal     /sys/class/thermal/thermal_zone*/{type,temp,trip_point_*_type,trip_point_*_temp}   millidegrees
    events      /sys/class/hwmon/hwmon*/oc*_event_cnt, /sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count
    clocks      /sys/class/devfreq/*/{cur_freq,max_freq,device/load}   Hz, load in tenths of a percent
    rails       /sys/class/hwmon/hwmon*/{in*_label,in*_input,curr*_input}   millivolts and milliamperes
    processor   /proc/stat   `loads["cpu"]`: the share of all cores' time that was not idle since the sample before
    memory      /proc/self/status, /proc/meminfo   of the agent, and what the machine still has
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from hil.agent.tegrastats import Tegrastats
from hil.block_thread import BlockThread

EVERY_S = 1.0
POWER_EVERY_S = 0.1
_MAX_NAMES = 32
_MAX_NAME = 40
# What one sample may hold, by name: a number, or numbers by name.
NUMBERS = ("at_ns", "rss_bytes", "available_bytes")
MAPS = ("temperatures_c", "limits_c", "events", "clock_shares", "loads", "power_w", "energy_j")


class Telemetry(BlockThread):
    """Samples this machine while the block lasts; `latest` never waits. A machine without any of it gives time and memory."""

    def __init__(self, root: Path = Path("/"), *, beside: Callable[[], int | None] | None = None) -> None:
        """Starts nothing. `beside` names the engine's process, whose memory counts as well, or None where there is none."""
        super().__init__("rehearse-telemetry")
        self._root = root
        self._beside = beside or (lambda: None)
        self._rails = _rails(root)
        self._tool: Tegrastats | None = None
        self._open = ExitStack()
        self._cpu = (0, 0)
        self._energy_j: dict[str, float] = {}
        self._latest: dict[str, Any] = {}

    def __enter__(self) -> Telemetry:  # noqa: PYI034  # Self needs Python 3.11
        if not self._rails and not _temperatures(self._root)["temperatures_c"]:
            self._tool = self._open.enter_context(Tegrastats())
        self._latest = self._sample({})
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._open.close()

    def latest(self) -> dict[str, Any]:
        """Returns the newest sample, plain values; at most a second old."""
        return self._latest

    def _run(self) -> None:
        before, next_sample = time.monotonic(), 0.0
        while not self._stop.wait(POWER_EVERY_S if self._rails else EVERY_S):
            power_w, now = self._power_w(), time.monotonic()
            for name, watts in power_w.items():
                self._energy_j[name] = self._energy_j.get(name, 0.0) + watts * (now - before)
            before = now
            if now >= next_sample:
                next_sample = now + EVERY_S
                self._latest = self._sample(power_w)

    def _power_w(self) -> dict[str, float]:
        found = {}
        for name, (volts, amperes) in self._rails.items():
            millivolts, milliamperes = _number(volts), _number(amperes)
            if millivolts is not None and milliamperes is not None:
                found[name] = millivolts * milliamperes / 1e6
        return found if self._tool is None else dict(self._tool.latest().get("power_w", {}))

    def _sample(self, power_w: dict[str, float]) -> dict[str, Any]:
        maps: dict[str, dict[str, Any]] = {
            **_temperatures(self._root), **_clocks(self._root), "events": _events(self._root), "power_w": power_w,
            "energy_j": dict(self._energy_j),
        }  # fmt: skip
        said = {} if self._tool is None else self._tool.latest()
        for name in ("temperatures_c", "loads"):
            maps[name] = {**maps[name], **said.get(name, {})}
        before, self._cpu = self._cpu, _cpu_times(self._root)
        if self._cpu[1] > before[1] > 0:
            maps["loads"]["cpu"] = (self._cpu[0] - before[0]) / (self._cpu[1] - before[1])
        kept = {name: dict(list(found.items())[:_MAX_NAMES]) for name, found in maps.items() if found}
        rss_bytes, beside = _rss_bytes(self._root), self._beside()
        if rss_bytes is not None and beside is not None:
            rss_bytes += _rss_bytes(self._root, str(beside)) or 0
        numbers = {"rss_bytes": rss_bytes, "available_bytes": _kibibytes(self._root / "proc" / "meminfo", "MemAvailable:")}
        known = {name: value for name, value in numbers.items() if value is not None}
        return {"at_ns": time.monotonic_ns(), **known, **kept}


def checked_sample(value: object) -> dict[str, Any] | None:
    """Returns a sample that a peer sent, with only what a sample has, or None where it is none."""
    if not isinstance(value, dict) or any(type(value.get(name, 0)) is not int for name in NUMBERS) or "at_ns" not in value:
        return None
    sample: dict[str, Any] = {name: value[name] for name in NUMBERS if name in value}
    for name in MAPS:
        found = value.get(name)
        if isinstance(found, dict):
            items = [(k, v) for k, v in found.items() if type(k) is str and type(v) in (int, float) and abs(v) < 1e18]
            sample[name] = {k[:_MAX_NAME]: v for k, v in items[:_MAX_NAMES]}
    return sample


def _temperatures(root: Path) -> dict[str, dict[str, float]]:
    """Returns every zone in degrees Celsius, and the temperature at which the kernel begins to slow it down."""
    temperatures_c, limits_c = dict[str, float](), dict[str, float]()
    for zone in _sorted(root, "sys/class/thermal/thermal_zone*"):
        name, millidegrees = _text(zone / "type"), _number(zone / "temp")
        if name is None or millidegrees is None:
            continue
        name = _unused(name, temperatures_c)
        temperatures_c[name] = millidegrees / 1e3
        trips = [p for p in zone.glob("trip_point_*_type") if _text(p) == "passive"]
        limits = [_number(p.with_name(p.name.replace("_type", "_temp"))) for p in trips]
        known = [limit / 1e3 for limit in limits if limit is not None and limit > 0]
        if known:
            limits_c[name] = min(known)
    return {"temperatures_c": temperatures_c, "limits_c": limits_c}


def _events(root: Path) -> dict[str, int]:
    """Returns counters that only grow when something was slowed down."""
    found: dict[str, int] = {}
    for path in _sorted(root, "sys/class/hwmon/hwmon*/oc*_event_cnt"):
        if (count := _number(path)) is not None:
            found[_unused(path.name.removesuffix("_event_cnt"), found)] = int(count)
    throttled = _sorted(root, "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
    counts = [count for path in throttled if (count := _number(path)) is not None]
    return found | ({"core_throttle": int(sum(counts))} if counts else {})


def _clocks(root: Path) -> dict[str, dict[str, float]]:
    """Returns the share of its highest clock at which each device runs, and how busy it is, where both are known."""
    shares, loads = {}, {}
    for device in _sorted(root, "sys/class/devfreq/*"):
        now, cap = _number(device / "cur_freq"), _number(device / "max_freq")
        if now is not None and cap:
            shares[device.name[:_MAX_NAME]] = now / cap
            if (load := _number(device / "device" / "load")) is not None:
                loads[device.name[:_MAX_NAME]] = load / 1000
    return {"clock_shares": shares, "loads": loads}


def _rails(root: Path) -> dict[str, tuple[Path, Path]]:
    """Returns the files of voltage and current of every named power rail."""
    found: dict[str, tuple[Path, Path]] = {}
    for label in _sorted(root, "sys/class/hwmon/hwmon*/in*_label"):
        number, name = label.name.removeprefix("in").removesuffix("_label"), _text(label)
        volts, amperes = label.with_name(f"in{number}_input"), label.with_name(f"curr{number}_input")
        if name and _number(volts) is not None and _number(amperes) is not None:
            found[_unused(name, found)] = (volts, amperes)
    return found


def _cpu_times(root: Path) -> tuple[int, int]:
    """Returns the busy and the whole time of all cores since the start, in ticks; zeros where nothing says so."""
    words = (_text(root / "proc" / "stat") or "").partition("\n")[0].split()
    if len(words) < 6 or words[0] != "cpu" or not all(word.isdecimal() for word in words[1:]):
        return 0, 0
    ticks = [int(word) for word in words[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def _rss_bytes(root: Path, process: str = "self") -> int | None:
    return _kibibytes(root / "proc" / process / "status", "VmRSS:")


def _kibibytes(path: Path, name: str) -> int | None:
    for line in (_text(path) or "").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return None


def _unused(name: str, taken: dict[str, Any]) -> str:
    name = name[: _MAX_NAME - 3]
    return name if name not in taken else next(f"{name}-{k}" for k in range(2, 100) if f"{name}-{k}" not in taken)


def _sorted(root: Path, pattern: str) -> list[Path]:
    try:
        return sorted(root.glob(pattern))
    except OSError:
        return []


def _number(path: Path) -> float | None:
    text = _text(path)
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
