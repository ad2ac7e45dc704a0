"""BOP scenes (bop_toolkit, docs/bop_datasets_format.md): millimetres, OpenCV camera axes, matrices row by row.

    OUT/camera.json  OUT/dataset_info.md  OUT/models/obj_000001.ply ... models_info.json categories.json
    OUT/SPLIT/000000/rgb/000000.png  depth/000000.png  mask/000000_000000.png  mask_visib/000000_000000.png
    OUT/SPLIT/000000/scene_camera.json  scene_gt.json  scene_gt_info.json

A scene folder is one of our scenes, its images are the views. Every object of every scene is a model of its own, since
ours are made from parameters. `mask` (amodal) and scene_gt_info.json need the renderer; without one they are left out.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import BackendError, DatasetError
from scenes.scene import Scene
from scenes.transforms import inverse
from sim._png import encode_gray, encode_ids, encode_rgba
from sim.dataset import Dataset
from sim.formats.amodal import AmodalMasks
from sim.formats.bop_models import MM_PER_M, BopModel, bop_model
from sim.formats.exporter import Record
from sim.frame import Frame, ObjectTruth

# The finest of these millimetres per step that reaches the farthest depth of an image in 16 bits is taken.
DEPTH_SCALES_MM = (0.1, 0.2, 0.5, 1.0)
MIN_TARGET_VISIBLE = 0.1
_BOX_TOLERANCE_M = 1e-9


class BopExport:
    """An Exporter whose parts are scenes."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._amodal = AmodalMasks(dataset.manifest.generator.backend)
        numbers = groupby(range(len(dataset)), key=lambda number: dataset.names[number].rpartition("/")[0])
        self.parts = [list(group) for _, group in numbers]

    def write_part(self, part: int, folder: Path) -> Record:
        """Writes the pictures and the models of one scene."""
        first = self.parts[part][0]
        scene = self._scene(first)
        models: dict[str, BopModel] = {}
        scene_folder = f"{self._dataset.manifest.split}/{scene.id.index:06d}"
        images, lacking = [], ""
        for view, number in enumerate(self.parts[part]):
            frame = self._dataset[number]
            for record in frame.truth.objects:
                if record.body_name not in models:
                    models[record.body_name] = _model_of(scene, record)
            depth, scale = depth_steps(frame.truth.depth_m)
            _write(folder / scene_folder / "rgb" / f"{view:06d}.png", encode_rgba(frame.rgb))
            _write(folder / scene_folder / "depth" / f"{view:06d}.png", encode_ids(depth))
            info, reason = self._masks(frame, scene, view, depth, folder / scene_folder)
            lacking = lacking or reason
            images.append({
                "camera": _camera(frame, scale), "info": info,
                "gt": [{**_pose(frame, r, models[r.body_name]), "body": r.body_name} for r in frame.truth.objects],
            })  # fmt: skip
        names = {name: hashlib.sha256(model.ply).hexdigest() for name, model in models.items()}
        for name, model in models.items():
            _write(folder / "models" / f"{names[name]}.ply", model.ply)
        category_of = {body.name: body.category for body in scene.things}
        rows = {n: {"ply": names[n], "info": m.info, "category": category_of[n]} for n, m in models.items()}
        return {"scene": scene.id.index, "folder": scene_folder, "images": images, "models": rows, "lacking": lacking}

    def finish(self, folder: Path, records: Sequence[Record]) -> None:
        """Numbers the models from 1 in order of appearance and writes every json."""
        ids: dict[str, int] = {}
        info, categories = {}, {}
        for row in (row for record in records for row in record["models"].values()):
            if row["ply"] not in ids:
                number = ids[row["ply"]] = len(ids) + 1
                info[str(number)], categories[str(number)] = row["info"], row["category"]
        for digest, number in ids.items():
            staged = folder / "models" / f"{digest}.ply"
            if staged.exists():
                staged.rename(folder / "models" / f"obj_{number:06d}.ply")
        targets = []
        complete = not any(record["lacking"] for record in records)
        for record in records:
            of_body = {name: ids[row["ply"]] for name, row in record["models"].items()}
            _write_scene(folder / record["folder"], record, of_body, complete=complete)
            targets += _targets(record, of_body) if complete else []
        _write_json(folder / "models" / "models_info.json", info)
        _write_json(folder / "models" / "categories.json", categories)
        self._write_root(folder, records)
        if targets:
            _write_json(folder / "test_targets_bop19.json", targets)
        self._amodal.close()

    def notes(self, records: Sequence[Record]) -> list[str]:
        """Says what is lost, and why mask/ is missing where it is."""
        lost = [
            "BOP has no place for stuff and categories (see models/categories.json); symmetries of models are not listed."
        ]
        cameras = [image["camera"] for record in records for image in record["images"]]
        distorted = next((camera["distortion"] for camera in cameras if "distortion" in camera), None)
        if distorted is not None:
            lost.append(
                f"BOP's cameras are pinholes, and these images are distorted: undistort them with OpenCV's {distorted} before "
                "cam_K is believed; scene_camera.json has the coefficients as `distortion`."
            )
        lacking = next((record["lacking"] for record in records if record["lacking"]), "")
        if lacking:
            lost.append(f"mask/ and scene_gt_info.json are left out, since amodal masks need the renderer: {lacking}")
        return lost

    def _scene(self, number: int) -> Scene:
        """Makes the scene of a frame again, before it settled; only its shapes are used."""
        from scenes.suites import SUITES, make_scene

        m, entry = self._dataset.manifest, self._dataset.manifest.frames[number]
        if m.suite not in SUITES or SUITES[m.suite].version != m.suite_version:
            raise DatasetError(
                f"BOP wants the objects' models, and this Rehearse cannot make {m.suite} version {m.suite_version} again: "
                "convert with the version that generated the data set."
            )
        index = int(entry.name.split("/")[3])
        return make_scene(m.suite, split=m.split, seed=m.seed, index=index, attempt=entry.attempt)

    def _masks(
        self, frame: Frame, scene: Scene, view: int, depth: NDArray[np.uint16], folder: Path
    ) -> tuple[list[dict[str, Any]], str]:
        bodies = {body.name: body for body in scene.things}
        info, lacking = [], ""
        for k, record in enumerate(frame.truth.objects):
            name = f"{view:06d}_{k:06d}.png"
            visible = frame.truth.instance == record.instance_id
            _write(folder / "mask_visib" / name, encode_gray(np.where(visible, 255, 0).astype(np.uint8)))
            try:
                whole = self._amodal.mask(frame, record, bodies[record.body_name], scene.id)
            except BackendError as error:
                lacking = str(error)
                continue
            _write(folder / "mask" / name, encode_gray(np.where(whole, 255, 0).astype(np.uint8)))
            info.append(_info(visible, whole, depth))
        return info, lacking

    def _write_root(self, folder: Path, records: Sequence[Record]) -> None:
        camera = records[0]["images"][0]["camera"]
        k = camera["cam_K"]
        width, height = self._dataset.manifest.size
        values = {"cx": k[2], "cy": k[5], "fx": k[0], "fy": k[4], "depth_scale": camera["depth_scale"]}
        _write_json(folder / "camera.json", values | {"width": width, "height": height})
        m = self._dataset.manifest
        (folder / "dataset_info.md").write_text(
            f"# {m.suite}-v{m.suite_version}, split {m.split}, seed {m.seed}\n\n{len(m.frames)} images of {len(records)} scenes, "
            f"rendered by Rehearse {m.generator.rehearse} on {m.generator.backend} {m.generator.backend_version}.\n"
            "K has pixel centres at integers. Models: millimetres, one per object and scene, vertex colours, no textures.\n"
        )


def depth_steps(depth_m: NDArray[np.float32]) -> tuple[NDArray[np.uint16], float]:
    """Returns depth in steps, uint16 (H, W), 0 where nothing is or what 16 bits cannot reach, and the step in mm."""
    finite = np.isfinite(depth_m)
    depth_mm = np.where(finite, depth_m, np.float32(0)).astype(np.float64) * MM_PER_M
    farthest = float(depth_mm.max(initial=0.0))
    scale = next((s for s in DEPTH_SCALES_MM if farthest / s <= 65535), DEPTH_SCALES_MM[-1])
    steps = (depth_mm / scale).round()
    return np.where(steps <= 65535, steps, 0).astype(np.uint16), scale


def _model_of(scene: Scene, record: ObjectTruth) -> BopModel:
    body = next((b for b in scene.things if b.name == record.body_name), None)
    if body is not None:
        low, high = body.bounds_m()
        if np.allclose(high - low, record.box_world.size_m, atol=_BOX_TOLERANCE_M, rtol=0):
            return bop_model(body)
    raise DatasetError(
        f"Made again, scene {scene.id} has another {record.body_name} than the data set records: convert with the version "
        "of Rehearse that generated it."
    )


def _pose(frame: Frame, record: ObjectTruth, model: BopModel) -> dict[str, Any]:
    world_from_model = record.world_from_body.matrix()
    world_from_model[:3, 3] += world_from_model[:3, :3] @ model.origin_m
    camera_from_model = inverse(frame.camera.world_from_camera.matrix()) @ world_from_model
    return {
        "cam_R_m2c": camera_from_model[:3, :3].reshape(-1).tolist(),
        "cam_t_m2c": (camera_from_model[:3, 3] * MM_PER_M).tolist(),
    }


def _camera(frame: Frame, depth_scale: float) -> dict[str, Any]:
    camera_from_world = inverse(frame.camera.world_from_camera.matrix())
    lens = frame.camera.distortion
    return {
        "cam_K": frame.camera.matrix.reshape(-1).tolist(),
        "depth_scale": depth_scale,
        "cam_R_w2c": camera_from_world[:3, :3].reshape(-1).tolist(),
        "cam_t_w2c": (camera_from_world[:3, 3] * MM_PER_M).tolist(),
        **({} if lens is None else {"distortion": list(lens.coefficients)}),
    }


def _info(visible: NDArray[np.bool_], whole: NDArray[np.bool_], depth: NDArray[np.uint16]) -> dict[str, Any]:
    count, seen = int(whole.sum()), int(visible.sum())
    return {
        "bbox_obj": _box(whole), "bbox_visib": _box(visible), "px_count_all": count,
        "px_count_valid": int((whole & (depth > 0)).sum()), "px_count_visib": seen,
        "visib_fract": seen / count if count else 0.0,
    }  # fmt: skip


def _box(mask: NDArray[np.bool_]) -> list[int]:
    """Returns [x, y, width, height], all -1 for an empty mask as BOP has it."""
    u, v = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return [int(u[0]), int(v[0]), int(u[-1] - u[0]) + 1, int(v[-1] - v[0]) + 1] if len(u) else [-1, -1, -1, -1]


def _write_scene(folder: Path, record: Record, of_body: dict[str, int], *, complete: bool) -> None:
    images = record["images"]
    gt = [
        [{k: v for k, v in row.items() if k != "body"} | {"obj_id": of_body[row["body"]]} for row in i["gt"]]
        for i in images
    ]
    _write_json(folder / "scene_camera.json", {str(k): image["camera"] for k, image in enumerate(images)})
    _write_json(folder / "scene_gt.json", {str(k): rows for k, rows in enumerate(gt)})
    if complete:
        _write_json(folder / "scene_gt_info.json", {str(k): image["info"] for k, image in enumerate(images)})
    else:
        shutil.rmtree(folder / "mask", ignore_errors=True)


def _targets(record: Record, of_body: dict[str, int]) -> list[dict[str, int]]:
    """Returns the targets of a scene: every object of which at least a tenth is visible."""
    return [
        {"im_id": k, "inst_count": 1, "obj_id": of_body[row["body"]], "scene_id": record["scene"]}
        for k, image in enumerate(record["images"])
        for row, info in zip(image["gt"], image["info"], strict=True)
        if info["visib_fract"] >= MIN_TARGET_VISIBLE
    ]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _write_json(path: Path, values: Any) -> None:
    _write(path, json.dumps(values, allow_nan=False, indent=1).encode())
