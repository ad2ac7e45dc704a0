"""Long runs survive Replicator's growth of memory: a process ends after so many frames or megabytes, and another goes on.

Whether a frame was made is judged by its files, all of them, never by how a process ended: Kit may hang or fail while it
closes although everything is on the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sim.isaac.settings import IsaacSettings
from sim.running.run_plan import RunPlan

# What BasicWriter writes of each annotator, by kind and suffix (reference, 3.2).
FILES: Mapping[str, tuple[str, ...]] = {
    "rgb": ("rgb.png",),
    "normals": ("normals.png",),
    "distance_to_camera": ("distance_to_camera.npy",),
    "distance_to_image_plane": ("distance_to_image_plane.npy",),
    "semantic_segmentation": ("semantic_segmentation.png", "semantic_segmentation_labels.json"),
    "instance_segmentation": (
        "instance_segmentation.png", "instance_segmentation_mapping.json", "instance_segmentation_semantics_mapping.json",
    ),
    "instance_id_segmentation": ("instance_id_segmentation.png", "instance_id_segmentation_mapping.json"),
    **{
        kind: (f"{kind}.npy", f"{kind}_labels.json", f"{kind}_prim_paths.json")
        for kind in ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d")
    },
    "occlusion": ("occlusion.npy",),
    "motion_vectors": ("motion_vectors.npy",),
    "camera_params": ("camera_params.json",),
    "pointcloud": tuple(f"pointcloud{part}.npy" for part in ("", "_rgb", "_normals", "_semantic", "_instance")),
}  # fmt: skip


def restarting(plan: RunPlan, settings: IsaacSettings, frames_per_scene: int) -> RunPlan:
    """Returns the plan with the restart policy of the settings; 0 is never."""
    scenes = max(1, settings.restart_frames // max(frames_per_scene, 1)) if settings.restart_frames else 10**9
    return replace(plan, recycle_scenes=scenes, recycle_mib=settings.restart_mib or None)


def missing_files(folder: Path, kinds: Iterable[str], products: Sequence[str], frames: int) -> list[str]:
    """Returns which of BasicWriter's files a folder lacks, or has empty, of frames 0 to `frames` - 1."""
    lacking = []
    for product in products:
        for kind in kinds:
            place = Path(product) / kind if len(products) > 1 else Path()
            for number in range(frames):
                for file in FILES[kind]:
                    stem, _, suffix = file.rpartition(".")
                    path = place / f"{stem}_{number:04d}.{suffix}"
                    if not (folder / path).is_file() or not (folder / path).stat().st_size:
                        lacking.append(str(path))
    return lacking
