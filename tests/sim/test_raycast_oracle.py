"""Depth and ids in a written data set are what another library sees of the written stage through the written camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("embreex")
pytest.importorskip("pxr")

from sim.generate import GenerateSpec, generate
from tests.sim.raycast import Picture, World, cast, compare, read_params, read_picture, read_world

SCENES = 2
VIEWS = 3
SIZE = (320, 240)


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
