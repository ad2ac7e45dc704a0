"""The browser's folder: every annotator as a picture that says what the truth says, and nothing that needs a network."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim.browser import write_browser
from sim.browser.layers import draw_layer, flow_colours, instance_overlay, layers_of, semantic_overlay
from sim.browser.palette_png import palette_png
from sim.browser.records import frame_detail, frame_rows
from sim.dataset import Dataset
from sim.frame import Frame
from sim.generate import GenerateSpec, generate
from sim.pictures import instance_colour
from sim.sensors import apply_sensor
from sim.sensors.profile import ColourSpec, DepthSpec, SensorProfile
from tests.sim.fake_frames import FakeSource, make_frame

PROFILE = SensorProfile(name="test", colour=ColourSpec(tone="gamma"), depth=DepthSpec(random_loss=0.1))


class SensedSource(FakeSource):
    def frame(self, view: int) -> Frame:
        return apply_sensor(super().frame(view), PROFILE, scene=None, image=lambda _: pytest.fail("nothing moves"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    out = tmp_path_factory.mktemp("browser") / "data"
    spec = GenerateSpec(suite="tabletop", out=out, frames=7, split="test", size=(64, 48), workers=1, sensor=PROFILE)
    generate(spec, progress=False, open_source=SensedSource)
    return Dataset.open(out)


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("browser") / "pages"
    summary = write_browser(dataset.path, out)
    assert (summary.page, summary.frames) == (str(out / "index.html"), 7)
    assert summary.layers == ("image", "ideal image", "depth", "measured depth", "categories", "instances")
    assert summary.to_dict()["size_bytes"] == sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    return out


def read_png(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def called(text: str, function: str) -> str:
    match = re.fullmatch(rf"Browser\.{function}\((?:\d+,)?(.*)\)", text, flags=re.DOTALL)
    assert match is not None
    return match[1]


def test_every_frame_has_every_picture_and_its_outlines(folder):
    for number in range(7):
        for kind, suffix in (
            ("rgb", "jpg"), ("rgb_ideal", "jpg"), ("distance_to_image_plane", "jpg"), ("sensor_depth", "jpg"),
            ("semantic_segmentation", "png"), ("instance_segmentation", "png"),
        ):  # fmt: skip
            assert (folder / f"layers/{kind}/{number:04d}.{suffix}").stat().st_size > 100
        assert cv2.imread(str(folder / f"thumbs/{number:04d}.jpg")).shape == (180, 240, 3)
        assert (folder / f"details/{number:04d}.js").exists()


def test_nothing_in_the_folder_reaches_for_a_network(folder):
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".js"):
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")  # a name, never fetched
            assert not re.search(r"https?:|//[a-z]|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|eval\(", text), path


def test_the_data_are_those_of_the_frames(folder, dataset):
    data = json.loads(called((folder / "data.js").read_text(), "data"))
    assert data["size"] == [64, 48]
    assert [c["name"] for c in data["categories"]] == [c.name for c in TAXONOMY]
    assert sum(data["depth"]["counts"]) == sum(np.isfinite(f.truth.depth_m).sum() for f in dataset)
    assert dict(data["facts"])["sensor"].startswith("test (")
    for row, frame in zip(data["frames"], dataset, strict=True):
        assert row["name"] == frame.name
        assert row["objects"] == json.loads(json.dumps(frame_rows(frame)))
        for (category, visible, pixels, distance), record in zip(row["objects"], frame.truth.objects, strict=True):
            assert category == record.category_id
            assert visible == pytest.approx(record.visible_fraction, abs=1e-4)
            assert pixels == (frame.truth.instance == record.instance_id).sum()
            centre = np.subtract(record.box_world.outer_from_box.position_m, frame.camera.world_from_camera.position_m)
            assert distance == pytest.approx(np.linalg.norm(centre), abs=1e-3)


def test_details_hold_boxes_and_the_projected_edges(folder, dataset):
    detail = json.loads(called((folder / "details/0002.js").read_text(), "detail"))
    frame = dataset[2]
    assert detail == json.loads(json.dumps(frame_detail(frame, detail["notes"])))
    assert set(detail["notes"]) == {
        "rgb", "rgb_ideal", "distance_to_image_plane", "sensor_depth", "semantic_segmentation", "instance_segmentation"
    }  # fmt: skip
    for row, record in zip(detail["objects"], frame.truth.objects, strict=True):
        assert row["loose"] == list(record.amodal_box_px)
        assert row["tight"] == (None if record.visible_box_px is None else list(record.visible_box_px))
        assert len(row["edges"]) <= 12


def test_overlays_have_the_truth_s_colours_and_are_clear_where_it_is_silent(rng):
    truth = make_frame(rng).truth
    drawn = read_png(semantic_overlay(truth.semantic))
    assert ((drawn[..., 3] == 0) == (truth.semantic == 0)).all()
    for category in np.unique(truth.semantic)[1:]:
        assert (drawn[truth.semantic == category][:, :3] == TAXONOMY[int(category)].colour).all()
    drawn = read_png(instance_overlay(truth.instance))
    assert ((drawn[..., 3] == 0) == (truth.instance == 0)).all()
    for instance in np.unique(truth.instance)[1:]:
        assert (drawn[truth.instance == instance][:, :3] == instance_colour(int(instance))).all()


def test_more_instances_than_colours_still_show(rng):
    many = np.arange(400, dtype=np.uint16).reshape(20, 20)
    assert (read_png(instance_overlay(many))[..., 3].ravel() > 0).sum() == 399


def test_palette_pictures_are_those_that_another_reader_sees(rng):
    indices = rng.integers(0, 5, (13, 17), dtype=np.uint8)
    palette = rng.integers(0, 256, (5, 3), dtype=np.uint8)
    drawn = read_png(palette_png(indices, palette))
    np.testing.assert_array_equal(drawn[..., :3], palette[indices])
    with pytest.raises(ValueError, match="at most 256 colours"):
        palette_png(indices, palette[:3])


def test_annotators_that_are_not_known_are_shown_by_their_shape(rng):
    frame = make_frame(rng)
    arrays = {
        "normals": rng.uniform(-1, 1, (48, 64, 3)).astype(np.float32),
        "motion_vectors": rng.normal(size=(48, 64, 4)).astype(np.float32),
        "distance_to_camera": frame.truth.depth_m,
        "scores": rng.random((48, 64)),
        "table": rng.random((5, 6)),
    }
    files = {f"{kind}_0000.npy": _npy(array) for kind, array in arrays.items()}
    files["depth_colours_0000.png"] = cv2.imencode(".png", rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))[1].tobytes()
    layers = {layer.kind: layer for layer in layers_of([*files, "rgb_0000.png", "bounding_box_3d_0000.npy", "objects_0000.json"])}
    assert next(iter(layers)) == "rgb"
    assert set(layers) == {"rgb", *arrays, "depth_colours"}
    shown = {kind: draw_layer(layer, frame, 0, files.__getitem__) for kind, layer in layers.items()}
    assert shown["table"] is None, "no map of the image"
    assert all(picture is not None for kind, picture in shown.items() if kind != "table")
    assert shown["normals"][1] == "x, y, z as red, green, blue"
    assert shown["distance_to_camera"][1].startswith("red ")


def test_flow_to_the_right_is_red_and_as_bright_as_it_is_long():
    flow = np.zeros((4, 4, 2))
    flow[..., 0] = np.array([0.0, 1.0, 2.0, 4.0])
    picture, most = flow_colours(flow)
    assert most == pytest.approx(4.0)
    assert picture[0, 3, 0] == 255
    assert picture[0, 3, 0] > picture[0, 3, 1]
    assert (np.diff(picture[0, :, 0].astype(int)) > 0).all()
    assert (picture[:, 0] == 0).all()


def _npy(array: np.ndarray) -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_a_browser_is_replaced_and_anything_else_is_left_alone(dataset, tmp_path):
    out = tmp_path / "pages"
    write_browser(dataset.path, out)
    (out / "layers" / "old.txt").write_text("of the last time")
    write_browser(dataset.path, out)
    assert not (out / "layers" / "old.txt").exists()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(DatasetError, match="not empty and no browser of Rehearse"):
        write_browser(dataset.path, tmp_path / "thesis")
    with pytest.raises(DatasetError, match="not empty and no browser"):
        write_browser(dataset.path, tmp_path / "thesis" / "chapter.txt")
    assert {p.name for p in tmp_path.iterdir()} == {"pages", "thesis"}


def test_a_data_set_s_name_cannot_become_markup(dataset, tmp_path):
    folder = tmp_path / "a<b>&c"
    folder.symlink_to(dataset.path)
    write_browser(folder, tmp_path / "pages")
    page = (tmp_path / "pages" / "index.html").read_text()
    assert "a&lt;b&gt;&amp;c" in page
    assert "a<b>" not in page


def test_an_ideal_data_set_has_no_layers_of_a_sensor(tmp_path):
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=1, split="test", size=(64, 48), workers=1)
    generate(replace(spec), progress=False, open_source=FakeSource)
    assert write_browser(tmp_path / "d", tmp_path / "p").layers == ("image", "depth", "categories", "instances")
