"""Frames through a lens: where the lens draws things, labels that hold together, and rays cast by someone else."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scenes.camera import Camera, focal_px, look_at
from scenes.distortion import Distortion
from scenes.errors import BackendError, SensorError
from scenes.taxonomy import TAXONOMY
from scenes.usd import write_stage
from sim._lens import lens_of
from sim.backend import Backend, open_backend
from sim.basicwriter import decode_frame, encode_frame
from sim.realize import realize
from tests.sim import raycast

BARREL = (-0.3, 0.09, 0.002, -0.0015, -0.01)
PINCUSHION = (0.15, 0.05, -0.001, 0.001)


@pytest.fixture(scope="module")
def backend():
    opened = open_backend()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def scene(backend: Backend):
    return realize(backend, "tabletop", split="test", seed=0, index=3)[0]


def with_lens(camera: Camera, coefficients: tuple[float, ...], size: tuple[int, int] = (240, 180)) -> Camera:
    return replace(camera.resized(*size), distortion=Distortion(coefficients=coefficients))


@pytest.mark.parametrize("coefficients", [BARREL, PINCUSHION], ids=["barrel", "pincushion"])
def test_ids_and_depth_are_those_of_rays_that_another_casts(tmp_path, backend, scene, coefficients):
    write_stage(scene, tmp_path / "scene.usdc")
    world = raycast.read_world(tmp_path / "scene.usdc")
    camera = with_lens(scene.cameras[0], coefficients)
    truth = backend.render(camera).truth
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-14)
    pixels = np.stack([u, v], axis=-1).reshape(-1, 1, 2)
    rays = cv2.undistortPoints(pixels, camera.matrix, np.array(coefficients), criteria=criteria)[:, 0]
    direction = np.c_[rays, np.ones(len(rays))] @ camera.world_from_camera.matrix()[:3, :3].T
    depth_m, owner = raycast._first_hit(world, np.array(camera.world_from_camera.position_m), direction)
    depth_m, owner = depth_m.reshape(v.shape), owner.reshape(v.shape)
    label = np.array([TAXONOMY.named(name).id for name in world.labels], dtype=np.uint8)[owner]
    inner = cv2.erode((_flat(owner) & (depth_m < camera.far_m)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert inner.mean() > 0.8
    assert (truth.semantic == label)[inner].mean() >= 0.9995
    error_m = np.abs(truth.depth_m - depth_m)[inner]
    assert np.median(error_m) < 1e-5, "a plane's depth is carried to the pixel's own ray"
    assert np.percentile(error_m, 99) < 1e-3


def _flat(owner):
    """Returns the pixels whose eight neighbours have the same owner."""
    image = owner.astype(np.float32)
    square = np.ones((3, 3), np.uint8)
    return cv2.dilate(image, square) == cv2.erode(image, square)


def test_a_lens_that_does_nothing_gives_the_labels_of_the_pinhole(backend, scene):
    pinhole = scene.cameras[1].resized(240, 180)
    through = with_lens(scene.cameras[1], (1e-15, 0.0, 0.0, 0.0))
    straight, bent = backend.render(pinhole), backend.render(through)
    assert (straight.truth.semantic != bent.truth.semantic).mean() < 1e-4
    for a, b in zip(straight.truth.objects, bent.truth.objects, strict=True):
        assert a.body_name == b.body_name
        assert a.visible_fraction == pytest.approx(b.visible_fraction, abs=0.02)
        np.testing.assert_allclose(a.amodal_box_px, b.amodal_box_px, atol=1)
    assert np.abs(straight.rgb.astype(int) - bent.rgb).mean() < 2.5


def test_boxes_are_those_of_the_masks_and_survive_the_disk(backend, scene):
    frame = backend.render(with_lens(scene.cameras[2], BARREL))
    truth = frame.truth
    assert len(truth.objects) >= 4
    for record in truth.objects:
        v, u = np.nonzero(truth.instance == record.instance_id)
        box = (int(u.min()), int(v.min()), int(u.max()), int(v.max())) if len(u) else None
        assert record.visible_box_px == box
        if box is not None:
            assert np.all(np.array(record.amodal_box_px[:2]) <= box[:2])
            assert np.all(np.array(record.amodal_box_px[2:]) >= box[2:])
    files = encode_frame(frame, 0)
    assert b'"cameraModel": "pinholeOpenCV"' in files["camera_params_0000.json"]
    assert decode_frame(0, files.__getitem__).camera == frame.camera


def test_hidden_parts_are_seen_through_the_lens_too(backend, scene):
    """The amodal box of a hidden thing holds the pixels that the pinhole's amodal box is bent to."""
    pinhole = scene.cameras[0].resized(240, 180)
    bent = {r.body_name: r for r in backend.render(with_lens(scene.cameras[0], (-0.1, 0.0, 0.0, 0.0))).truth.objects}
    hidden = [r for r in backend.render(pinhole).truth.objects if 0.05 < r.visible_fraction < 0.95]
    inside = [r for r in hidden if min(r.amodal_box_px[:2]) > 0 and r.amodal_box_px[2] < 239 and r.amodal_box_px[3] < 179]
    assert inside
    for record in inside:
        assert bent[record.body_name].visible_fraction == pytest.approx(record.visible_fraction, abs=0.04)


def test_every_pixel_has_a_sample_inside_the_wide_picture():
    camera = Camera(
        name="c", width=321, height=200, fx=300.0, fy=310.0, cx=140.0, cy=110.0, distortion=Distortion(coefficients=BARREL),
        world_from_camera=look_at(np.array([1.0, 0, 1]), np.zeros(3)),
    )  # fmt: skip
    lens = lens_of(camera)
    assert lens.wide.name == "c"
    assert lens.wide.world_from_camera == camera.world_from_camera
    assert lens.column.min() >= 1
    assert lens.row.min() >= 1
    assert lens.column.max() <= lens.wide.width - 2
    assert lens.row.max() <= lens.wide.height - 2
    u = lens.column - lens.wide.cx
    np.testing.assert_allclose(u / lens.wide.fx, lens.ray_x, atol=0.5 / lens.wide.fx + 1e-12)


def test_a_straight_edge_bends_as_the_formula_says():
    camera = Camera(
        name="c", width=320, height=240, fx=250.0, fy=250.0, cx=159.5, cy=119.5,
        world_from_camera=look_at(np.ones(3), np.zeros(3)), distortion=Distortion(coefficients=(-0.25, 0.05, 0.0, 0.0)),
    )  # fmt: skip
    lens = lens_of(camera)
    y_of_line = 0.3
    wide = np.zeros((lens.wide.height, lens.wide.width, 3), dtype=np.uint8)
    wide[round(y_of_line * lens.wide.fy + lens.wide.cy) :] = 255
    image = lens.image(wide)[..., 0].astype(np.float64)
    edge_v = camera.height - image.sum(axis=0) / 255 - 0.5
    x = np.linspace(-1.0, 1.0, 4000)
    drawn = camera.project(np.stack([x, np.full_like(x, y_of_line), np.ones_like(x)], axis=-1))
    expected_v = np.interp(np.arange(320), drawn[:, 0], drawn[:, 1])
    np.testing.assert_allclose(edge_v, expected_v, atol=0.3)
    assert np.ptp(edge_v) > 4, "the line is visibly bent"


def test_a_lens_that_folds_the_picture_is_refused(backend):
    camera = with_lens(_camera(fov_deg=100), (-0.6, 0.0, 0.0, 0.0))
    with pytest.raises(SensorError, match=r"folds the picture: \d+\.\d% of the image 240x180 has no ray"):
        lens_of(camera)


def test_a_pinhole_pass_refuses_a_lens():
    from sim.mujoco.render import _set_eye

    with pytest.raises(BackendError, match="has a lens"):
        _set_eye(None, with_lens(_camera(), BARREL))  # type: ignore[arg-type]  # refused before it is used


def _camera(fov_deg: float = 60.0) -> Camera:
    focal = focal_px(640, np.radians(fov_deg))
    pose = look_at(np.array([1.0, 0, 1]), np.zeros(3))
    return Camera(name="c", width=640, height=480, fx=focal, fy=focal, cx=319.5, cy=239.5, world_from_camera=pose)
