"""An engine file is the one that was meant, or it is not opened: its sha256 is compared before any library reads a byte of it.

What it has to be stands in a line beside the file, `engine.onnx.sha256`, which `rehearse export` writes and `sha256sum -c`
reads, or is pinned by whoever opens it. The line finds a file that was damaged, cut or mixed up on its way; against someone
who can write to the folder only a pinned digest helps.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from scenes.errors import EngineError
from scenes.files import write_whole

SUFFIX = ".sha256"
UNSIGNED = "not checked: no .sha256 beside it, none pinned"
_HEX = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 4096


def manifest_path(path: Path) -> Path:
    """Returns where the digest of that file stands; no I/O."""
    return path.with_name(path.name + SUFFIX)


def write_digest(path: Path) -> Path:
    """Writes the line beside a finished file and returns its path; raises OSError."""
    line = f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    write_whole(manifest_path(path), line)
    return manifest_path(path)


def check_digest(path: Path, digest: str, *, pinned: str | None = None, unsigned: bool = True) -> str:
    """Compares the digest of bytes that were read from `path` with what is pinned and with what stands beside it.

    Returns by what it was checked, in words for a report. Raises EngineError where one of them differs, and where there is
    none and `unsigned` does not allow that.
    """
    named = _line_beside(path)
    if pinned is not None and not _HEX.fullmatch(pinned.lower()):
        raise EngineError(f"A sha256 has 64 hexadecimal digits, got {pinned[:80]!r}.")
    for where, expected in (("pinned", pinned), (manifest_path(path).name, named)):
        if expected is not None and expected.lower() != digest:
            raise EngineError(
                f"{path} is not the engine that was meant: its sha256 is {digest}, but {expected.lower()} by {where}; copy or "
                "export it again."
            )
    if pinned is None and named is None and not unsigned:
        raise EngineError(
            f"{path} has no {manifest_path(path).name} beside it, and where other machines reach the agent an engine is not "
            f"opened unchecked: copy that file too, or pin the digest with --sha256 {digest}."
        )
    sources = [name for name, value in (("pinned", pinned), (manifest_path(path).name, named)) if value is not None]
    return " and ".join(sources) or UNSIGNED


def _line_beside(path: Path) -> str | None:
    manifest = manifest_path(path)
    try:
        with manifest.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineError(f"Cannot read {manifest}: {error.strerror or error}.") from error
    words = text.split()
    if not words or not _HEX.fullmatch(words[0].lower()) or len(text.strip().splitlines()) != 1:
        raise EngineError(f"{manifest} should be one line as sha256sum writes it; export the engine again.")
    return words[0].lower()
