"""What differs between the versions of Isaac Sim that this backend knows; an unknown one is told which was assumed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scenes.errors import BackendError

# Sources: the vendor's wheels isaacsim-kernel 6.0.1.0, 6.1.0.0 and 6.2.0.0 (simulation_app.py), for 5.1 the public
# repository's tag; gathered in the reference, sections 0.2, 1.2, 1.4 and 1.11.

_COMMON_KEYS = frozenset({
    "headless", "hide_ui", "active_gpu", "physics_gpu", "multi_gpu", "max_gpu_count", "sync_loads", "width", "height",
    "window_width", "window_height", "display_options", "subdiv_refinement_level", "renderer", "anti_aliasing",
    "samples_per_pixel_per_frame", "denoiser", "max_bounces", "max_specular_transmission_bounces", "max_volume_bounces",
    "open_usd", "fast_shutdown", "profiler_backend", "create_new_stage", "extra_args", "enable_crashreporter",
    "limit_cpu_threads", "disable_viewport_updates",
})  # fmt: skip
_KEYS_6_0 = _COMMON_KEYS | {"minimal_shading_mode", "shutdown_watchdog_timeout"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One line of versions: what Python it runs on, what its start-up takes and how it is left.

    `close_takes_exit_code`: SimulationApp.close keeps the status that it is given, where an older one ends with 0.
    `reads_labels`: by which schema labels are read; all that are supported read UsdSemantics.LabelsAPI.
    `renderers`: those that its start-up documents, first the one that it takes unasked.
    """

    name: str
    python: tuple[int, int]
    replicator: str
    launch_keys: frozenset[str]
    renderers: tuple[str, ...]
    close_takes_exit_code: bool
    step_keywords: frozenset[str]
    reads_labels: str = "UsdSemantics.LabelsAPI"


_RENDERERS_5 = ("RaytracedLighting", "PathTracing")
_RENDERERS_6 = ("RealTimePathTracing", *_RENDERERS_5)
_STEP_5 = frozenset({"rt_subframes", "pause_timeline", "delta_time"})
_STEP_6 = _STEP_5 | {"wait_for_render"}

VERSIONS = (
    Version(
        name="5.1", python=(3, 11), replicator="1.12.27", launch_keys=_COMMON_KEYS, renderers=_RENDERERS_5,
        close_takes_exit_code=False, step_keywords=_STEP_5,
    ),
    Version(
        name="6.0", python=(3, 12), replicator="1.13.27", launch_keys=_KEYS_6_0, renderers=_RENDERERS_6,
        close_takes_exit_code=True, step_keywords=_STEP_6,
    ),
    Version(
        name="6.1", python=(3, 12), replicator="1.13.36", launch_keys=_KEYS_6_0 | {"active_cuda_gpus"},
        renderers=_RENDERERS_6, close_takes_exit_code=True, step_keywords=_STEP_6,
    ),
    Version(
        name="6.2", python=(3, 12), replicator="1.13.37", launch_keys=_KEYS_6_0 | {"active_cuda_gpus"},
        renderers=_RENDERERS_6, close_takes_exit_code=True, step_keywords=_STEP_6,
    ),
)  # fmt: skip
OLDEST = (5, 1)


def version_of(text: str) -> tuple[Version, str]:
    """Returns the line of a full version such as 6.2.0, and a warning that names what was assumed, "" for a known one.

    Raises BackendError for one that is too old: before 5.1 labels were kept by another schema.
    """
    found = re.match(r"(\d+)\.(\d+)", text)
    if found is None:
        newest = VERSIONS[-1]
        return newest, f"Isaac Sim does not say its version (it said {text!r}); {newest.name} is assumed."
    key = int(found[1]), int(found[2])
    if key < OLDEST:
        raise BackendError(
            f"Isaac Sim {text} is older than 5.1, the first that this backend knows; install 5.1 or a 6.x "
            "(docs/isaac-sim.md says how)."
        )
    known = {_numbers(version.name): version for version in VERSIONS}
    if key in known:
        return known[key], ""
    below = known[max(k for k in known if k <= key)]
    return below, (
        f"Isaac Sim {text} is not known to this version of Rehearse: it is treated as {below.name} (Replicator "
        f"{below.replicator}, start-up keys, renderer {below.renderers[0]}, "
        f"step({', '.join(sorted(below.step_keywords))}), labels by {below.reads_labels}). Run `rehearse doctor --backend "
        "isaac` before you trust what it makes."
    )


def _numbers(name: str) -> tuple[int, int]:
    major, minor = name.split(".")
    return int(major), int(minor)
