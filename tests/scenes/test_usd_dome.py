"""A dome goes into a stage as a dome light with a picture beside it and comes back; foreign ones are turned or named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pxr")

import cv2
from pxr import Gf, Usd, UsdGeom, UsdLux

from scenes.dome import Dome, directions, seen, srgb_of_linear
from scenes.usd import write_stage
from scenes.usd_check import check_stage
from scenes.usd_read import read_scene
from tests.scenes.small_scene import small_scene


def dome() -> Dome:
    return Dome(image=srgb_of_linear(0.5 + 0.45 * directions(32)), intensity=0.8)


@pytest.mark.parametrize("suffix", [".usda", ".usdz"])
def test_a_dome_comes_back_and_the_validators_are_content(tmp_path, suffix):
    scene = replace(small_scene(), dome=dome(), ambient=dome().ambient())
    path = tmp_path / f"s{suffix}"
    write_stage(scene, path)
    assert not check_stage(path)
    read = read_scene(path)
    assert read.notes == ()
    assert read.scene.dome is not None
    np.testing.assert_array_equal(read.scene.dome.image, scene.dome.image)
    assert read.scene.dome.intensity == pytest.approx(0.8)
    np.testing.assert_allclose(read.scene.ambient, scene.ambient, atol=1e-6)


def test_the_dome_light_points_as_usdlux_says(tmp_path):
    """Openexr's latlong: longitude 0 at the middle column is +z of the light's frame, +x a quarter to its left, +y the pole."""
    write_stage(replace(small_scene(), dome=dome()), tmp_path / "s.usda")
    stage = Usd.Stage.Open(str(tmp_path / "s.usda"))
    light = UsdLux.DomeLight(stage.GetPrimAtPath("/World/Lights/Ambient"))
    assert light.GetTextureFileAttr().Get().path.startswith("./textures/")
    world_from_light = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(light.GetPrim())).T[:3, :3]
    for u, light_axis in ((0.5, [0, 0, 1]), (0.25, [1, 0, 0]), (0.75, [-1, 0, 0])):
        world = world_from_light @ light_axis
        column = round(u * 64) % 64
        shown = dome().image[16, column].astype(int)
        np.testing.assert_allclose(shown, seen(dome().image, world[None, None])[0, 0].astype(int), atol=6)


@pytest.mark.parametrize(("up_axis", "turn_deg"), [("Y", 0.0), ("Y", 90.0), ("Z", 0.0)])
def test_a_foreign_dome_is_turned_as_its_frame(tmp_path, up_axis, turn_deg):
    write_stage(small_scene(), tmp_path / "s.usda")
    cv2.imwrite(str(tmp_path / "sky.png"), dome().image[..., ::-1])
    stage = Usd.Stage.Open(str(tmp_path / "s.usda"))
    stage.SetMetadata("upAxis", up_axis)
    stage.RemovePrim("/World/Lights/Ambient")
    light = UsdLux.DomeLight.Define(stage, "/World/Sky")
    light.CreateTextureFileAttr("./sky.png")
    light.CreateIntensityAttr(500.0)
    light.AddRotateYOp().Set(turn_deg)
    stage.GetRootLayer().Save()
    back = read_scene(tmp_path / "s.usda").scene.dome
    assert back is not None
    assert back.intensity == pytest.approx(0.5)
    # The middle column looks along the light's +z; ask the picture that came back for the same direction in our world.
    world_from_stage = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) if up_axis == "Y" else np.eye(3)
    stage_z = np.array(Gf.Rotation(Gf.Vec3d(0, 1, 0), turn_deg).TransformDir(Gf.Vec3d(0, 0, 1)))
    shown = seen(back.image, (world_from_stage @ stage_z)[None, None])[0, 0].astype(int)
    np.testing.assert_allclose(shown, dome().image[16, 32].astype(int), atol=8)


def test_a_picture_that_is_not_read_is_named(tmp_path):
    write_stage(small_scene(), tmp_path / "s.usda")
    stage = Usd.Stage.Open(str(tmp_path / "s.usda"))
    light = UsdLux.DomeLight(stage.GetPrimAtPath("/World/Lights/Ambient"))
    light.CreateTextureFileAttr("./missing.exr")
    stage.GetRootLayer().Save()
    read = read_scene(tmp_path / "s.usda")
    assert read.scene.dome is None
    assert any("missing.exr" in note for note in read.notes)
    np.testing.assert_allclose(read.scene.ambient, small_scene().ambient, atol=1e-6)
