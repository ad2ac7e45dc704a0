"""One frame made again from its name: the same scene, the same view, whatever was made before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scenes.assets import AssetUse, load_asset
from scenes.errors import SceneError, UnknownNameError
from scenes.scene import Scene
from sim.backend import Backend
from sim.frame import Frame
from sim.frame_id import FrameId


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rebuilt:
    """A frame with the settled scene that it shows."""

    scene: Scene
    frame: Frame


def rebuild_scene(
    backend: Backend,
    frame_id: FrameId,
    *,
    attempt: int | None = None,
    assets: Sequence[AssetUse] = (),
    views: int | None = None,
) -> Scene:
    """Returns the settled scene of a frame; the backend then holds it.

    `attempt` None takes the first sub-seed that settles, as `rehearse generate` does; `views` is how many cameras the
    scene has where that is not the suite's number (`Target.views`), with an attempt only. Raises SceneError where none
    does, or where the one that is asked for does not.
    """
    from sim.realize import realize, unsettled

    suite, split, seed, index = frame_id.suite, frame_id.split, frame_id.seed, frame_id.index
    loaded = [load_asset(use) for use in assets]
    if attempt is None:
        return realize(backend, suite, split=split, seed=seed, index=index, assets=loaded)[0]
    scene = unsettled(suite, split=split, seed=seed, index=index, attempt=attempt, assets=loaded, views=views)
    backend.load(scene)
    report = backend.settle()
    if not report.accepted:
        raise SceneError(f"Sub-seed {attempt} of scene {scene.id} does not settle here ({report.reason()}).")
    return scene.with_poses(dict(report.world_from_body))


def rebuild(
    backend: Backend,
    frame_id: FrameId,
    *,
    size: tuple[int, int],
    attempt: int | None = None,
    assets: Sequence[AssetUse] = (),
) -> Rebuilt:
    """Makes a frame again at `size` (width, height); raises SceneError, or UnknownNameError for a camera it lacks."""
    scene = rebuild_scene(backend, frame_id, attempt=attempt, assets=assets)
    return Rebuilt(scene=scene, frame=look(backend, scene, frame_id.camera or scene.cameras[0].name, size=size))


def look(backend: Backend, scene: Scene, camera_name: str, *, size: tuple[int, int]) -> Frame:
    """Renders one camera of the scene that the backend holds, with the name that a data set gives the frame."""
    cameras = {camera.name: camera for camera in scene.cameras}
    if camera_name not in cameras:
        raise UnknownNameError("camera", camera_name, cameras)
    frame = backend.render(cameras[camera_name].resized(*size))
    return replace(frame, name=f"{scene.id}/{camera_name}")
