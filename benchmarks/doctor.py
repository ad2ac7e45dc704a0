"""Every line of the doctor's table was tried on this machine just now; what cannot be tried says why, and how to get it."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from hil.device import device_facts, package_versions

Status = Literal["ok", "missing", "not available"]

_SIM = "pip install -e '.[sim]'"
_CPU = "pip install -e '.[cpu]'"
_TRAIN = "pip install -e '.[train]'"
_MESA = "sudo apt-get install -y libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri"

_CORE = ("numpy", "opencv-python-headless", "pyzmq", "msgpack", "xxhash")

# (room, what it is for, distributions, needed for the core path, how to get them)
_PACKAGES: tuple[tuple[str, str, tuple[str, ...], bool, str], ...] = (
    ("core", "link, pictures, scores", _CORE, True, "pip install -e ."),
    ("scenes", "shapes and OpenUSD stages", ("manifold3d", "usd-core"), True, _SIM),
    ("sim", "physics and rendering", ("mujoco",), True, _SIM),
    ("engines", "running a network", ("onnxruntime",), True, _CPU),
    ("engines", "running a network fastest on a CPU", ("openvino",), False, _CPU),
    ("train", "training and export", ("torch", "onnx", "safetensors"), False, _TRAIN),
)

# In Isaac Sim's own Python: it brings OpenUSD, which usd-core would break, and pins a MuJoCo and an OpenCV of its own.
_BESIDE_ISAAC: tuple[tuple[str, str, tuple[str, ...], bool, str], ...] = (
    ("core", "link", ("numpy", "pyzmq", "msgpack", "xxhash"), True, "pip install pyzmq msgpack xxhash"),
    ("scenes", "shapes (OpenUSD is Isaac Sim's)", ("manifold3d", "tqdm"), True, "pip install manifold3d tqdm"),
    ("sim", "physics in a process beside it: set REHEARSE_SETTLER", ("mujoco",), False, "docs/isaac-sim.md, Install"),
)

_TINY_RENDER = """
import os
os.environ.setdefault("MUJOCO_GL", "egl")
import mujoco
model = mujoco.MjModel.from_xml_string(
    "<mujoco><worldbody><light pos='0 0 3'/><geom type='sphere' size='1' rgba='1 0 0 1'/>"
    "<camera name='eye' pos='0 -3 0' xyaxes='1 0 0 0 0 1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer = mujoco.Renderer(model, 32, 32)
renderer.update_scene(data, camera="eye")
image = renderer.render()
assert image[16, 16, 0] > image[16, 16, 2], "the red ball did not come out red"
from OpenGL import GL
print(GL.glGetString(GL.GL_RENDERER).decode())
renderer.close()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table; `needed` marks what the core path (generate, agent, hil, score) cannot do without."""

    topic: str
    name: str
    status: Status
    detail: str
    remedy: str = ""
    needed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)


def examine() -> tuple[Finding, ...]:
    """Tries what this machine can do; starts one process for a tiny real render; takes about a second."""
    packages = [_package_finding(*row) for row in (_BESIDE_ISAAC if _is_isaac_sims() else _PACKAGES)]
    return (_python(), *packages, _rendering(), _processor(), _shipped_engine(), _gpu(), _tensorrt(), _isaac())


def format_table(findings: Sequence[Finding]) -> str:
    """Returns the findings as an aligned table with a last line that says whether the core path works."""
    marks = {"ok": "ok", "missing": "MISSING", "not available": "n/a"}
    lines = []
    for f in findings:
        lines.append(f"{marks[f.status]:<8} {f.topic:<8} {f.name}: {f.detail}")
        if f.status != "ok" and f.remedy:
            lines.append(f"{'':<17} get it: {f.remedy}")
    broken = [f.name for f in findings if f.needed and f.status != "ok"]
    verdict = f"The core path does not work here yet; missing: {', '.join(broken)}." if broken else "The core path works here."
    return "\n".join([*lines, "", verdict])


def _cpu_flags() -> frozenset[str]:
    """Returns the CPU's feature flags as Linux names them; empty where the system does not say."""
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return frozenset()
    rows = (line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith(("flags", "Features")))
    return frozenset(next(rows, ":").partition(":")[2].split())


def _python() -> Finding:
    fresh = sys.version_info >= (3, 11)
    detail = f"{platform.python_version()} at {sys.executable}"
    remedy = "" if fresh else "Python 3.11 or newer makes scenes; 3.10 runs the device agent only."
    return Finding(
        topic="python", name="Python", status="ok" if fresh else "missing", detail=detail, remedy=remedy, needed=True
    )


def _is_isaac_sims() -> bool:
    return importlib.util.find_spec("isaacsim") is not None


def _package_finding(room: str, purpose: str, names: tuple[str, ...], needed: bool, remedy: str) -> Finding:
    versions = package_versions(names)
    absent = [name for name, version in versions.items() if version is None]
    detail = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if absent:
        detail = f"{', '.join(absent)} not installed" + (f" ({detail} found)" if detail else "")
    status: Status = "missing" if absent else "ok"
    return Finding(topic=room, name=purpose, status=status, detail=detail, remedy=remedy, needed=needed)


def _rendering() -> Finding:
    tried = subprocess.run([sys.executable, "-c", _TINY_RENDER], capture_output=True, text=True, timeout=120, check=False)
    name = "headless rendering through EGL"
    if tried.returncode == 0:
        detail = f"a tiny real render by {tried.stdout.strip() or 'an unnamed renderer'}"
        return Finding(topic="sim", name=name, status="ok", detail=detail, needed=True)
    lines = tried.stderr.strip().splitlines()
    reason = lines[-1] if lines else f"the trial ended with status {tried.returncode}"
    return Finding(topic="sim", name=name, status="missing", detail=reason[:200], remedy=_MESA, needed=True)


def _processor() -> Finding:
    flags = _cpu_flags()
    wanted = {"AVX2": "avx2", "AVX-512": "avx512f", "AVX-512 bf16": "avx512_bf16", "AMX bf16": "amx_bf16", "NEON": "asimd"}
    have = [name for name, flag in wanted.items() if flag in flags]
    features = ", ".join(have) if have else "no vector feature known to us"
    bf16 = "OpenVINO runs in bf16" if flags & {"avx512_bf16", "amx_bf16"} else "engines run in float32"
    machine = device_facts()
    detail = f"{machine['cpu'] or 'a CPU without a name'}, {machine['cores']} cores, {features}; {bf16}"
    return Finding(topic="cpu", name="processor", status="ok", detail=detail)


def _shipped_engine() -> Finding:
    from benchmarks.shipped import SHIPPED_ENGINE

    if SHIPPED_ENGINE.is_file():
        detail = f"{SHIPPED_ENGINE.name}, {SHIPPED_ENGINE.stat().st_size / 1e6:.1f} MB"
        return Finding(topic="engines", name="the shipped engine", status="ok", detail=detail, needed=True)
    remedy = "git checkout perception/models, or train and export one"
    return Finding(
        topic="engines", name="the shipped engine", status="missing", detail="not there", remedy=remedy, needed=True
    )


def _gpu() -> Finding:
    try:
        command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        asked = None
    if asked is not None and asked.returncode == 0:
        return Finding(topic="gpu", name="CUDA GPU", status="ok", detail=asked.stdout.strip().replace("\n", "; "))
    return Finding(topic="gpu", name="CUDA GPU", status="not available", detail="nvidia-smi finds none; nothing here needs one")


def _tensorrt() -> Finding:
    from perception.tensorrt_engine import describe_here
    from scenes.errors import EngineError

    try:
        detail = f"{describe_here()}; rehearse doctor --device proves an engine on it"
        return Finding(topic="engines", name="TensorRT", status="ok", detail=detail)
    except EngineError as error:
        return Finding(topic="engines", name="TensorRT", status="not available", detail=str(error).rstrip("."))


def _isaac() -> Finding:
    if _is_isaac_sims():
        from sim.isaac.installation import installed_version

        version = installed_version() or "of a version that it does not say"
        detail = f"isaacsim {version}; not started: rehearse doctor --backend isaac tests it"
        return Finding(topic="sim", name="Isaac Sim", status="ok", detail=detail)
    detail = "isaacsim is not in this Python; it needs an RTX GPU and its own Python"
    return Finding(topic="sim", name="Isaac Sim", status="not available", detail=detail)
