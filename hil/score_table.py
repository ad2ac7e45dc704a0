"""The scores of all answers of a run as one small file of arrays: what every figure of quality is made of, bit for bit.

An npz without pickles. Every array of a score lies joined under its name over all scores, `NAME.shape` holds the shape of
each part; `name`, `scene`, `missing` have one entry per score; `columns` says which score counts for each due frame
in each of hil.quality.COLUMNS, -1 = none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.quality import AnswerScores
from perception.scoring.average_precision import Detections
from perception.scoring.frame_score import FoundThings, FrameScore

_PARTS: dict[str, type[Any]] = {"masks": Detections, "boxes": Detections, "found": FoundThings}
_PLAIN = ("panoptic", "confusion", "depth")


def pack_scores(answers: AnswerScores) -> bytes:
    """Returns the file; raises nothing."""
    arrays: dict[str, NDArray[Any]] = {"columns": answers.columns}
    for key in ("name", "scene"):
        arrays[key] = np.array([getattr(score, key) for score in answers.scores], dtype=np.str_)
    arrays["missing"] = np.array([score.missing for score in answers.scores], dtype=np.bool_)
    for path in _paths():
        parts = [_get(score, path) for score in answers.scores]
        arrays[path] = np.concatenate([part.ravel() for part in parts])
        arrays[f"{path}.shape"] = np.array([part.shape for part in parts], dtype=np.int64)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # the stub takes the names for its own options
    return file.getvalue()


def open_scores(data: bytes) -> AnswerScores:
    """Reads it back; raises ValueError, KeyError or OSError where it is not whole."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        columns = {path: _split(arrays[path], arrays[f"{path}.shape"]) for path in _paths()}
        names, scenes, missing = arrays["name"].tolist(), arrays["scene"].tolist(), arrays["missing"].tolist()
        chosen = arrays["columns"]
    scores = []
    for i, (name, scene, lacks) in enumerate(zip(names, scenes, missing, strict=True)):
        plain: dict[str, Any] = {path: columns[path][i] for path in _PLAIN}
        nested: dict[str, Any] = {
            part: kind(**{field: columns[f"{part}.{field}"][i] for field in kind.__dataclass_fields__})
            for part, kind in _PARTS.items()
        }
        scores.append(FrameScore(name=name, scene=scene, missing=lacks, **plain, **nested))
    return AnswerScores(scores=tuple(scores), columns=chosen)


def _paths() -> Iterator[str]:
    yield from _PLAIN
    for part, kind in _PARTS.items():
        yield from (f"{part}.{field}" for field in kind.__dataclass_fields__)


def _get(score: FrameScore, path: str) -> NDArray[Any]:
    value: Any = score
    for name in path.split("."):
        value = getattr(value, name)
    return np.asarray(value)


def _split(joined: NDArray[Any], shapes: NDArray[np.int64]) -> Sequence[NDArray[Any]]:
    parts, at = [], 0
    for shape in shapes.tolist():
        size = int(np.prod(shape))
        parts.append(joined[at : at + size].reshape(shape))
        at += size
    if at != len(joined):
        raise ValueError("an array of scores is longer than its parts")
    return parts
