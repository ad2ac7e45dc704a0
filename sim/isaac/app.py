"""Starts Isaac Sim's application once in a process, before anything imports omni or pxr, and leaves it with a status.

This is the only module that starts it. Isaac Sim brings its own OpenUSD: the registry's `usd-core` must not be imported in
the same process, neither before (its `pxr` would be taken by Kit) nor after (two libraries of one name).
"""

from __future__ import annotations

import atexit
import importlib.metadata
import importlib.util
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scenes.errors import BackendError
from sim.isaac.kit import App, Settings
from sim.isaac.settings import IsaacSettings
from sim.isaac.versions import VERSIONS, Version, version_of

# These belong to the start-up of Kit itself: importing `isaacsim` brings them.
_BOOTSTRAP = ("omni", "omni.kit_app", "omni.ext", "omni.core", "omni.kit")
_HOW_TO_INSTALL = (
    "install it with Python 3.12 (Isaac Sim 6.x) or 3.11 (5.1) from NVIDIA's package index, or start Rehearse with Isaac "
    "Sim's own python.sh; docs/isaac-sim.md says how"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """The application of this process, its version, and the settings that it was started with."""

    app: App
    version: Version
    full_version: str
    settings: IsaacSettings
    clean_environment: dict[str, str]


_running: Running | None = None
# Only the fake of the tests sets this: it has no OpenUSD of its own and works with the registry's.
foreign_usd_allowed = False


def start(settings: IsaacSettings | None = None) -> Running:
    """Starts Isaac Sim (tens of seconds) or returns what runs; raises BackendError in one sentence where it cannot.

    `settings` count only for the first call of a process.
    """
    global _running  # noqa: PLW0603  # one application per process is Kit's own rule
    if _running is None:
        settings = settings or IsaacSettings()
        refuse_if_impossible()
        environment = dict(os.environ)
        expected = _installed_version()
        with _quiet_start():
            app = _open_app(settings, expected)
        _refuse_foreign_usd()
        full = _reported_version() or expected
        version, warning = version_of(full)
        if warning:
            warnings.warn(warning, stacklevel=2)
        _running = Running(
            app=app, version=version, full_version=full, settings=settings, clean_environment=environment
        )
        apply_settings(settings)
        atexit.register(_leave_at_exit)
    return _running


def running() -> Running | None:
    """Returns the application of this process, None where none was started."""
    return _running


def apply_settings(settings: IsaacSettings) -> None:
    """Sets what an opened stage may have changed: render mode, anti-aliasing, DLSS, capture on play, determinism."""
    import carb.settings

    values: Settings = carb.settings.get_settings()
    for path, value in settings.carb_settings().items():
        values.set(path, value)


def leave(status: int) -> None:
    """Ends this process with `status` where an application runs in it; does nothing where none does.

    Kit ends a process on its own terms: what stands after `close` may never run, and its status may be lost. So all that
    Replicator still writes is waited for, output is flushed, and the process ends here.
    """
    global _running
    if _running is None:
        return
    run, _running = _running, None
    with suppress(Exception):  # whatever Kit does while it ends, the files are what counts
        import omni.replicator.core as rep

        rep.orchestrator.wait_until_complete()
    sys.stdout.flush()
    sys.stderr.flush()
    if run.version.close_takes_exit_code:
        with suppress(Exception):
            run.app.close(wait_for_replicator=True, exit_code=status)
        sys.stdout.flush()
    os._exit(status)


def _leave_at_exit() -> None:
    leave(1 if hasattr(sys, "last_value") else 0)


def refuse_if_impossible() -> None:
    """Raises BackendError, in one sentence, where Isaac Sim cannot be started in this process."""
    early = [] if foreign_usd_allowed else sorted(name for name in sys.modules if _too_early(name))
    if early:
        raise BackendError(
            f"Isaac Sim must be started before anything imports omni or pxr, but this process has {early[0]} "
            f"({_origin(early[0])}) already: open the isaac backend first, in a process of its own."
        )
    assert_installed()
    full = _installed_version()
    if not full:
        return  # not a pip installation: its own python.sh chose the Python
    version, _ = version_of(full)
    if sys.version_info[:2] != version.python:
        raise BackendError(
            f"Isaac Sim {full} runs on Python {version.python[0]}.{version.python[1]}, not on "
            f"{sys.version_info[0]}.{sys.version_info[1]}: make an environment of that Python and install both there."
        )


def assert_installed() -> None:
    """Raises BackendError where this Python has no Isaac Sim; imports nothing of it."""
    if importlib.util.find_spec("isaacsim") is None:
        raise BackendError(
            f"The isaac backend needs Isaac Sim, which Python {sys.version_info[0]}.{sys.version_info[1]} does not have here "
            f"({sys.executable}): {_HOW_TO_INSTALL}."
        )


def _too_early(name: str) -> bool:
    top = name.partition(".")[0]
    return top == "pxr" or (top == "omni" and not any(name == b or name.startswith(f"{b}.") for b in _BOOTSTRAP[1:3])
                            and name not in _BOOTSTRAP)  # fmt: skip


def _origin(name: str) -> str:
    path = getattr(sys.modules[name], "__file__", None)
    return str(path) if path else "a namespace package"


def _open_app(settings: IsaacSettings, expected: str) -> App:
    version = version_of(expected)[0] if expected else VERSIONS[0]
    try:
        from isaacsim import SimulationApp

        app: App = SimulationApp(settings.launch_config(version.launch_keys))
    except SystemExit as ended:  # Kit ends the process where its licence was not accepted or a driver is missing
        raise BackendError(
            f"Isaac Sim did not start: {ended or 'it gave no reason'}. Read its licence and accept it with "
            "OMNI_KIT_ACCEPT_EULA=YES; docs/isaac-sim.md has the other causes."
        ) from ended
    return app


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Hides our command line from Kit, which takes every word of it for its own, and keeps our answer to Ctrl-C."""
    words, before = sys.argv, signal.getsignal(signal.SIGINT)
    sys.argv = words[:1]
    try:
        yield
    finally:
        sys.argv = words
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _refuse_foreign_usd() -> None:
    """Raises BackendError where `pxr` is the registry's usd-core and not Isaac Sim's own."""
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


def _installed_version() -> str:
    try:
        return importlib.metadata.version("isaacsim")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _reported_version() -> str:
    try:
        from isaacsim.core.version import get_version

        return str(get_version()[0])
    except ImportError:
        return ""
