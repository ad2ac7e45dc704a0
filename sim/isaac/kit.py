"""The objects that Isaac Sim hands out, as far as this backend uses them: each method is one that a recorded table has.

Nothing is imported from Isaac Sim here; the classes only let the type checker see what we ask of its objects. A test holds
every name and parameter against tests/sim/isaac/api.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class App(Protocol):
    """isaacsim.SimulationApp: the running application."""

    def update(self) -> None: ...

    def reset_render_settings(self) -> None: ...

    def close(self, *, wait_for_replicator: bool, exit_code: int) -> None: ...


class UsdContext(Protocol):
    """What omni.usd.get_context returns: the one stage that the renderer looks at."""

    def open_stage(self, url: str) -> bool: ...

    def get_stage(self) -> Any: ...

    def get_stage_loading_status(self) -> tuple[str, int, int]: ...


class Settings(Protocol):
    """What carb.settings.get_settings returns."""

    def set(self, path: str, value: Any) -> None: ...


class Timeline(Protocol):
    """What omni.timeline.get_timeline_interface returns."""

    def play(self) -> None: ...

    def stop(self) -> None: ...

    def commit(self) -> None: ...

    def get_current_time(self) -> float: ...

    def set_current_time(self, time: float) -> None: ...

    def set_end_time(self, end_time: float) -> None: ...

    def set_looping(self, looping: bool) -> None: ...

    def set_time_codes_per_second(self, time_codes_per_second: float) -> None: ...


class HydraTexture(Protocol):
    """The picture behind a render product."""

    def set_updates_enabled(self, updates_enabled: bool) -> None: ...


class RenderProduct(Protocol):
    """What omni.replicator.core.create.render_product returns."""

    hydra_texture: HydraTexture

    def destroy(self) -> None: ...


class Annotator(Protocol):
    """What omni.replicator.core.AnnotatorRegistry.get_annotator returns; takes one render product."""

    def attach(self, render_products: RenderProduct) -> None: ...

    def detach(self) -> None: ...

    def get_data(self) -> Any: ...


class Writer(Protocol):
    """What omni.replicator.core.WriterRegistry.get returns."""

    def initialize(self, **options: Any) -> None: ...

    def attach(self, render_products: Sequence[RenderProduct]) -> None: ...

    def detach(self) -> None: ...
