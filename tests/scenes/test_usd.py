"""A written stage passes every validator and gives back what went in."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from scenes.camera import Camera
from scenes.errors import StageError
from scenes.scene import Scene
from scenes.suites import make_scene
from scenes.transforms import Pose, inverse
from scenes.usd import write_stage
from scenes.usd_check import check_stage, labels_of, open_stage
from tests.scenes.small_scene import small_scene

pytest.importorskip("pxr")
from pxr import Gf, Usd, UsdGeom, UsdLux, UsdPhysics, UsdSemantics, UsdShade, UsdValidation

SUFFIXES = (".usda", ".usdc", ".usdz")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return small_scene()


@pytest.fixture(scope="module")
def path(scene, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("stage") / "scene.usda"
    write_stage(scene, target)
    return target


@pytest.fixture(scope="module")
def stage(path):
    return open_stage(path)


def _world_from(prim) -> np.ndarray:
    """Returns the column-vector matrix of a prim."""
    return np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim)).T


def _openusd_errors(stage) -> list[str]:
    context = UsdValidation.ValidationContext(UsdValidation.ValidationRegistry().GetOrLoadAllValidators())
    return [error.GetErrorAsString() for error in context.Validate(stage)]


def _omniverse_issues(path: Path) -> list[str]:
    validation = pytest.importorskip("omni.asset_validator")
    issues = validation.ValidationEngine(init_rules=True).validate(str(path)).issues()
    return [f"{issue.severity} {issue.rule} {issue.message} {issue.at}" for issue in issues]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_openusd_validators_are_content(scene, tmp_path, suffix):
    write_stage(scene, tmp_path / f"scene{suffix}")
    assert len(UsdValidation.ValidationRegistry().GetAllValidatorMetadata()) >= 20
    assert _openusd_errors(Usd.Stage.Open(str(tmp_path / f"scene{suffix}"))) == []


@pytest.mark.parametrize("suffix", SUFFIXES[:2])
def test_the_omniverse_validator_has_not_even_a_warning(scene, tmp_path, suffix):
    write_stage(scene, tmp_path / f"scene{suffix}")
    assert _omniverse_issues(tmp_path / f"scene{suffix}") == []


def test_both_validators_notice_a_broken_stage(path):
    broken = open_stage(path)
    looks = UsdGeom.Xform.Define(broken, "/World/Looks/stray")
    UsdPhysics.CollisionAPI.Apply(UsdGeom.Sphere.Define(broken, "/World/ball").GetPrim())
    ball = UsdGeom.Sphere.Get(broken, "/World/ball")
    ball.AddScaleOp().Set(Gf.Vec3f(1, 2, 3))
    UsdPhysics.RigidBodyAPI.Apply(looks.GetPrim())
    UsdPhysics.RigidBodyAPI.Apply(broken.GetPrimAtPath("/World/Looks"))
    broken_path = path.with_name("broken.usda")
    broken.GetRootLayer().Export(str(broken_path))
    broken.GetRootLayer().Reload(force=True)
    assert _openusd_errors(open_stage(broken_path))
    assert any("ball" in issue for issue in _omniverse_issues(broken_path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_our_own_rules_are_kept(scene, tmp_path, suffix):
    write_stage(scene, tmp_path / f"scene{suffix}")
    assert check_stage(tmp_path / f"scene{suffix}") == []


def test_poses_masses_labels_and_friction_come_back(scene, stage):
    for body in scene.bodies:
        prim = stage.GetPrimAtPath(f"/World/{body.name}")
        assert_allclose(_world_from(prim), body.world_from_body.matrix(), atol=1e-12)
        assert labels_of(prim) == (body.category,)
        assert prim.HasAPI(UsdPhysics.RigidBodyAPI) == body.dynamic
        if body.dynamic:
            assert UsdPhysics.MassAPI(prim).GetMassAttr().Get() == pytest.approx(body.mass_kg)
        for collider in Usd.PrimRange(stage.GetPrimAtPath(f"/World/{body.name}/collision")):
            if collider.HasAPI(UsdPhysics.CollisionAPI):
                material, _ = UsdShade.MaterialBindingAPI(collider).ComputeBoundMaterial("physics")
                assert UsdPhysics.MaterialAPI(material).GetDynamicFrictionAttr().Get() == pytest.approx(body.friction)


def test_the_shares_of_the_colliders_add_up_to_the_mass_of_the_body(scene, stage):
    for body in (b for b in scene.bodies if b.dynamic):
        children = stage.GetPrimAtPath(f"/World/{body.name}/collision").GetChildren()
        shares = [UsdPhysics.MassAPI(child).GetMassAttr().Get() for child in children]
        assert len(shares) == len(body.colliders)
        assert min(shares) > 0
        assert sum(shares) == pytest.approx(body.mass_kg, rel=1e-6)


def test_a_label_is_inherited_by_every_part(scene, stage):
    for body in scene.bodies:
        for part in body.parts:
            query = UsdSemantics.LabelsQuery("class", Usd.TimeCode.Default())
            labels = query.ComputeUniqueInheritedLabels(stage.GetPrimAtPath(f"/World/{body.name}/{part.name}"))
            assert list(labels) == [body.category]


@pytest.mark.parametrize("size", [None, (320, 240), (320, 160)])
def test_cameras_come_back_with_their_intrinsics_and_axes(scene, tmp_path, size):
    write_stage(scene, tmp_path / "s.usda", camera_size=size)
    stage = open_stage(tmp_path / "s.usda")
    for original in scene.cameras:
        camera = original if size is None else original.resized(*size)
        usd_camera = UsdGeom.Camera.Get(stage, f"/World/Cameras/{camera.name}")
        focal = usd_camera.GetFocalLengthAttr().Get()
        fx = focal * camera.width / usd_camera.GetHorizontalApertureAttr().Get()
        fy = focal * camera.height / usd_camera.GetVerticalApertureAttr().Get()
        assert_allclose([fx, fy], [camera.fx, camera.fy], rtol=1e-6)
        assert_allclose(usd_camera.GetClippingRangeAttr().Get(), [camera.near_m, camera.far_m], rtol=1e-6)
        _assert_projects_alike(usd_camera, camera)


def _assert_projects_alike(usd_camera, camera: Camera) -> None:
    """Projects points by OpenUSD's own frustum and by ours: the pixel centre of OpenUSD is half a pixel further."""
    points_camera = np.array([[0.0, 0.0, 1.0], [0.3, -0.2, 1.2], [-0.1, 0.25, 0.8]])
    world_from_camera = camera.world_from_camera.matrix()
    frustum = usd_camera.GetCamera().frustum
    clip_from_world = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
    for point in points_camera:
        world = world_from_camera[:3, :3] @ point + world_from_camera[:3, 3]
        ndc = clip_from_world.Transform(Gf.Vec3d(*world))
        pixel = np.array([(ndc[0] + 1) * camera.width / 2, (1 - ndc[1]) * camera.height / 2]) - 0.5
        assert_allclose(pixel, camera.project(point), atol=1e-3)


def test_meshes_come_back_with_normals_texture_coordinates_and_extent(scene, stage):
    for body in scene.bodies:
        for part in body.parts:
            mesh = UsdGeom.Mesh.Get(stage, f"/World/{body.name}/{part.name}")
            points = np.array(mesh.GetPointsAttr().Get())
            corners = points[np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)]
            assert_allclose(corners, part.mesh.vertices[part.mesh.faces], atol=1e-7)
            primvars = UsdGeom.PrimvarsAPI(mesh)
            normals = np.array(primvars.GetPrimvar("normals").ComputeFlattened()).reshape(-1, 3, 3)
            assert_allclose(normals, part.mesh.corner_normals, atol=1e-7)
            st = np.array(primvars.GetPrimvar("st").ComputeFlattened()).reshape(-1, 3, 2)
            assert_allclose(st, part.mesh.corner_uv, atol=1e-7)
            assert_allclose(mesh.GetExtentAttr().Get(), [points.min(axis=0), points.max(axis=0)])
            assert mesh.GetSubdivisionSchemeAttr().Get() == "none"
            winding = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            assert (np.einsum("ij,ij->i", winding, normals[:, 0]) > 0).all()


def test_unused_points_and_collapsed_faces_are_left_out(scene, tmp_path):
    table = scene.bodies[0]
    mesh = table.parts[0].mesh
    faces = np.concatenate([mesh.faces, [[0, 0, 1]]]).astype(np.int32)
    ragged = replace(
        mesh,
        vertices=np.concatenate([mesh.vertices, [[9.0, 9.0, 9.0]]]),
        faces=faces,
        corner_uv=np.concatenate([mesh.corner_uv, mesh.corner_uv[:1]]),
        corner_normals=np.concatenate([mesh.corner_normals, mesh.corner_normals[:1]]),
    )
    body = replace(table, parts=(replace(table.parts[0], mesh=ragged),))
    write_stage(replace(scene, bodies=(body,)), tmp_path / "s.usda")
    stage = open_stage(tmp_path / "s.usda")
    written = UsdGeom.Mesh.Get(stage, "/World/table/shell")
    assert len(written.GetPointsAttr().Get()) == 8
    assert len(written.GetFaceVertexCountsAttr().Get()) == 12
    assert _omniverse_issues(tmp_path / "s.usda") == []


def test_colliders_are_invisible_and_have_the_size_and_place_of_the_scene(scene, stage):
    bounds = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.guide])
    for body in scene.bodies:
        children = stage.GetPrimAtPath(f"/World/{body.name}/collision").GetChildren()
        for collider, prim in zip(body.colliders, children, strict=True):
            assert UsdGeom.Imageable(prim).ComputePurpose() == "guide"
            a, b, c = collider.size_m
            half = {"box": (a, b, c), "sphere": (a, a, a), "cylinder": (a, a, b), "capsule": (a, a, a + b)}[
                collider.kind
            ]
            box = bounds.ComputeUntransformedBound(prim)
            extent = np.array(box.ComputeAlignedRange().GetSize()) / 2
            scale = np.linalg.norm(np.array(UsdGeom.Xformable(prim).GetLocalTransformation())[:3, :3], axis=1)
            assert_allclose(extent * scale, half, rtol=1e-6)
            if collider.kind != "box":
                assert_allclose(scale, 1.0)
            moved = inverse(_world_from(prim.GetParent())) @ _world_from(prim)
            moved[:3, :3] /= scale
            assert_allclose(moved, collider.body_from_collider.matrix(), atol=1e-7)


def test_a_texture_lies_beside_the_stage_and_comes_back(scene, path, stage):
    expected = next(p.material.texture for b in scene.bodies for p in b.parts if p.material.texture is not None)
    files = sorted((path.parent / "textures").iterdir())
    assert len(files) == 1
    assert_allclose(cv2.imread(str(files[0]))[..., ::-1], expected)
    paths = [
        UsdShade.Shader(prim).GetInput("file").Get()
        for prim in stage.Traverse()
        if prim.IsA(UsdShade.Shader) and UsdShade.Shader(prim).GetIdAttr().Get() == "UsdUVTexture"
    ]
    assert {p.path for p in paths} == {f"./textures/{files[0].name}"}
    assert all(Path(p.resolvedPath) == files[0] for p in paths)


def test_scenes_of_one_folder_share_their_textures(scene, tmp_path):
    write_stage(scene, tmp_path / "a.usdc")
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "textures").iterdir()}
    write_stage(scene, tmp_path / "b.usdc")
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "textures").iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.usdc", "b.usdc", "textures"]


@pytest.mark.parametrize("suffix", SUFFIXES[:2])
def test_two_writes_of_one_scene_are_equal_bytes(scene, tmp_path, suffix):
    write_stage(scene, tmp_path / f"a{suffix}")
    write_stage(small_scene(), tmp_path / f"b{suffix}")
    write_stage(small_scene(index=1), tmp_path / f"c{suffix}")
    first, second, other = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "abc")
    assert first == second != other


def test_the_stage_says_which_scene_it_holds(scene, stage):
    values = stage.GetRootLayer().customLayerData["rehearse"]
    assert (values["scene"], values["digest"]) == (str(scene.id), scene.digest())
    assert stage.GetDefaultPrim().GetPath() == "/World"
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0


def test_a_sun_shines_along_its_direction_and_a_lamp_equals_it_at_the_support(scene, stage):
    sun, lamp = (stage.GetPrimAtPath(f"/World/Lights/{name}") for name in ("Sun_0", "Lamp_1"))
    shines = _world_from(sun)[:3, :3] @ [0, 0, -1]
    expected = np.array(scene.lights[0].direction) / np.linalg.norm(scene.lights[0].direction)
    assert_allclose(shines, expected, atol=1e-9)
    sphere = UsdLux.SphereLight(lamp)
    to_support = np.linalg.norm(np.array(scene.lights[1].position_m) - scene.supports[0].center_m)
    lamp_lux = np.pi * sphere.GetIntensityAttr().Get() * sphere.GetRadiusAttr().Get() ** 2 / to_support**2
    sun_lux = UsdLux.DistantLight(sun).GetIntensityAttr().Get()
    ratio = scene.lights[1].intensity / scene.lights[0].intensity
    assert lamp_lux / sun_lux == pytest.approx(ratio, rel=1e-5)


def _odd_camera(scene: Scene, **changes) -> Scene:
    return replace(scene, cameras=(replace(scene.cameras[0], **changes),))


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        (lambda s: s, "scene.obj", "change its ending"),
        (lambda s: s, "missing/scene.usda", "does not exist"),
        (lambda s: _odd_camera(s, cx=300.0), "s.usda", "centred principal point"),
        (lambda s: _odd_camera(s, fy=300.0), "s.usda", "square pixels"),
        (lambda s: _odd_camera(s, name="a b"), "s.usda", "camera named 'a b'"),
        (lambda s: replace(s, bodies=(replace(s.bodies[0], name="Looks"),)), "s.usda", "keeps for itself"),
        (
            lambda s: replace(s, bodies=(replace(s.bodies[0], parts=s.bodies[0].parts * 2),)),
            "s.usda",
            "part named 'shell'",
        ),
    ],
    ids=["suffix", "folder", "off-centre", "oblong", "camera-name", "reserved", "twice"],
)
def test_what_cannot_be_written_is_refused_in_one_sentence(scene, tmp_path, change, name, sentence):
    with pytest.raises(StageError, match=sentence):
        write_stage(change(scene), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_a_folder_is_refused(scene, tmp_path):
    (tmp_path / "s.usda").mkdir()
    with pytest.raises(StageError, match="cannot be written"):
        write_stage(scene, tmp_path / "s.usda")


def test_moving_a_body_moves_its_prim_and_changes_the_digest(scene, tmp_path):
    moved = scene.with_poses({"can_0": Pose((0.0, 0.0, 1.0))})
    write_stage(moved, tmp_path / "s.usda")
    stage = open_stage(tmp_path / "s.usda")
    assert_allclose(_world_from(stage.GetPrimAtPath("/World/can_0"))[:3, 3], [0.0, 0.0, 1.0])
    assert stage.GetRootLayer().customLayerData["rehearse"]["digest"] != scene.digest()


def test_importing_the_module_does_not_load_openusd():
    import subprocess  # a process of its own, since this one has loaded pxr

    code = "import sys, scenes.usd, scenes.usd_check; sys.exit(any(m in sys.modules for m in ('pxr', 'cv2', 'mujoco')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_scenes_of_the_suite_pass_every_validator_without_a_warning(split, tmp_path):
    for index in range(3):
        target = tmp_path / f"{index}.usdc"
        write_stage(make_scene("tabletop", split=split, seed=11, index=index), target)
        assert _openusd_errors(open_stage(target)) == []
        assert _omniverse_issues(target) == []
        assert check_stage(target) == []


def test_a_write_that_is_refused_leaves_the_stage_before_it_whole(scene, tmp_path):
    write_stage(scene, tmp_path / "s.usda")
    before = (tmp_path / "s.usda").read_bytes()
    with pytest.raises(StageError):
        write_stage(_odd_camera(scene, cy=1.0), tmp_path / "s.usda")
    assert (tmp_path / "s.usda").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.usda", "textures"]
