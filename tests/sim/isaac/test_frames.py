"""How a capture becomes a frame: fresh or refused, ids by their maps, depth of nothing, raw annotations, render products."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.errors import BackendError
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim.annotators.registry import ANNOTATORS as OURS
from sim.isaac.annotate import label_of, poses_of, read_depth, read_maps
from sim.isaac.backend import IsaacBackend
from sim.isaac.products import ANNOTATORS, assert_whole
from sim.isaac.raw import RAW
from sim.isaac.settings import IsaacSettings
from tests.sim.backend_conformance import record, tilted_camera
from tests.sim.isaac.fake_replicator import installed
from tests.sim.little_scenes import block, camera_above, floor, scene_of

SCENE = scene_of(floor(), block("mug_01", (0.015, 0.012, 0.01), (0, 0, 0.01), "cup", dynamic=True))
CAMERA = camera_above(1.0)


@pytest.fixture(scope="module")
def kit():
    with installed() as fake:
        yield fake


@pytest.fixture
def backend(kit):
    made = IsaacBackend(IsaacSettings(rt_subframes=4))
    made.load(SCENE)
    kit.steps.clear()
    kit.stale_steps, kit.stale_pixels_only = 0, False
    yield made
    made.close()


def moved(x_m: float) -> dict[str, Pose]:
    return {"mug_01": Pose((x_m, 0.02, 0.01))}


@pytest.mark.parametrize("pixels_only", [False, True], ids=["all late", "pixels late"])
def test_a_stale_capture_is_taken_again(backend, kit, pixels_only):
    before = backend.render(CAMERA)
    backend.place(moved(0.05))
    kit.stale_steps, kit.stale_pixels_only = 2, pixels_only
    after = backend.render(CAMERA)
    assert len(kit.steps) == 4  # one, then two stale and one fresh
    assert record(after, "mug_01").visible_box_px[0] > record(before, "mug_01").visible_box_px[0] + 2


@pytest.mark.parametrize(
    ("pixels_only", "said"), [(False, "bounding_box_3d has /World/mug_01 0.0"), (True, "depth does not show mug_01")]
)
def test_a_world_that_stays_stale_is_refused_with_what_is_old(backend, kit, pixels_only, said):
    backend.render(CAMERA)
    backend.place(moved(0.05))
    kit.stale_steps, kit.stale_pixels_only = 9, pixels_only
    with pytest.raises(BackendError, match=f"older world in 3 captures .*{said}"):
        backend.render(CAMERA)


def test_a_stale_camera_is_refused(backend, kit):
    backend.render(CAMERA)
    kit.stale_steps = 9
    with pytest.raises(BackendError, match=r"camera_params has the camera 0\.3"):
        backend.render(camera_above(1.3))


def test_a_picture_that_was_not_drawn_is_refused(backend, monkeypatch):
    monkeypatch.setattr("tests.sim.isaac.fake_replicator.replicator.annotation", zeros_for)
    with pytest.raises(BackendError, match="depth agrees with rays on 0%"):
        backend.render(CAMERA)


def zeros_for(name, shot, kit):
    from tests.sim.isaac.fake_replicator.annotators import annotation

    value = annotation(name, shot, kit)
    return np.zeros_like(value) if name == "distance_to_image_plane" else value


def test_depth_of_nothing_is_inf_and_what_is_no_distance_is_refused():
    depth_m = np.array([[1.0, np.inf, 0.0], [9.0, 11.0, 0.5]], dtype=np.float32)
    found = read_depth(depth_m, (2, 3), far_m=10.0)
    np.testing.assert_array_equal(found, [[1.0, np.inf, np.inf], [9.0, np.inf, 0.5]])
    for wrong in (-1.0, np.nan, -np.inf):
        depth_m[0, 0] = wrong
        with pytest.raises(BackendError, match="1 pixels that are no distance"):
            read_depth({"data": depth_m, "info": {}}, (2, 3), far_m=10.0)
    with pytest.raises(BackendError, match=r"should be float32 \(2, 2\)"):
        read_depth(depth_m, (2, 2), far_m=10.0)


def data_of(ids, semantic, instance, leaves):
    """Returns a capture of 1 x 3 pixels with given maps."""
    image = np.array([ids], dtype=np.uint32)
    maps = {"semantic_segmentation": semantic, "instance_segmentation": instance, "instance_id_segmentation": leaves}
    return {
        "rgb": np.zeros((1, 3, 4), np.uint8), "distance_to_image_plane": np.array([[1.0, 1.0, np.inf]], np.float32),
        **{name: {"data": image, "info": {"idToLabels": labels}} for name, labels in maps.items()},
    }  # fmt: skip


TINY = camera_above(1.0).resized(3, 1)
FLOOR, CUP = TAXONOMY.named("floor").id, TAXONOMY.named("cup").id
PATHS = {"7": "/World/mug_01", "40": "/World/floor"}
LEAVES = {7: "/World/mug_01/all", 40: "/World/floor/all"}


@pytest.mark.parametrize("keys", [str, int], ids=["keys str", "keys int"])
@pytest.mark.parametrize("word", ["cup", "CUP", "Cup, cup"])
def test_ids_mean_what_their_maps_say_in_any_case(keys, word):
    semantic = {keys(7): {"class": word}, keys(40): {"class": "Floor"}, keys(0): {"class": "BACKGROUND"}}
    maps = read_maps(data_of([7, 40, 40], semantic, PATHS, LEAVES), SCENE, TINY)
    np.testing.assert_array_equal(maps.semantic, [[CUP, FLOOR, 0]])  # the last pixel shows nothing
    np.testing.assert_array_equal(maps.body, [[2, 1, 0]])


def test_background_and_unlabelled_may_be_missing_from_a_map_but_others_may_not():
    semantic = {7: {"class": "cup"}}
    maps = read_maps(data_of([7, 1, 0], semantic, PATHS, LEAVES), SCENE, TINY)
    np.testing.assert_array_equal(maps.semantic, [[CUP, 0, 0]])
    with pytest.raises(BackendError, match=r"pixels of ids \[40\], which its map idToLabels does not name"):
        read_maps(data_of([7, 40, 0], semantic, PATHS, LEAVES), SCENE, TINY)


def test_large_ids_are_read_like_small_ones():
    many = 4_000_000_000
    semantic = {many: {"class": "cup"}, 40: {"class": "floor"}}
    paths, leaves = {many: "/World/mug_01", 40: "/World/floor"}, {many: "/World/mug_01/all", 40: "/World/floor/all"}
    maps = read_maps(data_of([many, 40, 40], semantic, paths, leaves), SCENE, TINY)
    np.testing.assert_array_equal(maps.part, [[2, 1, 0]])


def test_labels_of_two_classes_are_refused():
    assert label_of("semantic_segmentation", {"class": " Cup "}) == "cup"
    assert label_of("semantic_segmentation", {}) == "unlabelled"
    with pytest.raises(BackendError, match="label one prim per object"):
        label_of("semantic_segmentation", {"class": "cup,table"})


def test_transforms_are_row_vector_and_no_box_is_no_error():
    assert poses_of({"data": np.zeros(0), "info": {}}) == {}
    dtype = [("transform", "<f4", (4, 4))]
    row = np.eye(4)
    row[3, :3] = 1, 2, 3
    value = {"data": np.array([(row,)], dtype=dtype), "info": {"primPaths": ["/World/a"]}}
    np.testing.assert_array_equal(poses_of(value)["/World/a"][:3, 3], [1, 2, 3])
    value["info"]["primPaths"] = []
    with pytest.raises(BackendError, match="1 boxes and 0 prim paths"):
        poses_of(value)


@pytest.mark.parametrize("value", [None, np.zeros(0), {"data": None, "info": {}}], ids=["none", "empty", "data none"])
def test_an_annotator_that_gives_nothing_is_named(value):
    with pytest.raises(BackendError, match="distance_to_image_plane gave nothing: use one GPU"):
        assert_whole({"distance_to_image_plane": value})


def test_raw_annotations_are_replicators_own(backend, kit):
    assert not RAW.keys() & ANNOTATORS.keys()
    assert RAW.keys() | ANNOTATORS.keys() <= OURS.keys()
    frame = backend.render(CAMERA)
    raw = backend.annotations(CAMERA)
    assert set(raw) == RAW.keys() | ANNOTATORS.keys()
    array, labels, paths = raw["bounding_box_2d_tight"]
    row = array[paths.index("/World/mug_01")]
    assert tuple(int(row[k]) for k in ("x_min", "y_min", "x_max", "y_max")) == record(frame, "mug_01").visible_box_px
    assert row["occlusionRatio"] == -1  # as it comes, not as we would have it
    assert labels[str(row["semanticId"])] == {"class": "cup"}
    assert raw["pointcloud"].points.shape[1] == 3
    assert raw["occlusion"].dtype.names == ("instanceId", "semanticId", "occlusionRatio")
    # Once attached, a capture has them at once, and motion is that of the first of its subframes.
    backend.place(moved(0.05))
    kit.steps.clear()
    backend.render(CAMERA)
    raw = backend.annotations(CAMERA)
    assert [s["rt_subframes"] for s in kit.steps] == [1, 4]
    mug = raw["instance_segmentation"].ids == int(next(k for k, v in raw["instance_segmentation"].maps[0].items() if "mug" in v))
    found = raw["motion_vectors"][mug]
    assert np.median(found[:, 0]) == pytest.approx(-0.05 * CAMERA.fx / 0.98, abs=0.5)


def test_a_camera_that_is_drawn_otherwise_has_no_raw_annotations(backend):
    backend.render(tilted_camera())
    assert backend.annotations(tilted_camera()) == {}


def test_the_camera_prim_is_right_for_every_reader_of_it(backend, kit):
    camera = camera_above().resized(96, 40)
    backend.render(camera)
    prim = kit.stage.GetPrimAtPath("/World/RehearseCameras/above")
    got = {name: prim.GetAttribute(name).Get() for name in (
        "focalLength", "horizontalAperture", "verticalAperture", "horizontalApertureOffset", "verticalApertureOffset", "fStop",
    )}  # fmt: skip
    wide = got["horizontalAperture"]
    assert got["focalLength"] / wide * 96 == pytest.approx(camera.fx, rel=1e-6)
    assert got["verticalAperture"] == pytest.approx(wide * 40 / 96, rel=1e-6)  # RTX ignores it, isaacsim's Camera does not
    assert (got["horizontalApertureOffset"], got["verticalApertureOffset"], got["fStop"]) == (0, 0, 0)
    assert tuple(prim.GetAttribute("clippingRange").Get()) == pytest.approx((camera.near_m, camera.far_m))


def test_render_products_are_named_bounded_and_destroyed_before_the_next_stage(backend, kit):
    for k in range(11):
        backend.render(camera_above().resized(32 + k, 24))
    assert kit.alive_products == 8
    assert kit.annotators_attached == 8 * len(ANNOTATORS)
    backend.load(SCENE)  # the fake refuses to open a stage while any is alive
    assert (kit.alive_products, kit.annotators_attached) == (0, 0)


def test_two_backends_share_the_one_stage(backend, kit):
    other = IsaacBackend()
    first = backend.render(CAMERA)
    other.load(scene_of(floor(), index=1))
    assert not other.render(CAMERA).truth.objects
    again = backend.render(CAMERA)  # its stage is opened anew
    assert again.truth.objects == first.truth.objects
    other.close()
