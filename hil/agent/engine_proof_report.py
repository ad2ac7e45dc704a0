"""What a proof of an engine found, as a table for people and as plain values for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

STAGES = ("preprocess", "inference", "postprocess", "boxes", "total")
Verdict = Literal["PASS", "FAIL", "SKIPPED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the table."""

    name: str
    verdict: Verdict
    expected: str
    got: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProof:
    """All checks of one engine, what it ran on, the times of its stages (p50, p99, max in ms) and its memory in MiB."""

    engine: str
    digest: str
    frames: int
    checks: tuple[Check, ...]
    settings: Mapping[str, str]
    device: Mapping[str, Any]
    sample: Mapping[str, Any]
    times_ms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Literal["PASS", "FAIL", "INCOMPLETE"]:
        """PASS where every check passes, INCOMPLETE where one could not be made and none fails."""
        found = {check.verdict for check in self.checks}
        return "FAIL" if "FAIL" in found else "INCOMPLETE" if "SKIPPED" in found else "PASS"

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "verdict": self.verdict, "engine": self.engine, "sha256": self.digest, "frames": self.frames,
            "checks": [{**asdict(c), "figures": dict(c.figures)} for c in self.checks], "times_ms": dict(self.times_ms),
            "memory": dict(self.memory), "settings": dict(self.settings), "device": dict(self.device),
            "telemetry": dict(self.sample),
        }  # fmt: skip

    def describe(self) -> str:
        """Returns the facts, the checks and the times as lines of text; the last one is the verdict."""
        blocks = [_rows(self._facts()), self._table(), self._times()]
        told = {v: sum(c.verdict == v for c in self.checks) for v in ("PASS", "FAIL", "SKIPPED")}
        counts = f"{told['PASS']} checks pass, {told['FAIL']} fail, {told['SKIPPED']} could not be made"
        return "\n\n".join([*filter(None, blocks), f"{self.verdict}: {self.engine}: {counts}."])

    def _facts(self) -> list[tuple[str, str]]:
        device, packages = self.device, self.device.get("packages", {})
        machine = f"{device.get('cpu')}, {device.get('cores')} cores, {device.get('machine')}, {device.get('os')}"
        versions = ", ".join(f"{name} {version}" for name, version in packages.items() if version)
        settings = [(key.replace("_", " "), value) for key, value in self.settings.items()]
        mode = device.get("power_mode") or "not a Jetson, or it does not say"
        temperatures = self.sample.get("temperatures_c", {})
        hottest = f"{max(temperatures.values()):.0f} C" if temperatures else "not measured"
        return [
            ("machine", machine), ("python", str(device.get("python"))), ("packages", versions), ("power mode", mode),
            ("hottest zone", hottest), ("engine", f"{self.engine}, sha256 {self.digest[:16] or 'unknown'}"), *settings,
        ]  # fmt: skip

    def _table(self) -> str:
        return "\n".join(f"{c.verdict:<8} {c.name:<10} {c.got}\n{'':<19} expected: {c.expected}" for c in self.checks)

    def _times(self) -> str:
        if not self.times_ms:
            return ""
        rows: list[tuple[str, ...]] = [("ms, closed loop", "p50", "p99", "max")]
        rows += [(name, *(f"{t[q]:.2f}" for q in ("p50", "p99", "max"))) for name, t in self.times_ms.items()]
        return "\n".join(f"{row[0]:<16}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows)


def _rows(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
