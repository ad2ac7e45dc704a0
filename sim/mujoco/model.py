"""A scene as a MuJoCo model: what is seen has no mass and touches nothing; what is touched carries the mass and is not seen."""

from __future__ import annotations

import copy
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from scenes.errors import SceneError
from scenes.scene import Body, Collider, Light, Material, Mesh, Part, Scene
from sim.mujoco.skybox import add_skybox

# Geometry groups: the renderer draws SEEN only. Bodies keep the order of `scene.bodies`: MuJoCo's id is index + 1.
SEEN, TOUCHED = 2, 3
TIMESTEP_S = 0.002

_SHADOW_MAP_PX = 2048
_SAMPLES = 4
_SUN_DISTANCE_M = 3.0
_LAMP_CUTOFF_DEG = 75.0
_TORSIONAL_FRICTION_M = 0.003
_SHELL = frozenset({"wall", "floor", "ceiling", "window", "door", "curtain"})
_SHAPES = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
}


def build_model(scene: Scene) -> mujoco.MjModel:
    """Compiles the scene; a pure function of it. Raises SceneError with MuJoCo's sentence where it does not compile."""
    spec = mujoco.MjSpec()
    spec.modelname = "rehearse"
    _set_physics(spec)
    _set_looks(spec, scene)
    if scene.dome is not None:
        add_skybox(spec, scene.dome)
    for light in scene.lights:
        _add_light(spec, light, _middle(scene))
    for body in scene.bodies:
        _add_body(spec, body)
    try:
        model = spec.compile()
    except ValueError as error:
        raise SceneError(f"Scene {scene.id} does not compile to a MuJoCo model: {error}.") from error
    # MuJoCo 4.0 takes `userfacenormal` and then writes an index of its own. Normals and uv are both one per corner.
    model.mesh_facenormal[:] = model.mesh_facetexcoord
    return model


def labels_only(model: mujoco.MjModel) -> mujoco.MjModel:
    """Returns a copy whose labels are drawn the same, and only they: its textures are one pixel, and it has no shadow map.

    On the device it takes a third of the time to upload.
    """
    plain = copy.copy(model)
    plain.tex_type[:] = mujoco.mjtTexture.mjTEXTURE_2D
    plain.tex_width[:] = plain.tex_height[:] = 1
    plain.vis.quality.shadowsize = plain.vis.quality.offsamples = 0
    return plain


def _set_physics(spec: mujoco.MjSpec) -> None:
    option = spec.option
    option.timestep = TIMESTEP_S
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.solver = mujoco.mjtSolver.mjSOL_NEWTON
    option.impratio = 10.0
    option.noslip_iterations = 0
    # A model that blows up must stay blown up, to be seen by the settle rule, instead of starting over in silence.
    option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET


def _set_looks(spec: mujoco.MjSpec, scene: Scene) -> None:
    spec.stat.extent = 1.0
    spec.stat.center = _middle(scene)
    look = spec.visual
    reach = max((float(np.hypot(*s.half_extent_m)) for s in scene.supports), default=1.0)
    look.map.shadowclip = max(1.0, 1.2 * reach)
    look.map.shadowscale = 0.9
    look.map.znear, look.map.zfar = 0.02, 20.0
    look.quality.shadowsize = _SHADOW_MAP_PX
    look.quality.offsamples = _SAMPLES
    look.global_.offwidth = max((c.width for c in scene.cameras), default=640)
    look.global_.offheight = max((c.height for c in scene.cameras), default=480)
    look.headlight.ambient = scene.ambient
    look.headlight.diffuse = look.headlight.specular = (0.0, 0.0, 0.0)


def _middle(scene: Scene) -> NDArray[np.float64]:
    """Returns where the directional shadow map is centred: the middle of the supports, else of the bodies."""
    points = [s.center_m for s in scene.supports] or [b.world_from_body.position_m for b in scene.bodies]
    middle: NDArray[np.float64] = np.mean(points or [(0.0, 0.0, 0.0)], axis=0)
    return middle


def _add_light(spec: mujoco.MjSpec, light: Light, middle: NDArray[np.float64]) -> None:
    direction = np.asarray(light.direction) / np.linalg.norm(light.direction)
    diffuse = np.asarray(light.colour) * light.intensity
    sun = light.kind == "sun"
    spec.worldbody.add_light(
        name=light.name,
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL if sun else mujoco.mjtLightType.mjLIGHT_SPOT,
        pos=middle - _SUN_DISTANCE_M * direction if sun else light.position_m,
        dir=direction,
        diffuse=diffuse,
        specular=0.4 * diffuse,
        ambient=(0.0, 0.0, 0.0),
        castshadow=light.casts_shadow,
        cutoff=_LAMP_CUTOFF_DEG,
        exponent=1.0,
        attenuation=(1.0, 0.0, 0.0),
    )


def _add_body(spec: mujoco.MjSpec, body: Body) -> None:
    pose = body.world_from_body
    added = spec.worldbody.add_body(name=body.name, pos=pose.position_m, quat=pose.quaternion_wxyz)
    if body.dynamic:
        added.add_freejoint()
    for part in body.parts:
        _add_part(spec, added, body, part)
    volume_m3 = sum(c.volume_m3 for c in body.colliders)
    for collider in body.colliders:
        _add_collider(added, body, collider, body.mass_kg * collider.volume_m3 / volume_m3 if body.dynamic else 0.0)


def _add_collider(added: Any, body: Body, collider: Collider, mass_kg: float) -> None:
    rolls = body.rolling_friction_m > 0
    added.add_geom(
        type=_SHAPES[collider.kind],
        size=collider.size_m,
        pos=collider.body_from_collider.position_m,
        quat=collider.body_from_collider.quaternion_wxyz,
        mass=mass_kg,
        group=TOUCHED,
        condim=6 if rolls else 4,
        friction=(body.friction, _TORSIONAL_FRICTION_M, body.rolling_friction_m if rolls else 0.0001),
        solref=(0.006, 1.0),
    )


def _add_part(spec: mujoco.MjSpec, added: Any, body: Body, part: Part) -> None:
    name = f"{body.name}/{part.name}"
    _add_mesh(spec, name, part.mesh)
    _add_material(spec, name, part.material)
    added.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        material=name,
        group=SEEN,
        contype=0,
        conaffinity=0,
        mass=0.0,
        # A wall would put the whole room in the shadow of a sun that stands outside.
        castshadow=body.category not in _SHELL,
    )


def _add_mesh(spec: mujoco.MjSpec, name: str, mesh: Mesh) -> None:
    added = spec.add_mesh(name=name)
    added.uservert = mesh.vertices.ravel().tolist()
    added.userface = mesh.faces.ravel().tolist()
    added.usernormal = mesh.corner_normals.ravel().tolist()
    added.usertexcoord = mesh.corner_uv.ravel().tolist()
    added.userfacetexcoord = list(range(3 * len(mesh.faces)))
    # Only drawn: the inertia of its surface exists for open meshes too.
    added.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL


def _add_material(spec: mujoco.MjSpec, name: str, look: Material) -> None:
    smooth = 1.0 - look.roughness
    added = spec.add_material(name=name)
    added.rgba = (*(_display(c) for c in look.colour), 1.0)
    added.specular = min(1.0, 0.1 + 0.6 * smooth + 0.3 * look.metallic)
    added.shininess = max(0.05, smooth)
    if look.texture is None:
        return
    height, width, channels = look.texture.shape
    texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D)
    texture.width, texture.height, texture.nchannel = width, height, channels
    # MuJoCo's first row is at v = 0, a Material's at v = 1.
    texture.data = look.texture[::-1].tobytes()
    added.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def _display(linear: float) -> float:
    """Returns the sRGB value of a linear one: the fixed pipeline multiplies and shows display values."""
    return 12.92 * linear if linear <= 0.0031308 else float(1.055 * linear ** (1 / 2.4) - 0.055)
