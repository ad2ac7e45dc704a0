"""Predictions on disk come back exactly, go on where they were killed, and damage is named by file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.prediction import Prediction, Segment
from perception.store import FILE_NAME, PredictionWriter, read_predictions, write_predictions
from scenes.box import OrientedBox
from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, quaternion_about


def make(rng: np.random.Generator, shape: tuple[int, int] = (24, 32)) -> Prediction:
    """Returns a prediction with odd numbers everywhere: ids beyond 65,535, a segment without a box, void pixels."""
    ids = np.array([0, 1, 300, 70_000, 256**3 - 1], dtype=np.int32)
    box = OrientedBox(Pose((0.1, -0.2, 1 / 3), quaternion_about((1.0, 2.0, 0.5), float(rng.uniform(0, 3)))), (0.1, 1e-3, 0.7))
    segments = tuple(
        Segment(id=int(i), category_id=k, score=float(rng.random()), depth_m=float(rng.random()), box_camera=(None, box)[k > 4])
        for k, i in enumerate(ids[1:], start=4)
    )
    depth_m = rng.uniform(0.2, 3, shape).astype(np.float32)
    return Prediction(segment_id=ids[rng.integers(0, len(ids), shape)], segments=segments, depth_m=depth_m)


def assert_same(a: Prediction, b: Prediction) -> None:
    np.testing.assert_array_equal(a.segment_id, b.segment_id)
    np.testing.assert_array_equal(a.depth_m, b.depth_m)
    assert a.segments == b.segments
    assert (b.segment_id.dtype, b.depth_m.dtype) == (np.dtype(np.int32), np.dtype(np.float32))


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Returns a finished folder of three predictions."""
    write_predictions(tmp_path / "p", [(f"scene/{i}", make(rng)) for i in range(3)], {"engine": {"sha256": "ab"}})
    return tmp_path / "p"


def test_what_was_written_comes_back(tmp_path: Path, rng: np.random.Generator) -> None:
    written = [(f"suite/test/seed0/{i:06d}", make(rng, (10 + i, 20))) for i in range(4)]
    write_predictions(tmp_path / "p", iter(written), {"engine": {"sha256": "abc"}})
    stored = read_predictions(tmp_path / "p")
    assert stored.names == tuple(name for name, _ in written)
    assert stored.info["engine"] == {"sha256": "abc"}
    assert len(stored) == 4
    for (_, before), after in zip(written, stored, strict=True):
        assert_same(before, after)
    with pytest.raises(IndexError):
        stored[4]


def test_no_frames_are_a_folder_too(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p", [])
    assert list(read_predictions(tmp_path / "p")) == []


def test_the_layout_is_coco_panoptic(folder: Path) -> None:
    whole = json.loads((folder / FILE_NAME).read_text())
    assert {c["name"] for c in whole["categories"]} == {c.name for c in TAXONOMY} - {"void"}
    prediction = read_predictions(folder)[1]
    annotation = next(a for a in whole["annotations"] if a["image_id"] == 1)
    picture = cv2.imread(str(folder / "panoptic" / annotation["file_name"]))
    assert picture is not None
    rgb = picture[:, :, ::-1].astype(np.int64)
    ids = rgb[:, :, 0] + 256 * rgb[:, :, 1] + 65536 * rgb[:, :, 2]
    np.testing.assert_array_equal(ids, prediction.segment_id)
    for row in annotation["segments_info"]:
        mask = ids == row["id"]
        v, u = np.nonzero(mask)
        assert row["area"] == mask.sum()
        assert row["bbox"] == [u.min(), v.min(), u.max() - u.min() + 1, v.max() - v.min() + 1]
        assert row["iscrowd"] == 0
    assert not list(folder.glob(".*"))


def test_an_unfinished_folder_goes_on(tmp_path: Path, rng: np.random.Generator) -> None:
    first, second = make(rng), make(rng)
    writer = PredictionWriter(tmp_path, {"engine": 1})
    writer.add(0, "a", first)
    with pytest.raises(DatasetError, match="not finished"):
        read_predictions(tmp_path)
    again = PredictionWriter(tmp_path, {"engine": 1})
    assert again.has(0, "a")
    assert not again.has(0, "b")
    assert not again.has(1, "b")
    with pytest.raises(DatasetError, match="000001"):
        again.finish(2)
    again.add(1, "b", second)
    again.finish(2)
    for before, after in zip((first, second), read_predictions(tmp_path), strict=True):
        assert_same(before, after)


def test_a_frame_whose_map_is_gone_is_done_again(tmp_path: Path, rng: np.random.Generator) -> None:
    writer = PredictionWriter(tmp_path, {})
    writer.add(0, "a", make(rng))
    (tmp_path / "depth" / "000000.npy").unlink()
    assert not writer.has(0, "a")


def test_another_engine_does_not_go_on(tmp_path: Path, rng: np.random.Generator, folder: Path) -> None:
    PredictionWriter(tmp_path / "q", {"engine": 1}).add(0, "a", make(rng))
    with pytest.raises(DatasetError, match="another engine"):
        PredictionWriter(tmp_path / "q", {"engine": 2})
    with pytest.raises(DatasetError, match="already holds"):
        PredictionWriter(folder, {"engine": {"sha256": "ab"}})
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="Cannot write"):
        PredictionWriter(tmp_path / "file", {})


def test_ids_that_coco_cannot_hold_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    prediction = make(rng)
    too_large = replace(prediction, segment_id=np.full((24, 32), 256**3, np.int32))
    with pytest.raises(ValueError, match="COCO panoptic stores"):
        write_predictions(tmp_path, [("a", too_large)])


@pytest.mark.parametrize("name", ["panoptic/000001.png", "depth/000001.npy"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "missing"])
def test_a_damaged_map_is_named(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        path.write_bytes({"flipped": flipped, "cut": data[:middle], "empty": b""}[damage])
    stored = read_predictions(folder)
    stored[0]
    with pytest.raises(DatasetError, match=Path(name).name.replace(".", r"\.")):
        stored[1]


def edited(folder: Path, **changes: object) -> None:
    path = folder / FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"info": {"format": 9}}', "\0\0", '{"info": 3}'])
def test_a_json_that_is_not_ours_is_refused(folder: Path, text: str) -> None:
    (folder / FILE_NAME).write_text(text)
    with pytest.raises(DatasetError, match=FILE_NAME):
        read_predictions(folder)


def test_a_json_that_lost_an_annotation_is_refused(folder: Path) -> None:
    edited(folder, annotations=[])
    with pytest.raises(DatasetError, match=FILE_NAME):
        read_predictions(folder)


@pytest.mark.parametrize("key", ["id", "category_id", "score", "depth_m", "box_3d"])
def test_a_segment_without_a_field_is_refused(folder: Path, key: str) -> None:
    annotations = json.loads((folder / FILE_NAME).read_text())["annotations"]
    del annotations[2]["segments_info"][0][key]
    edited(folder, annotations=annotations)
    with pytest.raises(DatasetError, match="000002"):
        read_predictions(folder)[2]


def test_a_picture_without_digest_is_still_checked_against_its_segments(folder: Path) -> None:
    whole = json.loads((folder / FILE_NAME).read_text())
    for image in whole["images"]:
        del image["sha256"]
    whole["annotations"][0]["segments_info"].pop()
    edited(folder, **whole)
    with pytest.raises(DatasetError, match="without a segment"):
        read_predictions(folder)[0]
    (folder / "panoptic" / "000001.png").write_bytes(b"not a png")
    with pytest.raises(DatasetError, match=r"000001\.png"):
        read_predictions(folder)[1]
    np.save(folder / "depth" / "000002.npy", np.zeros((3, 3)))
    with pytest.raises(DatasetError, match=r"000002\.npy"):
        read_predictions(folder)[2]


def test_a_folder_without_predictions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="rehearse predict"):
        read_predictions(tmp_path / "nowhere")
