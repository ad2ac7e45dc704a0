"""Isaac Sim as a backend: the scene's own stage, settled once for all backends, seen by Replicator, each frame proven fresh."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scenes.camera import Camera
from scenes.errors import BackendError, SceneError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.transforms import Pose
from sim.backend import SettleReport, SettleRule
from sim.frame import Frame, Truth
from sim.isaac import app
from sim.isaac.annotate import Maps, read_maps
from sim.isaac.freshness import FreshnessCheck
from sim.isaac.optics import Optics
from sim.isaac.physics import PhysxWorld
from sim.isaac.products import Products, assert_whole
from sim.isaac.raw import RAW, raw_annotations
from sim.isaac.settings import IsaacSettings
from sim.isaac.settler import SettlerProcess
from sim.isaac.stage import OpenedStage
from sim.isaac.truth import TruthMaker
from sim.layers import Layers


class IsaacBackend:
    """Isaac Sim 5.1 or 6.x, headless. Satisfies `sim.backend.Backend`; never run on hardware by its authors."""

    name = "isaac"

    def __init__(self, settings: IsaacSettings | None = None, *, rule: SettleRule | None = None) -> None:
        """Starts the application if this process has none (tens of seconds); raises BackendError where it cannot."""
        self._running = app.start(settings)
        self._settings = settings or self._running.settings
        self._rule = rule or SettleRule()
        self._settler = SettlerProcess(
            self._rule, python=self._settings.settler, environment=self._running.clean_environment
        )
        self._world: _World | None = None
        self._closed = False

    def load(self, scene: Scene) -> None:
        """Replaces the world with `scene`, at the poses that it states; raises SceneError where it cannot be built."""
        if self._closed:
            raise BackendError("The isaac backend was closed: open another one with open_backend('isaac').")
        self._unload()
        self._world = _World(self._running, self._settings, scene)

    def settle(self) -> SettleReport:
        """Settles by MuJoCo in another process or by PhysX, as the settings say; the bodies then stay where they are."""
        world = self._loaded()
        if self._settings.physics == "physx":
            report = world.physx().settle(world.dynamic_poses(), self._rule)
        else:
            report = self._settler.settle(world.scene.with_poses(world.dynamic_poses()))
        world.stand_at(report.world_from_body)
        return report

    def render(self, camera: Camera) -> Frame:
        """Returns the image and its truth, as the bodies stand now; raises BackendError where no fresh frame is to be had."""
        world = self._loaded()
        seen = world.see(camera)
        return Frame(
            name=f"{world.scene.id}/{camera.name}", rgb=seen.optics.image(seen.maps.rgb), camera=camera, truth=seen.truth
        )

    def place(self, world_from_body: Mapping[str, Pose]) -> None:
        """Puts the named dynamic bodies there, exactly and at rest; the others stay. Raises SceneError for another name."""
        world = self._loaded()
        world.assert_dynamic(world_from_body)
        world.stand_at(world_from_body)

    def play(self, pushes: Sequence[Push], times_s: Sequence[float]) -> list[dict[str, Pose]]:
        """Returns the pose of every dynamic body at rising times after the pushes; the bodies then stand as before."""
        world = self._loaded()
        world.assert_dynamic(push.body_name for push in pushes)
        start = world.dynamic_poses()
        if self._settings.physics == "physx":
            return world.physx().play(start, pushes, times_s)
        return self._settler.play(world.scene, start, pushes, times_s)

    def layers(self, camera: Camera) -> Layers:
        """Returns what lies behind the truth of that camera; renders only where the last frame was another's."""
        return self._loaded().see(camera, again=False).layers

    def annotations(self, camera: Camera) -> dict[str, Any]:
        """Returns Replicator's own annotations of that camera, as `sim.annotators.decode` would give them, unchanged.

        Renders again where the last frame was another's or had none of them. Empty for a camera that is no centred
        pinhole of square pixels: Replicator then draws another picture, from which the frame is cut.
        """
        return self._loaded().annotations(camera)

    def close(self) -> None:
        """Frees the world; may be called twice. The application stays until the process ends: Kit cannot start twice."""
        self._unload()
        self._settler.close()
        self._closed = True

    def _unload(self) -> None:
        if self._world is not None:
            self._world.close()
            self._world = None

    def _loaded(self) -> _World:
        if self._world is None:
            raise BackendError("The isaac backend has no scene: call load(scene) before settle or render.")
        return self._world


class _Seen:
    """What the last capture was made of, and its data as Replicator gave them."""

    def __init__(self, optics: Optics, data: Mapping[str, Any], maps: Maps, truth: Truth, layers: Layers) -> None:
        self.optics, self.data, self.maps, self.truth, self.layers = optics, data, maps, truth, layers


class _World:
    """One loaded scene: its stage, its render products and where its bodies stand. Reopened where another took its place."""

    def __init__(self, running: app.Running, settings: IsaacSettings, scene: Scene) -> None:
        self.scene = scene
        self._running, self._settings = running, settings
        self._poses = {body.name: body.world_from_body for body in scene.bodies}
        self._dynamic = frozenset(body.name for body in scene.bodies if body.dynamic)
        self._truths: TruthMaker | None = None
        self._fresh: FreshnessCheck | None = None
        self._seen: _Seen | None = None
        self._physx: PhysxWorld | None = None
        self._open()

    def dynamic_poses(self) -> dict[str, Pose]:
        """Returns where the dynamic bodies stand."""
        return {name: pose for name, pose in self._poses.items() if name in self._dynamic}

    def stand_at(self, world_from_body: Mapping[str, Pose]) -> None:
        """Puts bodies there."""
        self._poses |= world_from_body
        self._shown().place(world_from_body)
        self._seen = None

    def assert_dynamic(self, names: Iterable[str]) -> None:
        """Raises SceneError for a name that is not a dynamic body's."""
        for name in names:
            if name not in self._dynamic:
                known = ", ".join(self.dynamic_poses())
                raise SceneError(f"{name} cannot be moved: the dynamic bodies of {self.scene.id} are {known}.")

    def physx(self) -> PhysxWorld:
        """Returns the bodies under PhysX."""
        stage = self._shown()
        if self._physx is None:
            self._physx = PhysxWorld(self._running, stage, self.scene)
        return self._physx

    def see(self, camera: Camera, *, again: bool = True) -> _Seen:
        """Captures the camera, or returns the last capture where it was of this camera and nothing has moved."""
        if not again and self._seen is not None and self._seen.optics.camera == camera:
            return self._seen
        if self._truths is None:
            self._truths, self._fresh = TruthMaker(self.scene), FreshnessCheck(self.scene)
        optics = Optics.of(camera)
        data = self._fresh_data(optics.drawn)
        maps = read_maps(data, self.scene, optics.drawn)
        self._seen = _Seen(optics, data, maps, *self._truths.truth(optics, maps, self._poses))
        return self._seen

    def annotations(self, camera: Camera) -> dict[str, Any]:
        """Returns the raw annotations of a camera that is drawn as it is, none of another."""
        optics = Optics.of(camera)
        if not optics.plain:
            return {}
        self._shown()
        seen = self.see(camera, again=False)
        if not seen.data.keys() >= RAW.keys():
            self._products.add_raw(optics.drawn)
            seen = self.see(camera)
        return raw_annotations(seen.data, (camera.height, camera.width))

    def close(self) -> None:
        """Detaches and destroys all that was made, in Replicator's order."""
        self._stage.close()

    def _fresh_data(self, drawn: Camera) -> Mapping[str, Any]:
        """Captures until the data show the world as it stands; raises BackendError where they never do."""
        assert self._fresh is not None
        self._shown()
        complaint = ""
        for _ in range(self._settings.fresh_attempts):
            data = self._products.capture(drawn)
            assert_whole(data)
            complaint = self._fresh.complaint(data, drawn, self._poses)
            if not complaint:
                return data
        raise BackendError(
            f"Isaac Sim shows an older world in {self._settings.fresh_attempts} captures of {drawn.name} in {self.scene.id}: "
            f"{complaint}. See stale frames in docs/isaac-sim.md."
        )

    def _open(self) -> None:
        self._stage = OpenedStage(self._running, self.scene)
        self._products = Products(self._stage, self._settings)
        self._physx = None

    def _shown(self) -> OpenedStage:
        """Returns the stage, opened anew where another one took its place in Isaac Sim."""
        if not self._stage.shown:
            self.close()
            self._open()
            self._stage.place(self._poses)
        return self._stage
