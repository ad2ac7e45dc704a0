"""What Isaac Sim there is here before it starts: its version, the Python it runs on, and what in this process forbids it.

Nothing of Isaac Sim is imported. Isaac Sim brings its own OpenUSD: the registry's `usd-core` must not be imported in the
same process, neither before (its `pxr` would be taken by Kit) nor after (two libraries of one name).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path

from scenes.errors import BackendError
from sim.isaac.versions import version_of

# These belong to the start-up of Kit itself: importing `isaacsim` brings them.
_BOOTSTRAP = ("omni", "omni.kit_app", "omni.ext", "omni.core", "omni.kit")
_HOW_TO_INSTALL = (
    "install it with Python 3.12 (Isaac Sim 6.x) or 3.11 (5.1) from NVIDIA's package index, or start Rehearse with Isaac "
    "Sim's own python.sh; docs/isaac-sim.md says how"
)

# Only the fake of the tests sets this: it has no OpenUSD of its own and works with the registry's.
foreign_usd_allowed = False


def installed_version() -> str:
    """Returns the version of the pip installation, or of the one whose python.sh started us; "" where neither says."""
    try:
        return importlib.metadata.version("isaacsim")
    except importlib.metadata.PackageNotFoundError:
        pass
    root = os.environ.get("ISAAC_PATH")  # python.sh and python.bat set it; its VERSION is what Isaac Sim itself reads
    try:
        lines = (Path(root) / "VERSION").read_text(encoding="utf-8").splitlines() if root else []
    except OSError:
        return ""
    return lines[0].strip() if lines else ""


def assert_installed() -> None:
    """Raises BackendError where this Python has no Isaac Sim."""
    if importlib.util.find_spec("isaacsim") is None:
        raise BackendError(
            f"The isaac backend needs Isaac Sim, which Python {sys.version_info[0]}.{sys.version_info[1]} does not have here "
            f"({sys.executable}): {_HOW_TO_INSTALL}."
        )


def refuse_if_impossible() -> None:
    """Raises BackendError, in one sentence, where Isaac Sim cannot be started in this process."""
    early = [] if foreign_usd_allowed else sorted(name for name in sys.modules if _too_early(name))
    if early:
        raise BackendError(
            f"Isaac Sim must be started before anything imports omni or pxr, but this process has {early[0]} "
            f"({_origin(early[0])}) already: open the isaac backend first, in a process of its own."
        )
    assert_installed()
    full = installed_version()
    if not full:
        return
    version, _ = version_of(full)
    if sys.version_info[:2] != version.python:
        raise BackendError(
            f"Isaac Sim {full} runs on Python {version.python[0]}.{version.python[1]}, not on "
            f"{sys.version_info[0]}.{sys.version_info[1]}: make an environment of that Python and install both there."
        )


def refuse_foreign_usd() -> None:
    """Raises BackendError where `pxr` is the registry's usd-core and not Isaac Sim's own; for after the start."""
    if foreign_usd_allowed:
        return
    module = sys.modules.get("pxr")
    if module is None:
        spec = importlib.util.find_spec("pxr")
        places = list(spec.submodule_search_locations or ()) if spec else []
    else:
        places = list(getattr(module, "__path__", ()))
    try:
        foreign = Path(str(importlib.metadata.distribution("usd-core").locate_file("pxr"))).resolve()
    except importlib.metadata.PackageNotFoundError:
        return
    if any(Path(place).resolve() == foreign for place in places):
        raise BackendError(
            f"pxr was taken from the package usd-core ({foreign}) and not from Isaac Sim, which brings its own: run "
            "`pip uninstall usd-core` in this environment."
        )


def _too_early(name: str) -> bool:
    top = name.partition(".")[0]
    return top == "pxr" or (top == "omni" and not any(name == b or name.startswith(f"{b}.") for b in _BOOTSTRAP[1:3])
                            and name not in _BOOTSTRAP)  # fmt: skip


def _origin(name: str) -> str:
    path = getattr(sys.modules[name], "__file__", None)
    return str(path) if path else "a namespace package"
