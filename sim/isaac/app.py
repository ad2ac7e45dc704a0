"""Starts Isaac Sim's application once in a process, before anything imports omni or pxr, and leaves it with a status.

This is the only module that starts it; `installation` says first whether it can be started here.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from scenes.errors import BackendError
from sim.isaac.installation import installed_version, refuse_foreign_usd, refuse_if_impossible
from sim.isaac.kit import App, Settings
from sim.isaac.settings import IsaacSettings
from sim.isaac.versions import VERSIONS, Version, version_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """The application of this process, its version, and the settings that it was started with."""

    app: App
    version: Version
    full_version: str
    settings: IsaacSettings
    clean_environment: dict[str, str]


_running: Running | None = None
_opened = False  # from the moment on at which Kit would end the process in its own way, even where a check then fails


def start(settings: IsaacSettings | None = None) -> Running:
    """Starts Isaac Sim (tens of seconds) or returns what runs; raises BackendError in one sentence where it cannot.

    `settings` count only for the first call of a process.
    """
    global _running, _opened  # noqa: PLW0603  # one application per process is Kit's own rule
    if _running is None:
        settings = settings or IsaacSettings()
        refuse_if_impossible()
        environment = dict(os.environ)
        expected = installed_version()
        with _quiet_start():
            app = _open_app(settings, expected)
        _opened = True
        atexit.register(_leave_at_exit)
        refuse_foreign_usd()
        full = _reported_version() or expected
        version, warning = version_of(full)
        for said in (warning, _renderer_warning(settings, version)):
            if said:
                warnings.warn(said, stacklevel=2)
        _running = Running(
            app=app, version=version, full_version=full, settings=settings, clean_environment=environment
        )
        apply_settings(settings)
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
    global _running, _opened
    if not _opened:
        return
    run, _running, _opened = _running, None, False
    with suppress(Exception):  # whatever Kit does while it ends, the files are what counts
        import omni.replicator.core as rep

        rep.orchestrator.wait_until_complete()
    sys.stdout.flush()
    sys.stderr.flush()
    if run is not None and run.version.close_takes_exit_code:
        with suppress(Exception):
            run.app.close(wait_for_replicator=True, exit_code=status)
        sys.stdout.flush()
    os._exit(status)


def _leave_at_exit() -> None:
    leave(1 if hasattr(sys, "last_value") else 0)


def _open_app(settings: IsaacSettings, expected: str) -> App:
    version = version_of(expected)[0] if expected else VERSIONS[0]
    try:
        from isaacsim import SimulationApp

        if SimulationApp is None:  # the package `isaacsim` says so only by a printed warning
            raise ImportError("its extension isaacsim.simulation_app is missing")
        app: App = SimulationApp(settings.launch_config(version.launch_keys))
    except SystemExit as ended:  # Kit ends the process where its licence was not accepted or a driver is missing
        raise BackendError(
            f"Isaac Sim did not start: {ended or 'it gave no reason'}. Read its licence and accept it with "
            "OMNI_KIT_ACCEPT_EULA=YES; docs/isaac-sim.md has the other causes."
        ) from ended
    except ImportError as error:
        raise BackendError(
            f"Isaac Sim is not whole here ({error}): install isaacsim[all,extscache] from NVIDIA's package index; "
            "docs/isaac-sim.md says how."
        ) from error
    return app


def _renderer_warning(settings: IsaacSettings, version: Version) -> str:
    if settings.renderer in ("auto", *version.renderers):
        return ""
    return (
        f"Isaac Sim {version.name} is not known to have the renderer {settings.renderer}; it has "
        f"{', '.join(version.renderers)}, of which renderer=auto takes the first."
    )


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


def _reported_version() -> str:
    try:
        from isaacsim.core.version import get_version

        return str(get_version()[0])
    except ImportError:
        return ""
