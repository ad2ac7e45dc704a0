"""What every simulator backend promises: a scene goes in, comes to rest by a stated rule, and is seen with its truth."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from scenes.camera import Camera
from scenes.errors import UnknownNameError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.transforms import Pose
from sim.frame import Frame
from sim.layers import Layers


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleRule:
    """When a scene counts as at rest, and when one of its dynamic bodies counts as lost.

    At rest: every dynamic body stays below both speeds for `hold_s`, not before `min_time_s`, not after `max_time_s`.
    Lost: the middle of a body lies more than `max_drop_m` below the top of every support that it is above, or above
    none, or only above supports lower by more than `max_drop_m` than the highest that it was let go over (it fell from
    the couch to the floor), or farther than `max_move_m` from where it started. Wedged: the colliders of a body and of
    another overlap by more than `max_depth_m`, as those of a spoon that is jammed in a cup.
    """

    max_speed_m_s: float = 0.01
    max_angular_speed_rad_s: float = 0.2
    hold_s: float = 0.1
    min_time_s: float = 0.3
    max_time_s: float = 4.0
    max_drop_m: float = 0.05
    max_move_m: float = 0.5
    max_depth_m: float = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleReport:
    """How settling ended: simulated seconds, the last largest speeds, bodies lost and wedged, every dynamic body's pose."""

    at_rest: bool
    time_s: float
    max_speed_m_s: float
    max_angular_speed_rad_s: float
    lost: tuple[str, ...] = ()
    wedged: tuple[str, ...] = ()
    world_from_body: Mapping[str, Pose] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the scene came to rest with every body where it belongs, and none in another."""
        return self.at_rest and not self.lost and not self.wedged

    @property
    def fault(self) -> str:
        """Under which name a rejection of the scene is counted; empty where it was accepted."""
        return "lost a body" if self.lost else "not at rest" if not self.at_rest else "wedged" if self.wedged else ""

    def reason(self) -> str:
        """Returns why the scene was not accepted, in a few words; empty where it was."""
        if self.lost:
            return f"lost {', '.join(self.lost)}"
        if not self.at_rest:
            return (
                f"not at rest after {self.time_s:.2f} s "
                f"({self.max_speed_m_s:.3f} m/s, {self.max_angular_speed_rad_s:.2f} rad/s)"
            )
        if self.wedged:
            return f"wedged {', '.join(self.wedged)}"
        return ""


class Backend(Protocol):
    """A simulator: load a scene, optionally let it settle, then render any camera; poses are those of the last call.

    Results depend only on the scene that was loaded, never on the scenes before it. Not for use by several threads.
    """

    @property
    def name(self) -> str:
        """The name that `open_backend` takes."""
        ...

    def load(self, scene: Scene) -> None:
        """Replaces the world with `scene`, at the poses that it states; raises SceneError where it cannot be built."""
        ...

    def settle(self) -> SettleReport:
        """Runs physics until the bodies rest or time is up; the bodies then stay at the poses of the report."""
        ...

    def render(self, camera: Camera) -> Frame:
        """Returns the image and its truth, as the bodies stand now; raises BackendError where nothing was loaded."""
        ...

    def place(self, world_from_body: Mapping[str, Pose]) -> None:
        """Puts the named dynamic bodies there, exactly and at rest; the others stay. Raises SceneError for another name."""
        ...

    def play(self, pushes: Sequence[Push], times_s: Sequence[float]) -> Sequence[Mapping[str, Pose]]:
        """Returns the pose of every dynamic body at rising times after the pushes, by physics, in steps of at most 2 ms.

        The bodies then stand where they stood before. Raises SceneError for the name of a body that is not dynamic.
        """
        ...

    def layers(self, camera: Camera) -> Layers:
        """Returns what lies behind the truth that `render` gives of that camera; cheap right after it."""
        ...

    def close(self) -> None:
        """Frees what the simulator holds; may be called twice."""
        ...


_BACKENDS: dict[str, tuple[str, str]] = {
    "isaac": ("sim.isaac.backend", "IsaacBackend"),
    "mujoco": ("sim.mujoco.backend", "MujocoBackend"),
    "raycast": ("sim.proof.raycast_backend", "RaycastBackend"),
}

BACKEND_NAMES = tuple(sorted(_BACKENDS))


def open_backend(name: str = "mujoco") -> Backend:
    """Starts a backend by name; raises UnknownNameError, or BackendError where it cannot run on this machine."""
    if name not in _BACKENDS:
        raise UnknownNameError("backend", name, _BACKENDS)
    module, attribute = _BACKENDS[name]
    start = cast("Callable[[], Backend]", getattr(importlib.import_module(module), attribute))
    return start()
