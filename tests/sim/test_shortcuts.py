"""What makes frames cheaper changes no label: each shortcut against the long way, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.box import OrientedBox
from scenes.suites import make_scene
from scenes.transforms import Pose, inverse, quaternion_about
from sim._labels import instance_to_ids, semantic_to_ids
from sim._lookup import look_up, values_in
from sim._object_truth import may_hide
from sim._png import decode_ids, decode_rgb, encode_ids, encode_rgb
from sim.backend import open_backend
from sim.basicwriter import encode_frame
from sim.mujoco.surfaces import Surfaces
from tests.sim.fake_frames import make_frame
from tests.sim.little_scenes import camera_above


@pytest.fixture(scope="module")
def backend():
    started = open_backend("mujoco")
    yield started
    started.close()


@pytest.mark.parametrize("index", range(2))
def test_one_sample_a_pixel_gives_the_labels_of_four(backend, monkeypatch, index):
    scene = make_scene("tabletop", split="val", seed=3, index=index)
    cameras = [c.resized(320, 240) for c in scene.cameras]

    def labels() -> list[dict[str, bytes]]:
        backend.load(scene)
        files = [encode_frame(backend.render(camera), 0) for camera in cameras]
        return [{name: data for name, data in f.items() if not name.startswith("rgb")} for f in files]

    quick = labels()
    use, most = Surfaces.use, int(backend._loaded().canvas()._samples)
    monkeypatch.setattr(Surfaces, "use", lambda self, _, *size: use(self, most, *size))
    assert labels() == quick


def test_going_back_and_forth_between_surfaces_changes_nothing(backend):
    scene = make_scene("tabletop", split="val", seed=3, index=2)
    backend.load(scene)
    small, large = scene.cameras[0].resized(160, 120), scene.cameras[0].resized(800, 600)
    first = encode_frame(backend.render(small), 0)
    for camera in (large, small, large):
        again = encode_frame(backend.render(camera), 0)
        if camera is small:
            assert again == first
    assert encode_frame(backend.render(small), 0) == first


def hides_the_long_way(camera, box_world, window, depth_m, other):
    """The slab test at every pixel of the window, as it was first written."""
    left, top, width, height = window
    x = (np.arange(left, left + width) - camera.cx) / camera.fx
    y = (np.arange(top, top + height) - camera.cy) / camera.fy
    box_from_camera = inverse(box_world.outer_from_box.matrix()) @ camera.world_from_camera.matrix()
    rotation, origin = box_from_camera[:3, :3], box_from_camera[:3, 3]
    enter, leave = np.full((height, width), camera.near_m), np.full((height, width), camera.far_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in range(3):
            along = rotation[axis, 0] * x[None] + rotation[axis, 1] * y[:, None] + rotation[axis, 2]
            half = box_world.size_m[axis] / 2 + 1e-5
            first, second = (-half - origin[axis]) / along, (half - origin[axis]) / along
            enter = np.fmax(enter, np.fmin(first, second))
            leave = np.fmin(leave, np.fmax(first, second))
    return other & (leave >= enter) & (leave > depth_m)


@pytest.mark.parametrize("seed", range(6))
def test_only_the_pixels_that_could_matter_are_worth_a_ray(seed):
    rng = np.random.default_rng(seed)
    camera = camera_above(1.1)
    x, y, z = (float(v) for v in rng.uniform(-0.05, 0.05, 3))
    turn = quaternion_about(rng.normal(size=3).tolist(), float(rng.uniform(0, 3)))
    box = OrientedBox(Pose((x, y, z), turn), (0.06, 0.04, 0.08))
    depth = rng.uniform(0.9, 1.3, (48, 64)).astype(np.float32)
    depth[rng.random(depth.shape) < 0.1] = np.inf
    other = rng.random(depth.shape) < 0.7
    arguments = camera, box, (0, 0, 64, 48), depth, other
    np.testing.assert_array_equal(may_hide(*arguments), hides_the_long_way(*arguments))


@pytest.mark.parametrize("ids_dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("table_dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [1, 7, 256])
def test_looking_up_is_indexing(rng, ids_dtype, table_dtype, size):
    table = rng.integers(0, 200, size).astype(table_dtype)
    ids = rng.integers(0, size, (13, 17)).astype(ids_dtype)
    found = look_up(table, ids)
    assert found.dtype == table_dtype
    np.testing.assert_array_equal(found, table[ids])
    if ids_dtype is np.uint8:
        assert values_in(ids) == np.unique(ids).tolist()


def test_ids_of_files_are_those_of_the_definition(rng):
    truth = make_frame(rng).truth
    unlabelled = np.isfinite(truth.depth_m).astype(np.uint16)
    semantic, _ = semantic_to_ids(truth.semantic, truth.depth_m)
    np.testing.assert_array_equal(semantic, np.where(truth.semantic > 0, truth.semantic.astype(np.uint16) + 1, unlabelled))
    instance, _, _ = instance_to_ids(truth.instance, truth.depth_m, truth.objects)
    np.testing.assert_array_equal(instance, np.where(truth.instance > 0, truth.instance + 1, unlabelled))


def test_one_filter_a_picture_loses_nothing(rng):
    ids = rng.integers(0, 1 << 16, (31, 47)).astype(np.uint16)
    rgb = rng.integers(0, 256, (31, 47, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode_ids(encode_ids(ids)), ids)
    np.testing.assert_array_equal(decode_rgb(encode_rgb(rgb)), rgb)
