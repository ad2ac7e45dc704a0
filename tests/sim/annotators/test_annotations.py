"""Distances, clouds, occlusion, colours and panoptic maps, with answers known on paper or from other libraries."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest

from scenes.taxonomy import TAXONOMY
from sim._boxes import loose_boxes, tight_boxes
from sim._labels import FIRST_LABEL
from sim.annotators.cloud import point_cloud
from sim.annotators.distance import depth_picture, disparity, distance_to_camera
from sim.annotators.occlusion import (
    OCCLUSION_DTYPE,
    amodal_segmentation,
    mask_to_rle,
    occlusion,
    occlusion_order,
    rle_to_mask,
)
from sim.annotators.registry import ANNOTATORS
from sim.annotators.segmentation import Segmentation, coloured, leaf_ids, panoptic
from sim.annotators.view import View
from sim.layers import visible_parts
from tests.sim.backend_conformance import tilted_camera
from tests.sim.little_scenes import ball, block, camera_above, floor, scene_of
from tests.sim.views import view_of

LID = block("lid", (0.2, 0.2, 0.01), (0.2, 0.0, 0.3), "plate")
SQUARE = block("square", (0.05, 0.05, 0.05), (0.0, 0.0, 0.05))


def test_distance_to_camera_of_a_sphere(backend):
    radius, camera = 0.06, camera_above(0.6)
    at = np.array([0.01, -0.02, 0.1])
    frame = view_of(backend, scene_of(ball("orange", radius, tuple(at))), camera).frame
    distance = distance_to_camera(frame.truth.depth_m, camera)
    assert distance.dtype == np.float32
    assert np.isposinf(distance[frame.truth.instance == 0]).all()
    v, u = np.nonzero(frame.truth.instance == 1)
    rays = np.stack([(u - 31.5) / 400, (v - 23.5) / 400, np.ones(len(u))], 1)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    center = np.array([0.01, 0.02, 0.5])  # in the camera, which looks straight down
    along = rays @ center
    inside = along**2 - center @ center + radius**2
    sure = inside > 0.2 * radius**2
    np.testing.assert_allclose(distance[v, u][sure], (along - np.sqrt(np.maximum(inside, 0)))[sure], atol=1e-4)


def test_distance_to_camera_is_depth_times_the_ray(view: View):
    camera, depth = view.frame.camera, view.frame.truth.depth_m
    rays = camera.unproject(np.ones(depth.shape))
    expected = depth * np.linalg.norm(rays, axis=-1)
    np.testing.assert_allclose(distance_to_camera(depth, camera), expected, rtol=1e-6)


def test_disparity_is_focal_length_times_baseline_over_depth():
    depth = np.array([[1.0, 0.5], [2.0, np.inf]], dtype=np.float32)
    found = disparity(depth, camera_above(), 0.06)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[24.0, 48.0], [12.0, 0.0]])


def test_the_gray_depth_is_white_near_and_black_far(view: View):
    picture = depth_picture(view.frame.truth.depth_m)
    near, far = view.frame.truth.depth_m.argmin(), view.frame.truth.depth_m.argmax()
    assert picture.dtype == np.uint8
    assert picture.reshape(-1)[near] >= 254
    assert picture.reshape(-1)[far] <= 1
    assert not depth_picture(np.full((3, 4), np.inf, dtype=np.float32)).any()


def test_the_point_cloud_reprojects_to_its_pixels(view: View):
    cloud, camera = point_cloud(view.frame, view.normals), view.frame.camera
    labelled = view.frame.truth.semantic > 0
    v, u = np.nonzero(labelled)
    assert len(cloud.points) == len(u)
    local = (cloud.points - np.array(camera.world_from_camera.position_m)) @ camera.world_from_camera.matrix()[:3, :3]
    np.testing.assert_allclose(camera.project(local), np.stack([u, v], 1), atol=1e-3)
    np.testing.assert_allclose(local[:, 2], view.frame.truth.depth_m[labelled], atol=1e-6)
    np.testing.assert_array_equal(cloud.rgb[:, :3], view.frame.rgb[labelled])
    np.testing.assert_array_equal(cloud.semantic, view.frame.truth.semantic[labelled] + 1)
    np.testing.assert_array_equal(cloud.instance, view.frame.truth.instance[labelled].astype(int) + 1)
    np.testing.assert_array_equal(cloud.normals, view.normals[labelled])
    assert (cloud.points.dtype, cloud.rgb.dtype, cloud.normals.dtype) == (np.float32, np.uint8, np.float32)


def rows_of(view: View):
    return occlusion(view.frame.truth, view.layers, view.scene, view.frame.camera)


def test_a_leaf_behind_another_of_its_own_object_is_hidden_by_it(backend):
    plate, lid = block("two", (0.1, 0.1, 0.01), (0, 0, 0), "box"), block("lid", (0.05, 0.1, 0.01), (0, 0, 0), "box")
    mesh = lid.parts[0].mesh
    above = replace(lid.parts[0], name="lid", mesh=replace(mesh, vertices=np.add(mesh.vertices, (0.05, 0.0, 0.02))))
    two = replace(plate, parts=(plate.parts[0], above))
    view = view_of(backend, scene_of(floor(), two), camera_above(1.1))
    rows = rows_of(view)
    leaves = leaf_ids(view.frame.truth, view.layers, view.scene).maps[0]
    assert [leaves[str(i)] for i in rows["instanceId"]] == [f"/World/two/{p.name}" for p in two.parts]
    np.testing.assert_allclose(rows["occlusionRatio"], [0.5, 0.0], atol=0.04)  # the lid is nearer, so a little larger


def test_half_covered_is_half_occluded_and_the_order_says_by_whom(backend):
    view = view_of(backend, scene_of(floor(), SQUARE, LID), camera_above(1.1))
    rows = rows_of(view)
    assert rows.dtype == OCCLUSION_DTYPE
    assert OCCLUSION_DTYPE.itemsize == 12
    leaves = leaf_ids(view.frame.truth, view.layers, view.scene).maps[0]
    assert [leaves[str(i)].rpartition("/")[0] for i in rows["instanceId"]] == ["/World/square", "/World/lid"]
    assert rows["semanticId"].tolist() == [TAXONOMY.named("box").id + 1, TAXONOMY.named("plate").id + 1]
    np.testing.assert_allclose(rows["occlusionRatio"], [0.5, 0.0])
    order = occlusion_order(view.frame.truth, view.layers, view.scene)
    assert order == [{"hidden": "/World/square", "by": "/World/lid", "pixels": 20 * 40}]


def test_stuff_can_hide_a_thing(backend):
    table = block("table", (0.2, 0.2, 0.01), (0.0, 0.0, 0.3), "table")
    view = view_of(backend, scene_of(floor(), SQUARE, table), camera_above(1.1))
    order = occlusion_order(view.frame.truth, view.layers, view.scene)
    assert order == [{"hidden": "/World/square", "by": "/World/table", "pixels": 40 * 40}]
    np.testing.assert_allclose(rows_of(view)["occlusionRatio"], [1.0])


def test_occlusion_on_a_real_scene_adds_up(view: View):
    truth = view.frame.truth
    rows = rows_of(view)
    assert ((rows["occlusionRatio"] >= 0) & (rows["occlusionRatio"] <= 1)).all()
    parts = visible_parts(view.scene)
    whole = {r.body_name: r for r in truth.objects}
    assert {parts[i - 2][0].name for i in rows["instanceId"]} == whole.keys()
    for row in rows:
        body = parts[row["instanceId"] - 2][0]
        record = whole[body.name]
        assert row["semanticId"] == record.category_id + 1
        if len(body.parts) == 1:
            assert row["occlusionRatio"] == pytest.approx(1 - record.visible_fraction, abs=1e-6)
    order = occlusion_order(truth, view.layers, view.scene)
    for entry in amodal_segmentation(truth, view.layers):
        hidden = sum(row["pixels"] for row in order if row["hidden"] == entry["prim_path"])
        assert entry["area"] - entry["visible_area"] == hidden
    assert any(row["pixels"] > 20 for row in order)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools before numpy 2
def test_amodal_masks_are_coco_run_lengths(view: View):
    mask_api = pytest.importorskip("pycocotools.mask")
    truth = view.frame.truth
    boxes = {record.instance_id: record.amodal_box_px for record in truth.objects}
    for entry in amodal_segmentation(truth, view.layers):
        code = mask_api.frPyObjects(entry["segmentation"], *entry["segmentation"]["size"])
        mask = mask_api.decode(code).astype(bool)
        np.testing.assert_array_equal(mask, rle_to_mask(entry["segmentation"]))
        assert mask_api.area(code) == entry["area"]
        x, y, w, h = mask_api.toBbox(code)
        assert (x, y, x + w - 1, y + h - 1) == boxes[entry["id"] - 1]
        assert (mask | ~(truth.instance == entry["id"] - 1)).all()


@pytest.mark.parametrize("first", [False, True])
def test_run_lengths_come_back(rng, first):
    mask = rng.random((7, 5)) < 0.5
    mask[0, 0] = first
    assert sum(mask_to_rle(mask)["counts"]) == 35
    np.testing.assert_array_equal(rle_to_mask(mask_to_rle(mask)), mask)
    with pytest.raises(ValueError, match="35"):
        rle_to_mask({"size": [5, 7], "counts": [3, 4]})


def test_loose_boxes_contain_tight_ones(view: View):
    tight, _, tight_paths = tight_boxes(view.frame.truth.objects)
    loose, _, loose_paths = loose_boxes(view.frame.truth.objects)
    assert set(tight_paths) <= set(loose_paths)
    for row, path in zip(tight, tight_paths, strict=True):
        other = loose[loose_paths.index(path)]
        assert other["x_min"] <= row["x_min"] <= row["x_max"] <= other["x_max"]
        assert other["y_min"] <= row["y_min"] <= row["y_max"] <= other["y_max"]


def test_leaf_ids_are_the_parts_of_the_bodies(view: View):
    leaves = leaf_ids(view.frame.truth, view.layers, view.scene)
    assert leaves.ids.dtype == np.uint16
    instance_of = {body.name: k for k, body in enumerate(view.scene.things, start=1)}
    for key, path in leaves.maps[0].items():
        if int(key) < FIRST_LABEL:
            continue
        _, world, body, part = path.split("/")
        assert world == "World"
        assert (body, part) in {(b.name, p.name) for b, p in visible_parts(view.scene)}
        assert (view.frame.truth.instance[leaves.ids == int(key)] == instance_of.get(body, 0)).all()
    assert set(np.unique(leaves.ids)) <= {int(key) for key in leaves.maps[0]}


def test_colours_stand_for_ids_one_to_one(view: View):
    plain = leaf_ids(view.frame.truth, view.layers, view.scene)
    painted = coloured(plain)
    assert painted.ids.dtype == np.uint8
    assert painted.ids.shape == (*plain.ids.shape, 4)
    back = np.zeros_like(plain.ids)
    path_to_id = {path: int(key) for key, path in plain.maps[0].items()}
    for colour, path in painted.maps[0].items():
        rgba = [int(c) for c in colour.strip("()").split(", ")]
        back[(painted.ids == rgba).all(-1)] = path_to_id[path]
    np.testing.assert_array_equal(back, plain.ids)
    assert painted.maps[0]["(0, 0, 0, 0)"] == "BACKGROUND"
    assert painted.maps[0]["(0, 0, 0, 255)"] == "UNLABELLED"


def test_many_ids_have_as_many_colours():
    ids = np.arange(3000, dtype=np.uint16).reshape(50, 60)
    painted = coloured(Segmentation(ids=ids, maps=({str(i): "" for i in range(3000)},)))
    assert len(np.unique(painted.ids.reshape(-1, 4), axis=0)) == 3000


def test_panoptic_is_cocos(view: View):
    found = panoptic(view.frame, 7)
    files = ANNOTATORS["panoptic"].codec.encode(found)
    bgr = cv2.imdecode(np.frombuffer(files["panoptic.png"], np.uint8), cv2.IMREAD_UNCHANGED).astype(int)
    ids = bgr[..., 2] + 256 * bgr[..., 1] + 65536 * bgr[..., 0]
    (annotation,) = found.record["annotations"]
    assert annotation["file_name"] == "panoptic_0007.png"
    truth = view.frame.truth
    kinds = {c["id"]: c for c in found.record["categories"]}
    covered = np.zeros(ids.shape, dtype=bool)
    for segment in annotation["segments_info"]:
        mask = ids == segment["id"]
        covered |= mask
        assert mask.sum() == segment["area"] > 0
        v, u = np.nonzero(mask)
        assert segment["bbox"] == [u.min(), v.min(), u.max() - u.min() + 1, v.max() - v.min() + 1]
        assert set(np.unique(truth.semantic[mask])) == {segment["category_id"]}
        assert len(np.unique(truth.instance[mask])) == 1
        assert bool(kinds[segment["category_id"]]["isthing"]) == bool(truth.instance[v[0], u[0]])
    np.testing.assert_array_equal(covered, truth.semantic > 0)


def test_a_tilted_view_has_amodal_masks_for_every_record(backend):
    view = view_of(backend, scene_of(floor(), SQUARE, LID), tilted_camera())
    assert [m.instance_id for m in view.layers.amodal] == [r.instance_id for r in view.frame.truth.objects]
    assert view.layers.parts.dtype == np.uint16


def test_layers_of_another_camera_are_rendered_for_it(backend):
    scene = scene_of(floor(), SQUARE)
    backend.load(scene)
    backend.render(camera_above(1.1))
    higher = camera_above(2.0)
    np.testing.assert_array_equal(backend.layers(higher).parts, view_of(backend, scene, higher).layers.parts)


def test_npy_is_format_one(view: View):
    data = ANNOTATORS["occlusion"].codec.encode(rows_of(view))["occlusion.npy"]
    assert data[6:8] == b"\x01\x00"
    assert np.load(io.BytesIO(data)).dtype == OCCLUSION_DTYPE
