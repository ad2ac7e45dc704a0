"""What the FAKE annotators give, in the recorded types: numbers at random, so that only the maps can be read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scenes.camera import Camera
from scenes.scene import Scene
from scenes.transforms import Pose
from sim.annotators.cloud import point_cloud
from sim.annotators.flow import flow, motion_vectors
from sim.annotators.occlusion import occlusion
from sim.annotators.view import Sighting, View
from sim.frame import Frame
from sim.layers import Layers, visible_parts
from tests.sim.isaac.fake_replicator.kit import FakeKit

BOX_2D = np.dtype(
    [("semanticId", "<u4"), ("x_min", "<i4"), ("y_min", "<i4"), ("x_max", "<i4"), ("y_max", "<i4"), ("occlusionRatio", "<f4")]
)
BOX_3D = np.dtype(
    [("semanticId", "<u4")] + [(f"{a}_{b}", "<f4") for b in ("min", "max") for a in "xyz"]
    + [("transform", "<f4", (4, 4)), ("occlusionRatio", "<f4")]
)
_TURN = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """One step of one render product: what the renderer saw, the camera prim as it was then, and the step before."""

    frame: Frame
    layers: Layers
    poses: dict[str, Pose]
    params: dict[str, Any]
    scene: Scene
    before: Sighting | None = None

    @cached_property
    def view(self) -> View:
        """The shot as our own annotators take it."""
        return View(frame=self.frame, scene=self.scene, layers=self.layers, before=self.before)


def shoot(kit: FakeKit, camera_path: str, resolution: tuple[int, int], last: Shot | None = None) -> Shot:
    """Renders the stage as it stands from a camera prim, by MuJoCo."""
    from pxr import UsdGeom

    prim = UsdGeom.Camera(kit.stage.GetPrimAtPath(camera_path))
    width, height = resolution
    world_from_gl = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim.GetPrim()), dtype=np.float64).T
    fx = prim.GetFocalLengthAttr().Get() * width / prim.GetHorizontalApertureAttr().Get()
    near, far = prim.GetClippingRangeAttr().Get()
    camera = Camera(
        name="fake", width=width, height=height, fx=fx, fy=fx, cx=(width - 1) / 2, cy=(height - 1) / 2,
        world_from_camera=Pose.from_matrix(world_from_gl @ _TURN), near_m=near, far_m=far,
    )
    poses = kit.poses()
    kit.renderer.place({b.name: poses[b.name] for b in kit.scene.bodies if b.dynamic})
    frame = kit.renderer.render(camera)
    return Shot(
        frame=frame, layers=kit.renderer.layers(camera), poses=poses, params=_params(prim, resolution),
        scene=kit.scene.with_poses(poses), before=last.view.now if last else None,
    )  # fmt: skip


def annotation(name: str, shot: Shot, kit: FakeKit) -> Any:
    """Returns what `get_data` of that annotator gives."""
    truth = shot.frame.truth
    if name == "rgb":
        alpha = np.full((*truth.depth_m.shape, 1), 255, np.uint8)
        return np.concatenate([shot.frame.rgb, alpha], axis=-1)
    if name == "distance_to_image_plane":
        return truth.depth_m.copy()
    if name == "distance_to_camera":
        rays = shot.frame.camera.unproject(np.ones(truth.depth_m.shape))
        return (truth.depth_m * np.linalg.norm(rays, axis=-1)).astype(np.float32)
    if name == "camera_params":
        return shot.params
    if name == "normals":
        return shot.view.normals.copy()
    if name == "motion_vectors":
        return motion_vectors(flow(shot.view.now, shot.before))
    return _OF_MAPS[name](shot, kit)


def _params(prim: Any, resolution: tuple[int, int]) -> dict[str, Any]:
    """Reads the prim by OpenUSD's own camera, whose view matrix is row-vector, world to camera."""
    camera = prim.GetCamera()
    width, height = resolution
    view = np.array(camera.frustum.ComputeViewMatrix(), dtype=np.float64)
    f, ha = camera.focalLength, camera.horizontalAperture
    near, far = camera.clippingRange.min, camera.clippingRange.max
    p00 = 2 * f / ha
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = p00, p00 * width / height
    projection[2, 2], projection[2, 3], projection[3, 2] = near / (far - near), -1, near * far / (far - near)
    return {
        "cameraAperture": np.array([ha, camera.verticalAperture], dtype=np.float32),
        "cameraApertureOffset": np.zeros(2, dtype=np.float32),
        "cameraFocalLength": f, "cameraFStop": 0.0, "cameraFocusDistance": 400.0, "cameraModel": "pinhole",
        "cameraNearFar": np.array([near, far], dtype=np.float32),
        "cameraProjection": projection.reshape(16), "cameraViewTransform": view.reshape(16), "metersPerSceneUnit": 1.0,
        "renderProductResolution": np.array([width, height], dtype=np.int32), "cameraOpenCVFx": 0.0,
    }


def _body_map(shot: Shot, scene: Scene) -> np.ndarray:
    owner = {body.name: k for k, body in enumerate(scene.bodies)}
    of_part = np.array([-1, *(owner[body.name] for body, _ in visible_parts(scene))])
    return of_part[shot.layers.parts]


def _numbered(kit: FakeKit, count: int) -> np.ndarray:
    """Draws different ids from 2 on, in no order."""
    return kit.rng.permutation(np.arange(2, 2 + 3 * count + 1))[:count].astype(np.uint32)


def _ids(kit: FakeKit, shot: Shot, places: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns an id map uint32 of places (-1 is nothing) and the id of each place."""
    numbers = _numbered(kit, count)
    nothing = np.where(np.isfinite(shot.frame.truth.depth_m), 1, 0)
    return np.where(places >= 0, numbers[places], nothing).astype(np.uint32), numbers


def _semantic(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    classes = sorted({body.category for body in kit.scene.bodies})
    of_body = np.array([classes.index(body.category) for body in kit.scene.bodies] + [-1])
    ids, numbers = _ids(kit, shot, of_body[_body_map(shot, kit.scene)], len(classes))
    labels = {int(n): {"class": c.lower()} for n, c in zip(numbers, classes, strict=True)}
    return {"data": ids, "info": {"idToLabels": {0: {"class": "BACKGROUND"}, 1: {"class": "UNLABELLED"}} | labels}}


def _instance(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    bodies = kit.scene.bodies
    ids, numbers = _ids(kit, shot, _body_map(shot, kit.scene), len(bodies))
    paths = {"0": "BACKGROUND", "1": "UNLABELLED"}
    paths |= {str(n): f"/World/{b.name}" for n, b in zip(numbers, bodies, strict=True)}
    meanings = {"0": {"class": "BACKGROUND"}, "1": {"class": "UNLABELLED"}}
    meanings |= {str(n): {"class": b.category} for n, b in zip(numbers, bodies, strict=True)}
    return {"data": ids, "info": {"idToLabels": paths, "idToSemantics": meanings}}


def _leaves(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    parts = visible_parts(kit.scene)
    ids, numbers = _ids(kit, shot, shot.layers.parts.astype(int) - 1, len(parts))
    paths = {int(n): f"/World/{b.name}/{p.name}" for n, (b, p) in zip(numbers, parts, strict=True)}
    return {"data": ids, "info": {"idToLabels": {0: "BACKGROUND", 1: "UNLABELLED"} | paths}}


def _tight(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    body = _body_map(shot, kit.scene)
    rows = []
    for k in np.unique(body[body >= 0]):
        v, u = np.nonzero(body == k)
        rows.append((int(k), (u.min(), v.min(), u.max(), v.max())))
    return _boxes(kit, rows, BOX_2D)


def _loose(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    place = {body.name: k for k, body in enumerate(kit.scene.bodies)}
    return _boxes(kit, [(place[r.body_name], r.amodal_box_px) for r in shot.frame.truth.objects], BOX_2D)


def _cubes(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    rows = []
    for k, body in enumerate(kit.scene.bodies):
        low, high = body.bounds_m()
        rows.append((k, (*low, *high, shot.poses[body.name].matrix().T)))
    return _boxes(kit, rows, BOX_3D)


def _boxes(kit: FakeKit, rows: list[tuple[int, Any]], dtype: np.dtype) -> dict[str, Any]:
    order = kit.rng.permutation(len(rows))
    bodies = [kit.scene.bodies[rows[i][0]] for i in order]
    classes = sorted({body.category for body in bodies}, reverse=bool(kit.rng.integers(2)))
    values = [(classes.index(b.category), *rows[i][1], -1.0) for i, b in zip(order, bodies, strict=True)]
    info = {
        "idToLabels": {i: {"class": name} for i, name in enumerate(classes)},
        "bboxIds": order.astype(np.uint32), "primPaths": [f"/World/{b.name}" for b in bodies],
    }
    return {"data": np.array(values, dtype=dtype), "info": info}


def _cloud(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    cloud = point_cloud(shot.frame, shot.view.normals)
    info = {
        "pointRgb": cloud.rgb.reshape(-1), "pointNormals": cloud.normals.reshape(-1),
        "pointSemantic": cloud.semantic, "pointInstance": cloud.instance,
    }
    return {"data": cloud.points, "info": info}


def _occlusion(shot: Shot, kit: FakeKit) -> dict[str, Any]:
    rows = occlusion(shot.frame.truth, shot.layers, shot.scene, shot.frame.camera)
    return {"data": rows[kit.rng.permutation(len(rows))], "info": {}}


_OF_MAPS = {
    "pointcloud": _cloud, "occlusion": _occlusion,
    "semantic_segmentation": _semantic, "instance_segmentation": _instance, "instance_id_segmentation": _leaves,
    "bounding_box_2d_tight": _tight, "bounding_box_2d_loose": _loose, "bounding_box_3d": _cubes,
}
