"""What BasicWriter wrote is read without our manifest: in its three layouts, as ids or colours, ours exactly, Isaac Sim's too."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim.convert import ConvertSpec, convert
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from sim.inspect import inspect_dataset
from sim.readers._isaac_boxes import read_boxes
from sim.readers._layouts import list_frames
from tests.sim.fake_frames import FakeSource

COLOURS = {0: (0, 0, 0, 0), 1: (0, 0, 0, 255)}


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("foreign") / "ours"
    spec = GenerateSpec(suite="tabletop", out=folder, frames=5, split="test", size=(64, 48), workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    return folder


@pytest.fixture(scope="module")
def products(ours) -> Path:
    out = ours.with_name("products")
    convert(ConvertSpec(dataset=ours, out=out, to="basicwriter", render_products=True), progress=False)
    return out


def strip(folder: Path) -> None:
    """Takes away everything that only Rehearse writes."""
    for path in [*folder.rglob("objects_*.json"), *folder.rglob("manifest.json")]:
        path.unlink()
    for path in folder.rglob("camera_params_*.json"):
        values = json.loads(path.read_bytes())
        del values["rehearse"]
        path.write_text(json.dumps(values))


def colourise(folder: Path) -> None:
    """Turns ids into colours and the keys of their json into "(r, g, b, a)", as Replicator's defaults have them."""
    for path in [*folder.rglob("semantic_segmentation_*.png"), *folder.rglob("instance_segmentation_*.png")]:
        ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        rgba = np.zeros((*ids.shape, 4), np.uint8)
        for value in np.unique(ids):
            rgba[ids == value] = colour_of(int(value))
        cv2.imwrite(str(path), rgba[..., [2, 1, 0, 3]])
    for path in [*folder.rglob("*segmentation*_labels_*.json"), *folder.rglob("*segmentation*_mapping_*.json")]:
        values = json.loads(path.read_bytes())
        path.write_text(json.dumps({str(colour_of(int(key))): value for key, value in values.items()}))


def colour_of(value: int) -> tuple[int, int, int, int]:
    return COLOURS.get(value, (value * 37 % 256, value * 101 % 256, value, 255))


def common_folders(folder: Path) -> None:
    """Rearranges folders per product as `use_common_output_dir` does: rgb/camera_0_rgb_0000.png."""
    for path in [p for p in folder.rglob("*_0*.*") if p.is_file()]:
        product, annotator, name = path.relative_to(folder).parts
        target = folder / annotator / f"{product}_{name}"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    for product in folder.glob("view*"):
        shutil.rmtree(product)


def same_frames(found: Dataset, wanted: Dataset, *, depth_atol: float = 0.0) -> None:
    """Asserts that the frames are the same as far as BasicWriter's files can say."""
    assert len(found) == len(wanted)
    by_view = {tuple(re.findall(r"(\d+)/view(\d*)", name)[-1]): k for k, name in enumerate(wanted.names)}
    for k, name in enumerate(found.names):
        scene, view = re.findall(r"(\d+)/view(\d*)", name)[-1]
        number = by_view[f"{int(scene):06d}", view] if view else k
        frame, truth = found[k], wanted[number].truth
        np.testing.assert_array_equal(frame.rgb, wanted[number].rgb)
        np.testing.assert_array_equal(frame.truth.semantic, truth.semantic)
        np.testing.assert_allclose(frame.truth.depth_m, truth.depth_m, atol=depth_atol)
        ours = {r.body_name: r for r in truth.objects}
        assert {r.body_name for r in frame.truth.objects} == set(ours)
        for record in frame.truth.objects:
            mine = ours[record.body_name]
            np.testing.assert_array_equal(
                frame.truth.instance == record.instance_id, truth.instance == mine.instance_id
            )
            assert (record.visible_box_px, record.amodal_box_px) == (mine.visible_box_px, mine.amodal_box_px)
            assert record.visible_fraction == pytest.approx(mine.visible_fraction, abs=1e-6)
            np.testing.assert_allclose(record.box_world.corners(), mine.box_world.corners(), atol=1e-5)
            np.testing.assert_allclose(record.world_from_body.matrix(), mine.world_from_body.matrix(), atol=1e-5)
        camera = wanted[number].camera
        np.testing.assert_allclose(frame.camera.matrix, camera.matrix, atol=1e-9)
        pose = frame.camera.world_from_camera.matrix()
        np.testing.assert_allclose(pose, camera.world_from_camera.matrix(), atol=1e-9)


def test_a_folder_per_camera_comes_back_exactly(ours, products):
    wanted, found = Dataset.open(ours), Dataset.open(products)
    assert found.absent == {}
    assert sorted(frame.name for frame in found) == sorted(wanted.names)
    by_name = {frame.name: frame for frame in wanted}
    for frame in found:
        assert frame.truth.objects == by_name[frame.name].truth.objects
        assert frame.camera == by_name[frame.name].camera
        np.testing.assert_array_equal(frame.truth.instance, by_name[frame.name].truth.instance)
    found.verify()


@pytest.mark.parametrize(
    "change", [[], [colourise], [common_folders], [colourise, common_folders]], ids=lambda c: str(len(c))
)
def test_without_what_is_ours_the_frames_are_the_same(ours, products, tmp_path, change):
    folder = shutil.copytree(products, tmp_path / "isaac")
    strip(folder)
    for step in change:
        step(folder)
    found = Dataset.open(folder)
    assert found.absent == {}
    same_frames(found, Dataset.open(ours))


def test_the_flat_layout_and_distance_to_the_camera(ours, tmp_path):
    folder = shutil.copytree(ours, tmp_path / "isaac")
    wanted = Dataset.open(ours)
    strip(folder)
    for number, frame in enumerate(wanted):
        points = frame.camera.unproject(np.where(np.isfinite(frame.truth.depth_m), frame.truth.depth_m, 0))
        distance = np.where(np.isfinite(frame.truth.depth_m), np.linalg.norm(points, axis=-1), np.inf)
        (folder / f"distance_to_image_plane_{number:04d}.npy").unlink()
        np.save(folder / f"distance_to_camera_{number:04d}.npy", distance.astype(np.float32))
    same_frames(Dataset.open(folder), wanted, depth_atol=1e-6)


def test_what_is_missing_is_named_and_never_made_up(ours, tmp_path):
    folder = shutil.copytree(ours, tmp_path / "isaac")
    strip(folder)
    for pattern in ("distance*", "camera_params*", "bounding_box_3d*"):
        for path in folder.glob(pattern):
            path.unlink()
    labels = folder / "semantic_segmentation_labels_0000.json"
    labels.write_text(labels.read_text().replace('"table"', '"Spaceship"'))
    found = Dataset.open(folder)
    assert sorted(found.absent) == ["3D boxes", "cameras", "categories", "depth"]
    assert "'Spaceship' are not in the taxonomy" in found.absent["categories"]
    frame = found[0]
    assert np.isnan(frame.truth.depth_m).all()
    assert not any(record.has_box for record in frame.truth.objects)
    assert TAXONOMY.named("table").id not in frame.truth.semantic
    assert inspect_dataset(folder, tmp_path / "sheet.png").depth_range_m is None


def test_a_damaged_file_is_named(ours, tmp_path):
    folder = shutil.copytree(ours, tmp_path / "isaac")
    strip(folder)
    (folder / "semantic_segmentation_0001.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"semantic_segmentation_0001\.png is damaged"):
        Dataset.open(folder).verify()
    with pytest.raises(DatasetError, match="was not written by Rehearse"):
        convert(ConvertSpec(dataset=folder, out=tmp_path / "o", to="webdataset"), progress=False)


def test_real_output_of_isaac_sim_opens(shared_dir):
    folder = shared_dir / "fixtures" / "isaac" / "basicwriter_single_view"
    found = Dataset.open(folder)
    assert (len(found), found.manifest.size) == (4, (720, 480))
    assert {"depth", "cameras", "semantic labels"} <= set(found.absent)
    assert "crate" in found.absent["categories"]
    found.verify()
    boxes = read_boxes(list_frames(folder).frames[0])
    assert sorted(boxes) == ["/World/Banana_0", "/World/Banana_1", "/World/Crate", "/World/Large_marker_0"]
    assert np.isnan(boxes["/World/Banana_0"].visible_fraction)  # occlusionRatio is -1 there: not known
    assert boxes["/World/Crate"].visible_fraction == pytest.approx(1 - 0.0152)
    # The crate is in centimetres under a scale of 0.01; the bananas are in metres.
    np.testing.assert_allclose(boxes["/World/Crate"].box_world.size_m, (0.605, 0.405, 0.170), atol=1e-3)
    np.testing.assert_allclose(boxes["/World/Banana_0"].box_world.size_m, (0.197, 0.038, 0.074), atol=1e-3)
    assert boxes["/World/Banana_1"].world_from_body.position_m[2] == pytest.approx(0.35)


def test_real_colours_without_their_json_are_not_guessed(shared_dir):
    found = Dataset.open(shared_dir / "fixtures" / "isaac" / "basicwriter_colorized_drop")
    assert len(found) == 4
    assert "without the json that gives its numbers a meaning" in found.absent["semantic labels"]
    assert "colorize_depth" in found.absent["depth"]
    assert not found[2].truth.semantic.any()
    assert found[2].rgb.shape == (480, 640, 3)
