"""How Isaac Sim is asked to render: one frozen value with good defaults, from the command line as NAME=VALUE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from scenes.errors import BackendError, UnknownNameError

Renderer = Literal["auto", "RealTimePathTracing", "PathTracing", "RaytracedLighting"]
Physics = Literal["settled", "physx"]

# Isaac Sim's numbers for them (SimulationApp's anti_aliasing; /rtx/post/dlss/execMode).
ANTI_ALIASING = {"off": 0, "taa": 1, "fxaa": 2, "dlss": 3, "rtxaa": 4}
DLSS_MODES = {"performance": 0, "balanced": 1, "quality": 2, "auto": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class IsaacSettings:
    """What may be chosen.

    renderer: `auto` takes what the version of Isaac Sim takes unasked, since 5.1 and 6.x differ. rt_subframes: pictures of
    one still world that are accumulated before a frame is taken (NVIDIA's own scripts take 4 to 32); more sharpen textures
    that stream in, lights that converge and edges after a jump. physics: `settled` takes the poses that MuJoCo settles in
    another process, so that both backends see one world; `physx` lets PhysX settle. settler: the Python of that process,
    none for that of REHEARSE_SETTLER, else this one. fresh_attempts: how often a frame
    that shows an older world is taken again. restart_frames and restart_mib end a worker process after so many frames, or
    when it holds so much memory; 0 is never.
    """

    renderer: Renderer = "auto"
    rt_subframes: int = 16
    anti_aliasing: str = "dlss"
    dlss: str = "quality"
    denoiser: bool = True
    samples_per_pixel: int = 64
    gpu: int | None = None
    multi_gpu: bool = False
    deterministic: bool = True
    physics: Physics = "settled"
    settler: str | None = None
    fresh_attempts: int = 3
    restart_frames: int = 600
    restart_mib: int = 24_000

    def __post_init__(self) -> None:
        for kind, name, known in (
            ("renderer", self.renderer, get_args(Renderer)), ("physics", self.physics, get_args(Physics)),
            ("anti_aliasing", self.anti_aliasing, ANTI_ALIASING), ("dlss mode", self.dlss, DLSS_MODES),
        ):  # fmt: skip
            if name not in known:
                raise UnknownNameError(kind, str(name), known)
        counts = {"rt_subframes": self.rt_subframes, "samples_per_pixel": self.samples_per_pixel}
        counts["fresh_attempts"] = self.fresh_attempts
        for name, count in counts.items():
            if count < 1:
                raise BackendError(f"The Isaac setting {name} must be at least 1, got {count}.")
        if min(self.restart_frames, self.restart_mib, self.gpu or 0) < 0:
            raise BackendError("The Isaac settings restart_frames, restart_mib and gpu must be 0 or more.")

    @classmethod
    def parse(cls, words: Iterable[str]) -> IsaacSettings:
        """Reads NAME=VALUE words, such as rt_subframes=32; raises UnknownNameError or BackendError."""
        values: dict[str, Any] = {}
        kinds = {field.name: str(field.type) for field in fields(cls)}
        for word in words:
            name, equals, text = word.partition("=")
            if name not in kinds:
                raise UnknownNameError("Isaac setting", name, kinds)
            if not equals:
                raise BackendError(f"An Isaac setting is given as NAME=VALUE, such as {name}={getattr(cls(), name)}.")
            values[name] = _value(name, text, kinds[name])
        return cls(**values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> IsaacSettings:
        """Reads what `to_dict` wrote; raises TypeError, or what the values raise."""
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    def label(self) -> str:
        """Returns what decides a frame's bytes, in one line: all but where it runs and when it starts anew."""
        beside = {"gpu", "multi_gpu", "settler", "fresh_attempts", "restart_frames", "restart_mib"}
        return ", ".join(f"{name}={value}" for name, value in asdict(self).items() if name not in beside)

    def launch_config(self, known: frozenset[str]) -> dict[str, Any]:
        """Returns SimulationApp's configuration, with only the keys that its version knows."""
        config: dict[str, Any] = {
            "headless": True,
            "anti_aliasing": ANTI_ALIASING[self.anti_aliasing],
            "samples_per_pixel_per_frame": self.samples_per_pixel,
            "denoiser": self.denoiser,
            "multi_gpu": self.multi_gpu,
            "active_gpu": self.gpu,
            "physics_gpu": self.gpu or 0,
            "disable_viewport_updates": True,
            "create_new_stage": True,
            "extra_args": [
                "--/app/asyncRendering=false",
                "--/omni/replicator/asyncRendering=false",
                "--/exts/isaacsim.core.throttling/enable_async=false",
            ],
        }
        if self.renderer != "auto":
            config["renderer"] = self.renderer
        if not self.multi_gpu:
            config["max_gpu_count"] = 1
        return {key: value for key, value in config.items() if key in known}

    def carb_settings(self) -> dict[str, Any]:
        """Returns what is set after every start and every opened stage, by Carbonite's paths."""
        values: dict[str, Any] = {
            "/omni/replicator/captureOnPlay": False,
            "/rtx/post/dlss/execMode": DLSS_MODES[self.dlss],
            "/rtx/post/aa/op": ANTI_ALIASING[self.anti_aliasing],
        }
        if self.deterministic:
            # What Isaac Lab sets for repeatable pictures (reference, 1.10); no version promises equal bytes.
            values |= {"/rtx/rtpt/cached/enabled": False, "/rtx/rtpt/lightcache/cached/enabled": False}
        return values


def _value(name: str, text: str, kind: str) -> Any:
    if kind == "bool":
        if text.lower() not in {"true", "false", "on", "off", "yes", "no", "1", "0"}:
            raise BackendError(f"The Isaac setting {name} is on or off, got {text!r}.")
        return text.lower() in {"true", "on", "yes", "1"}
    if "None" in kind and text.lower() in {"none", ""}:
        return None
    if kind.startswith("int"):
        if not text.lstrip("-").isdecimal():
            raise BackendError(f"The Isaac setting {name} is a whole number, got {text!r}.")
        return int(text)
    return text
