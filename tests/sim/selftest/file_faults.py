"""What files may have wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scenes.transforms import inverse, transform_points
from sim.annotators.segmentation import Segmentation
from sim.selftest.evidence import Evidence


def box_file(change: Callable[[np.ndarray], None]) -> Callable:
    def changed(value, evidence):
        array, labels, paths = value
        array = array.copy()
        change(array)
        return array, labels, paths

    return changed


def _exclusive_rows(array: np.ndarray) -> None:
    array["x_max"] += 1
    array["y_max"] += 1


def _transposed_rows(array: np.ndarray) -> None:
    array["transform"] = array["transform"].transpose(0, 2, 1).copy()


def _inverted_rows(array: np.ndarray) -> None:
    array["occlusionRatio"] = 1 - array["occlusionRatio"]


def relabelled(change: Callable[[str], str]) -> Callable:
    def changed(value: Segmentation, evidence):
        maps = {key: {"class": change(label["class"])} for key, label in value.maps[0].items()}
        return replace(value, maps=(maps,))

    return changed


def one_label_missing(value: Segmentation, evidence) -> Segmentation:
    labels = dict(value.maps[0])
    labels.pop(max(labels, key=int))
    return replace(value, maps=(labels,))


def two_classes_exchanged(value: Segmentation, evidence) -> Segmentation:
    labels = dict(value.maps[0])
    a, b = sorted(labels, key=int)[-2:]
    labels[a], labels[b] = labels[b], labels[a]
    return replace(value, maps=(labels,))


def paths_exchanged(value: Segmentation, evidence) -> Segmentation:
    paths = dict(value.maps[0])
    a, b = sorted(paths, key=int)[-2:]
    paths[a], paths[b] = paths[b], paths[a]
    return replace(value, maps=(paths, *value.maps[1:]))


def in_the_camera(vectors: np.ndarray, evidence: Evidence, *, points: bool = False) -> np.ndarray:
    camera_from_world = inverse(evidence.frame.camera.world_from_camera.matrix())
    if points:
        return transform_points(camera_from_world, vectors).astype(np.float32)
    turned = vectors.copy()
    turned[..., :3] = vectors[..., :3] @ camera_from_world[:3, :3].T
    return turned


def planar(_distance_m: np.ndarray, evidence: Evidence) -> np.ndarray:
    return evidence.frame.truth.depth_m


def only_things_move(vectors: np.ndarray, evidence: Evidence) -> np.ndarray:
    return vectors * (evidence.frame.truth.instance > 0)[..., None]


def column_vectors(params: dict, evidence) -> dict:
    view = np.reshape(params["cameraViewTransform"], (4, 4)).T.reshape(-1).tolist()
    return params | {"cameraViewTransform": view}
