"""Replicator's point cloud: every labelled pixel as a point in the world, in the order of the image's rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.transforms import transform_points
from sim._labels import FIRST_LABEL, instance_to_ids, semantic_to_ids
from sim._lens import points_of
from sim.annotators.normals import Normals
from sim.frame import Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointCloud:
    """N points.

    points float32 (N, 3), metres in the world; rgb uint8 (N, 4), alpha 255; normals float32 (N, 4) as the annotator
    `normals` has them; semantic and instance uint32 (N,), ids of the segmentation maps of the same frame.
    """

    points: NDArray[np.float32]
    rgb: NDArray[np.uint8]
    normals: Normals
    semantic: NDArray[np.uint32]
    instance: NDArray[np.uint32]


def point_cloud(frame: Frame, normals: Normals) -> PointCloud:
    """Returns the points of all pixels with a label; `normals` (H, W, 4) are the frame's."""
    truth, camera = frame.truth, frame.camera
    semantic, _ = semantic_to_ids(truth.semantic, truth.depth_m)
    instance, _, _ = instance_to_ids(truth.instance, truth.depth_m, truth.objects)
    labelled = np.isfinite(truth.depth_m) & (semantic >= FIRST_LABEL)
    points_camera = points_of(camera, np.where(labelled, truth.depth_m, 0.0))[labelled]
    points = transform_points(camera.world_from_camera.matrix(), points_camera)
    return PointCloud(
        points=points.astype(np.float32),
        rgb=np.concatenate([frame.rgb[labelled], np.full((len(points), 1), 255, dtype=np.uint8)], axis=1),
        normals=normals[labelled],
        semantic=semantic[labelled].astype(np.uint32),
        instance=instance[labelled].astype(np.uint32),
    )
