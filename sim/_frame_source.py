"""Where a data set's frames come from: scene `index`, settled, and its views; what one worker process holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scenes.scene import Scene
from sim.frame import Frame

if TYPE_CHECKING:
    from sim.annotators.view import View
    from sim.generate import GenerateSpec


class FrameSource(Protocol):
    """Makes scenes and looks at the last one made; each scene is a pure function of the spec and its index."""

    def scene(self, index: int) -> tuple[Scene, dict[str, int]]:
        """Returns the settled scene and how many sub-seeds were rejected before it, by reason."""
        ...

    def frame(self, view: int) -> Frame:
        """Returns the image and truth of view `view` of the last scene."""
        ...

    def views(self, numbers: range) -> Iterator[View]:
        """Yields the frames of those numbers of the last scene with all that annotators may need, in order."""
        ...

    def write_stage(self, path: Path) -> None:
        """Writes the last scene as an OpenUSD stage, with whatever lies beside it."""
        ...

    def close(self) -> None:
        """Frees what it holds."""
        ...


class BackendSource:
    """A FrameSource on a simulator backend, with every camera resized to the spec's image size. Starts the simulator.

    `draws_beside` lets a backend that can draw truth beside the image, on a core of its own.
    """

    def __init__(self, spec: GenerateSpec, *, draws_beside: bool = False) -> None:
        from scenes.assets import load_asset
        from sim.backend import open_backend
        from sim.generate import suite_facts

        suite_facts(spec)  # a worker reads the suite's file again: it must still say what the spec was made from
        self._spec = spec
        if spec.isaac is not None:
            from sim.isaac import app

            app.start(spec.isaac)
        self._backend = open_backend(spec.backend)  # before anything that imports pxr: Isaac Sim brings its own
        draw_beside: Callable[[], bool] | None = getattr(self._backend, "draw_beside", None)
        if draws_beside and draw_beside is not None:
            draw_beside()
        self._assets = [load_asset(use) for use in spec.assets]
        self._scene: Scene | None = None
        self._views: tuple[int, ...] = ()  # the places of the cameras that the frames show

    def scene(self, index: int) -> tuple[Scene, dict[str, int]]:
        """Returns the settled scene and how many sub-seeds were rejected before it, by reason."""
        from sim.difficulty.target_search import realize_towards
        from sim.realize import realize

        spec = self._spec
        if spec.target is None:
            self._scene, rejected = realize(
                self._backend, spec.suite, split=spec.split, seed=spec.seed, index=index, assets=self._assets
            )
            self._views = tuple(range(len(self._scene.cameras)))
        else:
            chosen = realize_towards(
                self._backend, spec.target, spec.suite, split=spec.split, seed=spec.seed, index=index, size=spec.size,
                assets=self._assets,
            )  # fmt: skip
            self._scene, self._views, rejected = chosen.scene, chosen.views, chosen.rejected
        return self._scene, rejected

    def frame(self, view: int) -> Frame:
        """Returns the image and truth of view `view` of the last scene."""
        scene = self._made()
        camera = scene.cameras[self._views[view]].resized(*self._spec.size)
        name = f"{scene.id}/{camera.name}"
        from sim.sensors.apply import sense

        return sense(self._backend, scene, camera, self._spec.sensor, name=name)

    def views(self, numbers: range) -> Iterator[View]:
        """Yields the frames of those numbers of the last scene with all that annotators may need, in order."""
        from sim._recording import record

        spec = self._spec
        return record(self._backend, self._made(), spec.capture, spec.size, numbers, spec.sensor, self._views)

    def write_stage(self, path: Path) -> None:
        """Writes the last scene as an OpenUSD stage, with whatever lies beside it."""
        from scenes.usd import write_stage

        write_stage(self._made(), path, camera_size=self._spec.size)

    def close(self) -> None:
        """Frees the simulator."""
        self._scene = None
        self._backend.close()

    def _made(self) -> Scene:
        if self._scene is None:
            raise RuntimeError("FrameSource.scene must be called first.")
        return self._scene


def beside_source(spec: GenerateSpec) -> BackendSource:
    """Starts a BackendSource that draws truth beside the image."""
    return BackendSource(spec, draws_beside=True)
