"""The annotators by Replicator's names: what each computes, the files it makes, and how they are read back.

Those of `sim.basicwriter` come first and are the default; the others are computed only where they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scenes.errors import DatasetError, UnknownNameError
from sim._boxes import boxes_3d, loose_boxes, tight_boxes
from sim._camera_params import camera_params
from sim._labels import instance_to_ids, semantic_to_ids
from sim._records import record_to_dict
from sim.annotators import _codecs as codecs
from sim.annotators.cloud import point_cloud
from sim.annotators.distance import depth_picture, disparity, distance_to_camera
from sim.annotators.flow import flow, motion_vectors
from sim.annotators.normals import geometric_normals
from sim.annotators.occlusion import amodal_segmentation, occlusion, occlusion_order
from sim.annotators.segmentation import Segmentation, coloured, leaf_ids, panoptic
from sim.annotators.view import View
from sim.basicwriter import ENCODERS, numbered

DEFAULT = tuple(ENCODERS)

Needs = Literal["a frame", "its scene", "a sequence", "a stereo pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """One annotation: what it needs to be computed, the value it computes, and the codec of its files."""

    name: str
    needs: Needs
    compute: Callable[[View], Any]
    codec: codecs.Codec


def choose(names: Sequence[str], *, sequence: bool = False, stereo: bool = False) -> tuple[str, ...]:
    """Returns annotators in the registry's order; `default` stands for today's set, `all` for what can be had here.

    Raises UnknownNameError, or DatasetError for one that needs a sequence or a stereo pair where there is none.
    """
    here = {"a frame", "its scene"} | ({"a sequence"} if sequence else set()) | ({"a stereo pair"} if stereo else set())
    chosen: set[str] = set()
    for name in names:
        if name == "all":
            chosen |= {a.name for a in ANNOTATORS.values() if a.needs in here}
        elif name == "default":
            chosen |= set(DEFAULT)
        elif name not in ANNOTATORS:
            raise UnknownNameError("annotator", name, (*ANNOTATORS, "all", "default"))
        elif ANNOTATORS[name].needs not in here:
            option = "--sequence LENGTH --rate HZ" if ANNOTATORS[name].needs == "a sequence" else "--stereo BASELINE_M"
            raise DatasetError(f"The annotator {name} needs {ANNOTATORS[name].needs}: add {option}, or leave it out.")
        else:
            chosen.add(name)
    if not chosen:
        raise DatasetError("A data set needs at least one annotator, such as rgb, or `default` for the usual ones.")
    return tuple(name for name in ANNOTATORS if name in chosen)


def encode(view: View, names: Sequence[str]) -> dict[str, bytes]:
    """Returns the files of the named annotators of frame `view.number`, by file name."""
    files: dict[str, bytes] = {}
    for name in names:
        files |= ENCODERS[name](view.frame) if name in ENCODERS else _files(ANNOTATORS[name], view)
    return {numbered(file, view.number): data for file, data in files.items()}


def decode(name: str, read: codecs.Read) -> Any:
    """Returns the value of an annotator from its files, which `read` returns by kind and suffix, such as normals.npy.

    Raises UnknownNameError for the name, and ValueError, LookupError or TypeError for files that are not whole.
    """
    if name not in ANNOTATORS:
        raise UnknownNameError("annotator", name, ANNOTATORS)
    return ANNOTATORS[name].codec.decode(read)


def annotator_of(file: str) -> str:
    """Returns the name of the annotator that makes a file, given by kind and suffix; raises KeyError."""
    return _OF_FILE[file]


def _files(annotator: Annotator, view: View) -> dict[str, bytes]:
    return annotator.codec.encode(annotator.compute(view))


def _semantic(view: View) -> Segmentation:
    ids, labels = semantic_to_ids(view.frame.truth.semantic, view.frame.truth.depth_m)
    return Segmentation(ids=ids, maps=(labels,))


def _instance(view: View) -> Segmentation:
    truth = view.frame.truth
    ids, paths, labels = instance_to_ids(truth.instance, truth.depth_m, truth.objects)
    return Segmentation(ids=ids, maps=(paths, labels))


def _leaves(view: View) -> Segmentation:
    return leaf_ids(view.frame.truth, view.layers, view.scene)


def _occlusion(view: View) -> NDArray[np.void]:
    return occlusion(view.frame.truth, view.layers, view.scene, view.frame.camera)


def _objects(view: View) -> dict[str, Any]:
    frame = view.frame
    return {"name": frame.name, "time_s": frame.time_s, "objects": [record_to_dict(r) for r in frame.truth.objects]}


def _distance(view: View) -> NDArray[np.float32]:
    return distance_to_camera(view.frame.truth.depth_m, view.frame.camera)


def _disparity(view: View) -> NDArray[np.float32]:
    return disparity(view.frame.truth.depth_m, view.frame.camera, view.baseline_m)


def _mapped(*maps: str) -> Callable[[str], codecs.Codec]:
    return lambda name: codecs.segmentation_codec(name, *maps)


def _picture_of(name: str) -> codecs.Codec:
    """The gray picture that BasicWriter writes beside the numbers, under their name."""
    return codecs.gray_codec(name.removesuffix("_colorized"))


_Row = tuple[str, Needs, Callable[[View], Any], Callable[[str], codecs.Codec]]

_OF_A_FRAME: tuple[_Row, ...] = (
    ("rgb", "a frame", lambda v: v.frame.rgb, codecs.rgb_codec),
    ("distance_to_image_plane", "a frame", lambda v: v.frame.truth.depth_m, codecs.array_codec),
    ("semantic_segmentation", "a frame", _semantic, _mapped("labels")),
    ("instance_segmentation", "a frame", _instance, _mapped("mapping", "semantics_mapping")),
    ("camera_params", "a frame", lambda v: camera_params(v.frame.camera), codecs.json_codec),
    ("objects", "a frame", _objects, codecs.json_codec),
    ("bounding_box_2d_tight", "a frame", lambda v: tight_boxes(v.frame.truth.objects), codecs.boxes_codec),
    ("bounding_box_2d_loose", "a frame", lambda v: loose_boxes(v.frame.truth.objects), codecs.boxes_codec),
    ("bounding_box_3d", "a frame", lambda v: boxes_3d(v.frame.truth.objects), codecs.boxes_codec),
    ("distance_to_camera", "a frame", _distance, codecs.array_codec),
    ("distance_to_image_plane_colorized", "a frame", lambda v: depth_picture(v.frame.truth.depth_m), _picture_of),
    ("distance_to_camera_colorized", "a frame", lambda v: depth_picture(_distance(v)), _picture_of),
    ("semantic_segmentation_colorized", "a frame", lambda v: coloured(_semantic(v)), _mapped("labels")),
    ("instance_segmentation_colorized", "a frame", lambda v: coloured(_instance(v)), _mapped("mapping", "semantics_mapping")),
    ("panoptic", "a frame", lambda v: panoptic(v.frame, v.number), codecs.panoptic_codec),
)  # fmt: skip

_OF_MORE: tuple[_Row, ...] = (
    ("normals", "its scene", lambda v: v.normals, codecs.normals_codec),
    ("geometric_normals", "its scene", lambda v: geometric_normals(v.hits, v.frame.camera), codecs.normals_codec),
    ("instance_id_segmentation", "its scene", _leaves, _mapped("mapping")),
    ("instance_id_segmentation_colorized", "its scene", lambda v: coloured(_leaves(v)), _mapped("mapping")),
    ("pointcloud", "its scene", lambda v: point_cloud(v.frame, v.normals), codecs.cloud_codec),
    ("occlusion", "its scene", _occlusion, codecs.array_codec),
    ("amodal_segmentation", "its scene", lambda v: amodal_segmentation(v.frame.truth, v.layers), codecs.json_codec),
    ("occlusion_order", "its scene", lambda v: occlusion_order(v.frame.truth, v.layers, v.scene), codecs.json_codec),
    ("motion_vectors", "a sequence", lambda v: motion_vectors(flow(v.now, v.before)), codecs.array_codec),
    ("optical_flow_forward", "a sequence", lambda v: flow(v.now, v.after), codecs.flow_codec),
    ("optical_flow_backward", "a sequence", lambda v: flow(v.now, v.before), codecs.flow_codec),
    ("disparity", "a stereo pair", _disparity, codecs.array_codec),
    ("stereo_flow", "a stereo pair", lambda v: flow(v.now, v.other_eye), codecs.flow_codec),
    ("disparity_state", "a stereo pair", lambda v: flow(v.now, v.other_eye).state, codecs.gray_codec),
)  # fmt: skip

ANNOTATORS: Mapping[str, Annotator] = {
    name: Annotator(name=name, needs=needs, compute=compute, codec=codec(name))
    for name, needs, compute, codec in (*_OF_A_FRAME, *_OF_MORE)
}
# What the generator puts beside the annotators' files, under names of its own.
_BESIDE = {"difficulty.json": "difficulty", "rgb_ideal.png": "rgb_ideal", "sensor_depth.npy": "sensor_depth"}
_OF_FILE = {file: a.name for a in ANNOTATORS.values() for file in a.codec.files} | _BESIDE
