"""Whose a data set folder is: empty, ours and unfinished, ours and finished, or refused with a sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from scenes.errors import DatasetError
from scenes.files import write_whole
from sim._publish import WORK
from sim.basicwriter import metadata_text
from sim.manifest import FILE_NAME, Manifest, read_manifest

_SPEC = "spec.json"


def claim_folder(folder: Path, content: dict[str, Any]) -> Manifest | None:
    """Prepares a folder for data of that content; returns the manifest where the data set is already finished.

    To be called under `sim._publish.locked`. Raises DatasetError where the folder holds something else.
    """
    if (folder / FILE_NAME).exists():
        manifest = read_manifest(folder)
        _assert_same(folder, manifest.content(), content)
        _assert_complete(folder, manifest)
        shutil.rmtree(folder / WORK, ignore_errors=True)
        return manifest
    spec_path = folder / WORK / _SPEC
    if not spec_path.exists():
        _assert_empty(folder)
        spec_path.parent.mkdir(exist_ok=True)
        write_whole(spec_path, json.dumps(content), sync=True)
    _assert_same(folder, _read_spec(spec_path), content)
    shutil.rmtree(folder / WORK / "staging", ignore_errors=True)
    write_whole(folder / "metadata.txt", metadata_text(content["seed"]), sync=True)
    return None


def finish_folder(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest, which makes the folder a data set, and removes the work area."""
    text = json.dumps(manifest.to_dict())
    staged = folder / WORK / FILE_NAME
    write_whole(staged, text, sync=True)
    staged.replace(folder / FILE_NAME)
    shutil.rmtree(folder / WORK)


def _assert_complete(folder: Path, manifest: Manifest) -> None:
    for entry in manifest.frames:
        for name in entry.files:
            if not (folder / name).exists():
                raise DatasetError(
                    f"The data set {folder} was finished but lacks {name}: delete it and generate it again."
                )


def _read_spec(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise DatasetError(f"{path} is damaged: delete the folder {path.parent.parent} and start again.") from error
    return values


def _assert_empty(folder: Path) -> None:
    others = sorted(path.name for path in folder.iterdir() if path.name != WORK)
    if others:
        raise DatasetError(
            f"{folder} is not empty and not a data set of Rehearse (it holds {', '.join(others[:3])}"
            f"{', ...' if len(others) > 3 else ''}): give a new or an empty folder."
        )


def _assert_same(folder: Path, there: dict[str, Any], asked: dict[str, Any]) -> None:
    for key, value in asked.items():
        if there.get(key, [] if key == "assets" else None) != value:
            raise DatasetError(
                f"{folder} holds a data set with {key} {there.get(key)!r}, but {value!r} was asked for: "
                "give another folder, or the same arguments to go on with this one."
            )
