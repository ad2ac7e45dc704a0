"""A data set as one Rerun recording, published whole: image, depth, labels and 3D boxes of every frame, scene by scene.

Rerun (the extra `view`) is only needed to write one; its viewer reads it: `rerun OUT.rrd`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scenes.errors import DatasetError
from scenes.files import whole_file
from scenes.taxonomy import TAXONOMY
from sim.dataset import Dataset
from sim.frame import Frame, ObjectTruth

_TIMELINE = "frame"
_JPEG_QUALITY = 90


def write_recording(
    dataset: Path, out_rrd: Path, *, frames: int | None = None, progress: Callable[[int, int], None] | None = None
) -> int:
    """Writes at most `frames` frames and returns how many; `progress` gets (done, all). Raises DatasetError without Rerun."""
    try:
        import rerun
    except ImportError as error:
        raise DatasetError(
            "A Rerun recording needs rerun-sdk, which is not installed: pip install 'rehearse-perception[view]'."
        ) from error
    source = Dataset.open(dataset)
    count = min(frames or len(source), len(source))
    out_rrd.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out_rrd) as staging:
        recording = rerun.RecordingStream("rehearse", recording_id=source.manifest.frames[0].name)
        recording.save(staging)
        recording.log("/", rerun.AnnotationContext(_classes()), static=True)
        recording.log("world", rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        for number in range(count):
            recording.set_time(_TIMELINE, sequence=number)
            _log_frame(rerun, recording, source[number])
            if progress is not None:
                progress(number + 1, count)
        recording.flush()
        recording.disconnect()
    return count


def _classes() -> list[tuple[int, str, tuple[int, int, int]]]:
    return [(category.id, category.name, category.colour) for category in TAXONOMY]


def _log_frame(rerun: Any, recording: Any, frame: Frame) -> None:
    camera, truth = frame.camera, frame.truth
    pose = camera.world_from_camera
    w, x, y, z = pose.quaternion_wxyz
    recording.log("scene", rerun.TextDocument(frame.name))
    recording.log("world/camera", rerun.Transform3D(translation=pose.position_m, quaternion=[x, y, z, w]))
    recording.log(
        "world/camera/image",
        rerun.Pinhole(
            image_from_camera=[[camera.fx, 0, camera.cx + 0.5], [0, camera.fy, camera.cy + 0.5], [0, 0, 1]],
            resolution=[camera.width, camera.height],
            camera_xyz=rerun.ViewCoordinates.RDF,
        ),
    )
    recording.log("world/camera/image/rgb", rerun.Image(frame.rgb).compress(jpeg_quality=_JPEG_QUALITY))
    depth_m = np.where(np.isfinite(truth.depth_m), truth.depth_m, np.float32(0))
    recording.log("world/camera/image/depth", rerun.DepthImage(depth_m, meter=1.0))
    recording.log("world/camera/image/semantic", rerun.SegmentationImage(truth.semantic))
    recording.log("world/camera/image/instance", rerun.SegmentationImage(truth.instance))
    _log_boxes(rerun, recording, truth.objects)


def _log_boxes(rerun: Any, recording: Any, objects: tuple[ObjectTruth, ...]) -> None:
    """Logs the boxes that this frame has; those of the frame before are gone even where this one has none."""
    recording.log("world/boxes", rerun.Clear(recursive=False))
    if not objects:
        return
    boxes = [record.box_world for record in objects]
    quaternions = [box.outer_from_box.quaternion_wxyz for box in boxes]
    recording.log(
        "world/boxes",
        rerun.Boxes3D(
            centers=[box.outer_from_box.position_m for box in boxes],
            sizes=[box.size_m for box in boxes],
            quaternions=[[x, y, z, w] for w, x, y, z in quaternions],
            class_ids=[record.category_id for record in objects],
            labels=[f"{record.body_name} {100 * record.visible_fraction:.0f} %" for record in objects],
        ),
    )
