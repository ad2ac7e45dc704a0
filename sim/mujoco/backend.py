"""MuJoCo as a backend: physics and picture on any machine with EGL, the same bytes for the same scene whatever came before."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.errors import BackendError, SceneError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim._lookup import look_up
from sim._object_truth import BodyBounds, Window, box_of, record_of
from sim.backend import SettleReport, SettleRule
from sim.frame import Frame, ObjectTruth, Truth
from sim.layers import Layers, ObjectMask, visible_parts
from sim.mujoco.closed import Solids
from sim.mujoco.gl import GlContext, open_context

if TYPE_CHECKING:
    import mujoco

    from sim.mujoco.render import Canvas


class MujocoBackend:
    """The embedded default: MuJoCo's engine and its classic renderer, headless. Satisfies `sim.backend.Backend`."""

    name = "mujoco"

    def __init__(self, rule: SettleRule | None = None) -> None:
        """Opens the OpenGL context that all scenes share (0.1 s); raises BackendError where there is none."""
        os.environ.setdefault("MUJOCO_GL", "egl")
        self._gl = open_context()
        self._rule = rule or SettleRule()
        self._world: _World | None = None
        self._closed = False

    def load(self, scene: Scene) -> None:
        """Replaces the world with `scene`, at the poses that it states; raises SceneError where it cannot be built."""
        from sim.mujoco.model import build_model

        if self._closed:
            raise BackendError("The MuJoCo backend was closed: open another one with open_backend('mujoco').")
        self._unload()
        self._world = _World(scene, build_model(scene), self._gl)

    def settle(self) -> SettleReport:
        """Runs physics until the bodies rest or time is up; the bodies then stay at the poses of the report."""
        from sim.mujoco.settle import settle

        world = self._loaded()
        report = settle(world.model, world.data, world.scene, self._rule)
        world.stand_at(dict(report.world_from_body))
        return report

    def render(self, camera: Camera) -> Frame:
        """Returns the image and its truth, as the bodies stand now; raises BackendError where nothing was loaded."""
        world = self._loaded()
        truth = world.truth(camera)
        return Frame(
            name=f"{world.scene.id}/{camera.name}", rgb=world.image(camera), camera=camera, truth=truth
        )

    def place(self, world_from_body: Mapping[str, Pose]) -> None:
        """Puts the named dynamic bodies there, exactly and at rest; the others stay. Raises SceneError for another name."""
        world = self._loaded()
        world.assert_dynamic(world_from_body)
        world.stand_at(world.dynamic_poses() | dict(world_from_body))

    def play(self, pushes: Sequence[Push], times_s: Sequence[float]) -> list[dict[str, Pose]]:
        """Returns the pose of every dynamic body at rising times after the pushes; the bodies then stand as before."""
        from sim.mujoco.settle import play

        world = self._loaded()
        world.assert_dynamic(push.body_name for push in pushes)
        start = world.dynamic_poses()
        try:
            return play(world.model, world.data, world.scene, pushes, times_s)
        finally:
            world.stand_at(start)

    def layers(self, camera: Camera) -> Layers:
        """Returns what lies behind the truth of that camera; costs next to nothing right after `render(camera)`."""
        return self._loaded().layers(camera)

    def image(self, camera: Camera) -> NDArray[np.uint8]:
        """Returns the image alone, uint8 (H, W, 3), as the bodies stand now: what a sub-frame of an exposure needs."""
        return self._loaded().image(camera)

    def close(self) -> None:
        """Frees what the simulator holds; may be called twice."""
        self._unload()
        if not self._closed:
            self._gl.free()
        self._closed = True

    def _unload(self) -> None:
        if self._world is not None:
            self._world.close()
            self._world = None

    def _loaded(self) -> _World:
        if self._world is None:
            raise BackendError("The MuJoCo backend has no scene: call load(scene) before settle or render.")
        return self._world


class _World:
    """One loaded scene: model, state, drawing and the tables from MuJoCo's body ids to labels."""

    def __init__(self, scene: Scene, model: mujoco.MjModel, gl: GlContext) -> None:
        import mujoco

        self.scene = scene
        self.model = model
        self.data = mujoco.MjData(model)
        self._gl = gl
        self._canvas: Canvas | None = None
        self._solids: Solids | None = None
        self._things = [(model.body(body.name).id, body, BodyBounds.of(body)) for body in scene.things]
        self._seen: _Seen | None = None
        self._category, self._instance, self._part = _labels_of_geoms(scene, model)
        self.stand_at({body.name: body.world_from_body for body in scene.bodies if body.dynamic})

    def stand_at(self, world_from_body: dict[str, Pose]) -> None:
        """Puts the dynamic bodies at these poses, exactly, and at rest."""
        from sim.mujoco.settle import write_poses

        write_poses(self.model, self.data, world_from_body)
        self._poses = {b.name: b.world_from_body for b in self.scene.bodies} | world_from_body
        self._seen = None
        self._boxes: dict[str, OrientedBox] = {}
        if self._canvas is not None:
            self._canvas.update(self.data)

    def dynamic_poses(self) -> dict[str, Pose]:
        """Returns where the dynamic bodies stand."""
        return {body.name: self._poses[body.name] for body in self.scene.bodies if body.dynamic}

    def assert_dynamic(self, names: Iterable[str]) -> None:
        """Raises SceneError for a name that is not a dynamic body's."""
        movable = self.dynamic_poses()
        for name in names:
            if name not in movable:
                raise SceneError(f"{name} cannot be moved: the dynamic bodies of {self.scene.id} are {', '.join(movable)}.")

    def canvas(self) -> Canvas:
        """Returns the drawing of this scene, made when it is first looked at: rejected scenes never are."""
        if self._canvas is None:
            from sim.mujoco.lens import LensCanvas

            self._canvas = LensCanvas(self._gl, self.model)
            self._canvas.update(self.data)
        return self._canvas

    def close(self) -> None:
        """Frees what was drawn."""
        if self._canvas is not None:
            self._canvas.close()
            self._canvas = None

    def image(self, camera: Camera) -> NDArray[np.uint8]:
        """Renders the image, uint8 (H, W, 3)."""
        if self._solids is None:
            self._solids = Solids.of(self.scene)
        return self.canvas().image(camera, back_faces=not self._solids.seen_from_outside(camera, self._poses))

    def truth(self, camera: Camera) -> Truth:
        """Renders depth and ids in one pass and makes the record of every object in view."""
        canvas = self.canvas()
        depth_m, ids = canvas.depth_and_ids(camera)
        instance = look_up(self._instance[canvas.geom_of_id], ids)
        records, masks = [], []
        for k in range(1, len(self._things) + 1):
            found = self._record(camera, k, depth_m, instance)
            if found is not None:
                records.append(found[0])
                masks.append(found[1])
        self._seen = _Seen(camera=camera, ids=ids, masks=tuple(masks))
        return Truth(
            depth_m=depth_m,
            semantic=look_up(self._category[canvas.geom_of_id], ids),
            instance=instance,
            objects=tuple(records),
        )

    def layers(self, camera: Camera) -> Layers:
        """Returns what the last truth of that camera was made of; renders it where the last was another's."""
        if self._seen is None or self._seen.camera != camera:
            self.truth(camera)
        seen = self._seen
        assert seen is not None
        return Layers(parts=look_up(self._part[self.canvas().geom_of_id], seen.ids), amodal=seen.masks)

    def _record(
        self, camera: Camera, instance_id: int, depth_m: NDArray[np.float32], instance: NDArray[np.uint16]
    ) -> tuple[ObjectTruth, ObjectMask] | None:
        body_id, body, bounds = self._things[instance_id - 1]
        pose = self._poses[body.name]
        if body.name not in self._boxes:
            self._boxes[body.name] = bounds.box_world(pose)

        def alone(window: Window, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
            return self._hidden(camera, body_id, window, where)

        return record_of(camera, instance_id, body, pose, self._boxes[body.name], depth_m, instance, alone)

    def _hidden(self, camera: Camera, body_id: int, window: Window, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Returns which pixels `where` in the window the body would have with nothing in front of it."""
        around = box_of(where)
        if around is None:
            return where
        left, top, right, bottom = around
        drawn: Window = (window[0] + left, window[1] + top, right - left + 1, bottom - top + 1)
        hidden = np.zeros_like(where)
        hidden[top : bottom + 1, left : right + 1] = self.canvas().alone(camera, self.data, body_id, drawn)
        return hidden & where


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What the last truth was made of: the camera, the ids that were drawn (H, W) and every object's amodal mask."""

    camera: Camera
    ids: NDArray[np.unsignedinteger]
    masks: tuple[ObjectMask, ...]


def _labels_of_geoms(
    scene: Scene, model: mujoco.MjModel
) -> tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.uint16]]:
    """Returns category, instance id and number of the visible part of every geom; the last entry stands for no geom."""
    category = np.zeros(model.ngeom + 1, dtype=np.uint8)
    instance, part = (np.zeros(model.ngeom + 1, dtype=np.uint16) for _ in range(2))
    instance_of = {body.name: k for k, body in enumerate(scene.things, start=1)}
    for k, (body, shown) in enumerate(visible_parts(scene), start=1):
        geom = model.geom(f"{body.name}/{shown.name}").id
        category[geom], instance[geom] = TAXONOMY.named(body.category).id, instance_of.get(body.name, 0)
        part[geom] = k
    return category, instance, part
