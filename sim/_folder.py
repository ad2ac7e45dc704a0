"""Whose a data set folder is: empty, ours and unfinished, ours and finished, or refused with a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenes.errors import DatasetError
from scenes.files import whole_file, write_whole
from sim.basicwriter import metadata_text
from sim.manifest import FILE_NAME, Manifest, read_manifest
from sim.running.part import FILE_NAME as PART_NAME
from sim.running.part import Part, read_part
from sim.running.publish import WORK
from sim.running.scene_loop import FAILURES

_SPEC = "spec.json"


def claim_folder(folder: Path, content: dict[str, Any]) -> Manifest | Part | None:
    """Prepares a folder for data of that content; returns what it holds where the data set, or part, is already finished.

    To be called under `sim.running.publish.locked`. Raises DatasetError where the folder holds something else.
    """
    finished = _read_finished(folder)
    if finished is not None:
        _assert_same(folder, finished.content(), content)
        _assert_complete(folder, finished)
        shutil.rmtree(folder / WORK, ignore_errors=True)
        return finished
    spec_path = folder / WORK / _SPEC
    if not spec_path.exists():
        _assert_empty(folder)
        spec_path.parent.mkdir(exist_ok=True)
        write_whole(spec_path, json.dumps(content), sync=True)
    _assert_same(folder, _read_spec(spec_path), content)
    shutil.rmtree(folder / WORK / "staging", ignore_errors=True)
    write_whole(folder / "metadata.txt", metadata_text(content["seed"]), sync=True)
    return None


def finish_folder(folder: Path, finished: Manifest | Part, failures: Sequence[dict[str, Any]] = ()) -> None:
    """Writes the manifest, or part.json, which makes the folder a data set or a part, and removes the work area.

    `failures` are the last failures of the scenes that were left out; where there are none there is no file of them.
    """
    if failures:
        write_whole(folder / FAILURES, failure_lines(failures), sync=True)
    name = FILE_NAME if isinstance(finished, Manifest) else PART_NAME
    staged = folder / WORK / name
    with whole_file(staged, sync=True) as path, path.open("w", encoding="utf-8") as file:
        file.writelines(finished.json_parts() if isinstance(finished, Manifest) else [json.dumps(finished.to_dict())])
    staged.replace(folder / name)
    shutil.rmtree(folder / WORK)


def failure_lines(failures: Sequence[dict[str, Any]]) -> str:
    """Returns the text of failures.jsonl."""
    return "".join(json.dumps(values) + "\n" for values in failures)


def _read_finished(folder: Path) -> Manifest | Part | None:
    if (folder / FILE_NAME).exists():
        return read_manifest(folder)
    return read_part(folder) if (folder / PART_NAME).exists() else None


def _assert_complete(folder: Path, finished: Manifest | Part) -> None:
    for entry in finished.frames:
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
    there = {"part": "all", "assets": [], **there}
    for key, value in {"part": "all", **asked}.items():
        if there.get(key) != value:
            raise DatasetError(
                f"{folder} holds a data set with {key} {_shown(there.get(key))}, but {_shown(value)} was asked for: "
                "give another folder, or the same arguments to go on with this one."
            )


def _shown(value: object) -> str:
    """Returns a value of a spec as a sentence says it: a sensor profile, which is long, by its label."""
    return repr(value["label"] if isinstance(value, dict) and "label" in value else value)
