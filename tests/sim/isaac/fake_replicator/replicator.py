"""The FAKE omni.replicator.core: render products, annotators, writers, the orchestrator, and a graph that records itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.sim.isaac.api_table import api_table
from tests.sim.isaac.fake_replicator.annotators import Shot, annotation, shoot
from tests.sim.isaac.fake_replicator.kit import FakeKit
from tests.sim.isaac.fake_replicator.randomizers import Randomizers
from tests.sim.isaac.fake_replicator.writer import FakeBasicWriter


class FakeRenderProduct:
    """A FAKE render product."""

    def __init__(self, kit: FakeKit, camera: str, resolution: tuple[int, int], name: str) -> None:
        self.kit, self.camera, self.resolution, self.name = kit, str(camera), resolution, name
        self.enabled, self.destroyed = True, False
        self.hydra_texture = self
        self.now: Shot | None = None
        self.lagging: Shot | None = None
        self.path = f"/Render/{name}"
        kit.alive_products += 1

    def set_updates_enabled(self, updates_enabled: bool) -> None:
        self.enabled = updates_enabled

    def destroy(self) -> None:
        self.destroyed = True
        self.kit.alive_products -= 1

    def render(self, *, stale: bool) -> None:
        shot = shoot(self.kit, self.camera, self.resolution, self.now)
        if stale and self.now is not None:
            pixels = replace(self.now, poses=shot.poses, params=shot.params)
            self.lagging = pixels if self.kit.stale_pixels_only else self.now
        else:
            self.lagging, self.now = None, shot

    @property
    def seen(self) -> Shot:
        if self.now is None:
            raise RuntimeError("the fake: get_data before the first step")
        return self.lagging or self.now


class FakeAnnotator:
    """A FAKE annotator: one render product, data of its last step."""

    def __init__(self, kit: FakeKit, name: str, init_params: dict[str, Any]) -> None:
        self._kit, self._name, self._options = kit, name, init_params
        self._product: FakeRenderProduct | None = None

    def attach(self, render_products: Any) -> None:
        if isinstance(render_products, (list, tuple)) and len(render_products) > 1:
            raise NotImplementedError("an annotator takes one render product")
        self._product = render_products
        self._kit.annotators_attached += 1

    def detach(self, render_products: Any = None) -> None:
        if self._product is not None:
            self._kit.annotators_attached -= 1
        self._product = None

    def get_data(self, device: str = "cpu", do_array_copy: bool = True) -> Any:
        if self._product is None or self._product.destroyed:
            raise RuntimeError(f"the fake: {self._name} is attached to no render product")
        if self._options.get("colorize", "segmentation" in self._name):
            raise NotImplementedError("the fake gives ids, not colours")
        return annotation(self._name, self._product.seen, self._kit)


class FakeReplicator:
    """The FAKE functions by their recorded names."""

    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit
        self.products: list[FakeRenderProduct] = []
        self.writers: list[FakeBasicWriter] = []
        self.randomizers = Randomizers(kit)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Returns what the fake has behind each recorded name of omni.replicator.core."""
        core = "omni.replicator.core"
        return {
            f"{core}.set_global_seed": self.set_global_seed,
            f"{core}.orchestrator.step": self.step,
            f"{core}.orchestrator.wait_until_complete": self.wait,
            f"{core}.orchestrator.set_capture_on_play": self.capture_on_play,
            f"{core}.create.render_product": self.render_product,
            f"{core}.AnnotatorRegistry.get_annotator": self.annotator,
            f"{core}.WriterRegistry.get": self.writer,
            **{f"{core}.{name}": function for name, function in self.randomizers.functions().items()},
        }

    def step(self, **options: Any) -> None:
        """Renders every enabled product once; writers that are attached write."""
        self.kit.steps.append(options)
        stale, self.kit.stale_steps = self.kit.stale_steps > 0, max(0, self.kit.stale_steps - 1)
        for product in self.products:
            if product.enabled and not product.destroyed:
                product.render(stale=stale)
        for writer in self.writers:
            writer.write()

    def set_global_seed(self, seed: int) -> None:
        self.kit.seeds.append(seed)
        self.randomizers.seed(seed)

    def capture_on_play(self, value: bool) -> None:
        self.kit.settings["/omni/replicator/captureOnPlay"] = value

    def wait(self) -> None:
        for writer in self.writers:
            writer.flush()

    def render_product(self, camera: Any, resolution: Any, force_new: Any = None, name: Any = None) -> FakeRenderProduct:
        made = FakeRenderProduct(self.kit, camera, tuple(resolution), name or "RenderProduct_Replicator")
        self.products.append(made)
        return made

    def annotator(self, name: str, init_params: Any = None, **_: Any) -> FakeAnnotator:
        known = api_table().annotators
        unknown = set(init_params or {}) - set(known[name])
        if unknown:
            raise TypeError(f"annotator {name} has no parameter {unknown}")
        return FakeAnnotator(self.kit, name, dict(init_params or {}))

    def writer(self, name: str, init_params: Any = None) -> FakeBasicWriter:
        if name != "BasicWriter":
            raise ValueError(f"the fake has no writer {name}")
        made = FakeBasicWriter(self.kit)
        self.writers.append(made)
        return made
