"""Every fact about BasicWriter's files that reading rests on, each on a small folder in exactly that form."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.taxonomy import TAXONOMY
from sim.dataset import Dataset
from sim.readers.foreign import NominalCamera
from tests.sim.readers import isaac_folder as isaac
from tests.sim.readers.isaac_folder import BOWL_PX, CUP_PX, HEIGHT, IDS, WIDTH

CUP, BOWL, TABLE = (TAXONOMY.named(name).id for name in ("cup", "bowl", "table"))


def colourised(ids, colour_of):
    image = np.zeros((*ids.shape, 4), np.uint8)
    for key, colour in colour_of.items():
        image[ids == key] = colour
    return image


def test_an_image_alone_is_a_data_set_whose_intrinsics_are_not_known(tmp_path):
    isaac.rgb(tmp_path)
    found = Dataset.open(tmp_path)
    lacking = {"semantic labels", "instances", "cameras", "depth", "3D boxes", "amodal boxes", "visible fractions"}
    assert set(found.absent) == lacking
    assert found.absent["depth"].endswith("depth is not scored")
    frame = found[0]
    assert isinstance(frame.camera, NominalCamera)
    assert frame.camera.reason == "no camera_params"
    assert np.isnan(frame.truth.depth_m).all()
    assert not frame.truth.objects
    assert frame.rgb.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(frame.rgb[0, :, 0], 6 * np.arange(WIDTH))


@pytest.mark.parametrize("number", ["0000", "0", "000000", "12345", "2_0000"])
def test_any_width_of_numbers_and_a_count_before_them(tmp_path, number):
    isaac.rgb(tmp_path, number)
    isaac.semantic(tmp_path, number)
    found = Dataset.open(tmp_path)
    assert found.names == (f"{tmp_path.name}/{number}/view",)
    assert "semantic labels" not in found.absent


def test_numbers_sort_as_numbers_also_beyond_their_padding(tmp_path):
    for number in ("0009", "9999", "10000", "0010"):
        isaac.rgb(tmp_path, number)
    assert [name.split("/")[1] for name in Dataset.open(tmp_path).names] == ["0009", "0010", "9999", "10000"]


def test_unlabelled_may_be_missing_from_the_map(tmp_path):
    isaac.rgb(tmp_path)
    isaac.semantic(tmp_path)
    isaac.instance(tmp_path)
    truth = Dataset.open(tmp_path)[0].truth
    np.testing.assert_array_equal(truth.semantic == CUP, IDS == 2)
    np.testing.assert_array_equal(truth.semantic == TABLE, IDS == 4)
    assert not truth.semantic[:10].any()
    objects = {(r.body_name, r.category_id, r.visible_box_px) for r in truth.objects}
    assert objects == {("Cup", CUP, CUP_PX), ("Bowl", BOWL, BOWL_PX)}


@pytest.mark.parametrize("palette", [
    {2: (93, 220, 11, 255), 3: (243, 69, 141, 255), 4: (35, 198, 233, 255)},  # 6.0
    {2: (33, 243, 3, 255), 3: (240, 4, 111, 255), 4: (27, 186, 239, 255)},  # 6.2
    {2: (140, 25, 255, 255), 3: (255, 197, 25, 255), 4: (25, 255, 140, 255)},  # 4.x
], ids=["6.0", "6.2", "4.x"])  # fmt: skip
def test_any_palette_is_read_through_the_json(tmp_path, palette):
    colour_of = {0: (0, 0, 0, 0), 1: (0, 0, 0, 255)} | palette
    labels = {str(palette[int(key)]): value for key, value in isaac.LABELS.items()} | {"(0, 0, 0, 0)": {"class": "BACKGROUND"}}
    isaac.rgb(tmp_path)
    isaac.semantic(tmp_path, ids=colourised(IDS, colour_of), labels=labels)
    isaac.instance(tmp_path)
    truth = Dataset.open(tmp_path)[0].truth
    np.testing.assert_array_equal(truth.semantic == BOWL, IDS == 3)
    np.testing.assert_array_equal(truth.semantic == TABLE, IDS == 4)


def test_a_colour_may_mean_something_else_in_the_next_frame(tmp_path):
    red, blue = (255, 0, 0, 255), (0, 0, 255, 255)
    for number, (wall, floor) in (("0000", (red, blue)), ("0001", (blue, red))):
        ids = np.where(IDS == 4, 1, 0)
        isaac.rgb(tmp_path, number)
        labels = {str(wall): {"class": "wall"}, str(floor): {"class": "floor"}}
        isaac.semantic(tmp_path, number, ids=colourised(ids, {0: wall, 1: floor}), labels=labels)
    first, second = Dataset.open(tmp_path)
    np.testing.assert_array_equal(first.truth.semantic, second.truth.semantic)
    assert set(np.unique(first.truth.semantic)) == {TAXONOMY.named("wall").id, TAXONOMY.named("floor").id}


def test_labels_in_upper_case_and_joined_ones(tmp_path):
    labels = {"2": {"class": "CUP"}, "3": {"class": "rectangle, Bowl"}, "4": {"shape": "plank", "kind": "table"}}
    isaac.rgb(tmp_path)
    isaac.semantic(tmp_path, labels=labels)
    isaac.instance(tmp_path, labels=labels)
    truth = Dataset.open(tmp_path)[0].truth
    np.testing.assert_array_equal(truth.semantic == CUP, IDS == 2)
    np.testing.assert_array_equal(truth.semantic == BOWL, IDS == 3)
    np.testing.assert_array_equal(truth.semantic == TABLE, IDS == 4)


def test_a_joined_label_of_two_of_our_categories_is_not_guessed(tmp_path):
    isaac.rgb(tmp_path)
    isaac.semantic(tmp_path, labels=isaac.LABELS | {"4": {"class": "floor, table"}})
    found = Dataset.open(tmp_path)
    assert "'floor, table' are not in the taxonomy" in found.absent["categories"]
    assert not found[0].truth.semantic.any()


def test_ids_clipped_at_16_bits_are_void_where_several_share_the_last(tmp_path):
    ids = np.where(IDS == 2, np.uint16(65535), IDS)
    paths = isaac.PATHS | {"65535": "/World/A", "70000": "/World/B"}
    isaac.rgb(tmp_path)
    isaac.instance(tmp_path, ids=ids, labels=isaac.LABELS | {"65535": {"class": "cup"}, "70000": {"class": "cup"}})
    isaac.js(tmp_path / "instance_segmentation_mapping_0000.json", paths)
    assert [r.body_name for r in Dataset.open(tmp_path)[0].truth.objects] == ["Bowl"]
    isaac.instance(tmp_path, ids=ids, labels=isaac.LABELS | {"65535": {"class": "cup"}})
    assert {r.visible_box_px for r in Dataset.open(tmp_path)[0].truth.objects} == {CUP_PX, BOWL_PX}


def test_leaf_prims_are_joined_under_the_labelled_prims_of_the_boxes(tmp_path):
    leaves = np.where(IDS == 2, np.where(np.arange(WIDTH) < 10, 2, 5), IDS).astype(np.uint16)
    isaac.rgb(tmp_path)
    isaac.png(tmp_path / "instance_id_segmentation_0000.png", leaves)
    mapping = {"2": "/World/Cup/body/mesh", "5": "/World/Cup/handle", "3": "/World/Bowl", "4": "/World/Cupboard"}
    isaac.js(tmp_path / "instance_id_segmentation_mapping_0000.json", mapping)
    assert "instances" in Dataset.open(tmp_path).absent
    isaac.boxes_2d(tmp_path, "tight", [(1, *CUP_PX, 0.0), (0, *BOWL_PX, 0.0)], ["/World/Cup", "/World/Bowl"])
    found = Dataset.open(tmp_path)
    assert "instances" not in found.absent
    assert "leaf prims" in found.remarks["instances"]
    assert {(r.body_name, r.visible_box_px) for r in found[0].truth.objects} == {("Cup", CUP_PX), ("Bowl", BOWL_PX)}


def test_depth_of_nothing_is_inf_in_files_that_write_0_too(tmp_path):
    isaac.rgb(tmp_path)
    isaac.depth(tmp_path, isaac.plane())
    with_inf = Dataset.open(tmp_path)
    assert "depth" not in with_inf.remarks
    depth_m = with_inf[0].truth.depth_m.copy()
    isaac.depth(tmp_path, np.where(np.isinf(isaac.plane()), 0, isaac.plane()))
    found = Dataset.open(tmp_path)
    np.testing.assert_array_equal(found[0].truth.depth_m, depth_m)
    assert np.isinf(depth_m[:5]).all()
    assert "0 is read as nothing there" in found.remarks["depth"]


def test_distance_becomes_depth_only_where_the_intrinsics_are_known(tmp_path):
    v, u = np.mgrid[:HEIGHT, :WIDTH] + 0.5  # pixel centres, continuous
    ray = np.sqrt(1 + ((u - WIDTH / 2) / isaac.FX) ** 2 + ((v - HEIGHT / 2) / isaac.FX) ** 2)
    isaac.rgb(tmp_path)
    isaac.depth(tmp_path, isaac.plane() * ray, "distance_to_camera")
    found = Dataset.open(tmp_path)
    assert found.absent["depth"] == "distance_to_camera cannot be turned into depth, no camera_params: depth is not scored"
    assert np.isnan(found[0].truth.depth_m).all()
    isaac.camera(tmp_path)
    found = Dataset.open(tmp_path)
    np.testing.assert_allclose(found[0].truth.depth_m, isaac.plane(), rtol=1e-6)
    assert "made of distance_to_camera" in found.remarks["depth"]


def test_the_camera_is_world_to_camera_for_row_vectors_with_centres_at_a_half(tmp_path):
    isaac.rgb(tmp_path)
    isaac.camera(tmp_path)
    camera = Dataset.open(tmp_path)[0].camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == pytest.approx((isaac.FX, isaac.FX, WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5))
    assert camera.world_from_camera.position_m == pytest.approx((0.1, 0.2, 3.0))
    forward = camera.world_from_camera.matrix()[:3, 2]
    np.testing.assert_allclose(forward, (0, 0, -1), atol=1e-12)
    assert (camera.near_m, camera.far_m) == (0.01, 1e6)


def test_stage_units_are_turned_into_metres_and_depth_is_metres_already(tmp_path):
    view = isaac.view_matrix()
    view[3, :3] *= 100
    isaac.rgb(tmp_path)
    isaac.depth(tmp_path, isaac.plane())
    isaac.instance(tmp_path)
    isaac.camera(tmp_path, cameraViewTransform=view.reshape(-1).tolist(), metersPerSceneUnit=0.01)
    transform = np.diag([2.0, 1.0, 1.0, 1.0])
    transform[3, :3] = 10, 20, 30
    isaac.boxes_3d(tmp_path, [isaac.box_3d((-5, -5, 0), (5, 5, 10), transform)], ["/World/Cup"])
    frame = Dataset.open(tmp_path)[0]
    assert frame.camera.world_from_camera.position_m == pytest.approx((0.1, 0.2, 3.0))
    cup = next(r for r in frame.truth.objects if r.body_name == "Cup")
    assert cup.box_world.size_m == pytest.approx((0.2, 0.1, 0.1))  # extents before the scale times the row norms
    assert cup.box_world.outer_from_box.position_m == pytest.approx((0.1, 0.2, 0.35))
    assert cup.world_from_body.position_m == pytest.approx((0.1, 0.2, 0.3))
    assert frame.truth.depth_m[20, 20] == 2.0


@pytest.mark.parametrize(("changed", "reason"), [
    ({"cameraModel": "fisheyePolynomial"}, 'its lens is "fisheyePolynomial"'), ({"cameraModel": "pinholeOpenCV"}, "its lens is"),
    ({"cameraProjection": np.diag([0.1, 0.1, 1e-6, 1.0]).reshape(-1).tolist()}, "not a perspective camera"),
])  # fmt: skip
def test_a_lens_that_is_no_pinhole_is_not_taken_for_one(tmp_path, changed, reason):
    isaac.rgb(tmp_path)
    isaac.camera(tmp_path, **changed)
    isaac.depth(tmp_path, isaac.plane(), "distance_to_camera")
    found = Dataset.open(tmp_path)
    assert reason in found.absent["cameras"]
    assert reason in found.absent["depth"]
    assert isinstance(found[0].camera, NominalCamera)


def test_pixel_boxes_are_inclusive_rows_are_in_any_order_and_minus_one_is_not_known(tmp_path):
    isaac.rgb(tmp_path)
    isaac.instance(tmp_path)
    isaac.boxes_2d(tmp_path, "tight", [(0, *BOWL_PX, -1.0), (1, *CUP_PX, 0.25)], ["/World/Bowl", "/World/Cup"])
    isaac.boxes_2d(tmp_path, "loose", [(1, 5, 10, 18, 19, 0.25), (0, *BOWL_PX, np.nan)], ["/World/Cup", "/World/Bowl"])
    bowl, cup = sorted(Dataset.open(tmp_path)[0].truth.objects, key=lambda record: record.body_name)
    assert (cup.visible_box_px, cup.amodal_box_px, cup.visible_fraction) == (CUP_PX, (5, 10, 18, 19), 0.75)
    assert (bowl.visible_box_px, bowl.amodal_box_px) == (BOWL_PX, BOWL_PX)
    assert np.isnan(bowl.visible_fraction)
    mask = Dataset.open(tmp_path)[0].truth.instance == cup.instance_id
    assert mask.sum() == (CUP_PX[2] - CUP_PX[0] + 1) * (CUP_PX[3] - CUP_PX[1] + 1)


def test_without_masks_the_boxes_still_make_objects(tmp_path):
    isaac.rgb(tmp_path)
    isaac.boxes_2d(tmp_path, "tight", [(0, *BOWL_PX, 0.0)], ["/World/Bowl"])
    found = Dataset.open(tmp_path)
    (bowl,) = found[0].truth.objects
    assert (bowl.category_id, bowl.visible_box_px, bowl.visible_fraction) == (BOWL, BOWL_PX, 1.0)
    assert not found[0].truth.instance.any()
    assert "things have no masks" in found.absent["instances"]


def test_hidden_objects_are_in_the_loose_and_the_3d_boxes_only(tmp_path):
    isaac.rgb(tmp_path)
    isaac.camera(tmp_path)
    isaac.instance(tmp_path)
    isaac.boxes_2d(tmp_path, "loose", [(1, 1, 2, 3, 4, 1.0)], ["/World/Behind"])
    world = np.eye(4)
    world[3, :3] = 0.1, 0.2, 0.0
    ends = (-0.1, -0.1, 0), (0.1, 0.1, 0.2)
    rows = [isaac.box_3d(*ends, world, 1, 1.0), isaac.box_3d(*ends, world, 0)]
    isaac.boxes_3d(tmp_path, rows, ["/World/Behind", "/World/Other"])
    objects = {r.body_name: r for r in Dataset.open(tmp_path)[0].truth.objects}
    assert objects["Behind"].visible_box_px is None
    assert (objects["Behind"].amodal_box_px, objects["Behind"].visible_fraction) == ((1, 2, 3, 4), 0.0)
    # Without a loose box, the pixels around the projected corners: 0.1 m at 2.8 m is 1.8 px.
    assert objects["Other"].amodal_box_px == (18, 13, 21, 16)


@pytest.mark.parametrize(("low", "rows", "why"), [
    ((0, 0, 0), np.eye(3), "without thickness"), ((-1, -1, -1), [[1, 0, 0], [1, 1, 0], [0, 0, 1]], "sheared"),
    ((np.nan, 0, 0), np.eye(3), "not finite"),
])  # fmt: skip
def test_boxes_that_are_none_are_left_out_and_counted(tmp_path, low, rows, why):
    transform = np.eye(4)
    transform[:3, :3] = rows
    isaac.rgb(tmp_path)
    isaac.camera(tmp_path)
    isaac.instance(tmp_path)
    isaac.boxes_3d(tmp_path, [isaac.box_3d(low, (0, 1, 1), transform)], ["/World/Cup"])
    found = Dataset.open(tmp_path)
    assert f"1 {why} and left out" in found.remarks["3D boxes"]
    assert not any(record.has_box for record in found[0].truth.objects)


def test_a_mirrored_prim_has_the_box_of_its_mirror_image(tmp_path):
    isaac.rgb(tmp_path)
    isaac.camera(tmp_path)
    isaac.instance(tmp_path)
    rows = [isaac.box_3d((0, 0, 0), (1, 2, 3), np.diag([-1.0, 1, 1, 1]))]
    isaac.boxes_3d(tmp_path, rows, ["/World/Cup"])
    cup = next(r for r in Dataset.open(tmp_path)[0].truth.objects if r.has_box)
    corners = cup.box_world.corners()
    np.testing.assert_allclose((corners.min(axis=0), corners.max(axis=0)), ((-1, 0, 0), (0, 2, 3)), atol=1e-9)


def test_boxes_in_the_world_are_no_truth_of_a_view_that_is_not_known(tmp_path):
    isaac.rgb(tmp_path)
    isaac.instance(tmp_path)
    isaac.boxes_3d(tmp_path, [isaac.box_3d((0, 0, 0), (1, 1, 1), np.eye(4))], ["/World/Cup"])
    found = Dataset.open(tmp_path)
    assert "the view is not known (no camera_params)" in found.absent["3D boxes"]
    assert not any(record.has_box for record in found[0].truth.objects)


@pytest.mark.parametrize(
    "names", [("DriverView", "TopView"), ("RenderProduct_Replicator", "RenderProduct_Replicator_01"), ("rgb", "a_rgb_1")]
)
@pytest.mark.parametrize("common", [False, True], ids=["folders", "common"])
def test_several_render_products_of_any_name_and_size(tmp_path, names, common):
    for name in names:
        for number in ("0000", "0001"):
            place = tmp_path / "flat"
            place.mkdir(exist_ok=True)
            isaac.rgb(place, number)
            isaac.semantic(place, number)
            for path in sorted(place.iterdir()):
                kind = "rgb" if path.name.startswith("rgb") else "semantic_segmentation"
                target = tmp_path / "out" / (f"{kind}/{name}_{path.name}" if common else f"{name}/{kind}/{path.name}")
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
    isaac.js(tmp_path / "out" / "metadata.txt", {"name": "BasicWriter", "version": "0.0.2", "replicator_global_seed:": 11})
    found = Dataset.open(tmp_path / "out")
    assert set(found.names) == {f"out/{number}/{name}" for number in ("0000", "0001") for name in names}
    assert "semantic labels" not in found.absent
    assert (found.manifest.seed, found.manifest.generator.backend_version) == (11, "0.0.2")
    assert all((frame.truth.semantic == TABLE).any() for frame in found)


def test_what_only_one_render_product_lacks_is_said_of_it(tmp_path):
    for name in ("A", "B"):
        isaac.rgb(tmp_path / name / "rgb")
    isaac.depth(tmp_path / "B" / "distance_to_image_plane", isaac.plane())
    found = Dataset.open(tmp_path)
    assert found.absent["depth"].endswith("(only of A)")
    assert [bool(np.isnan(frame.truth.depth_m).all()) for frame in found] == [True, False]


def test_files_of_several_writers_in_one_folder(tmp_path):
    for number in ("0000", "0001"):
        isaac.rgb(tmp_path, number)
        isaac.semantic(tmp_path, number)
    isaac.rgb(tmp_path, "000000")  # another writer pads to six and has no labels
    isaac.rgb(tmp_path / "Top" / "rgb", "0000")
    for name in ("bounding_box_2d_tight_fast_0000.png", "normals_0000.png", "overlay.png"):
        isaac.png(tmp_path / name, np.zeros((4, 4), np.uint8))
    (tmp_path / "pointcloud_rgb_0000.npy").write_bytes(b"\x93NUMPY")
    found = Dataset.open(tmp_path)
    assert set(found.names) == {f"{tmp_path.name}/{name}" for name in ("0000/view", "0001/view", "000000/view", "0000/Top")}
    assert "1 normals.png" in found.remarks["not read"]
    labelled = [name.partition("/")[2] for name, frame in zip(found.names, found, strict=True) if frame.truth.semantic.any()]
    assert labelled == ["0000/view", "0001/view"]
