"""What is half written, broken or missing in BasicWriter's files is one sentence or a remark, never wrong frames."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim.dataset import Dataset
from tests.sim.readers import isaac_folder as isaac
from tests.sim.readers.isaac_folder import BOWL_PX, CUP_PX, IDS

CUP, BOWL, TABLE = (TAXONOMY.named(name).id for name in ("cup", "bowl", "table"))


@pytest.mark.parametrize("damage", ["missing", "empty", "cut png", "cut json", "cut npy"])
def test_a_half_written_last_frame_is_named_and_left_out(tmp_path, damage):
    for number in ("0000", "0001", "0002"):
        isaac.rgb(tmp_path, number)
        isaac.semantic(tmp_path, number)
        isaac.depth(tmp_path, isaac.plane(), number=number)
    name = {"missing": "semantic_segmentation_labels_0002.json", "empty": "rgb_0002.png", "cut png": "rgb_0002.png",
            "cut json": "semantic_segmentation_labels_0002.json",
            "cut npy": "distance_to_image_plane_0002.npy"}[damage]  # fmt: skip
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else path.read_bytes()[:-20])
    found = Dataset.open(tmp_path)
    assert len(found) == 2
    assert "frame 0002 is half-written" in found.remarks["left out"]
    assert name in found.remarks["left out"]
    found.verify()


def test_zero_frames_and_no_images_are_refused_with_what_is_there(tmp_path):
    isaac.js(tmp_path / "metadata.txt", {"name": "BasicWriter", "version": "0.0.2", "replicator_global_seed:": 1})
    with pytest.raises(DatasetError, match=r"was begun by BasicWriter .* and has no frame"):
        Dataset.open(tmp_path)
    isaac.depth(tmp_path, isaac.plane())
    with pytest.raises(DatasetError, match=r"no images .*distance_to_image_plane.*rgb=True"):
        Dataset.open(tmp_path)
    (tmp_path / "distance_to_image_plane_0000.npy").unlink()
    isaac.rgb(tmp_path)
    (tmp_path / "rgb_0000.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="no whole frame"):
        Dataset.open(tmp_path)


def test_a_broken_metadata_is_a_remark(tmp_path):
    isaac.rgb(tmp_path)
    (tmp_path / "metadata.txt").write_text("{")
    assert "metadata.txt is not" in Dataset.open(tmp_path).remarks["metadata"]


def change(path, values):
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(("damage", "message"), [
    (lambda f: (f / "semantic_segmentation_0000.png").unlink(), r"lacks semantic_segmentation_0000\.png, which"),
    (lambda f: (f / "rgb_0000.png").write_bytes(b"GIF89a"), r"rgb_0000\.png is damaged: expected a PNG, got 6 bytes"),
    (lambda f: change(f / "semantic_segmentation_labels_0000.json", []), r"labels_0000\.json .*expected a json object"),
    (lambda f: change(f / "semantic_segmentation_labels_0000.json", {"red": "x"}), r"keys, got 'red'"),
    (lambda f: change(f / "semantic_segmentation_labels_0000.json", {"2": 5}), "expected a label as text, got 5"),
    (lambda f: change(f / "semantic_segmentation_labels_0000.json", {}), "has pixels of id 2, id 3, id 4, which the json"),
    (lambda f: isaac.png(f / "semantic_segmentation_0000.png", IDS[:20]), "it is of 40x20, the image has 40x30"),
    (lambda f: isaac.png(f / "semantic_segmentation_0000.png", np.zeros((30, 40, 3), np.uint8)), "expected 16-bit ids"),
    (lambda f: isaac.depth(f, isaac.plane()[:9]), r"distance_to_image_plane_0000\.npy .*expected float32 \(30, 40\)"),
    (lambda f: isaac.depth(f, -isaac.plane()), "expected metres, got -"),
    (lambda f: isaac.npy(f / "distance_to_image_plane_0000.npy", np.array([{}], dtype=object)), r"0\.npy is damaged"),
    (lambda f: change(f / "bounding_box_2d_tight_prim_paths_0000.json", ["/a"]), "a prim path for each of the 2 boxes, got 1"),
    (lambda f: isaac.npy(f / "bounding_box_2d_tight_0000.npy", np.zeros(2)), "expected rows of semanticId"),
    (lambda f: isaac.camera(f, renderProductResolution=[640, 480]), "it is of 640x480, the image has 40x30"),
    (lambda f: isaac.camera(f, cameraProjection=[1.0]), r"camera_params_0000\.json is damaged"),
    (lambda f: isaac.camera(f, cameraViewTransform=(2 * np.eye(4)).reshape(-1).tolist()), "without scale or shear"),
    (lambda f: isaac.camera(f, cameraNearFar=[1, 0.5]), "0 < near_m < far_m"),
    (lambda f: change(f / "camera_params_0000.json", {"cameraModel": "pinhole"}), "it lacks 'renderProductResolution'"),
])  # fmt: skip
def test_a_broken_file_gives_one_sentence(tmp_path, damage, message):
    for number in ("0000", "0001", "0002"):
        isaac.rgb(tmp_path, number)
        isaac.semantic(tmp_path, number)
        isaac.depth(tmp_path, isaac.plane(), number=number)
        isaac.camera(tmp_path, number)
        isaac.boxes_2d(tmp_path, "tight", [(1, *CUP_PX, 0.0), (0, *BOWL_PX, 0.0)], ["/World/Cup", "/World/Bowl"], number)
    Dataset.open(tmp_path).verify()
    damage(tmp_path)
    with pytest.raises(DatasetError, match=message) as raised:
        Dataset.open(tmp_path).verify()
    assert "\n" not in str(raised.value)


def test_a_flipped_bit_in_a_picture_is_found(tmp_path):
    isaac.rgb(tmp_path, "0000")
    isaac.rgb(tmp_path, "0001")
    data = bytearray((tmp_path / "rgb_0000.png").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "rgb_0000.png").write_bytes(data)
    with pytest.raises(DatasetError, match="does not fit its checksum"):
        Dataset.open(tmp_path)


def test_random_damage_gives_a_sentence_or_the_frames(tmp_path, rng):
    folder, copy = tmp_path / "whole", tmp_path / "copy"
    for number in ("0000", "0001"):
        isaac.rgb(folder, number)
        isaac.instance(folder, number)
        isaac.camera(folder, number)
        isaac.boxes_3d(folder, [isaac.box_3d((0, 0, 0), (1, 1, 1), np.eye(4))], ["/World/Cup"], number)
    names = sorted(path.name for path in folder.iterdir())
    outcomes = set()
    for _ in range(120):
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        path = copy / str(rng.choice(names))
        data = bytearray(path.read_bytes())
        for at in rng.integers(0, len(data), 3):
            data[at] = int(rng.integers(256))
        path.write_bytes(data[: int(rng.integers(len(data)))] if rng.random() < 0.3 else data)
        try:
            found = Dataset.open(copy)
            found.verify()
            outcomes.add(len(found.remarks.get("left out", "")) > 0)
        except DatasetError as error:
            outcomes.add(str(error).count("\n"))
    assert outcomes == {0, True}  # False is 0: whole frames and sentences; True: a last frame left out
