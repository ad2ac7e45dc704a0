"""Named render products with their annotators: one per camera and size, rendering only while a frame of theirs is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenes.camera import Camera
from scenes.errors import BackendError
from sim.isaac.kit import Annotator, RenderProduct
from sim.isaac.raw import RAW
from sim.isaac.settings import IsaacSettings
from sim.isaac.stage import OpenedStage, prim_name

# Replicator's annotators that a frame is made of, with how they are started; ids, never colours.
ANNOTATORS: Mapping[str, Mapping[str, Any]] = {
    "rgb": {},
    "distance_to_image_plane": {},
    "semantic_segmentation": {"colorize": False},
    "instance_segmentation": {"colorize": False},
    "instance_id_segmentation": {"colorize": False},
    "bounding_box_3d": {},
    "camera_params": {},
}
_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Product:
    product: RenderProduct
    annotators: dict[str, Annotator]


class Products:
    """The render products of one stage; to be closed before another stage is opened."""

    def __init__(self, stage: OpenedStage, settings: IsaacSettings) -> None:
        self._stage = stage
        self._settings = settings
        self._products: dict[str, _Product] = {}
        stage.before_replaced(self.close)

    def capture(self, camera: Camera) -> dict[str, Any]:
        """Renders a centred pinhole as the world stands; returns what each annotator gives, by its name."""
        mine = self._product(camera)
        mine.product.hydra_texture.set_updates_enabled(True)
        try:
            return self._data(mine.annotators)
        finally:
            mine.product.hydra_texture.set_updates_enabled(False)

    def add_raw(self, camera: Camera) -> None:
        """Has the captures of a camera of that name and size hold the annotators of `RAW` too, from the next one on."""
        mine = self._product(camera)
        mine.annotators.update(_attached(mine.product, {k: v for k, v in RAW.items() if k not in mine.annotators}))

    def _data(self, annotators: Mapping[str, Annotator]) -> dict[str, Any]:
        moving = {kind: annotators[kind] for kind in ("motion_vectors",) if kind in annotators}
        first: dict[str, Any] = {}
        if moving:
            # Between the subframes of one still world nothing moves: only the first knows the world before.
            step(1)
            first = {kind: annotator.get_data() for kind, annotator in moving.items()}
        step(self._settings.rt_subframes)
        return {kind: annotator.get_data() for kind, annotator in annotators.items()} | first

    def _product(self, camera: Camera) -> _Product:
        path = self._stage.aim(camera)
        name = f"{prim_name(camera.name)}_{camera.width}x{camera.height}"
        if name not in self._products:
            self._make_room()
            self._products[name] = _make(name, path, camera)
        return self._products[name]

    def close(self) -> None:
        """Waits for what is being written, then detaches every annotator and destroys every render product."""
        if not self._products:
            return
        import omni.replicator.core as rep

        rep.orchestrator.wait_until_complete()
        while self._products:
            self._destroy(next(iter(self._products)))

    def _make_room(self) -> None:
        while len(self._products) >= _MOST:
            self._destroy(next(iter(self._products)))

    def _destroy(self, name: str) -> None:
        gone = self._products.pop(name)
        for annotator in gone.annotators.values():
            annotator.detach()
        gone.product.destroy()


def step(rt_subframes: int) -> None:
    """Renders one frame of the world as it stands: time does not go on, and the data are of this frame."""
    import omni.replicator.core as rep

    rep.orchestrator.step(rt_subframes=rt_subframes, delta_time=0.0, pause_timeline=True)


def _make(name: str, camera_path: str, camera: Camera) -> _Product:
    import omni.replicator.core as rep

    product: RenderProduct = rep.create.render_product(camera_path, (camera.width, camera.height), name=name)
    return _Product(product=product, annotators=_attached(product, ANNOTATORS))


def _attached(product: RenderProduct, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, Annotator]:
    import omni.replicator.core as rep

    annotators: dict[str, Annotator] = {}
    for kind, options in wanted.items():
        annotator: Annotator = rep.AnnotatorRegistry.get_annotator(kind, init_params=dict(options), device="cpu")
        annotator.attach(product)
        annotators[kind] = annotator
    return annotators


_PICTURES = frozenset({"rgb", "distance_to_image_plane", "distance_to_camera", "normals", "motion_vectors"})


def assert_whole(data: Mapping[str, Any]) -> None:
    """Raises BackendError where an annotator gave nothing, as happens with several GPUs or before the first frame."""
    for name, value in data.items():
        array = value.get("data") if isinstance(value, dict) and "data" in value else value
        if array is None or (hasattr(array, "size") and not array.size and name in _PICTURES):
            raise BackendError(
                f"Replicator's annotator {name} gave nothing: use one GPU (multi_gpu=off), more rt_subframes, and see "
                "docs/isaac-sim.md."
            )
