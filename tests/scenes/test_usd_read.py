"""Our own stages read back as the same scene; foreign ones are read by what they state, or refused by prim path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("pxr")

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdSemantics

from scenes.errors import StageError, UnknownNameError
from scenes.suites import make_scene
from scenes.transforms import transform_points
from scenes.usd import write_stage
from scenes.usd_read import read_parts_of, read_scene
from tests.scenes.small_scene import small_scene

QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
def test_our_own_stage_reads_back_as_the_same_scene(tmp_path, suffix):
    scene = small_scene()
    write_stage(scene, tmp_path / f"s{suffix}")
    read = read_scene(tmp_path / f"s{suffix}")
    assert read.notes == ()
    back = read.scene
    assert back.id == scene.id
    assert [(b.name, b.category, b.dynamic) for b in back.bodies] == [(b.name, b.category, b.dynamic) for b in scene.bodies]
    for one, other in zip(scene.bodies, back.bodies, strict=True):
        assert_allclose(other.world_from_body.matrix(), one.world_from_body.matrix(), atol=1e-12)
        assert other.mass_kg == pytest.approx(one.mass_kg)
        assert other.friction == pytest.approx(one.friction)
        assert [p.name for p in other.parts] == [p.name for p in one.parts]
        for part, again in zip(one.parts, other.parts, strict=True):
            assert_allclose(again.mesh.vertices[again.mesh.faces], part.mesh.vertices[part.mesh.faces], atol=1e-7)
            assert_allclose(again.mesh.corner_uv, part.mesh.corner_uv, atol=1e-6)
            assert_allclose(again.mesh.corner_normals, part.mesh.corner_normals, atol=1e-6)
            assert_allclose(again.material.colour, part.material.colour, atol=1e-6)
            assert again.material.roughness == pytest.approx(part.material.roughness)
            assert again.material.metallic == pytest.approx(part.material.metallic)
            assert (again.material.texture is None) == (part.material.texture is None)
            if part.material.texture is not None:
                assert_array_equal(again.material.texture, part.material.texture)
        for collider, again in zip(one.colliders, other.colliders, strict=True):
            assert again.kind == collider.kind
            assert_allclose(again.size_m, collider.size_m, atol=1e-7)
            assert_allclose(again.body_from_collider.matrix(), collider.body_from_collider.matrix(), atol=1e-7)
    for camera, again in zip(scene.cameras, back.cameras, strict=True):
        assert (again.name, again.width, again.height) == (camera.name, camera.width, camera.height)
        assert again.fx == pytest.approx(camera.fx, rel=1e-6)
        assert_allclose(again.world_from_camera.matrix(), camera.world_from_camera.matrix(), atol=1e-12)
    assert_allclose(back.ambient, scene.ambient, atol=1e-6)
    sun, lamp = back.lights
    assert (sun.kind, lamp.kind) == ("sun", "lamp")
    assert sun.intensity == pytest.approx(scene.lights[0].intensity, rel=1e-5)
    assert_allclose(np.array(sun.direction), np.array(scene.lights[0].direction) / np.linalg.norm(scene.lights[0].direction))
    assert lamp.intensity == pytest.approx(scene.lights[1].intensity, rel=0.1)


def test_rays_meet_the_same_in_a_tabletop_scene_that_was_read_back(tmp_path):
    from sim.proof.raycast import RayCaster

    scene = make_scene("tabletop", split="train", seed=0, index=4)
    write_stage(scene, tmp_path / "s.usdc", camera_size=(80, 60))
    back = read_scene(tmp_path / "s.usdc").scene
    assert [b.name for b in back.things] == [b.name for b in scene.things]
    camera = scene.cameras[0].resized(80, 60)
    pixels = np.stack(np.meshgrid(np.arange(80), np.arange(60)), axis=-1).reshape(-1, 2)
    body, depth_m = RayCaster(scene).hits(camera, pixels).first()
    again, again_m = RayCaster(back).hits(back.cameras[0], pixels).first()
    names, names_again = [b.name for b in scene.bodies] + [""], [b.name for b in back.bodies] + [""]
    same = np.array([names[i] == names_again[j] for i, j in zip(body, again, strict=True)])
    assert same.mean() > 0.999
    met = same & np.isfinite(depth_m)
    assert np.median(np.abs(depth_m[met] - again_m[met])) < 1e-6


class Foreign:
    """A little stage as another tool might write it: a cube in its own units and axes."""

    def __init__(self, path: Path, *, units: float | None = 0.01, up: str | None = "Y") -> None:
        self.path = path
        self.stage = Usd.Stage.CreateNew(str(path))
        if units is not None:
            UsdGeom.SetStageMetersPerUnit(self.stage, units)
        if up is not None:
            UsdGeom.SetStageUpAxis(self.stage, up)

    def cube(self, path: str, *, label: str | None = "cup", half=(5.0, 6.0, 5.0), at=(0.0, 6.0, 0.0)) -> Usd.Prim:
        mesh = UsdGeom.Mesh.Define(self.stage, path)
        points = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
        mesh.CreatePointsAttr([Gf.Vec3f(*(a * b for a, b in zip(point, half, strict=True))) for point in points])
        mesh.CreateFaceVertexCountsAttr([4] * 6)
        mesh.CreateFaceVertexIndicesAttr([i for quad in QUADS for i in quad])
        mesh.CreateSubdivisionSchemeAttr("none")
        mesh.AddTranslateOp().Set(Gf.Vec3d(*at))
        if label:
            UsdSemantics.LabelsAPI.Apply(mesh.GetPrim(), "class").CreateLabelsAttr([label])
        return mesh.GetPrim()

    def save(self) -> Path:
        self.stage.GetRootLayer().Save()
        return self.path


def world_points(body) -> np.ndarray:
    points = np.concatenate([p.mesh.vertices[p.mesh.faces.reshape(-1)] for p in body.parts])
    return transform_points(body.world_from_body.matrix(), points)


def test_units_and_axes_are_those_that_the_stage_states(tmp_path):
    foreign = Foreign(tmp_path / "a.usda")
    foreign.cube("/Root/Mug", at=(10.0, 6.0, 20.0))
    read = read_scene(foreign.save())
    (body,) = read.scene.bodies
    points = world_points(body)
    # 12 cm tall in y becomes z; z becomes -y
    assert_allclose(points.min(axis=0), (0.05, -0.25, 0.0), atol=1e-7)
    assert_allclose(points.max(axis=0), (0.15, -0.15, 0.12), atol=1e-7)
    mesh = body.parts[0].mesh
    corners = mesh.vertices[mesh.faces]
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", outwards, corners.mean(axis=1) - mesh.vertices.mean(axis=0)) > 0).all()
    assert any("no camera" in note for note in read.notes)
    assert any("no light" in note for note in read.notes)
    assert read.scene.cameras[0].name == "overview"


def test_scale_and_mirror_are_baked_and_keep_the_outside_outside(tmp_path):
    foreign = Foreign(tmp_path / "a.usda", units=1.0, up="Z")
    prim = foreign.cube("/Mug", half=(0.5, 0.5, 0.5), at=(0, 0, 0))
    UsdGeom.Xformable(prim).AddScaleOp().Set(Gf.Vec3f(-0.1, 0.2, 0.1))
    (body,) = read_scene(foreign.save()).scene.bodies
    assert_allclose(np.sort(np.ptp(world_points(body), axis=0)), (0.1, 0.1, 0.2), atol=1e-6)
    mesh = body.parts[0].mesh
    corners = mesh.vertices[mesh.faces]
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", outwards, corners.mean(axis=1)) > 0).all()


def test_the_deprecated_semantics_are_read(tmp_path):
    foreign = Foreign(tmp_path / "a.usda")
    prim = foreign.cube("/Root/Mug", label=None)
    prim.GetParent().SetMetadata("apiSchemas", Sdf.TokenListOp.CreateExplicit(["SemanticsAPI:Semantics"]))
    for name, value in (("semanticType", "class"), ("semanticData", "Cup")):
        attribute = prim.GetParent().CreateAttribute(f"semantic:Semantics:params:{name}", Sdf.ValueTypeNames.String)
        attribute.Set(value)
    (body,) = read_scene(foreign.save()).scene.bodies
    assert (body.category, body.name) == ("cup", "Root")


def test_a_rigid_body_with_a_mesh_collider_is_told(tmp_path):
    foreign = Foreign(tmp_path / "a.usda")
    prim = foreign.cube("/Mug")
    UsdPhysics.RigidBodyAPI.Apply(prim)
    UsdPhysics.CollisionAPI.Apply(prim)
    read = read_scene(foreign.save())
    assert read.scene.bodies[0].dynamic
    assert any("/Mug collides as a Mesh" in note for note in read.notes)
    assert any("states no mass" in note for note in read.notes)


def test_names_may_repeat_and_labels_may_be_renamed(tmp_path):
    foreign = Foreign(tmp_path / "a.usda")
    foreign.cube("/A/Mug", label="mug")
    foreign.cube("/B/Mug", label="mug", at=(30, 6, 0))
    read = read_scene(foreign.save(), renamed={"mug": "cup"})
    assert [body.name for body in read.scene.bodies] == ["A_Mug", "B_Mug"]
    assert {body.category for body in read.scene.bodies} == {"cup"}


def no_units(path):
    foreign = Foreign(path, units=None)
    foreign.cube("/Mug")
    return foreign


def no_up(path):
    foreign = Foreign(path, up=None)
    foreign.cube("/Mug")
    return foreign


def unlabelled(path):
    foreign = Foreign(path)
    foreign.cube("/Root/Mug", label=None)
    foreign.cube("/Root/Other")
    return foreign


def instanced(path):
    foreign = Foreign(path)
    foreign.stage.CreateClassPrim("/Proto")
    foreign.cube("/Proto/Mesh")
    copy = foreign.stage.DefinePrim("/Copy")
    copy.GetReferences().AddInternalReference("/Proto")
    copy.SetInstanceable(True)
    return foreign


def kilometres(path):
    foreign = Foreign(path, units=1.0)
    foreign.cube("/Mug")
    return foreign


def millimetres(path):
    foreign = Foreign(path, units=1e-5)
    foreign.cube("/Mug")
    return foreign


def sphere(path):
    foreign = Foreign(path)
    ball = UsdGeom.Sphere.Define(foreign.stage, "/Ball")
    UsdSemantics.LabelsAPI.Apply(ball.GetPrim(), "class").CreateLabelsAttr(["orange"])
    return foreign


def misspelt(path):
    foreign = Foreign(path)
    foreign.cube("/Mug", label="botle")
    return foreign


def nested(path):
    foreign = Foreign(path)
    prim = foreign.cube("/Root/Mug")
    UsdSemantics.LabelsAPI.Apply(prim.GetParent(), "class").CreateLabelsAttr(["box"])
    return foreign


def two_labels(path):
    foreign = Foreign(path)
    prim = foreign.cube("/Mug")
    UsdSemantics.LabelsAPI(prim, "class").GetLabelsAttr().Set(["cup", "bowl"])
    return foreign


def empty(path):
    return Foreign(path)


REFUSED = [
    (no_units, "does not state metersPerUnit .*centimetres"),
    (no_up, "does not state upAxis"),
    (unlabelled, "/Root/Mug has no label: apply SemanticsLabelsAPI:class"),
    (instanced, "/Copy/Mesh is instanced by /Copy: make it a plain reference"),
    (kilometres, r"/Mug \(cup\) is 12 m long, expected 0.01 to 5 m: check metersPerUnit"),
    (millimetres, r"/Mug \(cup\) is 0.00012 m long"),
    (sphere, "/Ball is a Sphere: only meshes"),
    (misspelt, "/Mug is labelled 'botle', which is no category .*'bottle'"),
    (nested, "/Root/Mug is labelled by /Root/Mug and by /Root: keep one"),
    (two_labels, "/Mug has 2 labels"),
    (empty, "shows no mesh"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=lambda v: getattr(v, "__name__", ""))
def test_what_cannot_be_trusted_is_named_and_not_guessed(tmp_path, make, message):
    with pytest.raises(StageError, match=message):
        read_scene(make(tmp_path / "a.usda").save())


def test_all_problems_come_at_once(tmp_path):
    foreign = Foreign(tmp_path / "a.usda")
    foreign.cube("/A", label=None)
    foreign.cube("/B", label="nonsense")
    with pytest.raises(StageError, match=r"/A has no label.*/B is labelled 'nonsense'"):
        read_scene(foreign.save())


def test_an_asset_stands_on_its_origin(tmp_path):
    foreign = Foreign(tmp_path / "a.usda")
    foreign.cube("/Root/Mug", label=None, at=(100.0, 50.0, -7.0))
    (part,) = read_parts_of(foreign.save(), "cup")
    assert_allclose(part.mesh.vertices.min(axis=0), (-0.05, -0.05, 0.0), atol=1e-7)
    assert_allclose(part.mesh.vertices.max(axis=0), (0.05, 0.05, 0.12), atol=1e-7)
    with pytest.raises(UnknownNameError, match="category"):
        read_parts_of(foreign.path, "mug")


def test_an_asset_that_says_it_is_something_else_is_refused(tmp_path):
    foreign = Foreign(tmp_path / "a.usda")
    foreign.cube("/Mug", label="bowl")
    with pytest.raises(StageError, match="labelled 'bowl', but 'cup' was asked for"):
        read_parts_of(foreign.save(), "cup")
    with pytest.raises(StageError, match=r"is 12 m long"):
        read_parts_of(kilometres(tmp_path / "b.usda").save(), "cup")


def test_a_stage_that_is_not_there(tmp_path):
    with pytest.raises(StageError, match="There is no stage"):
        read_scene(tmp_path / "none.usda")
