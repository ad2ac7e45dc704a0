"""MuJoCo as a backend: physics and picture on any machine with EGL, the same bytes for the same scene whatever came before."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import BackendError, SceneError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.transforms import Pose
from sim.backend import SettleReport, SettleRule
from sim.frame import Frame, Truth
from sim.layers import Layers
from sim.mujoco.closed import Solids
from sim.mujoco.gl import open_context
from sim.mujoco.place import Beside, Here, Place
from sim.mujoco.truth import Truths

if TYPE_CHECKING:
    import mujoco

    from sim.mujoco.render import Canvas


class MujocoBackend:
    """The embedded default: MuJoCo's engine and its classic renderer, headless. Satisfies `sim.backend.Backend`."""

    name = "mujoco"

    def __init__(self, rule: SettleRule | None = None) -> None:
        """Opens the OpenGL context that all scenes share (0.1 s); raises BackendError where there is none."""
        os.environ.setdefault("MUJOCO_GL", "egl")
        self._here = Here(open_context())
        self._labels_at: Place = self._here
        self._rule = rule or SettleRule()
        self._world: _World | None = None
        self._closed = False

    def draw_beside(self) -> bool:
        """Draws truth in a second thread while the image is drawn in the calling one, of scenes loaded from now on.

        Same bytes in two thirds of the time, if a core would be idle. Returns whether it can: software rendering only.
        """
        self._assert_open()
        if self._labels_at is self._here:
            self._labels_at = Beside.open(self._here.gl) or self._here
        return self._labels_at is not self._here

    def load(self, scene: Scene) -> None:
        """Replaces the world with `scene`, at the poses that it states; raises SceneError where it cannot be built."""
        from sim.mujoco.model import build_model

        self._assert_open()
        self._unload()
        self._world = _World(scene, build_model(scene), self._here, self._labels_at)

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
        rgb, truth = world.look(camera)
        return Frame(name=f"{world.scene.id}/{camera.name}", rgb=rgb, camera=camera, truth=truth)

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
            if self._labels_at is not self._here:
                self._labels_at.close()
            self._here.close()
        self._closed = True

    def _assert_open(self) -> None:
        if self._closed:
            raise BackendError("The MuJoCo backend was closed: open another one with open_backend('mujoco').")

    def _unload(self) -> None:
        if self._world is not None:
            self._world.close()
            self._world = None

    def _loaded(self) -> _World:
        if self._world is None:
            raise BackendError("The MuJoCo backend has no scene: call load(scene) before settle or render.")
        return self._world


class _World:
    """One loaded scene: model, state, the drawing of its images, and the drawing of its labels, which may be the same."""

    def __init__(self, scene: Scene, model: mujoco.MjModel, here: Here, labels_at: Place) -> None:
        import mujoco

        self.scene = scene
        self.model = model
        self.data = mujoco.MjData(model)
        self._here, self._labels_at = here, labels_at
        self._drawings: dict[Place, Canvas] = {}
        self._solids: Solids | None = None
        self._truths = Truths(scene, model, self.data)
        self.stand_at({body.name: body.world_from_body for body in scene.bodies if body.dynamic})

    def stand_at(self, world_from_body: dict[str, Pose]) -> None:
        """Puts the dynamic bodies at these poses, exactly, and at rest."""
        from sim.mujoco.settle import write_poses

        write_poses(self.model, self.data, world_from_body)
        self._poses = {b.name: b.world_from_body for b in self.scene.bodies} | world_from_body
        self._truths.stand_at(self._poses)
        for drawing in self._drawings.values():
            drawing.update(self.data)

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
        """Returns the drawing of this scene's images, made when it is first looked at: rejected scenes never are."""
        return self._drawing_at(self._here)

    def close(self) -> None:
        """Frees what was drawn."""
        for place, drawing in self._drawings.items():
            place.start(drawing.close)()
        self._drawings.clear()

    def look(self, camera: Camera) -> tuple[NDArray[np.uint8], Truth]:
        """Renders the image, uint8 (H, W, 3), and its truth: one after the other, or at once where there are two places."""
        self.canvas()
        labels = self._drawing_at(self._labels_at)  # nothing is made while something is drawn
        truth = self._labels_at.start(lambda: self._truths.truth(labels, camera))
        try:
            rgb = self.image(camera)
        finally:
            seen = truth()  # whatever became of the image: poses and model stay as they are until the truth is drawn
        return rgb, seen

    def image(self, camera: Camera) -> NDArray[np.uint8]:
        """Renders the image, uint8 (H, W, 3)."""
        if self._solids is None:
            self._solids = Solids.of(self.scene)
        return self.canvas().image(camera, back_faces=not self._solids.seen_from_outside(camera, self._poses))

    def layers(self, camera: Camera) -> Layers:
        """Returns what the last truth of that camera was made of; renders it where the last was another's."""
        labels = self._drawing_at(self._labels_at)
        return self._labels_at.start(lambda: self._truths.layers(labels, camera))()

    def _drawing_at(self, place: Place) -> Canvas:
        from sim.mujoco.lens import LensCanvas
        from sim.mujoco.model import labels_only

        if place not in self._drawings:
            # A model for each thread: what draws labels shows one body at a time and says so in the model.
            model = self.model if place is self._here else labels_only(self.model)
            drawing = place.start(lambda: LensCanvas(place.gl, model))()
            drawing.update(self.data)
            self._drawings[place] = drawing
        return self._drawings[place]
