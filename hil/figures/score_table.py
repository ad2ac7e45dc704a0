"""The scores of all answers of a run as one small file of arrays: what every figure of quality is made of, bit for bit.

An npz without pickles. Every array of a score lies joined under its name over all scores, `NAME.shape` holds the shape of
each part; `name`, `scene`, `missing` have one entry per score. `link` holds the links between answers in the same way. For
each column NAME of quality, `column.NAME.score`, `.link`, `.begins` and `.step` are the fields of hil.figures.pairing.Column.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.figures.pairing import Column
from hil.figures.quality import AnswerScores
from perception.scoring.average_precision import Detections
from perception.scoring.frame_score import FoundThings, FrameScore
from perception.scoring.tubes import TubeCounts

FORMAT = 2
_PARTS: dict[str, type[Any]] = {"masks": Detections, "boxes": Detections, "found": FoundThings, "tubes": TubeCounts}
_PLAIN = ("panoptic", "confusion", "depth")
_COLUMN = tuple(Column.__dataclass_fields__)


def pack_scores(answers: AnswerScores) -> bytes:
    """Returns the file; raises nothing."""
    arrays: dict[str, NDArray[Any]] = {"format": np.array(FORMAT)}
    for name, column in answers.columns.items():
        arrays |= {f"column.{name}.{field}": np.asarray(getattr(column, field)) for field in _COLUMN}
    arrays |= _joined("link", answers.links)
    for key in ("name", "scene"):
        arrays[key] = np.array([getattr(score, key) for score in answers.scores], dtype=np.str_)
    arrays["missing"] = np.array([score.missing for score in answers.scores], dtype=np.bool_)
    for path in _paths():
        arrays |= _joined(path, [_get(score, path) for score in answers.scores])
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # the stub takes the names for its own options
    return file.getvalue()


def open_scores(data: bytes) -> AnswerScores:
    """Reads it back; raises ValueError, KeyError or OSError where it is not whole."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        if "format" not in arrays or arrays["format"] != FORMAT:
            raise ValueError("they are of another release of Rehearse, which scored other figures")
        columns = {path: _split(arrays[path], arrays[f"{path}.shape"]) for path in _paths()}
        names, scenes, missing = arrays["name"].tolist(), arrays["scene"].tolist(), arrays["missing"].tolist()
        links = _split(arrays["link"], arrays["link.shape"])
        chosen = {name: _column(arrays, name) for name in _column_names(arrays)}
    scores = []
    for i, (name, scene, lacks) in enumerate(zip(names, scenes, missing, strict=True)):
        plain: dict[str, Any] = {path: columns[path][i] for path in _PLAIN}
        nested: dict[str, Any] = {
            part: kind(**{field: columns[f"{part}.{field}"][i] for field in kind.__dataclass_fields__})
            for part, kind in _PARTS.items()
        }
        scores.append(FrameScore(name=name, scene=scene, missing=lacks, **plain, **nested))
    return AnswerScores(scores=tuple(scores), links=tuple(links), columns=chosen)


def _paths() -> Iterator[str]:
    yield from _PLAIN
    for part, kind in _PARTS.items():
        yield from (f"{part}.{field}" for field in kind.__dataclass_fields__)


def _get(score: FrameScore, path: str) -> NDArray[Any]:
    value: Any = score
    for name in path.split("."):
        value = getattr(value, name)
    return np.asarray(value)


def _column_names(arrays: Mapping[str, Any]) -> list[str]:
    """Returns the columns in the order in which they were written."""
    names = (key.removeprefix("column.") for key in arrays if key.startswith("column."))
    return [name.removesuffix(".score") for name in names if name.endswith(".score")]


def _column(arrays: Mapping[str, NDArray[Any]], name: str) -> Column:
    score, link, begins, step = (arrays[f"column.{name}.{field}"] for field in _COLUMN)
    if not len(score) == len(link) == len(begins):
        raise ValueError(f"the column {name} has fields of different lengths")
    return Column(score=score, link=link, begins=begins, step=int(step))


def _joined(name: str, parts: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    joined = np.concatenate([part.ravel() for part in parts]) if parts else np.empty(0, np.int32)
    return {name: joined, f"{name}.shape": np.array([part.shape for part in parts], dtype=np.int64)}


def _split(joined: NDArray[Any], shapes: NDArray[np.int64]) -> Sequence[NDArray[Any]]:
    parts, at = [], 0
    for shape in shapes.tolist():
        size = int(np.prod(shape))
        parts.append(joined[at : at + size].reshape(shape))
        at += size
    if at != len(joined):
        raise ValueError("an array of scores is longer than its parts")
    return parts
