"""Frames survive the disk without losing a bit, in arrays that are Replicator's byte for byte."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, inverse
from sim._boxes import BOX_3D_DTYPE, boxes_3d, loose_boxes, tight_boxes
from sim._camera_params import camera_params, projection, view_transform
from sim._labels import instance_to_ids, semantic_from_ids, semantic_to_ids
from sim.basicwriter import decode_frame, encode_frame, metadata_text
from tests.sim.fake_frames import make_camera, make_frame

KINDS_3D = [
    ("semanticId", "<u4"), ("x_min", "<f4"), ("y_min", "<f4"), ("z_min", "<f4"), ("x_max", "<f4"), ("y_max", "<f4"),
    ("z_max", "<f4"), ("transform", "<f4", (4, 4)), ("occlusionRatio", "<f4"),
]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 123456))
def test_a_frame_comes_back_exactly(seed: int, number: int) -> None:
    frame = make_frame(np.random.default_rng(seed))
    back = decode_frame(number, encode_frame(frame, number).__getitem__)
    for array in ("depth_m", "semantic", "instance"):
        written, read = getattr(frame.truth, array), getattr(back.truth, array)
        assert read.dtype == written.dtype
        np.testing.assert_array_equal(read, written)
    np.testing.assert_array_equal(back.rgb, frame.rgb)
    assert (back.name, back.time_s, back.camera, back.truth.objects) == (
        frame.name, frame.time_s, frame.camera, frame.truth.objects,
    )  # fmt: skip


def test_equal_frames_give_equal_bytes() -> None:
    first, second = (encode_frame(make_frame(np.random.default_rng(5)), 0) for _ in range(2))
    assert first == second


def test_file_names_are_those_of_basicwriter(rng: np.random.Generator) -> None:
    boxes = [f"bounding_box_{kind}{part}" for kind in ("2d_tight", "2d_loose", "3d") for part in
             ("_0042.npy", "_labels_0042.json", "_prim_paths_0042.json")]  # fmt: skip
    assert set(encode_frame(make_frame(rng), 42)) == {
        "rgb_0042.png", "distance_to_image_plane_0042.npy", "camera_params_0042.json", "objects_0042.json",
        "semantic_segmentation_0042.png", "semantic_segmentation_labels_0042.json",
        "instance_segmentation_0042.png", "instance_segmentation_mapping_0042.json",
        "instance_segmentation_semantics_mapping_0042.json", *boxes,
    }  # fmt: skip
    assert "rgb_12345.png" in encode_frame(make_frame(rng), 12345)


def test_images_are_rgba_and_16_bit_ids_to_another_reader(rng: np.random.Generator) -> None:
    frame = make_frame(rng)
    files = encode_frame(frame, 0)
    rgba = cv2.imdecode(np.frombuffer(files["rgb_0000.png"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert rgba is not None
    np.testing.assert_array_equal(rgba[..., 2::-1], frame.rgb)
    assert rgba.dtype == np.uint8
    assert (rgba[..., 3] == 255).all()
    for kind in ("semantic_segmentation", "instance_segmentation"):
        ids = cv2.imdecode(np.frombuffer(files[f"{kind}_0000.png"], np.uint8), cv2.IMREAD_UNCHANGED)
        assert ids is not None
        assert ids.dtype == np.uint16
        assert ids.shape == frame.truth.semantic.shape
    depth_m = np.load(io.BytesIO(files["distance_to_image_plane_0000.npy"]), allow_pickle=False)
    assert depth_m.dtype == np.float32
    assert np.isposinf(depth_m[0]).all()
    assert files["distance_to_image_plane_0000.npy"][6:8] == b"\x01\x00"  # npy format 1.0, as Isaac Sim writes it


def test_ids_are_background_unlabelled_then_labels(rng: np.random.Generator) -> None:
    truth = make_frame(rng).truth
    ids, labels = semantic_to_ids(truth.semantic, truth.depth_m)
    nothing = ~np.isfinite(truth.depth_m)
    assert (ids[nothing & (truth.semantic == 0)] == 0).all()
    assert (ids[~nothing & (truth.semantic == 0)] == 1).all()
    assert labels["0"] == {"class": "BACKGROUND"}
    assert labels["1"] == {"class": "UNLABELLED"}
    for key, label in labels.items():
        if int(key) > 1:
            assert (truth.semantic[ids == int(key)] == TAXONOMY.named(label["class"]).id).all()
    instance_ids, paths, classes = instance_to_ids(truth.instance, truth.depth_m, truth.objects)
    for record in truth.objects:
        here = instance_ids == record.instance_id + 1
        np.testing.assert_array_equal(here, truth.instance == record.instance_id)
        assert paths[str(record.instance_id + 1)] == f"/World/{record.body_name}"
        assert classes[str(record.instance_id + 1)] == {"class": TAXONOMY[record.category_id].name}


def test_labels_are_read_through_the_map_in_any_case_and_with_any_ids() -> None:
    ids = np.array([[0, 1, 900], [65535, 900, 3]], dtype=np.uint16)
    labels = {"0": {"class": "BACKGROUND"}, "1": {"class": "unlabelled"}, "900": {"class": "Cup"},
              "65535": {"class": "WINE GLASS"}, "3": {"class": "table"}}  # fmt: skip
    cup, glass, table = (TAXONOMY.named(name).id for name in ("cup", "wine glass", "table"))
    np.testing.assert_array_equal(semantic_from_ids(ids, labels), [[0, 0, cup], [glass, cup, table]])
    del labels["3"]
    with pytest.raises(ValueError, match=r"ids \[3\]"):
        semantic_from_ids(ids, labels)


def test_pixel_boxes_are_inclusive_and_tight_leaves_out_what_is_hidden(rng: np.random.Generator) -> None:
    objects = make_frame(rng).truth.objects
    shown = [r for r in objects if r.visible_box_px is not None]
    array, labels, paths = tight_boxes(objects)
    assert array.dtype.itemsize == 24
    assert paths == [f"/World/{r.body_name}" for r in shown]
    for row, record in zip(array, shown, strict=True):
        assert tuple(int(row[k]) for k in ("x_min", "y_min", "x_max", "y_max")) == record.visible_box_px
        assert row["occlusionRatio"] == pytest.approx(1 - record.visible_fraction, abs=1e-6)
        assert labels[str(row["semanticId"])] == {"class": TAXONOMY[record.category_id].name}
    loose, _, loose_paths = loose_boxes(objects)
    assert len(loose) == len(loose_paths) == len(objects)
    assert tuple(int(loose[-1][k]) for k in ("x_min", "y_min", "x_max", "y_max")) == objects[-1].amodal_box_px
    assert loose[-1]["occlusionRatio"] == 1.0


def test_3d_boxes_give_the_corners_through_the_row_vector_transform(rng: np.random.Generator) -> None:
    objects = make_frame(rng).truth.objects
    array, _, paths = boxes_3d(objects)
    assert array.dtype == np.dtype(KINDS_3D)
    assert array.dtype.itemsize == 96
    assert len(paths) == len(objects)
    for row, record in zip(array, objects, strict=True):
        xyz = [[row[f"{axis}_{end}"] for end in ("min", "max")] for axis in "xyz"]
        local = np.array([[x, y, z, 1.0] for x in xyz[0] for y in xyz[1] for z in xyz[2]])
        np.testing.assert_allclose((local @ row["transform"])[:, :3], record.box_world.corners(), atol=1e-6)
        np.testing.assert_allclose(row["transform"][3, :3], record.world_from_body.position_m, atol=1e-7)


def test_camera_params_project_as_the_camera_does(rng: np.random.Generator) -> None:
    camera = replace(make_camera(), cx=30.2, cy=25.9, fy=61.0)
    points_world = rng.uniform(-0.4, 0.4, (50, 3))
    params = camera_params(camera)
    view = np.array(params["cameraViewTransform"]).reshape(4, 4)
    clip = np.c_[points_world, np.ones(50)] @ view @ np.array(params["cameraProjection"]).reshape(4, 4)
    ndc = clip[:, :3] / clip[:, 3:]
    pixels = np.stack([(ndc[:, 0] + 1) * camera.width / 2, (1 - ndc[:, 1]) * camera.height / 2], axis=1)
    camera_from_world = inverse(camera.world_from_camera.matrix())
    points_camera = points_world @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    np.testing.assert_allclose(pixels - 0.5, camera.project(points_camera), atol=1e-9)
    depth = camera.near_m * (camera.far_m - points_camera[:, 2]) / (camera.far_m - camera.near_m) / points_camera[:, 2]
    np.testing.assert_allclose(ndc[:, 2], depth, atol=1e-12)  # reversed: 1 at the near plane, 0 at the far plane
    assert np.linalg.inv(view)[3, :3] == pytest.approx(camera.world_from_camera.position_m)
    fx = params["cameraFocalLength"] * camera.width / params["cameraAperture"][0]
    fy = params["cameraFocalLength"] * camera.height / params["cameraAperture"][1]
    assert (fx, fy) == pytest.approx((camera.fx, camera.fy))


def test_metadata_keeps_the_colon_in_its_key() -> None:
    assert json.loads(metadata_text(11)) == {"name": "BasicWriter", "version": "0.0.2", "replicator_global_seed:": 11}


def _pickled() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([{"anything": 1}], dtype=object), allow_pickle=True)
    return stream.getvalue()


def _png8() -> bytes:
    return cv2.imencode(".png", np.zeros((48, 64), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rgb_0000.png", b"", "not a whole image"),
        ("rgb_0000.png", b"\x89PNG\r\n\x1a\nnothing else", "not a whole image"),
        ("rgb_0000.png", _png8(), "expected an 8-bit RGB or RGBA image"),
        ("semantic_segmentation_0000.png", _png8(), "expected a 16-bit gray image"),
        ("semantic_segmentation_labels_0000.json", b"{", "Expecting"),
        ("semantic_segmentation_labels_0000.json", b"[]", "expected a json object, got list"),
        ("distance_to_image_plane_0000.npy", b"\x93NUMPY", "EOF"),
        ("distance_to_image_plane_0000.npy", _pickled(), "pickle"),
        ("instance_segmentation_mapping_0000.json", b"\xff\xfe\x00", "decode"),
        ("objects_0000.json", b'{"name": "x", "time_s": 0}', "it lacks 'objects'"),
        ("camera_params_0000.json", b"{}", "it lacks 'rehearse'"),
    ],
)
def test_content_that_is_not_ours_is_named(name: str, content: bytes, message: str, rng: np.random.Generator) -> None:
    files = encode_frame(make_frame(rng), 0) | {name: content}
    with pytest.raises(DatasetError, match=rf"Cannot read {name}: .*{message}.*generate it again"):
        decode_frame(0, files.__getitem__)


@pytest.mark.parametrize(
    ("name", "wrong", "blamed"),
    [
        (
            "semantic_segmentation_labels",
            {"0": {"class": "BACKGROUND"}},
            r"semantic_segmentation_0000\.png: .*does not name",
        ),
        ("semantic_segmentation_labels", {"2": {"class": "unicorn"}}, r"semantic_segmentation_0000\.png: .*unicorn"),
        (
            "instance_segmentation_mapping",
            {"2": "/World/nobody"},
            r"instance_segmentation_0000\.png: it lacks '/World/no",
        ),
    ],
)
def test_a_map_that_does_not_fit_its_image_is_refused(
    name: str, wrong: dict[str, object], blamed: str, rng: np.random.Generator
) -> None:
    files = encode_frame(make_frame(rng), 0) | {f"{name}_0000.json": json.dumps(wrong).encode()}
    with pytest.raises(DatasetError, match=blamed):
        decode_frame(0, files.__getitem__)


def test_maps_of_two_sizes_are_refused(rng: np.random.Generator) -> None:
    files = encode_frame(make_frame(rng), 0)
    other = encode_frame(make_frame(rng, camera=make_camera(width=32, height=24)), 0)
    with pytest.raises(DatasetError, match="do not fit together"):
        decode_frame(0, (files | {"rgb_0000.png": other["rgb_0000.png"]}).__getitem__)


def test_box_arrays_are_those_of_isaac_sim(shared_dir: Path) -> None:
    real = np.load(shared_dir / "fixtures/isaac/basicwriter_single_view/bounding_box_3d_0000.npy", allow_pickle=False)
    assert real.dtype == BOX_3D_DTYPE


def test_camera_matrices_are_those_of_isaac_sim(shared_dir: Path) -> None:
    file = shared_dir / "fixtures/isaac/pose_writer_pinhole/rp1/000000.json"
    real = json.loads(file.read_text())["camera_data"]
    width, height = real["resolution"]
    k = real["intrinsics"]
    gl_from_world = np.array(real["camera_view_matrix"]).T
    world_from_camera = inverse(np.diag([1.0, -1.0, -1.0, 1.0]) @ gl_from_world)
    camera = Camera(
        name="rp1", width=width, height=height, fx=k["fx"], fy=k["fy"], cx=k["cx"] - 0.5, cy=k["cy"] - 0.5,
        world_from_camera=Pose.from_matrix(world_from_camera), near_m=1.0, far_m=1e6,
    )  # fmt: skip
    np.testing.assert_allclose(view_transform(camera), real["camera_view_matrix"], atol=1e-6)
    golden = np.array(real["camera_projection_matrix"])
    np.testing.assert_allclose(projection(camera), golden, rtol=1e-5, atol=2e-6)
