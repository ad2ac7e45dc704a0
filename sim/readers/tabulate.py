"""Folders of other tools as rows of a Markdown table, for the docs: python -m sim.readers.tabulate FOLDER..."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scenes.errors import DatasetError
from sim.dataset import Dataset

_HEAD = ("folder", "frames", "views", "size", "read as", "not available", "noted")


def table(folders: Sequence[Path]) -> str:
    """Returns the table; a folder that is refused has the sentence in its row."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *(_row(folder) for folder in folders)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(folder: Path) -> tuple[str, ...]:
    try:
        dataset = Dataset.open(folder)
        dataset.verify()
    except DatasetError as error:
        return folder.name, "-", "-", "-", "refused", "-", str(error).replace(str(folder), folder.name)
    sizes = {(camera.width, camera.height) for camera in (dataset.camera(k) for k in range(len(dataset)))}
    views = sorted({name.rpartition("/")[2] for name in dataset.names})
    made = dataset.manifest.generator
    return (
        folder.name, str(len(dataset)), ", ".join(views), ", ".join(f"{w}x{h}" for w, h in sorted(sizes)), made.backend,
        ", ".join(dataset.absent) or "-", "; ".join(f"{key}: {text}" for key, text in dataset.remarks.items()) or "-",
    )  # fmt: skip


if __name__ == "__main__":
    print(table([Path(argument) for argument in sys.argv[1:]]))
