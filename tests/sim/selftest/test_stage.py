"""The calibration stage is a scene like any other, and its closed forms agree with the ray caster's triangles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.camera import points_in_camera
from scenes.transforms import Pose
from scenes.usd import write_stage
from sim.proof.raycast import RayCaster
from sim.selftest.oracle import box_px, expect
from sim.selftest.outline import farthest_wrong_px, hull_of, mask_moments, polygon_moments
from sim.selftest.stage import calibration_stage, physics_stage

STAGE = calibration_stage()
VIEWS = [camera.name for camera in STAGE.scene.cameras]


@pytest.mark.parametrize("stage", [STAGE, physics_stage()], ids=["calibration", "physics"])
def test_the_stage_is_written_as_openusd(stage, tmp_path):
    from pxr import Usd, UsdSemantics

    write_stage(stage.scene, tmp_path / "stage.usda")
    opened = Usd.Stage.Open(str(tmp_path / "stage.usda"))
    for name, solid in stage.solids.items():
        prim = opened.GetPrimAtPath(f"/World/{name}")
        assert list(UsdSemantics.LabelsAPI(prim, "class").GetLabelsAttr().Get()) == [solid.category]


@pytest.mark.parametrize("view", VIEWS)
def test_closed_forms_agree_with_the_triangles(view):
    camera = STAGE.camera(view)
    expected, caster = expect(STAGE, camera), RayCaster(STAGE.scene)
    pixels = np.random.default_rng(3).integers(0, (camera.width, camera.height), size=(3000, 2))
    body, depth_m = caster.hits(camera, pixels).first()
    u, v = pixels.T
    names = [b.name for b in STAGE.scene.bodies]
    cast = np.array([expected.names.index(names[k]) if k >= 0 else -1 for k in body])
    facets = expected.shown[v, u] == (expected.names.index("ball") if "ball" in expected.names else -2)
    assert (cast != expected.shown[v, u])[~facets].sum() == 0
    both = (cast == expected.shown[v, u]) & (cast >= 0)
    limit_m = np.where(facets, 5e-3, 1e-9)
    assert both.sum() > 200
    assert (np.abs(depth_m[both] - expected.depth_m[v, u][both]) < limit_m[both]).all()


@pytest.mark.parametrize("view", VIEWS)
def test_no_flip_or_turn_of_a_view_of_things_looks_like_it(view):
    shown = expect(STAGE, STAGE.camera(view)).shown
    if len(np.unique(shown)) == 1 or view == "tilted":
        return
    for other in (shown[::-1], shown[:, ::-1], shown[::-1, ::-1]):
        assert (other != shown).mean() > 0.01


@pytest.mark.parametrize("view", ["markers", "occlusion"])
def test_box_edges_keep_clear_of_pixel_centres(view):
    """So that rays which tremble by a seventh of a pixel give the same inclusive boxes."""
    camera = STAGE.camera(view)
    expected = expect(STAGE, camera)
    for shift in (-0.15, 0.15):
        aside = expect(STAGE, replace(camera, cx=camera.cx + shift, cy=camera.cy + shift))
        for name in expected.things:
            assert box_px(aside.amodal[name]) == box_px(expected.amodal[name]), name
            assert box_px(aside.visible(name)) == box_px(expected.visible(name)), name


def test_what_is_hidden_and_out_of_view_is_as_the_stage_says():
    hiding, markers = expect(STAGE, STAGE.camera("occlusion")), expect(STAGE, STAGE.camera("markers"))
    assert hiding.visible_fraction("buried") == 0
    assert hiding.visible_fraction("front") == 1
    assert 0.2 < hiding.visible_fraction("rear") < 0.4
    assert {"outside", "behind"} & set(markers.things) == set()
    left, _, _, _ = box_px(markers.amodal["cut_off"])
    assert left == 0


def test_a_moved_solid_is_expected_where_it_was_put():
    camera = STAGE.camera("watch")
    pose = Pose((6.2, 0.6, 0.9))
    expected = expect(STAGE, camera, {"mover": pose})
    u, v = camera.project(points_in_camera(camera, np.array([6.2, 0.6 - 0.08, 0.9]))).round().astype(int)
    assert expected.visible("mover")[v, u]
    assert expected.depth_m[v, u] == pytest.approx(0.5 + 0.6 - 0.08)
    start = expect(STAGE, camera)
    assert not start.visible("mover")[v, u]
    assert start.depth_m[v, u] == pytest.approx(1.5)


def test_moments_of_a_mask_are_those_of_its_polygon():
    square = np.array([[10.2, 5.3], [60.7, 5.3], [60.7, 44.9], [10.2, 44.9], [30.0, 20.0]])
    hull = hull_of(square)
    assert len(hull) == 4
    known = polygon_moments(hull)
    assert known.area == pytest.approx(50.5 * 39.6)
    np.testing.assert_allclose(known.middle, (35.45, 25.1))
    np.testing.assert_allclose(known.spread, np.array([50.5, 39.6]) / np.sqrt(12))
    v, u = np.mgrid[:60, :80]
    mask = (u > 10.2) & (u < 60.7) & (v > 5.3) & (v < 44.9)
    assert farthest_wrong_px(mask, hull) == 0
    assert farthest_wrong_px(np.roll(mask, 1, axis=1), hull) == pytest.approx(0.8)
    np.testing.assert_allclose(mask_moments(mask).spread, known.spread, rtol=0.02)
    with pytest.raises(ValueError, match="no pixel"):
        mask_moments(np.zeros((4, 4), dtype=bool))
