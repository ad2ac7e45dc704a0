"""A file is published whole: whoever reads its path sees the old file or the new one, never a part.

What is being written lies in a hidden folder beside the path, on the same disk, until one rename puts it in place.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """Yields the path to write to; at the end of the block what was written there takes the place of `path`.

    The yielded path keeps the file's name, so that writers which choose a format by the suffix choose the same, and is
    alone in its folder, which goes away with everything in it, also on an error, which leaves the old file. `sync`
    waits until the content is on the disk before the rename, for files that must survive a loss of power. The folder
    of `path` must exist. Raises OSError.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        staging = Path(folder) / path.name
        yield staging
        if sync:
            with staging.open("rb") as file:
                os.fsync(file.fileno())
        staging.replace(path)


def write_whole(path: Path, data: bytes | str, *, sync: bool = False) -> None:
    """Writes a file as `whole_file` does; text becomes UTF-8. Raises OSError."""
    with whole_file(path, sync=sync) as staging:
        staging.write_bytes(data.encode() if isinstance(data, str) else data)
