"""Labels against paper: every pixel's body and category, the words they are named by, and the maps that explain the ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.taxonomy import TAXONOMY
from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Expected
from sim.selftest.verdict import Outcome, all_of, skipped

_RESERVED = {"background", "unlabelled"}
# Jitter of a renderer's rays may turn a pixel on an outline: what is judged lies a pixel inside.
_MARGIN_PX = 1


def instance_ids(seen: Evidence, expected: Expected) -> Outcome:
    """Every thing's pixels carry the id of its own record, and its own prim path in the id map."""
    segmentation = seen.annotation("instance_segmentation")
    path_of, wrong = segmentation.maps[0], []
    for name in _shown_things(expected):
        inside = expected.inside(name, _MARGIN_PX)
        of_frame = _commonest(seen.frame.truth.instance[inside])
        record = next((r for r in seen.frame.truth.objects if r.instance_id == of_frame), None)
        said = record.body_name if record else "nothing"
        path = str(path_of.get(str(_commonest(segmentation.ids[inside])), "nothing"))
        if said != name or not _is_path_of(path, name):
            wrong.append(f"{name} is labelled {said} ({path})")
    return _none_wrong("each thing by its own id and prim path", wrong, len(_shown_things(expected)))


def semantic_of_instance(seen: Evidence, _: Expected) -> Outcome:
    """The category of a pixel is that of its instance, in the frame and in the maps of the annotations."""
    truth = seen.frame.truth
    category_of = {record.instance_id: record.category_id for record in truth.objects}
    owner = np.vectorize(lambda k: category_of.get(int(k), 0), otypes=[np.int64])(truth.instance)
    thing = truth.instance > 0
    in_frame = int((owner[thing] != truth.semantic[thing]).sum())
    semantic, instance = seen.annotation("semantic_segmentation"), seen.annotation("instance_segmentation")
    by_class = _words(semantic.ids, semantic.maps[0])
    by_instance = _words(instance.ids, instance.maps[-1])
    both = ~np.isin(by_instance, ["background", "unlabelled", ""])
    in_maps = int((by_class[both] != by_instance[both]).sum())
    return all_of(
        _equal("semantic = class of the instance", "in the frame", in_frame, int(thing.sum())),
        _equal("semantic = class of the instance", "in the annotations", in_maps, int(both.sum())),
    )


def label_names(seen: Evidence, expected: Expected) -> Outcome:
    """Names are the taxonomy's, in lower case, on the pixels of each body; none is missing."""
    segmentation = seen.annotation("semantic_segmentation")
    class_of = {str(key): str(value.get("class", "")) for key, value in segmentation.maps[0].items()}
    wrong = []
    for name in _shown(expected):
        category = expected.solids[name].category
        said = class_of.get(str(_commonest(segmentation.ids[expected.inside(name, _MARGIN_PX)])), "no label")
        if said != category:
            wrong.append(f"{name} is called {said!r}, not {category!r}")
    wrong += [f"{word!r} is no name of the taxonomy" for word in class_of.values() if not _is_known(word)]
    for kind in ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d"):
        words = [str(value.get("class", "")) for value in seen.annotation(kind)[1].values()]
        wrong += [f"{word!r} in {kind} is no name of the taxonomy" for word in words if not _is_known(word)]
    return _none_wrong("the taxonomy's names in lower case", wrong, len(_shown(expected)))


def leaf_ids(seen: Evidence, expected: Expected) -> Outcome:
    """instance_id_segmentation names the leaf prim of every pixel, a part of its body."""
    segmentation = seen.annotation("instance_id_segmentation")
    if segmentation is None:
        return skipped("the backend has no layers, from which the leaves would be told")
    wrong = []
    for name in _shown_things(expected):
        path = str(segmentation.maps[0].get(str(_commonest(segmentation.ids[expected.inside(name, _MARGIN_PX)])), "nothing"))
        if not _is_path_of(path, name):
            wrong.append(f"{name} shows {path}")
    return _none_wrong("each pixel's leaf prim lies under its body", wrong, len(_shown_things(expected)))


def only_what_is_in_view(seen: Evidence, expected: Expected) -> Outcome:
    """There is a record of every thing in view, hidden ones too, and of nothing that is beyond the border or behind."""
    known, recorded = set(expected.things), {r.body_name for r in seen.frame.truth.objects}
    listed = {str(path).split("/")[2] for path in seen.annotation("bounding_box_2d_loose")[2] if str(path).count("/") > 1}
    told = [f"no record of {name}" for name in sorted(known - recorded)]
    told += [f"a record of {name}, out of view" for name in sorted(recorded - known)]
    told += [f"no loose box of {name}" for name in sorted(known - listed)]
    told += [f"a loose box of {name}, out of view" for name in sorted(listed - known)]
    return Outcome(expected=f"{len(known)} records", got="; ".join(told) or f"{len(recorded)} records", holds=not told)


def _shown(expected: Expected) -> tuple[str, ...]:
    return tuple(name for name in expected.amodal if expected.inside(name, _MARGIN_PX).any())


def _shown_things(expected: Expected) -> tuple[str, ...]:
    return tuple(name for name in expected.things if expected.inside(name, _MARGIN_PX).any())


def _none_wrong(expected: str, wrong: list[str], total: int) -> Outcome:
    some = "; ".join(wrong[:3]) + (f"; and {len(wrong) - 3} more" if len(wrong) > 3 else "")
    return Outcome(expected=expected, got=some or f"{total} of {total}", holds=not wrong)


def _equal(expected: str, where: str, differing: int, total: int) -> Outcome:
    got = f"{differing} of {total} pixels differ {where}"
    return Outcome(expected=expected, got=got, tolerance="0 pixels", holds=not differing and total > 0)


def _commonest(values: NDArray[np.integer]) -> int:
    ids, counts = np.unique(values, return_counts=True)
    return int(ids[np.argmax(counts)])


def _words(ids: NDArray[np.integer], labels: Mapping[str, Any]) -> NDArray[np.str_]:
    """Returns the class of every pixel in lower case, '' where the map has none."""
    found, inverse = np.unique(ids, return_inverse=True)
    words = [str(labels.get(str(int(k)), {}).get("class", "")).lower() for k in found]
    named: NDArray[np.str_] = np.array(words)[inverse.reshape(ids.shape)]
    return named


def _is_known(word: str) -> bool:
    return word.lower() in _RESERVED or word in {category.name for category in TAXONOMY}


def _is_path_of(path: str, name: str) -> bool:
    return f"/{name}" in path and (path.endswith(f"/{name}") or f"/{name}/" in path)
