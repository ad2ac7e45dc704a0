"""A written data set holds what other libraries see of the written stage through the written camera.

Rays judge depth, ids, pixel boxes and occlusion; OpenUSD's own queries judge cameras, 3D boxes and poses.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("embreex")
pytest.importorskip("pxr")

from numpy.testing import assert_allclose
from pxr import Usd, UsdGeom

from sim.generate import GenerateSpec, generate
from tests.sim.raycast import Picture, World, cast, compare, only, read_params, read_picture, read_world

SCENES = 2
VIEWS = 3
SIZE = (320, 240)
BOX_KEYS = ("x_min", "y_min", "x_max", "y_max")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("oracle") / "data"
    spec = GenerateSpec(suite="tabletop", out=out, frames=SCENES * VIEWS, split="test", seed=7, size=SIZE, workers=1)
    generate(spec, progress=False)
    return out


@pytest.fixture(scope="module")
def worlds(folder) -> list[World]:
    return [read_world(folder / "scenes" / f"scene_{k:06d}.usdc") for k in range(SCENES)]


@pytest.fixture(scope="module")
def written(folder) -> Picture:
    return read_picture(folder, 1)


@pytest.fixture(scope="module")
def seen(folder, worlds) -> Picture:
    return cast(worlds[0], read_params(folder, 1))


@pytest.mark.parametrize("number", range(SCENES * VIEWS))
def test_depth_and_ids_agree_with_ray_casting(folder, worlds, number):
    params = read_params(folder, number)
    assert tuple(params["renderProductResolution"]) == SIZE
    agreement = compare(read_picture(folder, number), cast(worlds[number // VIEWS], params))
    assert agreement.complaints() == [], agreement
    assert agreement.pixels > 0.5 * SIZE[0] * SIZE[1]


def _instances(picture: Picture) -> list[int]:
    """Returns the ids of the things that show, the largest last."""
    used, counts = np.unique(picture.ids, return_counts=True)
    return [int(k) for k in used[np.argsort(counts)] if picture.names[k][1].startswith("/World/")]


def test_the_frames_show_things_and_not_only_a_room(folder):
    assert all(len(_instances(read_picture(folder, k))) >= 2 for k in range(SCENES * VIEWS))


@pytest.mark.parametrize("number", range(SCENES * VIEWS))
def test_the_camera_of_the_stage_has_the_two_matrices_of_camera_params(folder, number):
    stage = Usd.Stage.Open(str(folder / "scenes" / f"scene_{number // VIEWS:06d}.usdc"))
    prim = stage.GetPrimAtPath("/World/Cameras").GetChildren()[number % VIEWS]
    frustum = UsdGeom.Camera(prim).GetCamera().frustum
    params = read_params(folder, number)
    assert_allclose(np.array(frustum.ComputeViewMatrix()).reshape(-1), params["cameraViewTransform"], atol=1e-9)
    projection = np.array(params["cameraProjection"]).reshape(4, 4)
    assert_allclose(np.diag(frustum.ComputeProjectionMatrix())[:2], np.diag(projection)[:2], rtol=1e-6)


def _box_rows(folder, kind: str, number: int):
    rows = np.load(folder / f"{kind}_{number:04d}.npy")
    paths = json.loads((folder / f"{kind}_prim_paths_{number:04d}.json").read_text())
    labels = json.loads((folder / f"{kind}_labels_{number:04d}.json").read_text())
    return [(row, path, labels[str(row["semanticId"])]["class"]) for row, path in zip(rows, paths, strict=True)]


def _pixel_box(mask: np.ndarray) -> list[int]:
    v, u = np.nonzero(mask)
    return [int(u.min()), int(v.min()), int(u.max()), int(v.max())]


@pytest.mark.parametrize("number", [0, 4])
def test_pixel_boxes_and_occlusion_agree_with_ray_casting(folder, worlds, number):
    world, params = worlds[number // VIEWS], read_params(folder, number)
    everything = cast(world, params)
    tight = {path: row for row, path, _ in _box_rows(folder, "bounding_box_2d_tight", number)}
    assert set(tight) == {everything.names[k][1] for k in _instances(everything)}
    for row, path, label in _box_rows(folder, "bounding_box_2d_loose", number):
        owner = world.paths.index(path)
        assert label == world.labels[owner]
        visible, amodal = everything.ids == owner, cast(only(world, owner), params).ids == 0
        assert_allclose([row[key] for key in BOX_KEYS], _pixel_box(amodal), atol=1)
        assert row["occlusionRatio"] == pytest.approx(1 - visible.sum() / amodal.sum(), abs=0.01 + 2 / amodal.sum())
        if path in tight:
            assert_allclose([tight[path][key] for key in BOX_KEYS], _pixel_box(visible), atol=1)


@pytest.mark.parametrize("number", [0, 4])
def test_boxes_in_3d_are_the_bounds_and_poses_of_the_stage(folder, worlds, number):
    stage = Usd.Stage.Open(str(folder / "scenes" / f"scene_{number // VIEWS:06d}.usdc"))
    world = worlds[number // VIEWS]
    rows = _box_rows(folder, "bounding_box_3d", number)
    assert len(rows) >= 2
    for row, path, _ in rows:
        world_from_body = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath(path)))
        assert_allclose(row["transform"], world_from_body, atol=1e-6)
        points = world.triangles[world.owner == world.paths.index(path)].reshape(-1, 3)
        in_body = (points - world_from_body[3, :3]) @ np.linalg.inv(world_from_body[:3, :3])
        assert_allclose([row[key] for key in ("x_min", "y_min", "z_min")], in_body.min(axis=0), atol=1e-6)
        assert_allclose([row[key] for key in ("x_max", "y_max", "z_max")], in_body.max(axis=0), atol=1e-6)


def _flipped(picture: Picture, axis: int) -> Picture:
    return replace(picture, depth_m=np.flip(picture.depth_m, axis), ids=np.flip(picture.ids, axis))


def _rolled(picture: Picture, axis: int) -> Picture:
    return replace(picture, ids=np.roll(picture.ids, 1, axis))


def _two_paths_swapped(picture: Picture) -> Picture:
    a, b = _instances(picture)[-2:]
    return replace(picture, ids=np.where(picture.ids == a, b, np.where(picture.ids == b, a, picture.ids)))


def _one_label_wrong(picture: Picture) -> Picture:
    largest = _instances(picture)[-1]
    names = [("wrong", path) if k == largest else (label, path) for k, (label, path) in enumerate(picture.names)]
    return replace(picture, names=tuple(names))


def _euclidean(picture: Picture) -> Picture:
    j, i = np.indices(picture.depth_m.shape)
    off_axis = np.hypot(i - SIZE[0] / 2, j - SIZE[1] / 2) / SIZE[0]
    return replace(picture, depth_m=picture.depth_m * np.sqrt(1 + off_axis**2))


WRONG_PICTURES = {
    "flipped up-down": (lambda p: _flipped(p, 0), "ids"),
    "flipped left-right": (lambda p: _flipped(p, 1), "ids"),
    "ids one pixel down": (lambda p: _rolled(p, 0), "edges"),
    "ids one pixel right": (lambda p: _rolled(p, 1), "edges"),
    "two instances swapped": (_two_paths_swapped, "ids"),
    "one label wrong": (_one_label_wrong, "ids"),
    "depth to the camera": (_euclidean, "median depth"),
    "depth half a millimetre off": (lambda p: replace(p, depth_m=p.depth_m + 5e-4), "median depth"),
}


@pytest.mark.parametrize("wrong", WRONG_PICTURES)
def test_a_wrong_picture_is_caught(written, seen, wrong):
    spoil, complaint = WRONG_PICTURES[wrong]
    agreement = compare(spoil(written), seen)
    assert complaint in agreement.complaints(), agreement


@pytest.mark.parametrize("shift_px", [(0.25, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.25)], ids=str)
def test_a_fraction_of_a_pixel_is_caught_by_the_outlines(folder, worlds, written, shift_px):
    agreement = compare(written, cast(worlds[0], read_params(folder, 1), shift_px=shift_px))
    assert "edges" in agreement.complaints(), agreement


WRONG_CAMERAS = {
    "view inverted": ("cameraViewTransform", np.linalg.inv),
    "view transposed": ("cameraViewTransform", lambda v: np.block([[v[:3, :3].T, v[:3, 3:]], [v[3:]]])),
    "axes of OpenCV": ("cameraViewTransform", lambda v: v @ np.diag([1.0, -1.0, -1.0, 1.0])),
    "focal length 0.5 % off": ("cameraProjection", lambda p: p @ np.diag([1.005, 1.005, 1.0, 1.0])),
    "centre half a pixel off": ("cameraProjection", lambda p: p + np.outer([0, 0, 1, 0], [1 / SIZE[0], 0, 0, 0])),
    "turned by a thousandth": ("cameraViewTransform", lambda v: v @ _turned(1e-3)),
}


def _turned(angle_rad: float) -> np.ndarray:
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle_rad), np.sin(angle_rad)], [-np.sin(angle_rad), np.cos(angle_rad)]]
    return turn


@pytest.mark.parametrize("wrong", WRONG_CAMERAS)
def test_a_wrong_camera_is_caught(folder, worlds, written, wrong):
    key, change = WRONG_CAMERAS[wrong]
    params = read_params(folder, 1)
    params[key] = change(np.array(params[key]).reshape(4, 4)).reshape(-1).tolist()
    agreement = compare(written, cast(worlds[0], params))
    assert agreement.complaints(), agreement


def test_the_camera_of_the_next_view_is_caught(folder, worlds, written):
    agreement = compare(written, cast(worlds[0], read_params(folder, 2)))
    assert "ids" in agreement.complaints(), agreement


def test_a_body_that_moved_five_millimetres_is_caught(folder, worlds, written):
    moved = worlds[0].paths.index(written.names[_instances(written)[-1]][1])
    triangles = worlds[0].triangles + np.where(worlds[0].owner == moved, 0.005, 0.0)[:, None, None]
    agreement = compare(written, cast(replace(worlds[0], triangles=triangles), read_params(folder, 1)))
    assert agreement.complaints(), agreement
