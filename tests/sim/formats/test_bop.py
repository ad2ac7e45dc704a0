"""BOP by its document: millimetres, K and poses that put the model onto its mask, depth steps, and our visible fractions."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from scenes.errors import BackendError
from sim.convert import ConvertSpec, convert
from sim.formats.bop import depth_steps
from sim.formats.bop_models import diameter

trimesh = pytest.importorskip("trimesh")


def read(path):
    return json.loads(path.read_bytes())


def scenes_of(folder, dataset):
    """Yields (scene folder, view, frame) of every image."""
    for number, frame in enumerate(dataset):
        yield folder / "test" / f"{number // 3:06d}", number % 3, frame


def test_models_reproject_onto_their_masks(converted, dataset):
    folder = converted("bop")
    checked = 0
    for scene, view, frame in scenes_of(folder, dataset):
        camera = read(scene / "scene_camera.json")[str(view)]
        K = np.array(camera["cam_K"]).reshape(3, 3)
        np.testing.assert_array_equal(K, frame.camera.matrix)
        for k, row in enumerate(read(scene / "scene_gt.json")[str(view)]):
            mesh = trimesh.load(folder / "models" / f"obj_{row['obj_id']:06d}.ply", process=False)
            R, t = np.array(row["cam_R_m2c"]).reshape(3, 3), np.array(row["cam_t_m2c"])
            p = mesh.vertices @ R.T + t
            mask = cv2.imread(str(scene / "mask" / f"{view:06d}_{k:06d}.png"), cv2.IMREAD_UNCHANGED) > 0
            uv = (p @ K.T)[:, :2] / p[:, 2:]
            low = np.clip(np.floor(uv.min(0)).astype(int) - 2, 0, None)
            high = np.clip(np.ceil(uv.max(0)).astype(int) + 3, 0, (160, 120))
            part = np.s_[low[1] : high[1], low[0] : high[0]]
            assert mask.sum() == mask[part].sum()
            v, u = (axis.reshape(-1).astype(float) for axis in np.mgrid[part])
            rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones_like(u)], axis=-1)
            placed = trimesh.Trimesh(p, mesh.faces, process=False)
            hit = placed.ray.intersects_any(np.zeros_like(rays), rays)
            assert (hit != mask[part].reshape(-1)).sum() <= 2 + 0.02 * mask.sum()
            checked += 1
    assert checked > 20


def test_gt_info_is_ours(converted, dataset):
    folder = converted("bop")
    hidden = 0
    for scene, view, frame in scenes_of(folder, dataset):
        depth = cv2.imread(str(scene / "depth" / f"{view:06d}.png"), cv2.IMREAD_UNCHANGED)
        for k, (info, record) in enumerate(
            zip(read(scene / "scene_gt_info.json")[str(view)], frame.truth.objects, strict=True)
        ):
            name = f"{view:06d}_{k:06d}.png"
            whole = cv2.imread(str(scene / "mask" / name), cv2.IMREAD_UNCHANGED)
            visible = cv2.imread(str(scene / "mask_visib" / name), cv2.IMREAD_UNCHANGED)
            assert set(np.unique(whole)) <= {0, 255}
            assert ((visible > 0) == (frame.truth.instance == record.instance_id)).all()
            assert not ((visible > 0) & (whole == 0)).any()
            assert info["visib_fract"] == record.visible_fraction
            x0, y0, x1, y1 = record.amodal_box_px
            assert info["bbox_obj"] == [x0, y0, x1 - x0 + 1, y1 - y0 + 1]
            assert info["px_count_all"] == (whole > 0).sum()
            assert info["px_count_visib"] == (visible > 0).sum()
            assert info["px_count_valid"] == ((whole > 0) & (depth > 0)).sum()
            hidden += record.visible_fraction < 1
    assert hidden > 3


def test_depth_is_within_half_a_step(converted, dataset):
    for scene, view, frame in scenes_of(converted("bop"), dataset):
        depth = cv2.imread(str(scene / "depth" / f"{view:06d}.png"), cv2.IMREAD_UNCHANGED)
        scale = read(scene / "scene_camera.json")[str(view)]["depth_scale"]
        assert depth.dtype == np.uint16
        finite = np.isfinite(frame.truth.depth_m)
        assert np.abs(depth[finite] * scale - frame.truth.depth_m[finite] * 1000.0).max() <= scale / 2 + 1e-3
        assert (depth[~finite] == 0).all()


@pytest.mark.parametrize(("farthest_m", "scale"), [(6.5, 0.1), (6.56, 0.2), (20.0, 0.5), (60.0, 1.0), (99.0, 1.0)])
def test_the_finest_depth_step_that_reaches_is_taken(farthest_m, scale):
    depth, chosen = depth_steps(np.array([[0.5, farthest_m, np.inf]], dtype=np.float32))
    assert chosen == scale
    assert depth[0, 0] == round(500 / scale)
    assert depth[0, 2] == 0
    assert depth[0, 1] == (0 if farthest_m > 65.535 else round(farthest_m * 1000 / scale))


def test_models_are_centred_millimetres_and_their_info_is_right(converted):
    folder = converted("bop") / "models"
    info = read(folder / "models_info.json")
    assert len(info) == len(list(folder.glob("*.ply"))) == len(read(folder / "categories.json"))
    for key, row in info.items():
        mesh = trimesh.load(folder / f"obj_{int(key):06d}.ply", process=False)
        low, high = mesh.bounds
        np.testing.assert_allclose(low, [row["min_x"], row["min_y"], row["min_z"]], atol=1e-3)
        np.testing.assert_allclose(high - low, [row["size_x"], row["size_y"], row["size_z"]], atol=1e-3)
        np.testing.assert_allclose(low, -high, atol=1e-3)
        assert 10 < row["diameter"] < 600
        assert row["diameter"] <= np.linalg.norm(high - low) + 1e-3
        np.testing.assert_allclose(np.linalg.norm(mesh.vertex_normals, axis=1), 1, atol=1e-2)


def test_the_diameter_is_the_farthest_pair(rng):
    points = rng.normal(size=(300, 3)) * (1, 3, 0.2)
    brute = np.linalg.norm(points[:, None] - points[None], axis=-1).max()
    assert diameter(points) == pytest.approx(brute, rel=1e-12)


def test_world_poses_agree_between_views(converted, dataset):
    """The object's pose in the world, from two cameras of a scene, is one pose."""
    scene = converted("bop") / "test" / "000000"
    cameras, gt = read(scene / "scene_camera.json"), read(scene / "scene_gt.json")
    at: dict[int, list[np.ndarray]] = {}
    for view, rows in gt.items():
        R = np.array(cameras[view]["cam_R_w2c"]).reshape(3, 3)
        t = np.array(cameras[view]["cam_t_w2c"])
        for row in rows:
            at.setdefault(row["obj_id"], []).append(R.T @ (np.array(row["cam_t_m2c"]) - t))
    shared = [places for places in at.values() if len(places) > 1]
    assert shared
    for places in shared:
        np.testing.assert_allclose(places, np.broadcast_to(places[0], np.shape(places)), atol=1e-6)


def test_without_a_renderer_amodal_masks_are_left_out_with_a_reason(real, tmp_path, monkeypatch):
    def none_here(name):
        raise BackendError("No OpenGL here.")

    monkeypatch.setattr("sim.formats.amodal.open_backend", none_here)
    summary = convert(ConvertSpec(dataset=real, out=tmp_path / "o", to="bop"), progress=False)
    assert any(
        "mask/ and scene_gt_info.json are left out" in line and "No OpenGL here." in line for line in summary.lost
    )
    assert list((tmp_path / "o" / "test" / "000000" / "mask_visib").iterdir())
    assert not (tmp_path / "o" / "test" / "000000" / "mask").exists()
    assert not (tmp_path / "o" / "test" / "000000" / "scene_gt_info.json").exists()
