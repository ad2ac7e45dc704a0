"""The scene in Isaac Sim is the very stage that `scenes.usd` writes; bodies and our own cameras are moved by plain USD.

Isaac Sim has one stage per process. Everything here goes through its own `pxr`, which is there once the application runs.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scenes.camera import Camera
from scenes.errors import BackendError
from scenes.scene import Scene
from scenes.transforms import Pose, multiply
from scenes.usd import write_stage
from sim._labels import prim_path
from sim.isaac.app import Running, apply_settings
from sim.isaac.kit import UsdContext

# Only ratios to the focal length matter; RTX draws square pixels from the horizontal one (reference, 1.7).
APERTURE = 20.955
CAMERAS = "/World/RehearseCameras"
_HALF_TURN_ABOUT_X = (0.0, 1.0, 0.0, 0.0)  # OpenCV axes (y down, z forward) <-> USD axes (y up, z backward)
_LOADING_UPDATES = 2000


class OpenedStage:
    """A scene that Isaac Sim's one stage shows; another `OpenedStage` takes its place, which `shown` then tells."""

    def __init__(self, running: Running, scene: Scene) -> None:
        """Writes the scene to a folder of its own, opens it and waits until it is loaded; raises BackendError."""
        self._running = running
        self._release: Callable[[], None] | None = None
        self._ops: dict[str, tuple[Any, Any]] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="rehearse-isaac-", ignore_cleanup_errors=True)
        try:
            # Cameras of any kind are drawn here, through `optics`; a stage takes only some, so ours are made on demand.
            path = Path(self._folder.name) / "scene.usdc"
            write_stage(replace(scene, cameras=()), path)
            _take_the_place(self)
            self._stage = open_stage(running, path)
            self._identifier = self._stage.GetRootLayer().identifier
            self._hide_colliders(scene)
        except BaseException:
            self.close()
            raise

    @property
    def shown(self) -> bool:
        """Whether this is still the stage that the renderer looks at."""
        stage = _context().get_stage()
        return stage is not None and stage.GetRootLayer().identifier == self._identifier

    def before_replaced(self, release: Callable[[], None]) -> None:
        """Has `release` called before another stage is opened: render products must not outlive theirs."""
        self._release = release

    def release(self) -> None:
        """Lets go of what was made for this stage."""
        if self._release is not None:
            self._release()

    def place(self, world_from_body: Mapping[str, Pose]) -> None:
        """Puts bodies there, in double precision."""
        for name, pose in world_from_body.items():
            self._move(prim_path(name), pose)

    def aim(self, camera: Camera) -> str:
        """Makes or moves the prim of a centred pinhole of square pixels; returns its path."""
        from pxr import Gf, UsdGeom

        path = f"{CAMERAS}/{prim_name(camera.name)}"
        prim = UsdGeom.Camera.Define(self._stage, path)
        pose = camera.world_from_camera
        self._move(path, Pose(pose.position_m, multiply(pose.quaternion_wxyz, _HALF_TURN_ABOUT_X)))
        prim.CreateProjectionAttr(UsdGeom.Tokens.perspective)
        prim.CreateFocalLengthAttr(camera.fx * APERTURE / camera.width)
        prim.CreateHorizontalApertureAttr(APERTURE)
        prim.CreateVerticalApertureAttr(APERTURE * camera.height / camera.width)
        prim.CreateHorizontalApertureOffsetAttr(0.0)
        prim.CreateVerticalApertureOffsetAttr(0.0)
        prim.CreateClippingRangeAttr(Gf.Vec2f(camera.near_m, camera.far_m))
        prim.CreateFStopAttr(0.0)  # no blur out of focus
        return path

    def prim(self, path: str) -> Any:
        """Returns a prim of the stage; raises BackendError where there is none."""
        prim = self._stage.GetPrimAtPath(path)
        if not prim:
            raise BackendError(f"The stage in Isaac Sim has no prim {path}: something else changed it; load the scene again.")
        return prim

    def close(self) -> None:
        """Lets go of what was made for it and frees the files; Isaac Sim shows the stage until another is opened."""
        self.release()
        self._folder.cleanup()

    def _move(self, path: str, pose: Pose) -> None:
        from pxr import Gf

        if path not in self._ops:
            self._ops[path] = _pose_ops(self.prim(path))
        translate, orient = self._ops[path]
        w, x, y, z = pose.quaternion_wxyz
        translate.Set(Gf.Vec3d(*pose.position_m))
        orient.Set(Gf.Quatd(w, x, y, z))

    def _hide_colliders(self, scene: Scene) -> None:
        """Makes colliders invisible: they are of purpose `guide`, which a viewport may show; physics does not mind."""
        from pxr import UsdGeom

        for body in scene.bodies:
            prim = self._stage.GetPrimAtPath(f"{prim_path(body.name)}/collision")
            if prim:
                UsdGeom.Imageable(prim).MakeInvisible()


_last: OpenedStage | None = None


def _take_the_place(stage: OpenedStage) -> None:
    """Has the stage that is shown let go of its render products before another one is opened."""
    global _last  # noqa: PLW0603  # there is one stage per process
    if _last is not None:
        _last.release()
    _last = stage


def open_stage(running: Running, path: Path) -> Any:
    """Opens a stage file, applies the render settings again and waits until it is loaded; raises BackendError."""
    context = _context()
    if not context.open_stage(str(path)):
        raise BackendError(f"Isaac Sim cannot open the stage {path}: its log says why.")
    for _ in range(_LOADING_UPDATES):
        running.app.update()
        if context.get_stage_loading_status()[2] == 0:
            break
    else:
        raise BackendError(f"Isaac Sim is still loading {path} after {_LOADING_UPDATES} updates: its log says what hangs.")
    running.app.reset_render_settings()  # a stage may carry settings of its own
    apply_settings(running.settings)
    return context.get_stage()


def prim_name(name: str) -> str:
    """Returns a name that a prim and a render product may have, from a camera's."""
    plain = re.sub(r"\W", "_", name) or "camera"
    return plain if not plain[0].isdecimal() else f"_{plain}"


def _context() -> UsdContext:
    import omni.usd

    context: UsdContext = omni.usd.get_context()
    return context


def _pose_ops(prim: Any) -> tuple[Any, Any]:
    """Returns the translate and the orient op of a prim, in double precision; makes them where there are none."""
    from pxr import UsdGeom

    xform = UsdGeom.Xformable(prim)
    ops = {op.GetOpType(): op for op in xform.GetOrderedXformOps()}
    translate, orient = ops.get(UsdGeom.XformOp.TypeTranslate), ops.get(UsdGeom.XformOp.TypeOrient)
    if translate is None:
        translate = xform.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble)
    if orient is None:
        orient = xform.AddOrientOp(UsdGeom.XformOp.PrecisionDouble)
    return translate, orient
