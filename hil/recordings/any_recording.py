"""Any recording of a run is opened by what it holds, not by its name: the compact table, MCAP, or the JSON beside them."""

from __future__ import annotations

from pathlib import Path

from hil.recordings.table import load_recording
from hil.session import Session, load_session
from scenes.errors import DatasetError

_MCAP = b"\x89MCAP"
_NEEDS = "needs the package mcap, which is not installed: pip install 'rehearse-perception[mcap]'"


def open_recording(path: Path) -> tuple[Session, dict[bytes, bytes]]:
    """Returns the session of recording.rhil, recording.mcap or session.json, and what was found later by kind.

    Kinds are those of recording.rhil: SCOR and FIGS. Raises DatasetError.
    """
    begins = _first_bytes(path)
    if begins.startswith(_MCAP):
        return _open_mcap(path)
    if begins.lstrip().startswith(b"{"):
        return load_session(path), {}
    return load_recording(path)


def is_mcap(path: Path) -> bool:
    """Whether a path is a file that begins as MCAP does; False where it cannot be read."""
    try:
        return path.is_file() and _first_bytes(path).startswith(_MCAP)
    except DatasetError:
        return False


def need_mcap(what: str) -> None:
    """Raises DatasetError where the packages of the extra `mcap` are not installed."""
    from importlib.util import find_spec

    if find_spec("mcap") is None or find_spec("foxglove") is None:
        raise DatasetError(f"{what} {_NEEDS}.")


def _open_mcap(path: Path) -> tuple[Session, dict[bytes, bytes]]:
    need_mcap(f"Reading {path}")
    from hil.mcap.load import load_run

    run = load_run(path)
    return run.session, run.later


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise DatasetError(f"Cannot read the recording {path}: {error.strerror or error}.") from error
